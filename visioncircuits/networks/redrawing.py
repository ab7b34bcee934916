"""Networks with their parameters drawn anew: what a finding owes to the architecture alone."""

import torch

from visioncircuits.errors import InputError
from visioncircuits.networks.network import Network


def redrawn(network: Network, *, seed: int = 0) -> Network:
    """Return a network whose parameters are drawn again: a control to compare findings with.

    Each module draws its own by its `reset_parameters`, as torch initializes it. What a library
    does beyond that (a truncated normal distribution, branches that begin at zero) is in
    `untrained`, for the networks that can be named there; this is for any other.

    Parameters
    ----------
    network
        Any whose modules have such a method, as all of torch's have. It stays as it is.
    seed
        The same seed gives the same parameters, on any device; global generators stay as they are.

    Returns
    -------
    Network
        With the preprocessing, size, classes and device of the original, a name of its own, and no
        checkpoint.

    Raises
    ------
    InputError
        Where a module has parameters of its own and no such method, or there are no parameters.

    Examples
    --------
    >>> from torch import nn
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> network = wrap(nn.Conv2d(3, 8, 5), Preprocessing(), name="mine", size=32)
    >>> control = redrawn(network)
    >>> control
    Network('untrained mine', 32 px, on cpu)
    >>> torch.equal(network.module.weight, control.module.weight)
    False
    """
    other = network.copied().to("cpu")  # where one seed gives the same draws on any device
    other.name, other.checkpoint = f"untrained {network.name}", None
    drawing = {
        name: module
        for name, module in other.module.named_modules()
        if any(True for _ in module.parameters(recurse=False))
    }
    if not drawing:
        raise InputError(f"{network.name} has no parameters that can be drawn")
    for name, module in drawing.items():
        if not hasattr(module, "reset_parameters"):
            raise InputError(
                f"how to draw the parameters of {name or network.name} is not known: "
                f"{type(module).__name__} has no reset_parameters"
            )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        for module in drawing.values():
            module.reset_parameters()
    return other.to(network.device)
