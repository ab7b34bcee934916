"""Compute expanded weights by composing the kernels between two layers.

Source: Voss et al., "Visualizing Weights" (2021).
"""

from collections.abc import Sequence
from importlib.metadata import version
from math import prod
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

import visioncircuits
from visioncircuits.errors import InputError
from visioncircuits.networks import Features, Network
from visioncircuits.weights.composition import EVERY, GIB, backwards, forwards
from visioncircuits.weights.expanded import ExpandedWeights
from visioncircuits.weights.kernels import Pair
from visioncircuits.weights.linearization import Linearization
from visioncircuits.weights.operations import Resampling
from visioncircuits.weights.selection import select
from visioncircuits.weights.tracing import INPUT, Trace, trace

FORWARDS_RATIO = 8
"""Composition starts from the inputs if they are this many times fewer than the outputs."""

AUTOGRAD = "use expanded_weights_by_autograd for single neurons"
"""What differentiates any operation."""


@torch.no_grad()
def expanded_weights(
    network: Network,
    source: Features,
    target: Features,
    *,
    linearization: Linearization | None = None,
    pictures: Float[Tensor, "batch channels height width"] | None = None,
    position: Pair | None = None,
    memory: float = 2 * GIB,
) -> ExpandedWeights:
    """Compute the weights between two layers, adjacent or not, of the linearized network.

    They are composed from the kernels between the two layers, starting from the side with few
    features; there is no backward pass.

    Parameters
    ----------
    source, target
        Each a layer, for all of its units; a feature; or several features of one layer. The source
        can also be `"input"`.
    linearization
        How nonlinear operations are replaced; `Linearization()` by default.
    pictures
        On which gates and gains are computed: float32 in [0, 1], `(batch, 3, height, width)`.
    position
        Row and column of one neuron of the target, for the map to this neuron alone: positions
        beyond a border are then omitted, and gates and gains are those at each position of the
        one picture.
    memory
        Largest size of the result, in bytes.

    Returns
    -------
    ExpandedWeights
        Of `(out, in, height, width)`, on the CPU.

    Raises
    ------
    InputError
        For layers in the wrong order or with no path between them, features that the network does
        not have, a result too large, operations that have no linear replacement, and, without a
        position, upsampling, whose weights differ between positions.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> weights = expanded_weights(network, "conv2d2", "mixed3a:7")
    >>> weights.weight.shape, weights.stride, weights.offset
    (torch.Size([1, 192, 3, 3]), (2, 2), (0, 0))
    """
    linearization = linearization or Linearization()
    _check(linearization, pictures, position)
    inputs, outputs = select(network, source), select(network, target)
    layers = [inputs.layer, outputs.layer]
    traced = trace(
        network,
        layers,
        linearization,
        pictures=pictures,
        averaged=position is None,
        borders=position is not None or _everywhere(network, outputs.layer) != EVERY,
    )
    check_path(traced, *layers, one_neuron=position is not None)
    neuron = _neuron(network, traced, outputs.layer, position)
    if FORWARDS_RATIO * len(inputs) < len(outputs) and neuron == EVERY:
        kernel = forwards(traced, inputs, outputs, memory=memory)
    else:
        kernel = backwards(traced, inputs, outputs, neuron=neuron, memory=memory)
    replaced = _replaced(traced, layers, linearization)
    record = provenance(network, linearization, position=position, replaced=replaced)
    return ExpandedWeights(
        kernel.weight.cpu(), inputs.features, outputs.features, kernel.stride, kernel.offset, record
    )


def provenance(network: Network, linearization: Linearization, **more: Any) -> dict[str, Any]:
    """Return how weights were computed, as plain data."""
    return {
        "version": visioncircuits.__version__,
        "torch": version("torch"),
        "device": network.device.type,
        "network": network.record(),
        "linearization": linearization.record(),
        **more,
    }


def _check(linearization: Linearization, pictures: Tensor | None, position: Pair | None) -> None:
    if linearization.needs_pictures and pictures is None:
        raise InputError(f"{linearization} depends on pictures; pass pictures")
    if linearization.max_pool == "route" and position is None:
        raise InputError(
            "the route through a max pool differs between neurons; pass a position, or use "
            'max_pool="average"'
        )
    if position is not None and pictures is not None and len(pictures) != 1:
        raise InputError(
            f"the map to one neuron is computed on one picture, not on {len(pictures)}; omit the "
            "position for averages, or pass one picture at a time"
        )


def check_path(
    traced: Trace, source: str, target: str, *, one_neuron: bool, instead: str = AUTOGRAD
) -> None:
    """Check that the source feeds the target, through linearized operations only.

    `instead` is what messages recommend where there are others.
    """
    for name in (source, target):
        if name not in traced.layers:
            raise InputError(f"{name} does not depend on the picture; choose another layer")
    begin, end = traced.layers[source], traced.layers[target]
    if begin == end:
        raise InputError(f"{source} and {target} have the same values: nothing lies between them")
    path = traced.between(begin, end)
    if not path and traced.between(end, begin):
        raise InputError(f"{source} comes after {target}; pass the earlier layer as the source")
    if not path and traced.depends(end, begin):
        raise InputError(
            f"{source} reaches {target} only through gates or divisors, which are constants of the "
            f"linearized network; {instead}"
        )
    if not path:
        raise InputError(f"no path leads from {source} to {target}; they are parallel branches")
    several = prod(traced.steps[end].shape[1:]) > 1 and not one_neuron
    for at in path[1:]:
        if traced.steps[at].operation is None:
            raise InputError(
                f"between {source} and {target} the network computes {traced.steps[at].name!r}, "
                f"which has no linear replacement here; {instead}, or layers that it does not lie "
                "between"
            )
        if several and isinstance(traced.steps[at].operation, Resampling):
            raise InputError(
                f"between {source} and {target} the network computes {traced.steps[at].name!r}, "
                "whose weights differ between positions; pass the position of one neuron"
            )


def _replaced(traced: Trace, layers: Sequence[str], linearization: Linearization) -> dict[str, str]:
    """Return what became of operations, by name, where a convention chose that."""
    path = traced.between(*(traced.layers[name] for name in layers))
    steps = [traced.steps[at] for at in path[1:]]
    return {
        f"{_functional(step.name)} ({step.convention})": getattr(linearization, step.convention)
        for step in steps
        if step.convention
    }


def _functional(name: str) -> str:
    """Name an operation as torch.nn.functional does."""
    return name.strip("_").removeprefix("native_").removesuffix("_with_indices")


def _everywhere(network: Network, layer: str) -> tuple[Pair, Pair]:
    """Return stride and offset of the identity at a layer, for all of its neurons."""
    return EVERY if layer == INPUT or all(network.layer(layer).stride) else ((0, 0), (0, 0))


def _neuron(
    network: Network, traced: Trace, layer: str, position: Pair | None
) -> tuple[Pair, Pair]:
    """Return stride and offset of the identity at the target."""
    shape = (*traced.steps[traced.layers[layer]].shape[1:], 1, 1)[:2]
    if position is None:
        return _everywhere(network, layer)
    if not all(0 <= at < size for at, size in zip(position, shape, strict=True)):
        raise InputError(
            f"{layer} has no neuron at {position}; it has {shape[0]} rows and {shape[1]} columns"
        )
    return (0, 0), position
