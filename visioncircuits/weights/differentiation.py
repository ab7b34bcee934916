"""Expanded weights by backward passes: slow, but for any network that torch can differentiate."""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from visioncircuits.errors import InputError
from visioncircuits.networks import Features, Network
from visioncircuits.networks.edits import Replacement
from visioncircuits.weights.composition import only_padding
from visioncircuits.weights.expanded import ExpandedWeights
from visioncircuits.weights.expansion import provenance
from visioncircuits.weights.kernels import Pair
from visioncircuits.weights.linearization import Linearization
from visioncircuits.weights.nonlinearities import (
    FUNCTIONS,
    NORMALIZATIONS,
    SMOOTH,
    over_input,
    passing_slope,
)
from visioncircuits.weights.selection import select
from visioncircuits.weights.tracing import INPUT


def expanded_weights_by_autograd(
    network: Network,
    source: Features,
    target: Features,
    *,
    linearization: Linearization | None = None,
    pictures: Float[Tensor, "batch channels height width"] | None = None,
    position: Pair | None = None,
) -> ExpandedWeights:
    """Differentiate a neuron of the target with respect to the source, one backward pass a feature.

    Rectifiers, max pools, normalizations and products get the derivatives of their replacements in
    the linearization; local response normalization keeps its own for `"gain"`, and so does every
    other operation, so that the result is the derivative at the picture. If all operations have
    linear replacements, `expanded_weights` returns the same, much faster.

    Parameters
    ----------
    source, target, linearization
        As in `expanded_weights`.
    pictures
        One picture, at which to differentiate; by default a gray one of the network's own size.
    position
        Row and column of the neuron; by default the center of the map.

    Returns
    -------
    ExpandedWeights
        Of `(out, in, height, width)`, on the CPU; the map to one neuron: its stride is (0, 0).

    Raises
    ------
    InputError
        For features that the network does not have, several pictures, and if the target does not
        depend on the source.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> weights = expanded_weights_by_autograd(network, "conv2d2", "mixed3a:7", position=(5, 5))
    >>> weights.weight.shape, weights.offset
    (torch.Size([1, 192, 11, 11]), (6, 6))
    """
    linearization = linearization or Linearization()
    inputs, outputs = select(network, source), select(network, target)
    if pictures is None:
        channels = network.preprocessing.channels
        pictures = torch.full((1, channels, network.size, network.size), 0.5)
    if len(pictures) != 1:
        raise InputError(f"a derivative is taken at one picture, not at {len(pictures)}")
    leaf, value = _forward(network, inputs.layer, outputs.layer, pictures, linearization)
    if not value.requires_grad:
        raise InputError(f"{outputs.layer} does not depend on {inputs.layer}")
    neurons = _map(value)
    row, column = position or (neurons.shape[1] // 2, neurons.shape[2] // 2)
    neuron = neurons[:, row, column]
    window = _window(network, inputs.layer, outputs.layer, (row, column), _map(leaf).shape[1:])
    if any(part.start >= part.stop for part in window):
        raise only_padding(inputs.layer, outputs.layer, (row, column))
    gradients = []
    for vector in outputs.vectors:
        (gradient,) = torch.autograd.grad(neuron @ vector, leaf, retain_graph=True)
        gradients.append(torch.tensordot(inputs.vectors, _map(gradient)[:, *window], dims=1))
    record = provenance(network, linearization, position=(row, column)) | {"by": "autograd"}
    offset = window[0].start, window[1].start
    weight = torch.stack(gradients).cpu()
    return ExpandedWeights(weight, inputs.features, outputs.features, (0, 0), offset, record)


def _map(value: Tensor) -> Float[Tensor, "units height width"]:
    """Return one picture's values with positions, even if there is only one."""
    return value[0] if value.ndim == 4 else value[0][:, None, None]


def _forward(
    network: Network, source: str, target: str, pictures: Tensor, linearization: Linearization
) -> tuple[Tensor, Tensor]:
    """Compute the target from a leaf that replaces the source; return both."""
    with torch.inference_mode(False), torch.enable_grad(), _LinearDerivatives(linearization):
        if source == INPUT:
            leaf = pictures.to(network.device).detach().clone().requires_grad_()
            return leaf, network.activations(leaf, [target])[target]
        with torch.no_grad():
            values = network.activations(pictures, [source])[source]
        leaf = values.clone().requires_grad_()
        change = Replacement(network.layer(source).name, leaf)
        return leaf, network.activations(pictures, [target], changes=[change])[target]


class _LinearDerivatives(TorchFunctionMode):
    """Give operations the derivatives of their replacements."""

    def __init__(self, linearization: Linearization) -> None:
        super().__init__()
        self.linearization = linearization
        self.gates = WeakTensorKeyDictionary()

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name, by = getattr(func, "__name__", "").strip("_"), self.linearization
        known = {"prelu": "_prelu_kernel", "relu6": "hardtanh", "selu": "elu"}.get(name, name)
        if known in FUNCTIONS and (by.rectifier == "identity" or known in SMOOTH):
            given = args[0].detach().clone()
            value = func(given.clone(), *args[1:], **kwargs)
            if by.rectifier == "gate":
                slope: Any = over_input(known, value, given)
            else:
                slope = passing_slope(known, SELU if name == "selu" else 1)
            return self._marked(name, _with_derivative(args[0] * slope, value))
        if name == "max_pool2d" and by.max_pool != "route":
            repeat = by.max_pool == "repeat"
            return _with_derivative(_average(*args, repeat=repeat, **kwargs), func(*args, **kwargs))
        if func in NORMALIZATIONS and by.normalization == "identity":
            return _with_derivative(args[0], func(*args, **kwargs))
        if func in (F.layer_norm, F.group_norm):
            normalize = _layer_normed if func is F.layer_norm else _group_normed
            linear = normalize(*args, divided=by.normalization == "gain", **kwargs)
            return _with_derivative(linear, func(*args, **kwargs))
        if name in PRODUCTS and len(args) == 2 and (found := self._factors(name, *args)):
            signal, gain, convention = found
            frozen = getattr(by, convention) == "gain"
            value = func(*args, **kwargs)
            return _with_derivative(signal * gain.detach() if frozen else signal, value)
        return self._marked(name, func(*args, **kwargs))

    def _marked(self, name: str, value: Any) -> Any:
        """Remember what is a gate."""
        if name in _GATES and isinstance(value, Tensor):
            self.gates[value] = True
        return value

    def _factors(self, function: str, one: Any, other: Any) -> tuple[Tensor, Tensor, str] | None:
        """Return the factor that is a map, the other one, and the convention; None if none is."""
        pair = one, other
        if one is other or not all(isinstance(v, Tensor) and v.requires_grad for v in pair):
            return None
        gates = [value in self.gates for value in pair]
        if one.numel() > other.numel() or (gates[1] and not gates[0]):
            divides = PRODUCTS[function] == "div"
            return one, 1 / other if divides else other, "normalization" if divides else "product"
        if PRODUCTS[function] == "mul" and (
            one.numel() < other.numel() or (gates[0] and not gates[1])
        ):
            return other, one, "product"
        return None


PRODUCTS = {"mul": "mul", "imul": "mul", "rmul": "mul", "div": "div", "truediv": "div"}
"""Functions of torch and operators, without underscores, and what they are."""


_GATES = {"expand", "expand_as", "hardsigmoid", "interpolate", "sigmoid", "softmax", "upsample"}
"""Functions that compute the multiplier where both factors are as large."""

SELU = 1.0507009873554805
"""The slope of SELU for large inputs."""


def _layer_normed(
    values: Tensor,
    shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    *,
    divided: bool,
) -> Tensor:
    """Subtract the mean, and divide as is, without a derivative."""
    axes = tuple(range(-len(shape), 0))
    linear = values - values.mean(axes, keepdim=True)
    if divided:
        linear = linear / (linear.square().mean(axes, keepdim=True) + eps).sqrt().detach()
    return linear if weight is None else linear * weight


def _group_normed(
    values: Tensor,
    groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    *,
    divided: bool,
) -> Tensor:
    """Divide as is, without a derivative."""
    grouped = values.detach().reshape(len(values), groups, -1)
    deviation = (grouped.var(2, correction=0) + eps).sqrt()
    factors = values.new_ones(values.shape[:2])
    if divided:
        factors = factors / deviation.repeat_interleave(values.shape[1] // groups, 1)
    if weight is not None:
        factors = factors * weight
    return values * factors.reshape(*values.shape[:2], *(1 for _ in values.shape[2:]))


def _with_derivative(linear: Tensor, value: Tensor) -> Tensor:
    """Return `value`, with the derivative of `linear`."""
    return linear + (value - linear).detach()


def _average(
    values: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    *,
    repeat: bool,
    ceil_mode: bool = False,
    **_rest: Any,
) -> Tensor:
    kernel = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    divisor = 1 if repeat else prod(kernel)
    return F.avg_pool2d(values, kernel_size, stride, padding, ceil_mode, divisor_override=divisor)


def _window(
    network: Network, source: str, target: str, neuron: Pair, shape: tuple[int, ...]
) -> tuple[slice, slice]:
    """Return the receptive field of a target neuron in the source, whose map has `shape`."""
    end = network.layer(target)
    if source == INPUT:
        stride, size, offset = (1, 1), (1, 1), (0, 0)
    else:
        begin = network.layer(source)
        stride, size, offset = begin.stride, begin.receptive_field, begin.offset
    slices = []
    for axis in (0, 1):
        if not stride[axis] or not end.stride[axis]:
            slices.append(slice(0, shape[axis]))
            continue
        first = end.offset[axis] + end.stride[axis] * neuron[axis] - offset[axis]
        extent = end.receptive_field[axis] - size[axis]
        top, bottom = first // stride[axis], (first + extent) // stride[axis] + 1
        slices.append(slice(max(top, 0), min(bottom, shape[axis])))
    return slices[0], slices[1]
