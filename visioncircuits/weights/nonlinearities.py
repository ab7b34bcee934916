"""The linear replacements of functions of one value, of products and of normalizations."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from visioncircuits.networks.normalization import normalized
from visioncircuits.weights.calls import Call
from visioncircuits.weights.linearization import Linearization
from visioncircuits.weights.operations import Chain, Convolution, Gain, Identity, Operation

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

GATES = (
    "sigmoid",
    "hardsigmoid",
    "_softmax",
    "expand",
    "upsample_nearest2d",
    "upsample_bilinear2d",
)
"""What computes the multiplier where both factors are as large."""


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
        band, bias, beta = args[1:4]
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


def gated(call: Call, signal: int, linearization: Linearization, averaged: bool) -> Operation:
    if getattr(linearization, convention(call)) == "identity":
        return Identity()
    gate = call.inputs[1 - signal]
    return _gain(gate if call.name == "mul" else 1 / gate, averaged)


def _gain(factors: Tensor, averaged: bool) -> Gain:
    """Multiply by factors: those at one picture's positions, or their average."""
    factors = factors[..., None, None] if factors.ndim == 2 else factors
    return Gain(factors.mean((0, 2, 3))[:, None, None] if averaged else factors[0])


def rectified(call: Call, linearization: Linearization, averaged: bool) -> Operation:
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


def layer_normalized(call: Call, linearization: Linearization, averaged: bool) -> Operation:
    """Subtract the mean over channels; with the division or without."""
    (shape,), weight, value = call.shapes, call.arguments["weight"], call.outputs[0]
    centered = torch.eye(shape[0]).to(value) - 1 / shape[0]
    if weight is not None:
        centered = centered * weight.reshape(-1, 1)
    matrix = Convolution(centered[..., None, None])
    if linearization.normalization == "identity":
        return matrix
    return Chain((matrix, _gain(call.outputs[2], averaged)))


def group_normalized(call: Call, linearization: Linearization, averaged: bool) -> Operation:
    weight, value = call.arguments["weight"], call.outputs[0]
    factors = value.new_ones(value.shape[:2])
    if linearization.normalization == "gain":
        factors = call.outputs[2].repeat_interleave(value.shape[1] // call.arguments["group"], 1)
    return _gain(factors if weight is None else factors * weight.flatten(), averaged)


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
