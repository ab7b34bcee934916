"""All classes attributed at once: derivatives along parts of the activations, in forward mode."""

import warnings

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.attribution.slopes import Gradient, Slope
from visioncircuits.errors import InputError
from visioncircuits.networks import Network
from visioncircuits.networks.edits import Replacement


def attributed_to_all(
    network: Network,
    photograph: Float[Tensor, "1 channels height width"],
    layer: str,
    parts: Float[Tensor, "parts units rows columns"],
    slope: Slope,
    *,
    batch: int = 64,
) -> Float[Tensor, "parts outputs"]:
    """Attribute all of the network's outputs to parts of a layer's activations.

    A slope costs a backward pass for each readout, whatever the parts; this costs a forward pass
    for each part, whatever the outputs: derivatives along directions, in forward mode. The numbers
    are the same, to float rounding.

    Parameters
    ----------
    parts
        Of the activations, such as those at one position and zero elsewhere.
    batch
        Parts at once.

    Raises
    ------
    InputError
        For a layer that the output does not depend on, an output with positions, and where
        something between the two has no derivative in forward mode; for exact paths.

    Examples
    --------
    >>> from visioncircuits.attribution import Gradient
    >>> from visioncircuits.networks import untrained
    >>> network, photograph = untrained("bvlc_googlenet"), torch.rand(1, 3, 224, 224)
    >>> values = network.activations(photograph, ["mixed5a"])["mixed5a"]
    >>> attributed_to_all(network, photograph, "mixed5a", values, Gradient()).shape
    torch.Size([1, 1000])
    """
    if not isinstance(slope, Gradient):
        raise InputError(f"{slope.name} are of one class after another; name the classes")
    output, name = network.output, network.layer(layer).name
    if not network.depends(output, layer):
        raise InputError(f"{output} does not depend on {layer}; name an earlier layer")
    if network.layer(output).shape:
        raise InputError(f"{output} has positions: {network.name} is not a classifier")
    with torch.inference_mode(False), torch.no_grad():
        values = network.activations(photograph, [layer])[layer].clone()
        parts = parts.to(values)

        def outputs(values: Tensor) -> Tensor:
            changes = [Replacement(name, values)]
            return network.activations(photograph, [output], changes=changes)[output]

        def along(part: Tensor) -> Tensor:
            with slope.mode():
                found = [
                    torch.func.jvp(outputs, (share * values,), (part[None],))[1][0]
                    for share in slope.points()
                ]
            return torch.stack(found).mean(0)

        try:
            with warnings.catch_warnings():
                # torch's, of its own code when it loads, and of operations it takes in a loop
                warnings.filterwarnings("ignore", message=".*jit.script. is deprecated")
                warnings.filterwarnings("ignore", message="There is a performance drop because")
                total = torch.func.vmap(along, chunk_size=batch)(parts)
        except (NotImplementedError, RuntimeError) as error:
            if "jvp" not in str(error) and "functorch" not in str(error):
                raise
            raise InputError(
                f"all classes of {network.name} cannot be attributed to {layer} at once: something "
                "between has no derivative in forward mode; name the classes"
            ) from error
    return total.float().cpu()
