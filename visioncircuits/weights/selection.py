"""Selection of features of one layer, or of the picture's channels."""

import torch

from visioncircuits.networks import Features, Network, Selection, Unit
from visioncircuits.networks import select as select_features
from visioncircuits.weights.tracing import INPUT


def select(network: Network, features: Features) -> Selection:
    """Return the features as `networks.select`; `"input"` stands for the picture's channels.

    Raises
    ------
    InputError
        As `networks.select`.
    """
    if features != INPUT:
        return select_features(network, features)
    channels = network.preprocessing.channels
    units = tuple(Unit(INPUT, index) for index in range(channels))
    return Selection(INPUT, units, torch.eye(channels, device=network.device), True)
