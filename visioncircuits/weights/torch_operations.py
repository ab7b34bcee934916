"""The linear replacement of each torch operation."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from visioncircuits.networks.normalization import normalized
from visioncircuits.weights.kernels import Pair
from visioncircuits.weights.linearization import Linearization
from visioncircuits.weights.operations import (
    Addition,
    Chain,
    Concatenation,
    Convolution,
    Gain,
    Identity,
    Operation,
    Resampling,
    Routing,
    SeparableFilter,
)

NORMALIZATIONS = (F.local_response_norm, normalized)
"""Local response normalization, torch's and ours."""

SATURATING = {"hardsigmoid": 1 / 6, "sigmoid": 1 / 4}
"""Functions of one value that have no slope of 1 anywhere, and their slopes at zero."""

SMOOTH = {
    "celu": 1.0,
    "elu": 1.0,
    "gelu": 0.5,
    "hardswish": 0.5,
    "mish": 0.6,
    "_prelu_kernel": 1.0,
    "silu": 0.5,
    "tanh": 1.0,
    **SATURATING,
}
"""Those whose gate is the output over the input, and their slopes at zero; PReLU too."""

RECTIFIERS = ("relu", "hardtanh", "leaky_relu", *(SMOOTH.keys() - SATURATING.keys()))

FUNCTIONS = (*RECTIFIERS, *SATURATING)
"""All functions of one value."""

UNEVEN = {
    "_adaptive_avg_pool2d", "_upsample_bilinear2d_aa", "_upsample_nearest_exact2d",
    "upsample_bicubic2d", "upsample_bilinear2d", "upsample_nearest2d",
}  # fmt: skip
"""Operations along rows and then columns that are not the same at every position."""

GATES = (
    "sigmoid",
    "hardsigmoid",
    "_softmax",
    "expand",
    "upsample_nearest2d",
    "upsample_bilinear2d",
)
"""What computes the multiplier where both factors are as large."""

_BATCH_NORMS = {"native_batch_norm", "cudnn_batch_norm", "miopen_batch_norm"}


@dataclass(frozen=True)
class Call:
    """One call of a torch operation.

    Attributes
    ----------
    name
        In `torch.ops.aten`, without the underscore of in-place operations.
    arguments
        By the names in the operation's schema and in its order, defaults included.
    inputs
        The arguments that depend on the pictures.
    shapes
        Of the inputs before the call, without the batch.
    outputs
        The tensors that it returned.
    makers
        The names of the operations that computed the inputs.
    again
        Calls the operation with another first argument.
    """

    name: str
    arguments: Mapping[str, Any]
    inputs: Sequence[Tensor]
    shapes: Sequence[tuple[int, ...]]
    outputs: Sequence[Tensor]
    makers: Sequence[str] = ()
    again: Callable[[Tensor], Tensor] = torch.clone

    def channels_first(self) -> "Call":
        """Return the call as if it were of maps whose channels come first, not last."""
        inputs = {id(tensor): _first(tensor) for tensor in self.inputs}
        return replace(
            self,
            arguments={
                name: inputs.get(id(value), _first(value)) for name, value in self.arguments.items()
            },
            inputs=[inputs[id(tensor)] for tensor in self.inputs],
            shapes=[(shape[2], *shape[:2]) if len(shape) == 3 else shape for shape in self.shapes],
            outputs=[_first(tensor) for tensor in self.outputs],
        )


