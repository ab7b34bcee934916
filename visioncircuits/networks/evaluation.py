"""A module in evaluation mode, within a context."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode and freeze it; restore it afterwards.

    The flags are set directly, as some modules override `train` and `eval`.
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
