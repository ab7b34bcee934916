"""TensorFlow's SAME rule: pad so that the output has ceil(input / stride) positions.

The amount depends on the input's size, and an odd pixel goes right and below. Source:
TensorFlow's documentation of `tf.nn`, "Notes on padding".
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

BatchCHW = Float[Tensor, "batch channels height width"]


def same_padding(size: int, *, kernel: int, stride: int) -> tuple[int, int]:
    """Return how many positions to add before and after an axis of `size`.

    `kernel` is the number of positions that a kernel spans, dilation included.

    Examples
    --------
    >>> same_padding(224, kernel=7, stride=2), same_padding(225, kernel=7, stride=2)
    ((2, 3), (3, 3))
    """
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class SameConv2d(nn.Conv2d):
    """A strided convolution with TensorFlow's SAME padding; its parameters are `nn.Conv2d`'s.

    Examples
    --------
    >>> SameConv2d(3, 8, 7, stride=2)(torch.zeros(1, 3, 97, 130)).shape
    torch.Size([1, 8, 49, 65])
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        (top, bottom), (left, right) = (
            same_padding(size, kernel=(kernel - 1) * dilation + 1, stride=stride)
            for size, kernel, dilation, stride in zip(
                input.shape[-2:], self.kernel_size, self.dilation, self.stride, strict=True
            )
        )
        padded = F.pad(input, (left, right, top, bottom))
        return F.conv2d(padded, weight, bias, self.stride, 0, self.dilation, self.groups)


class SameMaxPool2d(nn.Module):
    """A 3x3 max pool of stride 2 with TensorFlow's SAME padding.

    In torch's ceil mode windows extend over the right and lower edge, which is where SAME pads an
    even size by one pixel; an odd size is padded by one on either side. So nothing is copied.

    Examples
    --------
    >>> SameMaxPool2d()(torch.zeros(1, 64, 49, 66)).shape
    torch.Size([1, 64, 25, 33])
    """

    def forward(self, x: BatchCHW) -> Float[Tensor, "batch channels out_height out_width"]:
        """Pool."""
        padding = (x.shape[-2] % 2, x.shape[-1] % 2)
        return torch.max_pool2d(x, 3, 2, padding, ceil_mode=True)
