"""Expanded weights by backward passes: slow, but for any network that torch can differentiate."""

from math import prod
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from visioncircuits.errors import InputError
from visioncircuits.networks import Features, Network
from visioncircuits.networks.edits import Replacement
from visioncircuits.weights.composition import only_padding
from visioncircuits.weights.expanded import ExpandedWeights
from visioncircuits.weights.expansion import provenance
from visioncircuits.weights.kernels import Pair
from visioncircuits.weights.linearization import Linearization
from visioncircuits.weights.selection import select
from visioncircuits.weights.torch_operations import NORMALIZATIONS, RECTIFIERS
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

    Rectifiers, max pools and local response normalizations get the derivatives of their
    replacements in the linearization, or keep their own for `"gate"`, `"route"` and `"gain"`;
    every other operation keeps its own, so that the result is the derivative at the picture. If
    all operations have linear replacements, `expanded_weights` returns the same, much faster.

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
    """Give rectifiers, max pools and normalizations the derivatives of their replacements."""

    def __init__(self, linearization: Linearization) -> None:
        super().__init__()
        self.linearization = linearization

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name, kwargs = getattr(func, "__name__", "").removesuffix("_"), kwargs or {}
        if name in (*RECTIFIERS, "relu6") and self.linearization.rectifier == "identity":
            return _with_derivative(args[0], func(args[0].detach().clone(), *args[1:], **kwargs))
        if name == "max_pool2d" and self.linearization.max_pool != "route":
            repeat = self.linearization.max_pool == "repeat"
            return _with_derivative(_average(*args, repeat=repeat, **kwargs), func(*args, **kwargs))
        if func in NORMALIZATIONS and self.linearization.normalization == "identity":
            return _with_derivative(args[0], func(*args, **kwargs))
        return func(*args, **kwargs)


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
