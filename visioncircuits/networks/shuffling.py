"""Networks with their weights in another order: what a finding owes to their distribution alone."""

import copy

import torch
from torch import nn

from visioncircuits.networks.network import Network


def shuffled(network: Network, seed: int = 0) -> Network:
    """Return a network whose kernels are permuted: a control to compare findings with.

    The weights of each convolution are permuted over all of its entries. Biases and all other
    parameters stay: what is left is the architecture and the distribution of the weights.

    Parameters
    ----------
    network
        Stays as it is.
    seed
        The same seed gives the same weights.

    Returns
    -------
    Network
        With the original's preprocessing, size and classes, a name of its own, and no checkpoint.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> shuffled(untrained("bvlc_googlenet"))
    Network('untrained bvlc_googlenet with shuffled weights', 224 px, on cpu)
    """
    other = copy.copy(network)
    other._changes = list(network._changes)
    other.module = copy.deepcopy(network.module)
    other.name, other.checkpoint = f"{network.name} with shuffled weights", None
    draws = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in other.module.modules():
            if isinstance(module, nn.Conv2d):
                weight = module.weight
                order = torch.randperm(weight.numel(), generator=draws).to(weight.device)
                weight.copy_(weight.flatten()[order].reshape(weight.shape))
    return other
