"""TensorFlow's SAME rule, compared with an implementation in numpy from its text alone."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from visioncircuits.networks.padding import SameConv2d, SameMaxPool2d, same_padding

SIZES = [1, 2, 3, 4, 5, 7, 8, 32, 33, 97, 131]


def same(size: int, kernel: int, stride: int) -> tuple[int, int, int]:
    """From tf.nn's documentation: output size, padding before, padding after."""
    output = math.ceil(size / stride)
    total = max(kernel - (size % stride or stride), 0)
    return output, total // 2, total - total // 2


def padded(x: np.ndarray, kernel: tuple[int, int], stride: tuple[int, int], fill: float):
    rows, top, bottom = same(x.shape[2], kernel[0], stride[0])
    columns, left, right = same(x.shape[3], kernel[1], stride[1])
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)
    return x, rows, columns


def max_pool(x: np.ndarray) -> np.ndarray:
    """A 3x3 pool of stride 2, window by window."""
    x, rows, columns = padded(x, (3, 3), (2, 2), -np.inf)
    out = np.empty((*x.shape[:2], rows, columns), x.dtype)
    for row in range(rows):
        for column in range(columns):
            window = x[:, :, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            out[:, :, row, column] = window.max((2, 3))
    return out


def conv(x: np.ndarray, conv: nn.Conv2d) -> np.ndarray:
    """A convolution, window by window."""
    spans = tuple((k - 1) * d + 1 for k, d in zip(conv.kernel_size, conv.dilation, strict=True))
    x, rows, columns = padded(x, spans, conv.stride, 0.0)
    weight = conv.weight.detach().double().numpy()
    out = np.empty((len(x), conv.out_channels, rows, columns))
    for row in range(rows):
        for column in range(columns):
            top, left = row * conv.stride[0], column * conv.stride[1]
            window = x[
                :,
                :,
                top : top + spans[0] : conv.dilation[0],
                left : left + spans[1] : conv.dilation[1],
            ]
            out[:, :, row, column] = np.einsum("bcyx,ocyx->bo", window, weight)
    return out + conv.bias.detach().double().numpy()[:, None, None]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("kernel", "stride"), [(7, 2), (3, 2), (3, 1), (2, 3), (1, 2), (5, 4)])
def test_the_padding_is_tensorflows(size: int, kernel: int, stride: int) -> None:
    assert same_padding(size, kernel=kernel, stride=stride) == same(size, kernel, stride)[1:]


@pytest.mark.parametrize("height", SIZES)
@pytest.mark.parametrize("width", [1, 2, 33, 34])
def test_the_max_pool_is_that_of_the_reference(height: int, width: int) -> None:
    x = np.random.default_rng(height).standard_normal((1, 2, height, width)).astype(np.float32)
    x -= 10  # so that a pad of zeros would win
    np.testing.assert_array_equal(SameMaxPool2d()(torch.from_numpy(x)), max_pool(x))


@pytest.mark.parametrize("size", [(97, 131), (32, 33), (7, 8), (1, 2)])
@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"), [(7, 2, 1), (3, 2, 2), ((5, 2), (3, 1), 1), (1, 2, 1)]
)
def test_the_convolution_is_that_of_the_reference(
    size: tuple[int, int], kernel: int, stride: int, dilation: int
) -> None:
    x = torch.randn(2, 3, *size)
    layer = SameConv2d(3, 4, kernel, stride, dilation=dilation)
    np.testing.assert_allclose(
        layer(x).detach(), conv(x.double().numpy(), layer), rtol=1e-4, atol=1e-5
    )


def test_groups_are_those_of_an_ordinary_convolution() -> None:
    layer, plain = SameConv2d(4, 4, 3, groups=2), nn.Conv2d(4, 4, 3, padding=1, groups=2)
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(1, 4, 9, 9)
    torch.testing.assert_close(layer(x), plain(x))


def test_gradients_reach_the_right_pixels() -> None:
    x = torch.randn(1, 1, 5, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(SameMaxPool2d(), x)
    assert torch.autograd.gradcheck(SameConv2d(1, 2, 3, 2).double(), x)
