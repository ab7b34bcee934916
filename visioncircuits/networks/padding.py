"""TensorFlow's SAME rule: pad so that the output has ceil(input / stride) places.

How much that takes depends on the input's size, and an odd pixel goes right and below.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

BatchCHW = Float[Tensor, "batch channels height width"]


def same_padding(size: int, *, kernel: int, stride: int) -> tuple[int, int]:
    """Say how many places to add before and after an axis of `size`.

    Examples
    --------
    >>> same_padding(224, kernel=7, stride=2), same_padding(225, kernel=7, stride=2)
    ((2, 3), (3, 3))
    """
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class SameConv2d(nn.Conv2d):
    """A strided convolution with TensorFlow's SAME padding."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        kernel, stride = self.kernel_size, self.stride
        top, bottom = same_padding(input.shape[-2], kernel=kernel[0], stride=stride[0])
        left, right = same_padding(input.shape[-1], kernel=kernel[1], stride=stride[1])
        return F.conv2d(F.pad(input, (left, right, top, bottom)), weight, bias, stride)


class SameMaxPool2d(nn.Module):
    """A 3x3 max pool of stride 2 with TensorFlow's SAME padding.

    Torch's ceil mode lets windows hang over the right and lower edge, which is where SAME puts
    an even size's single pixel; an odd size takes one on either side. So nothing is copied.
    """

    kernel_size, stride = 3, 2

    def forward(self, x: BatchCHW) -> Float[Tensor, "batch channels out_height out_width"]:
        """Pool."""
        padding = (x.shape[-2] % 2, x.shape[-1] % 2)
        return torch.max_pool2d(x, 3, 2, padding, ceil_mode=True)
