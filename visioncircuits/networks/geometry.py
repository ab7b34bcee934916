"""Where in the picture a neuron looks: stride, receptive field and offset of every layer.

Read off one forward pass by watching the operations that torch carries out, so that it holds for
any module, whatever its Python does. Source: Araujo, Norris and Sim, "Computing Receptive Fields
of Convolutional Neural Networks" (Distill, 2019).

What reaches all positions alike says nothing of where a neuron looks and is not counted: the
statistics of a normalization over positions, the gate of a squeeze-and-excitation block.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from visioncircuits.networks.graph import Graph
from visioncircuits.networks.hooked import Hooked

aten = torch.ops.aten

_PADDINGS = (aten.constant_pad_nd, aten.reflection_pad2d, aten.replication_pad2d)
_POOLS = (aten.max_pool2d_with_indices, aten.avg_pool2d, aten.avg_pool3d)
_ADAPTIVE_POOLS = (aten._adaptive_avg_pool2d, aten.adaptive_max_pool2d)
_RESHAPES = (aten.view, aten._unsafe_view, aten.squeeze)
# These keep the shape though they carry positions elsewhere; the convolution is a transposed one.
_MIXING = (aten.convolution, aten.flip, aten.roll, aten.cumsum, aten.grid_sampler_2d)


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
        if not (self.stride and other.stride):
            return self if self.stride else other
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


@dataclass(frozen=True)
class _Seen:
    """What the places of a tensor see of the picture.

    `at` is the dimension that counts rows, from the end; columns follow. It is −2 except for
    networks that put the channels last for a while, such as ConvNeXt.
    """

    y: Axis
    x: Axis
    at: int = -2

    def places(self, tensor: Tensor) -> tuple[int, ...]:
        return tuple(tensor.shape[tensor.ndim + self.at :][:2])

    def then(self, kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> "_Seen":
        (ky, kx), (sy, sx), (py, px), (dy, dx) = map(_pair, (kernel, stride, padding, dilation))
        return _Seen(
            self.y.then(kernel=ky, stride=sy, padding=py, dilation=dy),
            self.x.then(kernel=kx, stride=sx, padding=px, dilation=dx),
            self.at,
        )

    def joined(self, other: "_Seen") -> "_Seen":
        return _Seen(self.y.joined(other.y), self.x.joined(other.x), self.at)


def _pair(values: Any) -> tuple[int, int]:
    values = [values] if isinstance(values, int) else list(values)
    return (values[-2], values[-1]) if len(values) > 1 else (values[0], values[0])


class _Watch(TorchDispatchMode):
    """Follow the picture's two axes through whatever is done to it."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()
        self.seen = WeakTensorKeyDictionary()
        self.seen[picture] = _Seen(Axis(1, 1, 0), Axis(1, 1, 0))
        height, width = picture.shape[-2:]
        self.whole = _Seen(Axis(0, height, 0), Axis(0, width, 0))

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # importing dynamo only to be skipped by it takes two seconds

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        taken = [t for t in tree_leaves(args) if isinstance(t, Tensor) and t in self.seen]
        if taken:
            for out in tree_leaves(result):
                if isinstance(out, Tensor):
                    self.seen[out] = self._after(func.overloadpacket, args, taken, out)
        return result

    def _after(self, op: Any, args: tuple[Any, ...], taken: list[Tensor], out: Tensor) -> _Seen:
        """Say what `out` sees; the whole picture where that cannot be told."""
        source, seen = taken[0], self.seen[taken[0]]
        if out.ndim < 3:
            return self.whole
        if op is aten.permute:
            return self._permuted(seen, [dim % source.ndim for dim in args[1]])
        if op is aten.slice:
            return self._sliced(seen, source, *args[1:])
        if seen.at == -2:
            if op is aten.convolution and not args[6]:
                return seen.then(args[1].shape[2:], args[3], args[4], args[5])
            if op in _POOLS:
                kernel, stride, padding = (*args[1:4], None, None)[:3]
                dilated = op is aten.max_pool2d_with_indices and len(args) > 4
                return seen.then(kernel, stride or kernel, padding or 0, args[4] if dilated else 1)
            if op in _PADDINGS:
                left, top = args[1][0], (args[1][2] if len(args[1]) > 2 else 0)
                return seen.then(1, 1, (top, left))
            if op in _ADAPTIVE_POOLS:
                return self._pooled_to(seen, source, args[1])
        if op in _MIXING:
            return self.whole
        alike = [
            self.seen[t]
            for t in taken
            if seen.places(t) == seen.places(out) and (t.ndim <= out.ndim or op in _RESHAPES)
        ]
        for other in alike[1:]:
            alike[0] = alike[0].joined(other)
        return alike[0] if alike else self.whole

    def _permuted(self, seen: _Seen, order: list[int]) -> _Seen:
        rows = order.index(len(order) + seen.at)
        columns = order.index(len(order) + seen.at + 1)
        return _Seen(seen.y, seen.x, rows - len(order)) if columns == rows + 1 else self.whole

    def _sliced(
        self,
        seen: _Seen,
        source: Tensor,
        dim: int = 0,
        start: int | None = None,
        stop: int | None = None,
        step: int = 1,
    ) -> _Seen:
        first = range(source.shape[dim])[start:stop].start
        match dim % source.ndim - source.ndim - seen.at:
            case 0:
                return _Seen(seen.y.then(kernel=1, stride=step, padding=-first), seen.x, seen.at)
            case 1:
                return _Seen(seen.y, seen.x.then(kernel=1, stride=step, padding=-first), seen.at)
        return seen

    def _pooled_to(self, seen: _Seen, source: Tensor, target: Any) -> _Seen:
        (height, width), (rows, columns) = source.shape[-2:], _pair(target)
        return _Seen(
            _evenly(seen.y, height, rows) or self.whole.y,
            _evenly(seen.x, width, columns) or self.whole.x,
        )


