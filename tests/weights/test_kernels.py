import pytest
import torch

from visioncircuits.weights.kernels import Kernel, total


def test_parallel_kernels_are_added_at_their_offsets() -> None:
    small = Kernel(torch.ones(1, 1, 1, 1), (1, 1), (0, 0))
    large = Kernel(torch.full((1, 1, 3, 2), 2.0), (1, 1), (-1, 0))
    both = total([small, large])
    assert both.offset == (-1, 0)
    assert both.weight[0, 0].tolist() == [[2, 2], [3, 2], [2, 2]]


@pytest.mark.parametrize(
    ("offset", "shape", "size"),
    [((-1, -2), (9, 9), (2, 1)), ((7, 0), (9, 9), (2, 3)), ((0, 0), (), (1, 1))],
)
def test_kernel_of_one_neuron_is_cropped_at_the_border(offset, shape, size) -> None:
    kernel = Kernel(torch.ones(1, 1, 3, 3), (0, 0), offset).cropped(shape)
    assert kernel.size == size
    assert min(kernel.offset) >= 0
