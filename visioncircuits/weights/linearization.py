"""What a network computes on a picture, operation by operation, with linear stand-ins.

Read off one forward pass by watching what torch carries out, so that it holds for any module,
whatever its Python does: a convolution stays what it is, and what is not linear is replaced as a
`Linearization` says.
"""

import inspect
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from visioncircuits.networks import Network
from visioncircuits.networks.nodes import between
from visioncircuits.networks.normalization import normalized
from visioncircuits.weights.kernels import (
    Addition,
    Concatenation,
    Convolution,
    Flattening,
    Gain,
    Identity,
    Operation,
    Routing,
    Window,
)

INPUT = "input"
"""The source that stands for the picture itself, RGB in [0, 1]."""

aten = torch.ops.aten


@dataclass(frozen=True, kw_only=True)
class Linearization:
    """How each nonlinearity is replaced.

    The defaults are those of "Visualizing Weights": "ignoring or replacing all non-linear
    operations with the closest linear one".

    Attributes
    ----------
    max_pool
        `"average"`: as the mean over the pool's region, where nothing lies beyond a border.
        `"repeat"`: as the sum over it, so that a 1x1 convolution after it shows as its weights
        repeated over the region ("An Overview of Early Vision"). `"route"`: as what it passed on
        on a given picture; for one neuron only.
    rectifier
        `"identity"`, or `"gate"`: times 1 where it let its input through on given pictures and 0
        where not; for one neuron exactly, otherwise on average over pictures and positions.
    normalization
        Of local response normalization: `"identity"`, or `"gain"`: times what it multiplied its
        input by on given pictures, exactly or on average as above. Batch normalization is a gain
        in any case.

    Examples
    --------
    >>> Linearization().needs_pictures, Linearization(rectifier="gate").needs_pictures
    (False, True)
    """

    max_pool: Literal["average", "repeat", "route"] = "average"
    rectifier: Literal["identity", "gate"] = "identity"
    normalization: Literal["identity", "gain"] = "identity"

    @property
    def needs_pictures(self) -> bool:
        """Whether it depends on what the network computes on given pictures."""
        return not {"route", "gate", "gain"}.isdisjoint(asdict(self).values())

    def record(self) -> dict[str, str]:
        """Give the fields as plain data, for a result's provenance."""
        return asdict(self)


LOCAL = Linearization(max_pool="route", rectifier="gate", normalization="gain")
"""What the network did on one picture, nothing averaged."""


