"""Where in the picture a neuron looks: stride, receptive field and offset of every layer.

Read off one forward pass by watching the operations that torch carries out, so that it holds for
any module, whatever its Python does. Source: Araujo, Norris and Sim, "Computing Receptive Fields
of Convolutional Neural Networks" (Distill, 2019).

What reaches all positions alike says nothing of where a neuron looks and is not counted: the
statistics of a normalization over positions, the gate of a squeeze-and-excitation block.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from math import floor
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
_UPSAMPLINGS = {  # op: how many places beside the nearest each sees, before and after
    aten.upsample_nearest2d: (0, 0),
    aten._upsample_nearest_exact2d: (0, 0),
    aten.upsample_bilinear2d: (0, 1),
    aten.upsample_bicubic2d: (1, 2),
}
_RESHAPES = (aten.view, aten._unsafe_view, aten.squeeze)
_MEANS = (aten.mean, aten.sum, aten.amax, aten.amin)
# These may keep the shape though they carry positions elsewhere.
_MIXING = (
    aten.as_strided, aten.baddbmm, aten.bmm, aten.convolution, aten.cumsum, aten.flip,
    aten.gather, aten.grid_sampler_2d, aten.mm, aten.addmm, aten.roll, aten.sort,
)  # fmt: skip
_REDUCTIONS = (*_MEANS, aten.select, aten.unbind)
_ALONG = (aten._softmax, aten._log_softmax, aten.index_select)


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
            return other if self.stride else self
        first = min(self.offset, other.offset)
        last = max(self.offset + self.size, other.offset + other.size)
        return Axis(max(self.stride, other.stride), last - first, first)

    def through(self, spans: Sequence[tuple[int, int]], step: Fraction) -> "Axis | None":
        """Give the axis of neurons that see places `first` to `last` of this one each.

        None where they are about `step` places apart and no whole number of pixels.
        """
        stride = self.stride * step
        if stride.denominator > 1 and step < 1:
            return None
        apart = round(stride)
        seen = [(i, span) for i, span in enumerate(spans) if span[0] <= span[1]]
        first = min(self.offset + self.stride * a - apart * i for i, (a, _) in seen)
        last = max(self.offset + self.stride * b + self.size - apart * i for i, (_, b) in seen)
        return Axis(apart, last - first, first)


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
    networks that put the channels last for a while, such as ConvNeXt. `even` says that there is
    one place, or that all are copies of one.
    """

    y: Axis
    x: Axis
    at: int = -2
    even: bool = False

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
        seen = self._told(op, args, taken, out) or self.whole
        pooled = op in _MEANS and out.ndim == 2 and taken[0].ndim == 4
        if not (seen.y.stride or seen.x.stride) and (
            pooled
            or all(self.seen[t].even for t in taken)
            or (out.ndim > 3 and out.shape[-2:] == (1, 1))
        ):
            return replace(self.whole, even=True)
        return seen

    def _told(
        self, op: Any, args: tuple[Any, ...], taken: list[Tensor], out: Tensor
    ) -> _Seen | None:
        source, seen = taken[0], self.seen[taken[0]]
        if out.ndim < 3:
            return None
        if op is aten.permute:
            return self._permuted(seen, [dim % source.ndim for dim in args[1]])
        if op is aten.transpose:
            order = list(range(source.ndim))
            one, other = args[1:3]
            order[one], order[other] = order[other], order[one]
            return self._permuted(seen, order)
        if op is aten.slice:
            return self._sliced(seen, source, *args[1:])
        if seen.at == -2:
            if op is aten.convolution and not args[6]:
                return seen.then(args[1].shape[2:], args[3], args[4], args[5])
            if op is aten.convolution and source.ndim == 4:
                return self._transposed(seen, out, args)
            if op in _POOLS:
                kernel, stride, padding = (*args[1:4], None, None)[:3]
                dilated = op is aten.max_pool2d_with_indices and len(args) > 4
                return seen.then(kernel, stride or kernel, padding or 0, args[4] if dilated else 1)
            if op in _PADDINGS:
                left, top = args[1][0], (args[1][2] if len(args[1]) > 2 else 0)
                return seen.then(1, 1, (top, left))
            if op in _ADAPTIVE_POOLS:
                return self._resized(seen, source, out, _shared)
            if op in _UPSAMPLINGS and not (op not in _NEAREST and args[2]):
                before, after = _UPSAMPLINGS[op]
                shift = Fraction(0) if op is aten.upsample_nearest2d else Fraction(1, 2)
                return self._resized(seen, source, out, _sampled(shift, before, after))
            if op is aten.pixel_shuffle:
                return self._resized(seen, source, out, _sampled(Fraction(0), 0, 0))
        rows = source.ndim + seen.at
        if op in _MIXING or (op in _ALONG and args[1] % source.ndim in (rows, rows + 1)):
            return None
        if op is aten.index and any(index is not None for index in args[1][rows : rows + 2]):
            return None
        found = [self.seen[t] for t in taken if not self.seen[t].even] or [seen]
        for tensor, other in zip(taken, map(self.seen.get, taken), strict=True):
            same = seen.places(tensor) == seen.places(out)
            kept = tensor.ndim <= out.ndim or op in _RESHAPES or _keeps(op, args, rows)
            if not other.even and not (same and kept):
                return None
        return reduce(_Seen.joined, found)

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

    def _resized(self, seen: _Seen, source: Tensor, out: Tensor, spans: Any) -> _Seen:
        """Follow a resizing to the places of `out`."""
        axes = [
            None
            if places == 1 < size
            else axis.through(spans(size, places), Fraction(size, places))
            for axis, size, places in zip(
                (seen.y, seen.x), source.shape[-2:], out.shape[-2:], strict=True
            )
        ]
        return self._or_whole(*axes)

    def _transposed(self, seen: _Seen, out: Tensor, args: tuple[Any, ...]) -> _Seen:
        """Follow a transposed convolution: each place spreads, so that each sees some."""
        axes = []
        for along, axis in enumerate((seen.y, seen.x)):
            kernel = args[1].shape[2 + along]
            stride, padding, dilation = (_pair(args[n])[along] for n in (3, 4, 5))
            spans = [
                (-((dilation * (kernel - 1) - i - padding) // stride), (i + padding) // stride)
                for i in range(out.shape[2 + along])
            ]
            axes.append(axis.through(spans, Fraction(1, stride)))
        return self._or_whole(*axes)

    def _or_whole(self, y: Axis | None, x: Axis | None) -> _Seen:
        return _Seen(y or self.whole.y, x or self.whole.x)


_NEAREST = (aten.upsample_nearest2d, aten._upsample_nearest_exact2d)


def _keeps(op: Any, args: tuple[Any, ...], rows: int) -> bool:
    """Whether a reduction is over dimensions before the positions."""
    if op not in _REDUCTIONS or len(args) < 2:
        return False
    dims = [args[1]] if isinstance(args[1], int) else args[1] or [-1]
    return all(0 <= dim % args[0].ndim < rows for dim in dims)


def _shared(size: int, places: int) -> list[tuple[int, int]]:
    """Say which of `size` places each window of an adaptive pool sees."""
    return [(i * size // places, -(-(i + 1) * size // places) - 1) for i in range(places)]


def _sampled(middle: Fraction, before: int, after: int) -> Any:
    """Say which places each place of a resizing sees, beside the one at or left of its middle."""

    def spans(size: int, places: int) -> list[tuple[int, int]]:
        found = []
        for i in range(places):
            at = (i + middle) * Fraction(size, places)
            if before == after:  # the nearest
                found.append((floor(at), floor(at)))
            else:
                at -= middle
                exact = at.denominator == 1  # then its neighbours have no weight
                found.append((floor(at) - before * (not exact), floor(at) + after * (not exact)))
        return found

    return spans


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
