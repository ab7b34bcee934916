"""Settings for a layer: small pictures and transforms for early layers, large ones for late layers.

The Circuits thread rendered its early units with small transforms and a penalty toward gray, and
increased the transforms with depth ("An Overview of Early Vision").
"""

from visioncircuits.errors import InputError
from visioncircuits.featurevis.objectives import l2
from visioncircuits.featurevis.settings import Settings
from visioncircuits.featurevis.transforms import Transforms
from visioncircuits.networks import Layer, Network

SMALLEST, LARGEST = 16, 160
"""Smallest and largest side of a picture, in pixels; late receptive fields have little weight near
their edges."""


def suited(network: Network, layer: str, *, steps: int = 256, seed: int = 0) -> Settings:
    """Return settings for a layer, in proportion to its receptive field.

    The size is chosen so that the middle neuron's receptive field is centered in the picture.

    Parameters
    ----------
    network
        The network.
    layer
        One of its layers.
    steps, seed
        As in `Settings`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> suited(network, "conv2d0").size, suited(network, "mixed3b").size
    (17, 93)
    """
    field = max(network.layer(layer).receptive_field)
    amount = min(field / 160, 1.0)
    return Settings(
        size=_size(network, layer),
        steps=steps,
        transforms=Transforms(
            jitter=max(1.0, 16 * amount), scale=0.04 + 0.08 * amount, rotation=2 + 10 * amount
        ),
        penalty=l2(2.0) if amount < 1 else None,
        seed=seed,
    )


def _size(network: Network, name: str) -> int:
    """Return the size nearest to the receptive field's at which the middle neuron is centered.

    With TensorFlow's SAME padding the position of a receptive field depends on the size, so that
    the size is found by iteration.
    """
    default = network.layer(name)
    stride = max(default.stride)
    if stride == 0:
        return network.size
    target = min(max(*default.receptive_field, SMALLEST), LARGEST)
    offsets: dict[int, float] = {}
    for first in (target, target + 1):
        size = first
        while size not in offsets:
            try:
                layer = network.layer_at(name, size)
            except InputError:  # too small for a kernel
                break
            offsets[size] = max(abs(offset) for offset in _offsets(layer, size))
            center = max(layer.center((0, 0)))
            index = round(((target - 1) / 2 - center) / stride)
            size = max(round(2 * (center + stride * index) + 1), 1)
    if not offsets:
        return network.size
    return min(offsets, key=lambda size: (offsets[size], abs(size - target)))


def _offsets(layer: Layer, size: int) -> list[float]:
    """Return the offset of the middle receptive field from the picture's center, down and right."""
    rows, columns = layer.shape
    return [at - (size - 1) / 2 for at in layer.center((rows // 2, columns // 2))]
