"""Compose the kernel between two layers along all paths, from either end."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.weights.kernels import Concatenation, Kernel, Pair, total, union, within
from visioncircuits.weights.linearization import Trace
from visioncircuits.weights.selection import Selection

Rows = Float[Tensor, "features units"]

EVERY: tuple[Pair, Pair] = (1, 1), (0, 0)
"""The identity's stride and offset, where no neuron is singled out."""

GIB = 2**30

ROOM = 2**22
"""How many numbers an intermediate kernel may hold, about: features that do not fit go in turns."""


def backwards(
    trace: Trace,
    inputs: Selection,
    outputs: Selection,
    *,
    neuron: tuple[Pair, Pair] = EVERY,
    memory: float,
) -> Kernel:
    """Compose from the target to the source, starting from what `outputs` are made of.

    Parameters
    ----------
    neuron
        The stride and offset of the identity at the target: `EVERY`, or (0, 0) and the position
        of one neuron.
    memory
        How many bytes the result may take.
    """
    begin, end = trace.layers[inputs.layer], trace.layers[outputs.layer]
    every = torch.arange(len(outputs), device=outputs.vectors.device)
    starts = [
        (at, index, part)
        for at, index, part in _branches(trace, end, every, outputs.vectors)
        if trace.between(begin, at)
    ]
    windows = [
        window
        for at, _, part in starts
        if (window := _back(trace, begin, at, Kernel(part[:0, :, None, None], *neuron)))
    ]
    if not windows:
        raise sees_padding(inputs.layer, outputs.layer, neuron[1])
    offset, size = union(windows)
    weight = _room(inputs, outputs, size, memory)
    for at, index, part in starts:
        for turn in _turns(trace, trace.between(begin, at), size, len(index)):
            rows = part[turn, :, None, None]
            kernel = _back(trace, begin, at, Kernel(rows, *neuron))
            if kernel is None:
                continue
            found = kernel.weight
            if not inputs.whole:
                found = torch.einsum("kc,rcyx->rkyx", inputs.vectors, found)
            within(weight, offset, kernel).index_add_(0, index[turn], found)
    return Kernel(weight, windows[0].stride, offset)


def forwards(trace: Trace, inputs: Selection, outputs: Selection, *, memory: float) -> Kernel:
    """Compose from the source to the target, starting from `inputs`; as `backwards` otherwise."""
    begin, end = trace.layers[inputs.layer], trace.layers[outputs.layer]
    columns = inputs.vectors.T[..., None, None]
    window = _forth(trace, begin, end, Kernel(columns[:, :0], *EVERY))
    weight = _room(inputs, outputs, window.size, memory)
    for turn in _turns(trace, trace.between(begin, end), window.size, len(inputs)):
        found = _forth(trace, begin, end, Kernel(columns[:, turn], *EVERY)).weight
        if not outputs.whole:
            found = torch.einsum("rc,ckyx->rkyx", outputs.vectors, found)
        weight[:, turn] = found
    return Kernel(weight, window.stride, window.offset)


def sees_padding(source: str, target: str, position: Pair) -> InputError:
    """Say that there are no weights to a neuron whose window lies beyond the borders."""
    return InputError(
        f"the neuron of {target} at {position} sees nothing of {source} but padding; choose one "
        "nearer to the middle"
    )


def _back(trace: Trace, source: int, target: int, kernel: Kernel) -> Kernel | None:
    """Compose along all paths; None where they end in padding."""
    held = {target: [kernel]}
    path = trace.between(source, target)
    for at in reversed(path[1:]):
        if at not in held:
            continue
        step = trace.steps[at]
        assert step.operation is not None
        parts = step.operation.back(total(held.pop(at)))
        for before, part in zip(step.inputs, parts, strict=True):
            if before in path:
                if part.fixed:
                    part = part.cropped(trace.steps[before].shape[1:])
                if all(part.size):
                    held.setdefault(before, []).append(part)
    return total(held[source]) if source in held else None


def _forth(trace: Trace, source: int, target: int, kernel: Kernel) -> Kernel:
    held = {source: kernel}
    path = trace.between(source, target)
    last = {before: at for at in path for before in trace.steps[at].inputs}
    for at in path[1:]:
        step = trace.steps[at]
        assert step.operation is not None
        held[at] = step.operation.forth([held.get(before) for before in step.inputs])
        for before in step.inputs:
            if last[before] == at:
                held.pop(before, None)
    return held[target]


def _branches(
    trace: Trace, at: int, index: Int64[Tensor, " out"], rows: Rows
) -> Iterator[tuple[int, Int64[Tensor, " some"], Rows]]:
    """Take a concatenation apart: each branch with the rows that have a part in it.

    A branch's kernels are no larger than its own, and none is computed for another's rows.
    """
    step = trace.steps[at]
    if not isinstance(step.operation, Concatenation):
        yield at, index, rows
        return
    for branch, part in zip(step.inputs, rows.split(step.operation.widths, dim=1), strict=True):
        within = part.any(1)
        if within.any():
            yield from _branches(trace, branch, index[within], part[within])


def _turns(trace: Trace, path: list[int], size: Pair, features: int) -> Iterator[slice]:
    """Divide features so that the intermediate kernels of a turn stay small."""
    largest = max(trace.steps[at].shape[0] for at in path) * size[0] * size[1]
    step = max(ROOM // largest, 1)
    for first in range(0, features, step):
        yield slice(first, min(first + step, features))


def _room(
    inputs: Selection, outputs: Selection, size: Pair, memory: float
) -> Float[Tensor, "out in height width"]:
    """Make room for the result, or say how large it would be."""
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
            f"GiB, more than the {memory / GIB:.1f} GiB allowed; ask for {advice}, or for a source "
            "nearer to the target"
        )
    return inputs.vectors.new_zeros(len(outputs), len(inputs), *size)
