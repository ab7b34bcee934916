"""Kernel algebra against what it stands for: maps applied to values, one after another."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from visioncircuits.weights.kernels import Convolution, Kernel, Operation, Window, total

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
def windows(draw: st.DrawFn) -> Window:
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    rows, columns = (torch.rand(n, generator=generator) for n in draw(PAIRS))
    return Window(rows, columns, draw(PAIRS), (draw(st.integers(0, 2)), draw(st.integers(0, 2))))


def carried_out(operation: Operation, values: Tensor) -> Tensor:
    if isinstance(operation, Window):
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


@given(convolutions(4, 6), windows(), convolutions(6, 2))
@settings(max_examples=60, deadline=None)
def test_composition_from_either_end_is_one_map_after_another(
    first: Convolution, pool: Window, last: Convolution
) -> None:
    size = 100
    values = torch.randn(1, 4, size, size, generator=torch.Generator().manual_seed(0))
    expected = carried_out(last, carried_out(pool, carried_out(first, values)))
    identity = Kernel(torch.eye(2)[..., None, None], (1, 1), (0, 0))
    backwards = first.before(pool.before(last.before(identity)))
    identity = Kernel(torch.eye(4)[..., None, None], (1, 1), (0, 0))
    forwards = last.after(pool.after(first.after(identity)))
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
    # Away from the borders of the maps between, whose padding a kernel does not know of.
    middle = [places[len(places) // 2] for places in inside]
    found = applied(backwards, values, (middle[0], middle[1]))
    assert torch.allclose(found, expected[0, :, *middle], atol=1e-3)


def test_kernels_side_by_side_add_up_at_their_offsets() -> None:
    small = Kernel(torch.ones(1, 1, 1, 1), (1, 1), (0, 0))
    large = Kernel(torch.full((1, 1, 3, 2), 2.0), (1, 1), (-1, 0))
    both = total([small, large])
    assert both.offset == (-1, 0)
    assert both.weight[0, 0].tolist() == [[2, 2], [3, 2], [2, 2]]


@pytest.mark.parametrize(
    ("offset", "shape", "left"),
    [((-1, -2), (9, 9), (2, 1)), ((7, 0), (9, 9), (2, 3)), ((0, 0), (), (1, 1))],
)
def test_padding_is_left_out_of_a_kernel_of_one_neuron(offset, shape, left) -> None:
    kernel = Kernel(torch.ones(1, 1, 3, 3), (0, 0), offset).cropped(shape)
    assert kernel.size == left
    assert min(kernel.offset) >= 0