def named_arguments(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by name, with the defaults that torch leaves out.

    Examples
    --------
    >>> x = torch.zeros(1, 1, 4, 4)
    >>> arguments = named_arguments(torch.ops.aten.avg_pool2d.default, [x, [2, 2]], {})
    >>> arguments["kernel_size"], arguments["count_include_pad"]
    ([2, 2], True)
    """
    return {
        argument.name: args[at]
        if at < len(args)
        else kwargs.get(argument.name, argument.default_value)
        for at, argument in enumerate(func._schema.arguments)
    }


def linearized(call: Call, linearization: Linearization, *, averaged: bool) -> Operation | None:
    """Return the linear replacement of a call; None if it has none.

    It takes all inputs, but of a product only the one that is `multiplied`.
    """
    name, arguments, value = call.name, call.arguments, call.outputs[0]
    on_first = call.inputs[0] is next(iter(arguments.values()))
    signal = multiplied(call)
    if signal is not None:
        return _gated(call, signal, linearization, averaged)
    match name:
        case "cat" if arguments["dim"] == 1 and len(call.inputs) == len(arguments["tensors"]):
            return Concatenation(tuple(shape[0] for shape in call.shapes))
        case "add" | "sub" if len(call.inputs) == 2:
            return _sum(call)
    if len(call.inputs) > 1:
        return None
    (shape,) = call.shapes
    match name:
        case "convolution" if on_first and not arguments["transposed"]:
            return Convolution(
                arguments["weight"],
                _pair(arguments["stride"]),
                _pair(arguments["padding"]),
                _pair(arguments["dilation"]),
                arguments["groups"],
            )
        case "addmm" if call.inputs[0] is arguments["mat1"]:
            return Convolution(arguments["mat2"].T[..., None, None])
        case "mm" if on_first:
            return Convolution(arguments["mat2"].T[..., None, None])
        case "linear" if on_first:
            return Convolution(arguments["weight"][..., None, None])
        case _ if name in FUNCTIONS and value.ndim in (2, 4):
            return _rectifier(call, linearization, averaged)
        case "max_pool2d_with_indices" if _pair(arguments["dilation"]) == (1, 1):
            return _max_pool(call, linearization)
        case "avg_pool2d":
            area = math.prod(_pair(arguments["kernel_size"]))
            return _pool(arguments, value, 1 / (arguments["divisor_override"] or area))
        case "_adaptive_avg_pool2d" if len(shape) == 3 and _has_equal_parts(arguments, shape):
            return _average(_pair(arguments["output_size"]), shape, value)
        case "mean" if len(shape) == 3 and _is_spatial(arguments.get("dim")):
            return _average((1, 1), shape, value)
        case "mean" if len(shape) == 3 and arguments["dim"] == [1] and arguments["keepdim"]:
            return Convolution(value.new_full((1, shape[0], 1, 1), 1 / shape[0]))
        case _ if name in UNEVEN and on_first and len(shape) == 3:
            return _resampling(call)
        case "native_layer_norm" if call.outputs[1].shape[1] == 1:
            return _layer_norm(call, linearization, averaged)
        case "native_group_norm":
            return _group_norm(call, linearization, averaged)
        case "constant_pad_nd" if len(arguments["pad"]) in (2, 4):
            one, (left, _, top, _) = value.new_ones(1), [*arguments["pad"], 0, 0][:4]
            return SeparableFilter(one, one, padding=(top, left))
        case "flip" if arguments["dims"] == [1]:
            return Convolution(torch.eye(shape[0]).to(value).flip(0)[..., None, None])
        case "add" | "sub" if on_first and tuple(value.shape[1:]) == shape:
            return Identity()
        case "mul":
            return _product(arguments["other" if on_first else "self"], shape, value)
        case "div" if on_first:
            return _product(1 / torch.as_tensor(arguments["other"]), shape, value)
        case "addcmul" if call.inputs[0] is arguments["tensor1"] and arguments["value"] == 1:
            return _product(arguments["tensor2"], shape, value)
        case "addcmul" if call.inputs[0] is arguments["tensor2"] and arguments["value"] == 1:
            return _product(arguments["tensor1"], shape, value)
        case "_native_batch_norm_legit_no_training":
            return _batch_norm(arguments)
        case _ if name in _BATCH_NORMS and not arguments["training"]:
            return _batch_norm(arguments)
    return None


def linearized_normalization(
    func: Callable[..., Tensor],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    linearization: Linearization,
    *,
    averaged: bool,
) -> Operation:
    """Return the linear replacement of a call of one of `NORMALIZATIONS`."""
    if linearization.normalization == "identity":
        return Identity()
    if func is normalized:
        band, bias, beta = args[1:]
    else:
        bound = inspect.signature(func).bind(*args, **kwargs)
        bound.apply_defaults()
        band, bias, beta = _band(*bound.args)
    values = args[0]
    return _gain(F.conv2d(values * values, band, bias) ** -beta, averaged)


def multiplied(call: Call) -> int | None:
    """Return which input of a product another one multiplies, or divides; None where none does.

    The multiplier is the smaller one, or the one that a function of `GATES` computed.
    """
    if call.name not in ("mul", "div") or len(call.inputs) != 2 or call.inputs[0] is call.inputs[1]:
        return None
    sizes = [math.prod(shape) for shape in call.shapes]
    gates = [maker in GATES for maker in call.makers]
    for signal, gate in ((0, 1), (1, 0))[: 1 if call.name == "div" else 2]:
        same = math.prod(call.outputs[0].shape[1:]) == sizes[signal]
        if same and (sizes[gate] < sizes[signal] or (gates[gate] and not gates[signal])):
            return signal
    return None


def convention(call: Call) -> str:
    """Return the field of `Linearization` that chooses a call's replacement; empty if none does."""
    if multiplied(call) is not None:
        return "product" if call.name == "mul" else "normalization"
    return "rectifier" if call.name in FUNCTIONS else _CONVENTIONS.get(call.name, "")


_CONVENTIONS = {
    "max_pool2d_with_indices": "max_pool",
    "native_layer_norm": "normalization",
    "native_group_norm": "normalization",
}


def _gated(call: Call, signal: int, linearization: Linearization, averaged: bool) -> Operation:
    if getattr(linearization, convention(call)) == "identity":
        return Identity()
    gate = call.inputs[1 - signal]
    return _gain(gate if call.name == "mul" else 1 / gate, averaged)


def border_gain(call: Call) -> Float[Tensor, "1 height width"]:
    """Return an average pool's values over its sums over full windows: 1 except at borders."""
    arguments, value = call.arguments, call.outputs[0]
    kernel, padding = _pair(arguments["kernel_size"]), _pair(arguments["padding"])
    height, width = value.shape[2:]
    if arguments["divisor_override"] is not None:
        return value.new_ones(1, height, width)
    positions = value.new_ones(1, *arguments["self"].shape[2:])
    if arguments["count_include_pad"]:
        (top, left), padding = padding, (0, 0)
        positions = F.pad(positions, (left, left, top, top), value=1.0)
    stride = arguments["stride"] or arguments["kernel_size"]
    area = F.avg_pool2d(positions, kernel, stride, padding, ceil_mode=True, divisor_override=1)
    return math.prod(kernel) / area[:, :height, :width]


def _pair(values: Any) -> Pair:
    values = [values] if isinstance(values, int) else values
    return values[0], values[-1]


def _gain(factors: Tensor, averaged: bool) -> Gain:
    """Multiply by factors: those at one picture's positions, or their average."""
    factors = factors[..., None, None] if factors.ndim == 2 else factors
    return Gain(factors.mean((0, 2, 3))[:, None, None] if averaged else factors[0])


def _rectifier(call: Call, linearization: Linearization, averaged: bool) -> Operation:
    arguments, value = call.arguments, call.outputs[0]
    if linearization.rectifier == "identity":
        passed = passing_slope(call.name, arguments.get("scale", 1))
        return Identity() if passed == 1 else Gain(value.new_full((1, 1, 1), passed))
    match call.name:
        case "hardtanh":
            slope = (value > arguments["min_val"]) & (value < arguments["max_val"])
        case "leaky_relu":
            slope = torch.where(value > 0, 1.0, arguments["negative_slope"])
        case "relu":
            slope = value > 0
        case _:
            slope = over_input(call.name, value, call.inputs[0])
    return _gain(slope.to(value), averaged)


def passing_slope(name: str, scale: float = 1) -> float:
    """Return the slope of a function of one value for large inputs, or at zero if it saturates."""
    return SATURATING.get(name, float(scale))


def over_input(name: str, value: Tensor, given: Tensor) -> Tensor:
    """Return a function's output, without that of zero, over its input; its slope at zero there."""
    at_zero, slope = (0.5 if name in SATURATING else 0.0), SMOOTH[name]
    return torch.where(given.abs() < _ROUNDING, slope, (value - at_zero) / given)


_ROUNDING = 1e-6
"""Of inputs below it a difference of outputs is mostly rounding."""


def _layer_norm(call: Call, linearization: Linearization, averaged: bool) -> Operation:
    """Subtract the mean over channels; with the division or without."""
    (shape,), weight, value = call.shapes, call.arguments["weight"], call.outputs[0]
    centered = torch.eye(shape[0]).to(value) - 1 / shape[0]
    if weight is not None:
        centered = centered * weight.reshape(-1, 1)
    matrix = Convolution(centered[..., None, None])
    if linearization.normalization == "identity":
        return matrix
    return Chain((matrix, _gain(call.outputs[2], averaged)))


def _group_norm(call: Call, linearization: Linearization, averaged: bool) -> Operation:
    weight, value = call.arguments["weight"], call.outputs[0]
    factors = value.new_ones(value.shape[:2])
    if linearization.normalization == "gain":
        factors = call.outputs[2].repeat_interleave(value.shape[1] // call.arguments["group"], 1)
    return _gain(factors if weight is None else factors * weight.flatten(), averaged)


def _first(value: Any) -> Any:
    """Return a tensor with its channels first, where it has them last; anything else as it is."""
    if not isinstance(value, Tensor):
        return value
    if value.ndim == 4:
        return value.permute(0, 3, 1, 2)
    return value[:, None, None] if value.ndim == 1 else value


def _max_pool(call: Call, linearization: Linearization) -> Operation:
    value, indices = call.outputs
    match linearization.max_pool:
        case "average":
            area = math.prod(_pair(call.arguments["kernel_size"]))
            return _pool(call.arguments, value, 1 / area)
        case "repeat":
            return _pool(call.arguments, value, 1.0)
        case "route":
            _, height, width = call.shapes[0]
            return Routing(indices[0], (height, width))


def _pool(arguments: Mapping[str, Any], like: Tensor, weight: float) -> SeparableFilter:
    height, width = _pair(arguments["kernel_size"])
    rows, columns = like.new_full((height,), weight), like.new_ones(width)
    stride = _pair(arguments["stride"] or arguments["kernel_size"])
    return SeparableFilter(rows, columns, stride, _pair(arguments["padding"]))


def _is_spatial(axes: Sequence[int] | None) -> bool:
    return {axis % 4 for axis in axes or ()} == {2, 3}


def _has_equal_parts(arguments: Mapping[str, Any], shape: tuple[int, ...]) -> bool:
    parts = _pair(arguments["output_size"])
    return not any(size % part for size, part in zip(shape[1:], parts, strict=True))


def _average(parts: Pair, shape: tuple[int, ...], value: Tensor) -> SeparableFilter:
    """Average over all positions, or over equal parts."""
    height, width = (size // part for size, part in zip(shape[1:], parts, strict=True))
    stride = (0, 0) if parts == (1, 1) else (height, width)
    rows, columns = value.new_full((height,), 1 / height), value.new_full((width,), 1 / width)
    return SeparableFilter(rows, columns, stride)


def _sum(call: Call) -> Addition | None:
    """Add two maps, or one channel to all of the other's."""
    one, other = call.shapes
    if one[1:] != other[1:] or not {one[0], other[0]} <= {1, call.outputs[0].shape[1]}:
        return None
    sign = 1 if call.name == "add" else -1
    return Addition((1.0, float(sign * call.arguments["alpha"])), (one[0], other[0]))


def _resampling(call: Call) -> Resampling:
    """Read off what an operation does to rows, and to columns."""
    given, (_, height, width) = call.inputs[0], call.shapes[0]
    rows = torch.eye(height).to(given)[None, :, :, None].expand(-1, -1, -1, width)
    columns = torch.eye(width).to(given)[None, :, None].expand(-1, -1, height, -1)
    return Resampling(call.again(rows)[0, ..., 0].T, call.again(columns)[0, :, 0].T)


def _product(factor: Any, shape: tuple[int, ...], value: Tensor) -> Gain | None:
    """Multiply by a constant: one number, or one for each channel."""
    factor = torch.as_tensor(factor).to(value)
    positions = factor.shape[-2:] if len(shape) == 3 else ()
    if tuple(value.shape[1:]) != shape or any(size != 1 for size in positions):
        return None
    return Gain(factor.reshape(-1, 1, 1).expand(shape[0], 1, 1))


def _batch_norm(arguments: Mapping[str, Any]) -> Gain:
    epsilon = arguments["eps" if "eps" in arguments else "epsilon"]
    gain = (arguments["running_var"] + epsilon).rsqrt()
    weight = arguments["weight"]
    return Gain((gain if weight is None else gain * weight)[:, None, None])


def _band(
    values: Tensor, size: int, alpha: float, beta: float, k: float
) -> tuple[Tensor, Tensor, float]:
    """Convert the settings of torch's local response normalization to those of `normalized`.

    Unit `i` is divided by the energy of units `i − size // 2` to `i + (size − 1) // 2`.
    """
    index = torch.arange(values.shape[1], device=values.device)
    distance = index - index[:, None]
    near = (distance >= -(size // 2)) & (distance <= (size - 1) // 2)
    band = near.to(values)[..., None, None] * (alpha / size)
    return band, values.new_full((values.shape[1],), k), beta
