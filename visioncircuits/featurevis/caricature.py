"""Caricatures and deep dream: exaggerate a layer's activations for a given picture.

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
from visioncircuits.featurevis.objective import Objective
from visioncircuits.featurevis.render import render
from visioncircuits.featurevis.settings import Settings
from visioncircuits.featurevis.transforms import Transforms
from visioncircuits.featurevis.visualization import Visualization
from visioncircuits.networks import Network

Picture = Float[Tensor, "channels height width"]

CARICATURE = Settings(
    size=224,
    steps=128,
    redirected_relu_steps=0,
    transforms=Transforms(jitter=8, scale=0.04, rotation=2),
)
ACCENTUATION = replace(CARICATURE, steps=48)


def caricature(
    network: Network,
    layer: str,
    picture: Picture,
    *,
    power: float = 1.0,
    settings: Settings = CARICATURE,
    progress: bool = False,
) -> Visualization:
    """Optimize from noise a picture with the activations of a given one, exaggerated.

    The objective is the dot product with the layer's activations for the picture, times their
    cosine to a power: differences to which the layer is invariant are lost, others exaggerated.

    Parameters
    ----------
    network
        The network.
    layer
        The layer whose activations are exaggerated.
    picture
        In [0, 1], square; it is scaled to the size in the settings.
    power
        Exponent of the cosine: larger values stay closer to the picture, 0 exaggerates most.
    settings
        How to optimize. Large transforms blur, since each activation has a target at its position.
    progress
        Whether to show a bar.

    Raises
    ------
    InputError
        If the picture is not square, or has another number of channels than the network.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> quick = Settings(size=64, steps=2)
    >>> caricature(network, "mixed3a", torch.rand(3, 80, 80), settings=quick).picture.shape
    torch.Size([3, 64, 64])
    """
    scaled = _scaled(network, picture, settings.size)
    objective = _likeness(network, layer, scaled, power)
    return render(network, objective, settings=settings, progress=progress)


def accentuate(
    network: Network,
    layer: str,
    picture: Picture,
    *,
    power: float = 1.0,
    settings: Settings = ACCENTUATION,
    progress: bool = False,
) -> Visualization:
    """Exaggerate a layer's activations for a picture, starting from that picture.

    It is `caricature` with the picture as start, and with fewer steps.

    Parameters
    ----------
    network, layer, picture, power
        As in `caricature`.
    settings
        How to optimize; `start` is set to the picture.
    progress
        Whether to show a bar.

    Raises
    ------
    InputError
        As in `caricature`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> quick = Settings(size=64, steps=2)
    >>> accentuate(network, "mixed3a", torch.rand(3, 80, 80), settings=quick).objective
    'likeness in mixed3a'
    """
    scaled = _scaled(network, picture, settings.size)
    objective = _likeness(network, layer, scaled, power)
    return render(network, objective, settings=replace(settings, start=scaled), progress=progress)


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


def _likeness(network: Network, layer: str, picture: Tensor, power: float) -> Objective:
    # tensors of inference mode could not be used in a later differentiation
    with torch.inference_mode(False), torch.no_grad():
        target = network.activations(picture.clone(), [layer])[layer][0]
    return objectives.likeness(layer, target, power=power)
