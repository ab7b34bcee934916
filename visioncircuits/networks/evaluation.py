"""A module as it is in evaluation, for as long as a context lasts."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode and freeze it; afterwards it is as it was.

    The flags are set, not `train` or `eval` called, which some modules override.
    """
    modes = [(child, child.training) for child in module.modules()]
    gradients = [p for p in module.parameters() if p.requires_grad and not p.is_inference()]
    try:
        for child, _ in modes:
            child.training = False
        for parameter in gradients:
            parameter.requires_grad_(False)
        yield
    finally:
        for child, mode in modes:
            child.training = mode
        for parameter in gradients:
            parameter.requires_grad_(True)
