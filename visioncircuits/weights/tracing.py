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
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from visioncircuits.networks import Network
from visioncircuits.networks.nodes import ancestors, between
from visioncircuits.weights import arrangement
from visioncircuits.weights.calls import Call, named_arguments
from visioncircuits.weights.linearization import Linearization
from visioncircuits.weights.nonlinearities import (
    NORMALIZATIONS,
    SMOOTH,
    convention,
    linearized_normalization,
    multiplied,
)
from visioncircuits.weights.operations import Chain, Convolution, Gain, Identity, Operation
from visioncircuits.weights.torch_operations import border_gain, linearized

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
    convention
        The field of `Linearization` that chose the replacement; empty where none did.
    constants
        Indices of the earlier steps whose values it takes as constants: gates and divisors.
    """

    name: str
    operation: Operation | None
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    convention: str = ""
    constants: tuple[int, ...] = ()


@dataclass(frozen=True)
class Trace:
    """A forward pass: its steps in order, and the step that computes each requested layer.

    Layers of parameters alone, as a table of relative positions, which no picture changes, are left
    out.
    """

    steps: list[Step]
    layers: dict[str, int]

    def between(self, source: int, target: int) -> list[int]:
        """List the steps on the paths from `source` to `target`, in order; [] if there is none."""
        return between(source, target, lambda at: self.steps[at].inputs)

    def depends(self, target: int, source: int) -> bool:
        """Check whether a step is computed from an earlier one, if only through constants."""
        return source in ancestors(
            [target], lambda at: self.steps[at].inputs + self.steps[at].constants
        )


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
    with _Tracer(pictures, linearization, averaged, borders) as tracer, _Functions(tracer):
        values = network.activations(pictures, named)
    values[INPUT] = pictures
    traced = {name: tracer.at[values[name]] for name in layers if values[name] in tracer.at}
    return Trace(tracer.steps, traced)


class _Tracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Record each operation on values that depend on the pictures."""

    def __init__(
        self, pictures: Tensor, linearization: Linearization, averaged: bool, borders: bool
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.linearization, self.averaged, self.borders = linearization, averaged, borders
        self.batch = len(pictures)
        self.steps: list[Step] = []
        self.at = WeakTensorKeyDictionary()
        self.moved = WeakTensorKeyDictionary()  # to indices into the value of the step
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
        spelled = func.overloadpacket.__name__
        name = spelled.removesuffix("_")
        before = [t.clone() for t in traced] if spelled != name and name in SMOOTH else traced
        result = func(*args, **kwargs)
        if not traced or not (outputs := _tensors(result)):
            return result
        if name in _UNCHANGED or (name == "as_strided" and outputs[0].shape[1:] == shapes[0]):
            self.at[outputs[0]] = inputs[0]
            if traced[0] in self.moved:
                self.moved[outputs[0]] = self.moved[traced[0]]
        elif name in arrangement.VIEWS:
            indices = arrangement.rearranged(func, name, self._indices(traced[0]), args[1:], kwargs)
            for output, index in zip(outputs, _tensors(indices), strict=True):
                self._place(name, output, index, inputs[0])
        else:
            makers = [self.steps[at].name for at in inputs]
            arguments = named_arguments(func, args, kwargs)
            call = Call(
                name,
                arguments,
                before,
                shapes,
                outputs,
                makers,
                lambda first: func(first, *args[1:], **kwargs),
            )
            self._record_call(call, inputs)
        return result

    def _indices(self, value: Tensor) -> arrangement.Index:
        if value in self.moved:
            found: Tensor = self.moved[value]
            return found
        return arrangement.indices(self.steps[self.at[value]].shape, len(value), value.device)

    def _place(self, name: str, value: Tensor, index: arrangement.Index, at: int) -> None:
        """Record what a rearrangement did, once it is a map again."""
        shape = self.steps[at].shape
        pictures = len(value) == self.batch  # or the first axis counts something else, as windows
        operation = arrangement.operation(index, shape, value) if pictures else None
        if operation is None:
            self.at[value], self.moved[value] = at, index
        elif operation == Chain(()) and tuple(value.shape[1:]) == shape:
            self.at[value] = at
        else:
            self.record(name, operation, [at], value)

    def _record_call(self, call: Call, inputs: list[int]) -> None:
        values, moved = call.outputs, [tensor for tensor in call.inputs if tensor in self.moved]
        last = bool(moved) and all(self.has_channels_last(tensor) for tensor in moved)
        if last:
            call = call.channels_first()
        known = last or not moved
        operation = linearized(call, self.linearization, averaged=self.averaged) if known else None
        if operation is None:
            for value in values:
                self.record(call.name, None, inputs, value)
            return
        signal = multiplied(call)
        kept = inputs if signal is None else [inputs[signal]]
        constants = () if signal is None else (inputs[1 - signal],)
        more = {"convention": convention(call), "constants": constants}
        self.record(call.name, operation, kept, values[0], channels_last=last, **more)
        if call.name == "avg_pool2d" and self.borders:
            self.record("border", Gain(border_gain(call)), [self.at[values[0]]], values[0])

    def has_channels_last(self, value: Tensor) -> bool:
        """Return whether a value is a map whose channels were moved to the end."""
        return value in self.moved and arrangement.channels_last(
            self.moved[value], self.steps[self.at[value]].shape
        )

    def record(
        self,
        name: str,
        operation: Operation | None,
        inputs: list[int],
        value: Tensor,
        *,
        channels_last: bool = False,
        **more: Any,
    ) -> None:
        """Append a step that computes `value`."""
        self.at[value] = len(self.steps)
        shape = tuple(value.shape[1:])
        if channels_last:
            shape = shape[-1], *shape[:-1]
            index = arrangement.indices(shape, len(value), value.device)
            self.moved[value] = index.permute(0, 2, 3, 1)
        elif value in self.moved:  # changed in place
            del self.moved[value]
        self.steps.append(Step(name, operation, tuple(inputs), shape, **more))


class _Functions(TorchFunctionMode):
    """Record functions as one step, not as the operations within.

    These are local response normalization, and layers that are linear along the last of four axes.
    """

    def __init__(self, tracer: _Tracer) -> None:
        super().__init__()
        self.tracer = tracer

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs, tracer = kwargs or {}, self.tracer
        normalizes = func in NORMALIZATIONS and args[0] in tracer.at
        if not normalizes and not (func is F.linear and tracer.has_channels_last(args[0])):
            return func(*args, **kwargs)
        tracer.paused = True
        try:
            output = func(*args, **kwargs)
            inputs = [tracer.at[args[0]]]
            if normalizes:
                operation = linearized_normalization(
                    func, args, kwargs, tracer.linearization, averaged=tracer.averaged
                )
                tracer.record(
                    "local_response_norm", operation, inputs, output, convention="normalization"
                )
            else:
                matrix = Convolution(args[1].detach()[..., None, None])
                tracer.record("linear", matrix, inputs, output, channels_last=True)
        finally:
            tracer.paused = False
        return output


def _tensors(values: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]
