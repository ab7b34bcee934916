"""Observing the calls of modules while a network runs, scripted ones and checkpoints included."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any, Protocol

import torch
from torch import nn
from torch.jit._script import RecursiveScriptModule  # `torch.jit` does not declare it
from torch.utils.checkpoint import CheckpointFunction


class Listener(Protocol):
    """What is called around each call of a module."""

    def enter(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        """Begin a call."""

    def leave(self, result: Any) -> Any:
        """End a call; what this returns replaces the result, unless it is None."""


@contextmanager
def checkpoints_called() -> Iterator[None]:
    """Replace reentrant activation checkpoints, which hide gradients, by plain calls."""

    def apply(function: Any, _preserve: bool, *args: Any) -> Any:
        return function(*args)

    with overridden(CheckpointFunction, "apply", apply):
        yield


@contextmanager
def overridden(owner: type, name: str, function: Callable[..., Any]) -> Iterator[None]:
    """Override an inherited method of a class meanwhile."""
    with _overriding:
        setattr(owner, name, function)
        try:
            yield
        finally:
            delattr(owner, name)


_overriding = RLock()
"""So that only one thread traces at a time."""


@contextmanager
def module_calls(module: nn.Module, listener: Listener) -> Iterator[None]:
    """Call a listener around each call of a module and of its submodules."""
    handles = []
    known = {id(child) for child in module.modules()}

    def before(child: nn.Module, args: Any, kwargs: Any) -> None:
        with torch._C.DisableTorchFunction():  # the listener's own calls are not recorded
            listener.enter(child, args, kwargs)

    def after(_child: nn.Module, _args: Any, result: Any) -> Any:
        with torch._C.DisableTorchFunction():
            return listener.leave(result)

    def scripted(child: nn.Module, *args: Any, **kwargs: Any) -> Any:  # these take no hooks
        if id(child) not in known:
            return nn.Module.__call__(child, *args, **kwargs)
        before(child, args, kwargs)
        result = nn.Module.__call__(child, *args, **kwargs)
        replaced = after(child, args, result)
        return result if replaced is None else replaced

    try:
        for child in module.modules():
            if not isinstance(child, torch.jit.ScriptModule):
                handles.append(
                    child.register_forward_pre_hook(before, prepend=True, with_kwargs=True)
                )
                handles.append(child.register_forward_hook(after))
        with overridden(RecursiveScriptModule, "__call__", scripted):
            yield
    finally:
        for handle in handles:
            handle.remove()
