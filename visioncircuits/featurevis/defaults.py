"""Settings that suit a feature's depth: small still pictures early on, large moving ones late.

The Circuits thread rendered its early units with little robustness and a pull towards grey, and
increased the robustness with depth ("An Overview of Early Vision").
"""

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
        size=_size(about, network.size),
        steps=steps,
        robustness=Robustness(
            jitter=max(1.0, 16 * amount), scale=0.04 + 0.08 * amount, rotation=2 + 10 * amount
        ),
        penalty=l2(2.0) if amount < 1 else None,
        seed=seed,
    )


def _size(layer: Layer, largest: int) -> int:
    """Find the size nearest to the receptive field's at which the middle neuron is centred."""
    stride = max(layer.stride)
    if stride == 0:
        return largest
    target = min(max(*layer.receptive_field, SMALLEST), LARGEST)
    centre = max(layer.centre((0, 0)))
    place = round(((target - 1) / 2 - centre) / stride)
    return round(2 * (centre + stride * place) + 1)
