"""Selection of features of one layer."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, Network, Unit
from visioncircuits.weights.tracing import INPUT

Features = str | Feature | Sequence[str | Feature]
"""A layer, for all of its units; a feature; or several features of one layer."""


@dataclass(frozen=True)
class Selection:
    """Features of one layer.

    Attributes
    ----------
    vectors
        Each feature as a direction over the layer's units.
    whole
        Whether they are all units of the layer, in order.
    """

    layer: str
    features: tuple[Feature, ...]
    vectors: Float[Tensor, "features units"]
    whole: bool

    def __len__(self) -> int:
        return len(self.features)


def select(network: Network, features: Features) -> Selection:
    """Return the features, all of one layer, and check that the network has them.

    `"input"` is the picture itself; its units are the channels.

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
    if isinstance(features, str) and ":" not in features:
        layer = features
        units = network.preprocessing.channels if layer == INPUT else network.layer(layer).units
        every = tuple(Unit(layer, index) for index in range(units))
        return Selection(layer, every, torch.eye(units, device=network.device), True)
    listed = [features] if isinstance(features, str | Feature) else list(features)
    chosen = tuple(network.feature(feature) for feature in listed)
    layers = sorted({feature.layer for feature in chosen})
    if len(layers) != 1:
        got = f"features of {' and '.join(layers)} are" if layers else "no feature is"
        raise InputError(f"{got} given, but features of one layer are needed")
    units = network.layer(layers[0]).units
    vectors = torch.stack([feature.vector(units) for feature in chosen]).to(network.device)
    return Selection(layers[0], chosen, vectors, False)
