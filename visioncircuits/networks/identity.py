"""Digests of parameters, tensors and functions, for provenance and for keys of stored results."""

import dataclasses
import functools
import hashlib
import itertools
import secrets
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

_NUMBERS: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
_count = itertools.count()


def parameters(module: nn.Module) -> str:
    """Return the SHA-256 of a module's parameters and buffers, with their names.

    Examples
    --------
    >>> module = nn.Conv2d(1, 1, 1)
    >>> before = parameters(module)
    >>> with torch.no_grad():
    ...     _ = module.weight.add_(1)
    >>> before == parameters(module)
    False
    """
    # Computed each time: no cheap check detects changes of `.data`.
    digest = hashlib.sha256()
    for name, values in itertools.chain(module.named_parameters(), module.named_buffers()):
        digest.update(f"{name} {tuple(values.shape)} {values.dtype}".encode())
        digest.update(_bytes(values))
    return digest.hexdigest()


def tensor(values: Tensor) -> str:
    """Return the SHA-256 of a tensor's values."""
    digest = hashlib.sha256(f"{tuple(values.shape)} {values.dtype}".encode())
    digest.update(_bytes(values))
    return digest.hexdigest()


def function(called: Any) -> str:
    """Return the SHA-256 of a function's code and of the values that it encloses.

    Objects that cannot be inspected have a digest that is valid in this process alone, so that
    results stored under it are not found by another.

    Examples
    --------
    >>> def scaled(factor):
    ...     return lambda values: values * factor
    >>> function(scaled(2.0)) == function(scaled(2.0))
    True
    >>> function(scaled(2.0)) == function(scaled(3.0))
    False
    """
    return hashlib.sha256(repr(_described(called)).encode()).hexdigest()


def _described(value: Any) -> Any:
    if value is None or isinstance(value, str | bytes | int | float | complex | torch.dtype):
        return type(value).__name__, repr(value)
    if isinstance(value, Tensor):
        return "tensor", tensor(value)
    if isinstance(value, tuple | list):
        return type(value).__name__, [_described(part) for part in value]
    if isinstance(value, dict):
        return "dict", [(repr(key), _described(part)) for key, part in value.items()]
    if isinstance(value, functools.partial):
        return "partial", _described([value.func, value.args, value.keywords])
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        compared = [field.name for field in dataclasses.fields(value) if field.compare]
        fields = {name: getattr(value, name) for name in compared}
        return type(value).__qualname__, _described(fields)
    code = getattr(value, "__code__", None)
    if code is not None:
        enclosed = [cell.cell_contents for cell in value.__closure__ or ()]
        held = [enclosed, list(value.__defaults__ or ()), value.__kwdefaults__ or {}]
        constants = [
            repr(constant) for constant in code.co_consts if not hasattr(constant, "co_code")
        ]
        return (
            value.__module__,
            value.__qualname__,
            code.co_code,
            constants,
            code.co_names,
            _described(held),
        )
    if type(value).__module__ == "builtins" or getattr(value, "__module__", "").startswith("torch"):
        name = getattr(value, "__qualname__", getattr(value, "__name__", None))
        if name is not None:
            return "torch", name
    try:
        return (
            "object",
            type(value).__qualname__,
            _NUMBERS.setdefault(value, next(_count)),
            _PROCESS,
        )
    except TypeError:
        return "object", type(value).__qualname__, next(_count), _PROCESS


_PROCESS = secrets.token_hex(8)


def _bytes(values: Tensor) -> memoryview:
    """Return a tensor's values as bytes, in the order of its axes."""
    flat = values.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy().data if flat.numel() else memoryview(b"")
