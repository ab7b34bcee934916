"""Networks with their weights in another order: what a finding owes to their distribution alone."""

import torch
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.networks.network import Network

SHUFFLED = nn.Conv2d, nn.Linear


def shuffled(network: Network, *, seed: int = 0) -> Network:
    """Return a network whose weights are permuted: a control to compare findings with.

    The weights of each convolution and of each linear layer keep their values and lose their
    places: each tensor is permuted over all of its entries. Biases and the parameters of
    normalizations stay. What is left is the architecture and the size of weights; what the network
    learned to detect is lost.

    Parameters
    ----------
    network
        Any with a convolution or linear layer. It stays as it is.
    seed
        The same seed gives the same weights, on any device.

    Returns
    -------
    Network
        With the preprocessing, size, classes and device of the original, a name of its own, and no
        checkpoint.

    Raises
    ------
    InputError
        Without a weight that can be permuted.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> control = shuffled(network)
    >>> control
    Network('untrained bvlc_googlenet with shuffled weights', 224 px, on cpu)
    >>> one, two = (
    ...     dict(each.module.named_parameters())["conv2d0_pre_relu.weight"].flatten()
    ...     for each in (network, control)
    ... )
    >>> torch.equal(one, two), torch.equal(one.sort().values, two.sort().values)
    (False, True)
    """
    other = network.copied()
    other.name, other.checkpoint = f"{network.name} with shuffled weights", None
    # A tensor that two layers share is permuted once.
    weights = dict.fromkeys(
        module.weight for module in other.module.modules() if isinstance(module, SHUFFLED)
    )
    if not any(isinstance(weight, nn.Parameter) for weight in weights):
        raise InputError(
            f"{network.name} has no convolution or linear layer with weights of its own"
        )
    draws = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in weights:
            order = torch.randperm(weight.numel(), generator=draws).to(weight.device)
            weight.copy_(weight.flatten()[order].reshape(weight.shape))
    return other
