"""Where in the picture a neuron looks: stride, receptive field and offset of every layer.

Read off one forward pass by watching the operations that torch carries out, so that it holds for
any module, whatever its Python does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

aten = torch.ops.aten


@dataclass(frozen=True)
class Axis:
    """Along one axis, neuron `i` sees pixels `offset + stride·i` to `… + size − 1`.

    `stride` 0 means that every neuron sees the same pixels, as after global pooling.
    """

    stride: int
    size: int
    offset: int

    def then(self, *, kernel: int, stride: int, padding: int, dilation: int = 1) -> "Axis":
        """Give the axis after a window of `kernel` places, `stride` places apart."""
        return Axis(
            stride=self.stride * stride,
            size=self.size + self.stride * (kernel - 1) * dilation,
            offset=self.offset - self.stride * padding,
        )

    def joined(self, other: "Axis") -> "Axis":
        """Give what a neuron sees that is fed from both."""
        first = min(self.offset, other.offset)
        last = max(self.offset + self.size, other.offset + other.size)
        return Axis(max(self.stride, other.stride), last - first, first)


@dataclass(frozen=True)
class Window:
    """What the neurons of a layer see, along both axes, and how many units and places it has."""

    y: Axis
    x: Axis
    units: int
    shape: tuple[int, ...]


def _pair(values: Any) -> tuple[int, int]:
    values = [values] if isinstance(values, int) else list(values)
    return (values[-2], values[-1]) if len(values) > 1 else (values[0], values[0])


class _Watch(TorchDispatchMode):
    """Follow the picture's two axes through whatever is done to it."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()
        self.axes = WeakTensorKeyDictionary()
        self.axes[picture] = (Axis(1, 1, 0), Axis(1, 1, 0))
        self.whole = tuple(Axis(0, size, 0) for size in picture.shape[-2:])

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # importing dynamo only to be skipped by it takes two seconds

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        tensors = [t for t in torch.utils._pytree.tree_leaves(args) if isinstance(t, Tensor)]
        known = [(t, self.axes[t]) for t in tensors if t in self.axes]
        if known:
            first = next(t for t in torch.utils._pytree.tree_leaves(out) if isinstance(t, Tensor))
            self.axes[first] = self._after(func.overloadpacket, args, known, first)
        return out

    def _after(
        self, op: Any, args: tuple[Any, ...], known: list[tuple[Tensor, Any]], out: Tensor
    ) -> tuple[Axis, ...]:
        source, axes = known[0]
        if out.ndim < 3:
            return self.whole

        def window(kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> tuple[Axis, ...]:
            sizes = zip(
                axes, _pair(kernel), _pair(stride), _pair(padding), _pair(dilation), strict=True
            )
            return tuple(
                a.then(kernel=k, stride=s, padding=p, dilation=d) for a, k, s, p, d in sizes
            )

        if op is aten.convolution and not args[6]:
            return window(args[1].shape[2:], args[3], args[4], args[5])
        if op in (aten.max_pool2d_with_indices, aten.avg_pool2d, aten.avg_pool3d):
            kernel, stride, padding = (*args[1:4], *[None] * (4 - len(args)))[:3]
            dilation = args[4] if op is aten.max_pool2d_with_indices and len(args) > 4 else 1
            return window(kernel, stride or kernel, padding or 0, dilation)
        if op is aten.constant_pad_nd:
            left, top = args[1][0], (args[1][2] if len(args[1]) > 2 else 0)
            return tuple(
                axis.then(kernel=1, stride=1, padding=padding)
                for axis, padding in zip(axes, (top, left), strict=True)
            )
        if op is aten._adaptive_avg_pool2d:
            pooled = []
            for axis, size, target in zip(axes, source.shape[-2:], args[1], strict=True):
                step, rest = divmod(size, target)
                if rest or target == 1:
                    return self.whole
                pooled.append(axis.then(kernel=step, stride=step, padding=0))
            return tuple(pooled)
        if all(t.ndim >= 3 and t.shape[-2:] == out.shape[-2:] for t, _ in known):
            for _, others in known[1:]:
                axes = tuple(a.joined(b) for a, b in zip(axes, others, strict=True))
            return axes
        return self.whole


def windows(
    module: nn.Module, picture: Tensor, *, forward: Callable[[Tensor], object] | None = None
) -> dict[str, Window]:
    """Say for each layer of `module` what its neurons see of `picture`.

    Parameters
    ----------
    module
        Any network.
    picture
        `(1, channels, height, width)`, what the module is called on. Sizes that depend on the
        input's size (TensorFlow's SAME padding) hold for this size.
    forward
        What to run instead of the module itself, for one that computes only what is asked for.

    Returns
    -------
    dict
        Dotted module path to `Window` for every module that gives one tensor, in the order in
        which they are computed. A layer after global pooling sees the whole picture: stride 0.

    Examples
    --------
    >>> found = windows(nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3)), torch.zeros(1, 3, 32, 32))
    >>> found["0"].x
    Axis(stride=2, size=7, offset=-3)
    """
    found: dict[str, Window] = {}
    with _Watch(picture) as watch, torch.no_grad():

        def note(name: str) -> Any:
            def hook(_module: nn.Module, _inputs: Any, out: Any) -> None:
                if isinstance(out, Tensor) and out.ndim > 1 and out in watch.axes:
                    y, x = watch.axes[out]
                    found[name] = Window(y, x, out.shape[1], tuple(out.shape[2:]))

            return hook

        hooks = [
            child.register_forward_hook(note(name))
            for name, child in module.named_modules()
            if name
        ]
        try:
            (forward or module)(picture)
        finally:
            for hook in hooks:
                hook.remove()
    return found
