"""The receptive fields of every layer: stride, size and offset in the picture.

They are derived from one forward pass by following the operations that torch executes, so that
they hold for any module, whatever its Python code. Source: Araujo, Norris and Sim, "Computing
Receptive Fields of Convolutional Neural Networks" (Distill, 2019).

What reaches all positions alike is not counted: the statistics of a normalization over positions,
the gate of a squeeze-and-excitation block.

Most of it is one class, with a branch for each kind of operation.
"""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from visioncircuits.networks.axes import (
    Axis,
    Spans,
    adaptive_pool_spans,
    resampling_spans,
    transposed_convolution_spans,
)
from visioncircuits.networks.graph import Graph
from visioncircuits.networks.hooked import Hooked
from visioncircuits.networks.nodes import pair

aten = torch.ops.aten

_PADDINGS = (aten.constant_pad_nd, aten.reflection_pad2d, aten.replication_pad2d)
_POOLS = (aten.max_pool2d_with_indices, aten.avg_pool2d, aten.avg_pool3d)
_ADAPTIVE_POOLS = (aten._adaptive_avg_pool2d, aten.adaptive_max_pool2d)
_NEAREST = (aten.upsample_nearest2d, aten._upsample_nearest_exact2d)
_UPSAMPLINGS = {  # op: how many positions it uses beside the nearest, before and after
    aten.upsample_nearest2d: (0, 0),
    aten._upsample_nearest_exact2d: (0, 0),
    aten.upsample_bilinear2d: (0, 1),
    aten.upsample_bicubic2d: (1, 2),
}
_RESHAPES = (aten.view, aten._unsafe_view, aten.squeeze)
_MEANS = (aten.mean, aten.sum, aten.amax, aten.amin)
# These may keep the shape though they move values between positions.
_MIXING = (
    aten.as_strided, aten.baddbmm, aten.bmm, aten.convolution, aten.cumsum, aten.flip,
    aten.gather, aten.grid_sampler_2d, aten.mm, aten.addmm, aten.roll, aten.sort,
)  # fmt: skip
_REDUCTIONS = (*_MEANS, aten.select, aten.unbind)
_ALONG = (aten._softmax, aten._log_softmax, aten.index_select)


@dataclass(frozen=True)
class Geometry:
    """The receptive fields of a layer's neurons along both axes, its units and its positions."""

    y: Axis
    x: Axis
    units: int
    shape: tuple[int, ...]


def receptive_fields(graph: Graph | Hooked, picture: Tensor) -> dict[str, Geometry]:
    """Compute what the neurons of each place of a graph see of `picture`.

    Parameters
    ----------
    graph
        Of pictures of this size.
    picture
        `(1, channels, height, width)`. Results that depend on the input's size (TensorFlow's SAME
        padding) hold for this size.

    Returns
    -------
    dict
        Place to `Geometry`, for every place that depends on the picture and is one tensor, `(1,
        units, rows, columns)` or `(1, units)`, in the order in which they are computed, except
        operations inside modules without submodules. Stride 0 and the whole picture are returned
        for a layer after global pooling, and where its receptive field is not known.

    Examples
    --------
    >>> from visioncircuits.networks.tracing import trace
    >>> from torch import nn
    >>> picture = torch.zeros(1, 3, 32, 32)
    >>> found = receptive_fields(trace(nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3)), picture), picture)
    >>> found["0"].x
    Axis(stride=2, size=7, offset=-3)
    """
    names = graph.varying if isinstance(graph, Graph) else graph.places[1:]
    found: dict[str, Geometry] = {}
    with _Tracker(picture) as tracker, _Linear(tracker), torch.no_grad():
        values, _ = graph.run(picture, names)
        for name in names:
            out = values[name]
            known = isinstance(out, Tensor)
            fields = tracker.fields.get(out, tracker.whole) if known else tracker.whole
            if known and fields.at == -2 and out.ndim in (2, 4):
                found[name] = Geometry(fields.y, fields.x, out.shape[1], (*out.shape[2:],))
    return found


