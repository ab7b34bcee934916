"""The linear replacement of each torch operation."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from visioncircuits.weights.calls import Call
from visioncircuits.weights.kernels import Pair
from visioncircuits.weights.linearization import Linearization
from visioncircuits.weights.nonlinearities import (
    FUNCTIONS,
    gated,
    group_normalized,
    layer_normalized,
    multiplied,
    rectified,
)
from visioncircuits.weights.operations import (
    Addition,
    Concatenation,
    Convolution,
    Gain,
    Identity,
    Operation,
    Resampling,
    Routing,
    SeparableFilter,
)

UNEVEN = {
    "_adaptive_avg_pool2d", "_upsample_bilinear2d_aa", "_upsample_nearest_exact2d",
    "upsample_bicubic2d", "upsample_bilinear2d", "upsample_nearest2d",
}  # fmt: skip
"""Operations along rows and then columns that are not the same at every position."""

_BATCH_NORMS = {"native_batch_norm", "cudnn_batch_norm", "miopen_batch_norm"}


def linearized(call: Call, linearization: Linearization, *, averaged: bool) -> Operation | None:
    """Return the linear replacement of a call; None if it has none.

    It takes all inputs, but of a product only the one that is `multiplied`.
    """
    name, arguments, value = call.name, call.arguments, call.outputs[0]
    on_first = call.inputs[0] is next(iter(arguments.values()))
    signal = multiplied(call)
    if signal is not None:
        return gated(call, signal, linearization, averaged)
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
            return rectified(call, linearization, averaged)
        case "max_pool2d_with_indices" if _pair(arguments["dilation"]) == (1, 1):
            return _max_pool(call, linearization)
        case "avg_pool2d":
            area = math.prod(_pair(arguments["kernel_size"]))
            return _pool(arguments, value, 1 / (arguments["divisor_override"] or area))
        case "_adaptive_avg_pool2d" if len(shape) == 3 and _has_equal_parts(arguments, shape):
            return _average(_pair(arguments["output_size"]), shape, value)
        case "mean" if len(shape) == 3 and _is_spatial(arguments.get("dim")):
            return _average((1, 1), shape, value)
        case "mean" if len(shape) == 3 and arguments.get("dim") == [1] and arguments["keepdim"]:
            return Convolution(value.new_full((1, shape[0], 1, 1), 1 / shape[0]))
        case _ if name in UNEVEN and on_first and len(shape) == 3:
            return _resampling(call)
        case "native_layer_norm" if call.outputs[1].shape[1] == 1:
            return layer_normalized(call, linearization, averaged)
        case "native_group_norm":
            return group_normalized(call, linearization, averaged)
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