@dataclass(frozen=True)
class Step:
    """One operation of a forward pass.

    Attributes
    ----------
    name
        As torch calls it.
    operation
        Its linear stand-in; None where it has none.
    inputs
        The earlier steps whose values it takes.
    shape
        Of its value without the batch: `(channels, height, width)`, or `(channels,)`.
    """

    name: str
    operation: Operation | None
    inputs: tuple[int, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Trace:
    """A forward pass: its steps in order, and which of them give the layers asked for."""

    steps: list[Step]
    layers: dict[str, int]

    def between(self, source: int, target: int) -> list[int]:
        """List the steps on the paths from `source` to `target`, in order; [] if there is none."""
        return between(source, target, lambda at: self.steps[at].inputs)


@torch.no_grad()
def trace(
    network: Network,
    layers: Sequence[str],
    linearization: Linearization,
    *,
    pictures: Float[Tensor, "batch channels height width"] | None = None,
    averaged: bool = True,
    borders: bool = False,
) -> Trace:
    """Watch a forward pass, as far as the deepest of `layers`.

    Parameters
    ----------
    layers
        Of the network, or `"input"`.
    pictures
        What to watch it on; where nothing depends on them, a black one of the network's own size.
    averaged
        Whether gates and gains are averaged over pictures and positions.
    borders
        Whether it is to hold at the maps' borders too, where average pools divide by less.
    """
    named = [name for name in layers if name != INPUT]
    if pictures is None:
        channels = network.preprocessing.channels
        pictures = torch.zeros(1, channels, network.size, network.size)
    pictures = pictures.to(network.device)
    height, width = pictures.shape[2:]
    for name in named:
        network.layer_at(name, (height, width))  # traced before it is watched
    with _Watch(pictures, linearization, averaged, borders) as watch, _Normalizations(watch):
        found = network.activations(pictures, named)
    found[INPUT] = pictures
    return Trace(watch.steps, {name: watch.at[found[name]] for name in layers})


NORMALIZATIONS = (F.local_response_norm, normalized)
"""Local response normalization, torch's and ours."""

RECTIFIERS = ("relu", "hardtanh", "leaky_relu")
_SAME = {"alias", "clone", "contiguous", "detach", "dropout", "lift_fresh", "_to_copy"}
_RESHAPES = {"_unsafe_view", "as_strided", "flatten", "reshape", "squeeze", "unsqueeze", "view"}
_BATCH_NORMS = {"native_batch_norm", "cudnn_batch_norm", "miopen_batch_norm"}


class _Watch(TorchDispatchMode):
    """Write down each operation on what comes from the pictures."""

    def __init__(
        self, pictures: Tensor, linearization: Linearization, averaged: bool, borders: bool
    ) -> None:
        super().__init__()
        self.linearization, self.averaged, self.borders = linearization, averaged, borders
        self.steps: list[Step] = []
        self.at = WeakTensorKeyDictionary()
        self.paused = False
        self._note("input", Identity(), [], pictures)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # importing dynamo only to be skipped by it takes two seconds

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        known = [] if self.paused else [t for t in _tensors((args, kwargs)) if t in self.at]
        inputs = [self.at[tensor] for tensor in known]
        shapes = [tuple(tensor.shape[1:]) for tensor in known]
        out = func(*args, **kwargs)
        if known and (values := _tensors(out)):
            name = func.overloadpacket.__name__.removesuffix("_")
            same = name in _SAME or (name in _RESHAPES and values[0].shape[1:] == shapes[0])
            if same:
                self.at[values[0]] = inputs[0]
            else:
                operation = self._operation(name, args, kwargs, known, shapes, values)
                for value in values if operation is None else values[:1]:
                    self._note(name, operation, inputs, value)
                if name == "avg_pool2d" and operation is not None and self.borders:
                    gain = _border_gain(args, values[0])
                    self._note("border", Gain(gain), [self.at[values[0]]], values[0])
        return out

    def _note(
        self, name: str, operation: Operation | None, inputs: list[int], value: Tensor
    ) -> None:
        self.at[value] = len(self.steps)
        self.steps.append(Step(name, operation, tuple(inputs), tuple(value.shape[1:])))

    def _operation(
        self,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        known: list[Tensor],
        shapes: list[tuple[int, ...]],
        values: list[Tensor],
    ) -> Operation | None:
        """Translate one call; None where it is not linear and has no stand-in."""
        value, first = values[0], known[0] is args[0]
        match name:
            case "cat" if _argument(args, 1, 0) == 1 and len(known) == len(args[0]):
                return Concatenation(tuple(shape[0] for shape in shapes))
            case "add" | "sub" if len(known) == 2 and shapes[0] == shapes[1]:
                sign = 1 if name == "add" else -1
                return Addition((1.0, float(sign * kwargs.get("alpha", 1))))
        if len(known) > 1:
            return None
        (shape,) = shapes
        match name:
            case "convolution" if first and not args[6]:
                stride, padding, dilation = map(_pair, args[3:6])
                return Convolution(args[1], stride, padding, dilation, args[8])
            case "addmm" if known[0] is args[1]:
                return Convolution(args[2].T[..., None, None])
            case "mm" | "linear" if first:
                return Convolution((args[1].T if name == "mm" else args[1])[..., None, None])
            case _ if name in RECTIFIERS:
                return self._rectifier(name, args, value)
            case "max_pool2d_with_indices" if _pair(_argument(args, 4, 1)) == (1, 1):
                return self._max_pool(args, shape, values)
            case "avg_pool2d":
                area = math.prod(_pair(args[1]))
                return _pool(args, value, 1 / (_argument(args, 6, None) or area))
            case "_adaptive_avg_pool2d" | "mean" if len(shape) == 3:
                return _average(name, args, shape, value)
            case "constant_pad_nd" if len(args[1]) in (2, 4):
                one, (left, _, top, _) = value.new_ones(1), [*args[1], 0, 0][:4]
                return Window(one, one, padding=(top, left))
            case "flip" if args[1] == [1]:
                return Convolution(torch.eye(shape[0]).to(value).flip(0)[..., None, None])
            case "add" | "sub" if first and tuple(value.shape[1:]) == shape:
                return Identity()
            case "mul":
                return _gain(args[1] if first else args[0], shape, value)
            case "div" if first:
                return _gain(1 / torch.as_tensor(args[1]), shape, value)
            case "addcmul" if known[0] is args[1] and kwargs.get("value", 1) == 1:
                return _gain(args[2], shape, value)
            case "_native_batch_norm_legit_no_training":
                return _batch_norm(args[1], args[4], args[6])
            case _ if name in _BATCH_NORMS and not args[5]:
                return _batch_norm(args[1], args[4], args[7])
            case _ if name in _RESHAPES and (value.ndim == 2 or shape[1:] in ((), (1, 1))):
                channels, height, width = (*shape, 1, 1)[:3]
                return Flattening((channels, height, width))
        return None

    def _rectifier(self, name: str, args: tuple[Any, ...], value: Tensor) -> Operation:
        if self.linearization.rectifier == "identity":
            return Identity()
        match name:
            case "hardtanh":
                low, high = _argument(args, 1, -1.0), _argument(args, 2, 1.0)
                slope = ((value > low) & (value < high)).to(value)
            case "leaky_relu":
                slope = torch.where(value > 0, 1.0, _argument(args, 1, 0.01)).to(value)
            case _:
                slope = (value > 0).to(value)
        return Gain(self._values(slope))

    def _max_pool(
        self, args: tuple[Any, ...], shape: tuple[int, ...], values: list[Tensor]
    ) -> Operation:
        match self.linearization.max_pool:
            case "average":
                return _pool(args, values[0], 1 / math.prod(_pair(args[1])))
            case "repeat":
                return _pool(args, values[0], 1.0)
            case "route":
                return Routing(values[1][0], (shape[1], shape[2]))

    def _values(self, map: Tensor) -> Tensor:
        """Give what a gain multiplies by: at one picture's positions, or on average."""
        map = map[..., None, None] if map.ndim == 2 else map
        return map.mean((0, 2, 3))[:, None, None] if self.averaged else map[0]

    def normalization(self, values: Tensor, output: Tensor, settings: tuple[Any, ...]) -> None:
        """Note a local response normalization whole: within, it is products of values."""
        operation: Operation = Identity()
        if self.linearization.normalization == "gain":
            operation = Gain(self._values(_normalization_gain(values, *settings)))
        self._note("local_response_norm", operation, [self.at[values]], output)


class _Normalizations(TorchFunctionMode):
    """Hide the insides of local response normalizations from a watch."""

    def __init__(self, watch: _Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func not in NORMALIZATIONS or args[0] not in self.watch.at:
            return func(*args, **kwargs)
        self.watch.paused = True
        try:
            output = func(*args, **kwargs)
            if func is normalized:
                settings = args[1:]
            else:
                bound = inspect.signature(func).bind(*args, **kwargs)
                bound.apply_defaults()
                settings = _banded(args[0], *bound.args[1:])
            self.watch.normalization(args[0], output, settings)
        finally:
            self.watch.paused = False
        return output


def _tensors(values: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]


def _argument(args: tuple[Any, ...], place: int, default: Any) -> Any:
    """Give a positional argument; torch leaves out those at their defaults."""
    return args[place] if len(args) > place else default


def _pair(values: Any) -> tuple[int, int]:
    values = [values] if isinstance(values, int) else values
    return values[0], values[-1]


def _pool(args: tuple[Any, ...], like: Tensor, weight: float) -> Window:
    height, width = _pair(args[1])
    rows, columns = like.new_full((height,), weight), like.new_ones(width)
    stride = _pair(_argument(args, 2, None) or args[1])
    return Window(rows, columns, stride, _pair(_argument(args, 3, 0)))


def _border_gain(args: tuple[Any, ...], value: Tensor) -> Float[Tensor, "1 height width"]:
    """Give what an average pool's values exceed sums over full windows by: 1 but at borders."""
    kernel, padding = _pair(args[1]), _pair(_argument(args, 3, 0))
    included, divisor = _argument(args, 5, True), _argument(args, 6, None)
    height, width = value.shape[2:]
    if divisor is not None:
        return value.new_ones(1, height, width)
    places = value.new_ones(1, *args[0].shape[2:])
    if included:
        (top, left), padding = padding, (0, 0)
        places = F.pad(places, (left, left, top, top), value=1.0)
    stride = _argument(args, 2, None) or args[1]
    area = F.avg_pool2d(places, kernel, stride, padding, ceil_mode=True, divisor_override=1)
    return math.prod(kernel) / area[:, :height, :width]


def _average(
    name: str, args: tuple[Any, ...], shape: tuple[int, ...], value: Tensor
) -> Window | None:
    """Translate a mean over all positions, or over equal parts."""
    if name == "mean":
        if args[0].ndim != 4 or {axis % 4 for axis in args[1] or ()} != {2, 3}:
            return None
        parts = (1, 1)
    else:
        parts = _pair(args[1])
    if any(size % part for size, part in zip(shape[1:], parts, strict=True)):
        return None
    height, width = (size // part for size, part in zip(shape[1:], parts, strict=True))
    stride = (0, 0) if parts == (1, 1) else (height, width)
    rows, columns = value.new_full((height,), 1 / height), value.new_full((width,), 1 / width)
    return Window(rows, columns, stride)


def _gain(factor: Any, shape: tuple[int, ...], value: Tensor) -> Gain | None:
    """Translate a product with a constant: one number, or one a channel."""
    factor = torch.as_tensor(factor).to(value)
    positions = factor.shape[-2:] if len(shape) == 3 else ()
    if tuple(value.shape[1:]) != shape or any(size != 1 for size in positions):
        return None
    return Gain(factor.reshape(-1, 1, 1).expand(shape[0], 1, 1))


def _batch_norm(weight: Tensor | None, variance: Tensor, epsilon: float) -> Gain:
    gain = (variance + epsilon).rsqrt()
    return Gain((gain if weight is None else gain * weight)[:, None, None])


def _banded(
    values: Tensor, size: int, alpha: float, beta: float, k: float
) -> tuple[Tensor, Tensor, float]:
    """Give torch's settings of a local response normalization as those of `normalized`.

    Unit `i` is divided by the energy of units `i − size // 2` to `i + (size − 1) // 2`.
    """
    index = torch.arange(values.shape[1], device=values.device)
    apart = index - index[:, None]
    near = (apart >= -(size // 2)) & (apart <= (size - 1) // 2)
    band = near.to(values)[..., None, None] * (alpha / size)
    return band, values.new_full((values.shape[1],), k), beta


def _normalization_gain(values: Tensor, band: Tensor, bias: Tensor, beta: float) -> Tensor:
    """Compute what a local response normalization multiplies each value by."""
    return F.conv2d(values * values, band, bias) ** -beta
