"""Settings that suit a feature's depth: small still pictures early on, large moving ones late.

The Circuits thread rendered its early units with little robustness and a pull towards gray, and
increased the robustness with depth ("An Overview of Early Vision").
"""

from visioncircuits.errors import InputError
from visioncircuits.featurevis.objectives import l2
from visioncircuits.featurevis.settings import Settings
from visioncircuits.featurevis.transforms import Robustness
from visioncircuits.networks import Layer, Network

SMALLEST, LARGEST = 16, 160
"""Sides of pictures, in pixels; a late neuron's receptive field is mostly idle at its edges."""


def suited(network: Network, layer: str, *, steps: int = 256, seed: int = 0) -> Settings:
    """Give settings for a layer: pictures of its receptive field's size, moved in proportion.

    The size is such that the middle neuron looks at the picture's middle.

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
    about = network.layer(layer)
    field = max(about.receptive_field)
    amount = min(field / 160, 1.0)
    return Settings(
        size=_size(network, layer),
        steps=steps,
        robustness=Robustness(
            jitter=max(1.0, 16 * amount), scale=0.04 + 0.08 * amount, rotation=2 + 10 * amount
        ),
        penalty=l2(2.0) if amount < 1 else None,
        seed=seed,
    )


def _size(network: Network, name: str) -> int:
    """Find the size nearest to the receptive field's at which the middle neuron is centered.

    Where a neuron looks depends on the size itself, with TensorFlow's SAME padding, so that a
    size is found by stepping from one to the one that its own layer asks for.
    """
    usual = network.layer(name)
    stride = max(usual.stride)
    if stride == 0:
        return network.size
    target = min(max(*usual.receptive_field, SMALLEST), LARGEST)
    seen: dict[int, float] = {}
    for first in (target, target + 1):
        size = first
        while size not in seen:
            try:
                layer = network.layer_at(name, size)
            except InputError:  # too small for a kernel
                break
            seen[size] = max(abs(apart) for apart in _apart(layer, size))
            center = max(layer.center((0, 0)))
            place = round(((target - 1) / 2 - center) / stride)
            size = max(round(2 * (center + stride * place) + 1), 1)
    if not seen:
        return network.size
    return min(seen, key=lambda size: (seen[size], abs(size - target)))


def _apart(layer: Layer, size: int) -> list[float]:
    """Give how far the middle neuron looks from the picture's middle, down and right."""
    rows, columns = layer.shape
    return [at - (size - 1) / 2 for at in layer.center((rows // 2, columns // 2))]