@dataclass(frozen=True)
class _Fields:
    """The receptive fields of a tensor's positions.

    `at` is the dimension that counts rows, from the end; columns follow. It is −2 except for
    networks that put the channels last for a while, such as ConvNeXt. `even` means that there is
    one position, or that all are copies of one.
    """

    y: Axis
    x: Axis
    at: int = -2
    even: bool = False

    def positions(self, tensor: Tensor) -> tuple[int, ...]:
        return tuple(tensor.shape[tensor.ndim + self.at :][:2])

    def then(self, kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> "_Fields":
        (ky, kx), (sy, sx), (py, px), (dy, dx) = map(pair, (kernel, stride, padding, dilation))
        return _Fields(
            self.y.then(kernel=ky, stride=sy, padding=py, dilation=dy),
            self.x.then(kernel=kx, stride=sx, padding=px, dilation=dx),
            self.at,
        )

    def joined(self, other: "_Fields") -> "_Fields":
        return _Fields(self.y.joined(other.y), self.x.joined(other.x), self.at)


class _Tracker(TorchDispatchMode):  # type: ignore[no-untyped-call,unused-ignore]
    """Follows the picture's two axes through all operations on it."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call,unused-ignore]
        self.fields: MutableMapping[Tensor, _Fields] = WeakTensorKeyDictionary()
        self.fields[picture] = _Fields(Axis(1, 1, 0), Axis(1, 1, 0))
        height, width = picture.shape[-2:]
        self.whole = _Fields(Axis(0, height, 0), Axis(0, width, 0))

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # importing dynamo only to be skipped by it takes two seconds

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        taken = [t for t in tree_leaves(args) if isinstance(t, Tensor) and t in self.fields]
        if taken:
            for out in tree_leaves(result):
                if isinstance(out, Tensor):
                    self.fields[out] = self._after(func.overloadpacket, args, taken, out)
        return result

    def _after(self, op: Any, args: tuple[Any, ...], taken: list[Tensor], out: Tensor) -> _Fields:
        """Return the fields of `out`; the whole picture where they are not known."""
        fields = self._known(op, args, taken, out) or self.whole
        pooled = op in _MEANS and out.ndim == 2 and taken[0].ndim == 4
        if not (fields.y.stride or fields.x.stride) and (
            pooled
            or all(self.fields[t].even for t in taken)
            or (out.ndim > 3 and out.shape[-2:] == (1, 1))
        ):
            return replace(self.whole, even=True)
        return fields

    def _known(
        self, op: Any, args: tuple[Any, ...], taken: list[Tensor], out: Tensor
    ) -> _Fields | None:
        source, fields = taken[0], self.fields[taken[0]]
        if out.ndim < 3:
            return None
        if op is aten.permute:
            return self._permuted(fields, [dim % source.ndim for dim in args[1]])
        if op is aten.transpose:
            order = list(range(source.ndim))
            one, other = args[1:3]
            order[one], order[other] = order[other], order[one]
            return self._permuted(fields, order)
        if op is aten.slice:
            return self._sliced(fields, source, *args[1:])
        if fields.at == -2:
            if op is aten.convolution and not args[6]:
                return fields.then(args[1].shape[2:], args[3], args[4], args[5])
            if op is aten.convolution and source.ndim == 4:
                return self._transposed(fields, out, args)
            if op in _POOLS:
                kernel, stride, padding = (*args[1:4], None, None)[:3]
                dilated = op is aten.max_pool2d_with_indices and len(args) > 4
                dilation = args[4] if dilated else 1
                return fields.then(kernel, stride or kernel, padding or 0, dilation)
            if op in _PADDINGS:
                left, top = args[1][0], (args[1][2] if len(args[1]) > 2 else 0)
                return fields.then(1, 1, (top, left))
            if op in _ADAPTIVE_POOLS:
                return self._resized(fields, source, out, adaptive_pool_spans)
            if op in _UPSAMPLINGS and not (op not in _NEAREST and args[2]):
                before, after = _UPSAMPLINGS[op]
                shift = Fraction(0) if op is aten.upsample_nearest2d else Fraction(1, 2)
                return self._resized(fields, source, out, resampling_spans(shift, before, after))
            if op is aten.pixel_unshuffle:
                return fields.then(args[1], args[1], 0)
            if op is aten.pixel_shuffle:
                return self._resized(fields, source, out, resampling_spans(Fraction(0), 0, 0))
        rows = source.ndim + fields.at
        if op in _MIXING or (op in _ALONG and args[1] % source.ndim in (rows, rows + 1)):
            return None
        if op is aten.index and any(index is not None for index in args[1][rows : rows + 2]):
            return None
        found = [self.fields[t] for t in taken if not self.fields[t].even] or [fields]
        for tensor in taken:
            other = self.fields[tensor]
            same = fields.positions(tensor) == fields.positions(out)
            kept = tensor.ndim <= out.ndim or op in _RESHAPES or _keeps(op, args, rows)
            if not other.even and not (same and kept):
                return None
        return reduce(_Fields.joined, found)

    def _permuted(self, fields: _Fields, order: list[int]) -> _Fields:
        rows = order.index(len(order) + fields.at)
        columns = order.index(len(order) + fields.at + 1)
        return _Fields(fields.y, fields.x, rows - len(order)) if columns == rows + 1 else self.whole

    def _sliced(
        self,
        fields: _Fields,
        source: Tensor,
        dim: int = 0,
        start: int | None = None,
        stop: int | None = None,
        step: int = 1,
    ) -> _Fields:
        first = range(source.shape[dim])[start:stop].start
        match dim % source.ndim - source.ndim - fields.at:
            case 0:
                y = fields.y.then(kernel=1, stride=step, padding=-first)
                return _Fields(y, fields.x, fields.at)
            case 1:
                x = fields.x.then(kernel=1, stride=step, padding=-first)
                return _Fields(fields.y, x, fields.at)
        return fields

    def _resized(
        self, fields: _Fields, source: Tensor, out: Tensor, spans: Callable[[int, int], Spans]
    ) -> _Fields:
        """Follow a resizing to the positions of `out`."""
        axes = [
            None
            if positions == 1 < size
            else axis.through(spans(size, positions), Fraction(size, positions))
            for axis, size, positions in zip(
                (fields.y, fields.x), source.shape[-2:], out.shape[-2:], strict=True
            )
        ]
        return self._or_whole(*axes)

    def _transposed(self, fields: _Fields, out: Tensor, args: tuple[Any, ...]) -> _Fields:
        """Follow a transposed convolution."""
        axes = []
        for along, axis in enumerate((fields.y, fields.x)):
            stride, padding, dilation = (pair(args[n])[along] for n in (3, 4, 5))
            spans = transposed_convolution_spans(
                out.shape[2 + along], kernel=args[1].shape[2 + along], stride=stride,
                padding=padding, dilation=dilation,
            )  # fmt: skip
            axes.append(axis.through(spans, Fraction(1, stride)))
        return self._or_whole(*axes)

    def _or_whole(self, y: Axis | None, x: Axis | None) -> _Fields:
        return _Fields(y or self.whole.y, x or self.whole.x)


def _keeps(op: Any, args: tuple[Any, ...], rows: int) -> bool:
    """Whether a reduction is over dimensions before the positions."""
    if op not in _REDUCTIONS or len(args) < 2:
        return False
    dims = [args[1]] if isinstance(args[1], int) else args[1] or [-1]
    return all(0 <= dim % args[0].ndim < rows for dim in dims)


class _Linear(TorchFunctionMode):
    """Keeps positions through linear layers, which torch computes as matrices of all positions."""

    def __init__(self, tracker: _Tracker) -> None:
        super().__init__()
        self.tracker = tracker

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if func is F.linear and isinstance(args[0], Tensor):
            before = self.tracker.fields.get(args[0])
            if before is not None and before.at < -2:
                self.tracker.fields[out] = before
        return out
