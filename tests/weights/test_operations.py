"""Composed kernels against the operations applied to values in sequence."""

from dataclasses import replace

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from visioncircuits.weights.kernels import Kernel, total
from visioncircuits.weights.operations import Convolution, Operation, SeparableFilter

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def convolutions(draw: st.DrawFn, channels: int, out: int) -> Convolution:
    height, width = draw(PAIRS)
    groups = draw(st.sampled_from([1, 2]))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    return Convolution(
        torch.randn(out, channels // groups, height, width, generator=generator),
        draw(PAIRS),
        (draw(st.integers(0, 2)), draw(st.integers(0, 2))),
        draw(PAIRS),
        groups,
    )


@st.composite
def filters(draw: st.DrawFn) -> SeparableFilter:
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    rows, columns = (torch.rand(n, generator=generator) for n in draw(PAIRS))
    return SeparableFilter(
        rows, columns, draw(PAIRS), (draw(st.integers(0, 2)), draw(st.integers(0, 2)))
    )


def computed(operation: Operation, values: Tensor) -> Tensor:
    if isinstance(operation, SeparableFilter):
        channels = values.shape[1]
        taps = torch.outer(operation.rows, operation.columns).expand(channels, 1, -1, -1)
        return F.conv2d(values, taps, None, operation.stride, operation.padding, groups=channels)
    assert isinstance(operation, Convolution)
    return F.conv2d(
        values,
        operation.weight,
        None,
        operation.stride,
        operation.padding,
        operation.dilation,
        operation.groups,
    )


def applied(kernel: Kernel, values: Tensor, neuron: tuple[int, int]) -> Tensor:
    """Apply a kernel at one neuron, by its definition, number by number."""
    top, left = (s * p + o for s, p, o in zip(kernel.stride, neuron, kernel.offset, strict=True))
    height, width = kernel.size
    return torch.einsum(
        "oiyx,iyx->o", kernel.weight, values[0, :, top : top + height, left : left + width]
    )


@given(convolutions(4, 6), filters(), convolutions(6, 2))
@settings(max_examples=60, deadline=None)
def test_composition_from_either_end_equals_the_operations_in_sequence(
    first: Convolution, pool: SeparableFilter, last: Convolution
) -> None:
    size = 100
    values = torch.randn(1, 4, size, size, generator=torch.Generator().manual_seed(0))
    expected = computed(last, computed(pool, computed(first, values)))
    identity = Kernel(torch.eye(2)[..., None, None], (1, 1), (0, 0))
    backwards = first.before(pool.before(last.before(identity))).dense()
    identity = Kernel(torch.eye(4)[..., None, None], (1, 1), (0, 0))
    forwards = last.after(pool.after(first.after(identity))).dense()
    assert (forwards.stride, forwards.offset) == (backwards.stride, backwards.offset)
    assert torch.allclose(forwards.weight, backwards.weight, atol=1e-4)
    inside = [
        [
            place
            for place in range(expected.shape[2 + axis])
            if 0
            <= backwards.stride[axis] * place + backwards.offset[axis]
            <= size - backwards.size[axis]
        ]
        for axis in (0, 1)
    ]
    # Away from the borders of the maps between, whose padding is not part of a kernel.
    middle = [places[len(places) // 2] for places in inside]
    found = applied(backwards, values, (middle[0], middle[1]))
    assert torch.allclose(found, expected[0, :, *middle], atol=1e-3)


@given(convolutions(4, 6), filters(), filters(), convolutions(6, 2), convolutions(6, 2))
@settings(max_examples=40, deadline=None)
def test_parallel_kernels_add_before_the_filters_that_they_share(
    first: Convolution,
    pool: SeparableFilter,
    other: SeparableFilter,
    one: Convolution,
    two: Convolution,
) -> None:
    identity = Kernel(torch.eye(2)[..., None, None], (1, 1), (0, 0))
    through = other.before(one.before(identity))
    beside = replace(two, stride=through.stride).before(identity)
    both = total([beside, through])
    later = first.before(pool.before(both)).dense()
    apart = [first.before(pool.before(branch.dense())).dense() for branch in (beside, through)]
    expected = total(apart)
    assert (later.stride, later.offset) == (expected.stride, expected.offset)
    assert torch.allclose(later.weight, expected.weight, atol=1e-3)
