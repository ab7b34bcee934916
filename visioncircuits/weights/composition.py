"""Compose the kernel between two layers along all paths, from either end."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Selection
from visioncircuits.weights.kernels import Kernel, Pair, total, union, within
from visioncircuits.weights.operations import Concatenation
from visioncircuits.weights.tracing import Trace

Rows = Float[Tensor, "features units"]

EVERY: tuple[Pair, Pair] = (1, 1), (0, 0)
"""The identity's stride and offset for all neurons of a layer."""

GIB = 2**30

INTERMEDIATE = 2**24
"""Approximate largest number of elements of an intermediate kernel; features are batched to fit."""


def backwards(
    trace: Trace,
    inputs: Selection,
    outputs: Selection,
    *,
    neuron: tuple[Pair, Pair] = EVERY,
    memory: float,
) -> Kernel:
    """Compose from the target to the source, starting from the vectors of `outputs`.

    Parameters
    ----------
    neuron
        The stride and offset of the identity at the target: `EVERY`, or (0, 0) and the position
        of one neuron.
    memory
        Largest size of the result, in bytes.
    """
    begin, end = trace.layers[inputs.layer], trace.layers[outputs.layer]
    every = torch.arange(len(outputs), device=outputs.vectors.device)
    starts = [
        (at, index, part)
        for at, index, part in _branches(trace, end, every, outputs.vectors)
        if trace.between(begin, at)
    ]
    if not starts:
        raise InputError(
            f"no path leads from {inputs.layer} to these features of {outputs.layer}; they are of "
            "parallel branches"
        )
    windows = [
        window
        for at, _, part in starts
        if (window := composed(trace, begin, at, Kernel(part[:0, :, None, None], *neuron)))
    ]
    if not windows:
        raise only_padding(inputs.layer, outputs.layer, neuron[1])
    offset, size = union(windows)
    weight = _allocated(inputs, outputs, size, memory)
    for at, index, part in starts:
        for batch in _batches(trace, trace.between(begin, at), size, len(index)):
            rows = part[batch, :, None, None]
            kernel = composed(trace, begin, at, Kernel(rows, *neuron))
            if kernel is None:
                continue
            found = kernel.weight
            if not inputs.whole:
                found = torch.einsum("kc,rcyx->rkyx", inputs.vectors, found)
            for row, each in zip(index[batch].tolist(), found, strict=True):
                within(weight[row], offset, kernel).add_(each)
    return Kernel(weight, windows[0].stride, offset)


def forwards(trace: Trace, inputs: Selection, outputs: Selection, *, memory: float) -> Kernel:
    """Compose from the source to the target, starting from `inputs`; otherwise as `backwards`."""
    begin, end = trace.layers[inputs.layer], trace.layers[outputs.layer]
    columns = inputs.vectors.T[..., None, None]
    window = _forth(trace, begin, end, Kernel(columns[:, :0], *EVERY))
    weight = _allocated(inputs, outputs, window.size, memory)
    for batch in _batches(trace, trace.between(begin, end), window.size, len(inputs)):
        found = _forth(trace, begin, end, Kernel(columns[:, batch], *EVERY)).weight
        if not outputs.whole:
            found = torch.einsum("rc,ckyx->rkyx", outputs.vectors, found)
        weight[:, batch] = found
    return Kernel(weight, window.stride, window.offset)


def only_padding(source: str, target: str, position: Pair) -> InputError:
    """Return the error for a neuron whose window lies beyond the borders."""
    return InputError(
        f"the neuron of {target} at {position} depends on nothing of {source} but padding; choose "
        "one nearer to the center"
    )


def composed(trace: Trace, source: int, target: int, kernel: Kernel) -> Kernel | None:
    """Compose a kernel of the target with all paths to it; None if they all end in padding."""
    pending = {target: [kernel]}
    path = trace.between(source, target)
    for at in reversed(path[1:]):
        if at not in pending:
            continue
        step = trace.steps[at]
        assert step.operation is not None
        parts = step.operation.back(total(pending.pop(at)))
        for before, part in zip(step.inputs, parts, strict=True):
            if before in path:
                if part.fixed:
                    part = part.cropped(trace.steps[before].shape[1:])
                if all(part.size):
                    pending.setdefault(before, []).append(part)
    return total(pending[source]).dense() if source in pending else None


def _forth(trace: Trace, source: int, target: int, kernel: Kernel) -> Kernel:
    kernels = {source: kernel}
    path = trace.between(source, target)
    last = {before: at for at in path for before in trace.steps[at].inputs}
    for at in path[1:]:
        step = trace.steps[at]
        assert step.operation is not None
        kernels[at] = step.operation.forth([kernels.get(before) for before in step.inputs])
        for before in step.inputs:
            if last[before] == at:
                kernels.pop(before, None)
    return kernels[target].dense()


def _branches(
    trace: Trace, at: int, index: Int64[Tensor, " out"], rows: Rows
) -> Iterator[tuple[int, Int64[Tensor, " rows"], Rows]]:
    """Split a concatenation into its branches, each with the rows that depend on it.

    So a branch's kernels are only as large as its window, and are computed for its rows alone.
    """
    step = trace.steps[at]
    if not isinstance(step.operation, Concatenation):
        yield at, index, rows
        return
    for branch, part in zip(
        step.inputs, torch.split(rows, list(step.operation.widths), 1), strict=True
    ):
        within = part.any(1)
        if within.any():
            yield from _branches(trace, branch, index[within], part[within])


def _batches(trace: Trace, path: list[int], size: Pair, features: int) -> Iterator[slice]:
    """Divide features into batches with small intermediate kernels."""
    largest = max(trace.steps[at].shape[0] for at in path) * size[0] * size[1]
    step = max(INTERMEDIATE // largest, 1)
    for first in range(0, features, step):
        yield slice(first, min(first + step, features))


def _allocated(
    inputs: Selection, outputs: Selection, size: Pair, memory: float
) -> Float[Tensor, "out in height width"]:
    """Allocate the result; raise if it is larger than `memory`."""
    each = len(inputs) * size[0] * size[1] * inputs.vectors.element_size()
    if len(outputs) * each > memory:
        fit = int(memory // each)
        advice = (
            f"at most {fit} features of {outputs.layer} at once"
            if fit
            else f"fewer features of {inputs.layer}"
        )
        raise InputError(
            f"the kernels from {len(inputs)} features of {inputs.layer} to {len(outputs)} of "
            f"{outputs.layer}, {size[0]} × {size[1]} each, take {len(outputs) * each / GIB:.1f} "
            f"GiB, more than the {memory / GIB:.1f} GiB allowed; request {advice}, or a source "
            "nearer to the target"
        )
    return inputs.vectors.new_zeros(len(outputs), len(inputs), *size)
