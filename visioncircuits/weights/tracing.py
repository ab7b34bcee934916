"""The operations that a network computes on a picture, each with its linear replacement.

They are recorded during one forward pass, as torch dispatches them, so tracing works for any
module.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from visioncircuits.networks import Network
from visioncircuits.networks.nodes import between
from visioncircuits.weights.linearization import Linearization
from visioncircuits.weights.operations import Gain, Identity, Operation
from visioncircuits.weights.torch_operations import (
    NORMALIZATIONS,
    RESHAPES,
    Call,
    border_gain,
    linearized,
    linearized_normalization,
    named_arguments,
)

INPUT = "input"
"""The source that stands for the picture itself, RGB in [0, 1]."""

_UNCHANGED = {"alias", "clone", "contiguous", "detach", "dropout", "lift_fresh", "_to_copy"}


@dataclass(frozen=True)
class Step:
    """One operation of a forward pass.

    Attributes
    ----------
    name
        In `torch.ops.aten`.
    operation
        Its linear replacement; None if it has none.
    inputs
        Indices of the earlier steps whose values it takes.
    shape
        Of its value without the batch: `(channels, height, width)`, or `(channels,)`.
    """

    name: str
    operation: Operation | None
    inputs: tuple[int, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Trace:
    """A forward pass: its steps in order, and the step that computes each requested layer."""

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
    """Record a forward pass up to the deepest of `layers`.

    Parameters
    ----------
    layers
        Of the network, or `"input"`.
    pictures
        The input of the forward pass; by default one black picture of the network's own size.
    averaged
        Whether gates and gains are averaged over pictures and positions.
    borders
        Whether to be exact at the maps' borders too, where average pools divide by less.
    """
    named = [name for name in layers if name != INPUT]
    if pictures is None:
        channels = network.preprocessing.channels
        pictures = torch.zeros(1, channels, network.size, network.size)
    pictures = pictures.to(network.device)
    height, width = pictures.shape[2:]
    for name in named:
        network.layer_at(name, (height, width))  # so that the network's own tracing is not recorded
    with _Tracer(pictures, linearization, averaged, borders) as tracer, _Normalizations(tracer):
        values = network.activations(pictures, named)
    values[INPUT] = pictures
    return Trace(tracer.steps, {name: tracer.at[values[name]] for name in layers})


class _Tracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Record each operation on values that depend on the pictures."""

    def __init__(
        self, pictures: Tensor, linearization: Linearization, averaged: bool, borders: bool
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.linearization, self.averaged, self.borders = linearization, averaged, borders
        self.steps: list[Step] = []
        self.at = WeakTensorKeyDictionary()
        self.paused = False
        self.record("input", Identity(), [], pictures)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # importing dynamo only to be skipped by it takes two seconds

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        traced = [] if self.paused else [t for t in _tensors((args, kwargs)) if t in self.at]
        inputs = [self.at[tensor] for tensor in traced]
        shapes = [tuple(tensor.shape[1:]) for tensor in traced]
        result = func(*args, **kwargs)
        if traced and (outputs := _tensors(result)):
            name = func.overloadpacket.__name__.removesuffix("_")
            if name in _UNCHANGED or (name in RESHAPES and outputs[0].shape[1:] == shapes[0]):
                self.at[outputs[0]] = inputs[0]
            else:
                arguments = named_arguments(func, args, kwargs)
                call = Call(name, arguments, traced, shapes, outputs)
                self._record_call(call, inputs)
        return result

    def _record_call(self, call: Call, inputs: list[int]) -> None:
        operation = linearized(call, self.linearization, averaged=self.averaged)
        for output in call.outputs if operation is None else call.outputs[:1]:
            self.record(call.name, operation, inputs, output)
        if call.name == "avg_pool2d" and operation is not None and self.borders:
            output = call.outputs[0]
            self.record("border", Gain(border_gain(call)), [self.at[output]], output)

    def record(
        self, name: str, operation: Operation | None, inputs: list[int], value: Tensor
    ) -> None:
        """Append a step that computes `value`."""
        self.at[value] = len(self.steps)
        self.steps.append(Step(name, operation, tuple(inputs), tuple(value.shape[1:])))


class _Normalizations(TorchFunctionMode):
    """Record each local response normalization as one step, not as the operations within."""

    def __init__(self, tracer: _Tracer) -> None:
        super().__init__()
        self.tracer = tracer

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs, tracer = kwargs or {}, self.tracer
        if func not in NORMALIZATIONS or args[0] not in tracer.at:
            return func(*args, **kwargs)
        tracer.paused = True
        try:
            output = func(*args, **kwargs)
            operation = linearized_normalization(
                func, args, kwargs, tracer.linearization, averaged=tracer.averaged
            )
            tracer.record("local_response_norm", operation, [tracer.at[args[0]]], output)
        finally:
            tracer.paused = False
        return output


def _tensors(values: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]
