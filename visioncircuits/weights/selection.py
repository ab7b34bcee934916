"""Which features of a layer are meant."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, Network, Unit
from visioncircuits.weights.linearization import INPUT

Features = str | Feature | Sequence[str | Feature]
"""A layer, for all of its units; a feature; or several features of one layer."""


@dataclass(frozen=True)
class Selection:
    """Features of one layer.

    Attributes
    ----------
    vectors
        Each as a direction among the layer's units.
    whole
        Whether they are the layer's units, all and in order.
    """

    layer: str
    features: tuple[Feature, ...]
    vectors: Float[Tensor, "features units"]
    whole: bool

    def __len__(self) -> int:
        return len(self.features)


def select(network: Network, given: Features) -> Selection:
    """Find the features that are meant, all of one layer, and check that the network has them.

    `"input"` is the picture itself, its units the channels.

    Raises
    ------
    InputError
        For an unknown layer, a feature that its layer does not have, several layers, or none.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> select(untrained("bvlc_googlenet"), ["mixed3b:7", "mixed3b:9"]).vectors.shape
    torch.Size([2, 480])
    """
    if isinstance(given, str) and ":" not in given:
        units = network.preprocessing.channels if given == INPUT else network.layer(given).units
        every = tuple(Unit(given, index) for index in range(units))
        return Selection(given, every, torch.eye(units, device=network.device), True)
    listed = [given] if isinstance(given, str | Feature) else list(given)
    features = tuple(network.feature(feature) for feature in listed)
    layers = sorted({feature.layer for feature in features})
    if len(layers) != 1:
        told = "no feature is" if not layers else f"features of {' and '.join(layers)} are"
        raise InputError(f"{told} given where features of one layer are needed")
    units = network.layer(layers[0]).units
    vectors = torch.stack([feature.vector(units) for feature in features]).to(network.device)
    return Selection(layers[0], features, vectors, False)
