"""The output of a network in which a layer has other values."""

from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Network
from visioncircuits.networks.edits import Replacement
from visioncircuits.networks.network import Pictures


def output_with(network: Network, layer: str, values: Tensor, *, pictures: Pictures) -> Tensor:
    """Compute a network's output with a layer's values replaced by others.

    Parameters
    ----------
    network
        Any network.
    layer
        One of its layers.
    values
        Of the shape that the layer has on the pictures.
    pictures
        Float32 in [0, 1], `(batch, channels, height, width)`: what layers beside this one see.
        Where every path leads through the layer, nothing is computed from them.

    Raises
    ------
    InputError
        For an unknown layer, or values of another shape.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 224, 224)
    >>> found = network.activations(picture, ["mixed4a", "logits"])
    >>> same = output_with(network, "mixed4a", found["mixed4a"], pictures=picture)
    >>> torch.allclose(same, found["logits"], atol=1e-5)
    True
    """
    height, width = pictures.shape[2:]
    expected = (len(pictures), *network.layer_at(layer, (height, width)).shape)
    if (values.shape[0], *values.shape[2:]) != expected:
        raise InputError(
            f"{layer} has values of {expected} on these pictures, batch and positions, not "
            f"{(values.shape[0], *values.shape[2:])}"
        )
    change = Replacement(network.layer(layer).name, values.to(network.device))
    return network.activations(pictures, [network.output], changes=[change])[network.output]