def _evenly(axis: Axis, size: int, places: int) -> Axis | None:
    """Follow pooling to a given number of places, where its windows are all alike."""
    step, rest = divmod(size, places)
    return None if rest or places == 1 else axis.then(kernel=step, stride=step, padding=0)


class _Linear(TorchFunctionMode):
    """Keep positions through linear layers, whose insides are matrices of all positions."""

    def __init__(self, watch: _Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if func is F.linear and isinstance(args[0], Tensor):
            before = self.watch.seen.get(args[0])
            if before is not None and before.at < -2:
                self.watch.seen[out] = before
        return out


def windows(graph: Graph | Hooked, picture: Tensor) -> dict[str, Window]:
    """Say for each place of a graph what its neurons see of `picture`.

    Parameters
    ----------
    graph
        Of pictures of this size.
    picture
        `(1, channels, height, width)`. Sizes that depend on the input's size (TensorFlow's SAME
        padding) hold for this size.

    Returns
    -------
    dict
        Place to `Window`, for every place that depends on the picture and gives one tensor, `(1,
        units, rows, columns)` or `(1, units)`, in the order in which they are computed, but for
        operations inside of modules that have no parts. Stride 0 and the whole picture are said
        of a layer after global pooling, and where what it sees cannot be told.

    Examples
    --------
    >>> from visioncircuits.networks.tracing import trace
    >>> from torch import nn
    >>> picture = torch.zeros(1, 3, 32, 32)
    >>> found = windows(trace(nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3)), picture), picture)
    >>> found["0"].x
    Axis(stride=2, size=7, offset=-3)
    """
    names = graph.varying if isinstance(graph, Graph) else graph.places[1:]
    found: dict[str, Window] = {}
    with _Watch(picture) as watch, _Linear(watch), torch.no_grad():
        values, _ = graph.run(picture, names)
        for name in names:
            out = values[name]
            seen = watch.seen.get(out, watch.whole) if isinstance(out, Tensor) else watch.whole
            if isinstance(out, Tensor) and seen.at == -2 and out.ndim in (2, 4):
                found[name] = Window(seen.y, seen.x, out.shape[1], (*out.shape[2:],))
    return found
