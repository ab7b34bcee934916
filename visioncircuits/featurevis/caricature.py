"""What a layer makes of a given picture: exaggerated from noise, or pushed further in place.

Source: Olah et al., "The Building Blocks of Interpretability" (2018), and lucid's notebooks on
feature inversion and caricatures; deep dream is Mordvintsev et al. (2015).
"""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.featurevis import objectives
from visioncircuits.featurevis.objectives import Objective
from visioncircuits.featurevis.render import render
from visioncircuits.featurevis.settings import Settings
from visioncircuits.featurevis.transforms import Robustness
from visioncircuits.featurevis.visualization import Visualization
from visioncircuits.networks import Network

Picture = Float[Tensor, "channels height width"]

CARICATURE = Settings(
    size=224, steps=128, redirected=0, robustness=Robustness(jitter=8, scale=0.04, rotation=2)
)
ACCENTUATION = replace(CARICATURE, steps=48)


def caricature(
    network: Network,
    picture: Picture,
    layer: str,
    *,
    power: float = 1.0,
    settings: Settings = CARICATURE,
) -> Visualization:
    """Draw from noise what a layer sees in a picture, exaggerated.

    The dot product with the layer's activations on the picture is raised, times their cosine to
    a power: what the layer does not tell apart is left out, what it cares for overdone.

    Parameters
    ----------
    network
        The network that looks.
    picture
        In [0, 1], as high as wide; it is scaled to the settings' size.
    layer
        The layer that is asked.
    power
        The cosine's; more keeps closer to the picture, 0 exaggerates most.
    settings
        How to optimize. Strong robustness blurs, as each activation is wanted at its place.

    Raises
    ------
    InputError
        For a picture that is not square or of other channels than the network's.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> quick = Settings(size=64, steps=2)
    >>> caricature(network, torch.rand(3, 80, 80), "mixed3a", settings=quick).picture.shape
    torch.Size([3, 64, 64])
    """
    shown = _scaled(network, picture, settings.size)
    return render(network, _likeness(network, shown, layer, power), settings=settings)


def accentuate(
    network: Network,
    picture: Picture,
    layer: str,
    *,
    power: float = 1.0,
    settings: Settings = ACCENTUATION,
) -> Visualization:
    """Push a picture further towards what a layer already sees in it.

    The same as `caricature`, but begun from the picture and left off early.

    Parameters
    ----------
    network, picture, layer, power
        As in `caricature`.
    settings
        How to optimize; `start` is set to the picture.

    Raises
    ------
    InputError
        As in `caricature`.
    """
    shown = _scaled(network, picture, settings.size)
    wanted = _likeness(network, shown, layer, power)
    return render(network, wanted, settings=replace(settings, start=shown))


def _scaled(network: Network, picture: Picture, size: int) -> Float[Tensor, "1 channels size size"]:
    channels, height, width = picture.shape
    if height != width or channels != network.preprocessing.channels:
        raise InputError(
            f"a caricature takes a square picture of {network.preprocessing.channels} channels, "
            f"not {channels} channels of {height}x{width} pixels; cut it first"
        )
    return F.interpolate(
        picture[None].float(), (size, size), mode="bilinear", align_corners=False, antialias=True
    ).clamp(0, 1)


def _likeness(network: Network, shown: Tensor, layer: str, power: float) -> Objective:
    # what inference mode computes could not be differentiated with afterwards
    with torch.inference_mode(False), torch.no_grad():
        wanted = network.activations(shown.clone(), [layer])[layer][0]
    return objectives.likeness(layer, wanted, power=power)
