"""Selection of features of one layer, or of the picture's channels."""

from collections.abc import Sequence

import torch

from visioncircuits.networks import Feature, Features, Network, Selection, Unit, channels
from visioncircuits.networks import select as select_features
from visioncircuits.weights.tracing import INPUT


def select(network: Network, features: Features) -> Selection:
    """Return the features as `networks.select`; `"input"` stands for the picture's channels.

    One channel is `"input:B8"` by its name or `"input:7"` by its number.

    Raises
    ------
    InputError
        As `networks.select`, and for a channel that the network does not have.
    """
    asked: Sequence[str | Feature] = [features] if isinstance(features, str | Feature) else features
    own = network.preprocessing
    if features == INPUT:
        places = list(range(own.channels))
    elif asked and all(_channel(feature) is not None for feature in asked):
        places = [channels.number(_channel(each), own.channels, own.names) for each in asked]
    else:
        return select_features(network, features)
    eye = torch.eye(own.channels, device=network.device)
    units = tuple(Unit(INPUT, place) for place in places)
    return Selection(INPUT, units, eye[places], features == INPUT)


def _channel(feature: str | Feature) -> str | int | None:
    """Return what names a channel of the picture; None for a feature of a layer."""
    if isinstance(feature, Unit) and feature.layer == INPUT:
        return feature.index
    if isinstance(feature, str) and feature.startswith(f"{INPUT}:"):
        return feature.removeprefix(f"{INPUT}:")
    return None
