"""A device that computes with real values, where there is no GPU: tensors on it hold CPU tensors.

Torch's fake tensors have no values, so that what reads some back ends there. These go all the way:
as on a GPU, devices do not mix, and `.numpy()` is refused. Torch knows the device's name, lazy, and
takes it for one without queues of its own; nothing is installed for it.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = "lazy"

MOVES = ("_to_copy", "copy_")
INDEXED = ("index", "index_put", "index_put_")
"""Their indices may be on the cpu."""

READS = ("_local_scalar_dense", "equal")


class FarTensor(Tensor):
    """A tensor on the device."""

    @staticmethod
    def __new__(cls, near: Tensor) -> "FarTensor":
        return Tensor._make_wrapper_subclass(
            cls,
            near.size(),
            strides=near.stride(),
            storage_offset=near.storage_offset(),
            dtype=near.dtype,
            device=DEVICE,
        )

    def __init__(self, near: Tensor) -> None:
        self.near = near

    def __repr__(self) -> str:
        return f"FarTensor({self.near})"

    def tolist(self) -> Any:
        return self.near.tolist()

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        return computed(func, args, kwargs or {})


def computed(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Compute with the tensors that are held, if devices do not mix."""
    leaves = tree_leaves((args, kwargs))
    held = {id(leaf.near): leaf for leaf in leaves if isinstance(leaf, FarTensor)}
    name = func.overloadpacket.__name__
    beside = (*args[:1], *args[2:]) if name in INDEXED else args
    others = [x for x in tree_leaves(beside) if isinstance(x, Tensor) and type(x) is not FarTensor]
    if held and name not in MOVES and any(other.ndim for other in others):
        raise RuntimeError(f"{name} mixes tensors of the device {DEVICE} and of the cpu")
    target, device = args[0] if args else None, kwargs.get("device")
    far = bool(held) if device is None else torch.device(device).type == DEVICE
    if not held and not far:
        return func(*args, **kwargs)
    args, kwargs = tree_map(lambda x: x.near if isinstance(x, FarTensor) else x, (args, kwargs))
    if device is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    with torch.inference_mode(False), torch.no_grad():  # inference's tensors cannot be held
        found = func(*args, **kwargs)
        if name == "copy_":
            return target

        def moved(value: Any) -> Any:
            if not isinstance(value, Tensor):
                return value
            return held[id(value)] if id(value) in held else FarTensor(value)

        return found if name in READS or not far else tree_map(moved, found)


_to, _as_tensor, _autocast = Tensor.to, torch.as_tensor, torch.autocast


def to(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Move first, then convert: both at once is not passed on while another mode is under way."""
    like = args[0] if args else kwargs.get("device")
    if isinstance(like, Tensor):
        return _to(_to(tensor, like.device), like.dtype)
    if len(args) > 1 and isinstance(args[1], torch.dtype):
        return _to(_to(tensor, args[0]), args[1], *args[2:], **kwargs)
    return _to(tensor, *args, **kwargs)


def as_tensor(data: Any, **kwargs: Any) -> Tensor:
    """Torch itself would look into a tensor on the device."""
    return to(data, **kwargs) if isinstance(data, FarTensor) else _as_tensor(data, **kwargs)


def autocast(device: str, **options: Any) -> AbstractContextManager[Any]:
    """The device has no half precision."""
    return nullcontext() if device == DEVICE else _autocast(device, **options)


class Far(TorchDispatchMode):
    """Makes the device meanwhile."""

    def __enter__(self) -> "Far":
        self._stack = ExitStack()
        self._stack.enter_context(patch.object(Tensor, "to", to))
        self._stack.enter_context(patch.object(torch, "as_tensor", as_tensor))
        self._stack.enter_context(patch.object(torch, "autocast", autocast))
        self._stack.callback(torch._C._set_only_lift_cpu_tensors, torch._C._only_lift_cpu_tensors())
        torch._C._set_only_lift_cpu_tensors(True)  # torch.tensor(…, device=…) comes here too
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._stack.close()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        return computed(func, args, kwargs or {})
