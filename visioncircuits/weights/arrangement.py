"""Where the elements of a rearranged value were in the map that it was made of.

Views, permutations, splits and slices compute nothing. Each is followed by applying it to the
indices of a map's elements, until these are channels and positions of a map again, so that a
shuffle of channels, a part of a map or a flattening is one operation, however it is written.
"""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Int64
from torch import Tensor

from visioncircuits.weights.operations import (
    Chain,
    Convolution,
    Flattening,
    Operation,
    SeparableFilter,
    Unary,
)

VIEWS = {
    "_unsafe_view", "channel_shuffle", "flatten", "native_channel_shuffle", "permute", "reshape",
    "select", "slice", "split", "split_with_sizes", "squeeze", "t", "transpose", "unbind",
    "unsqueeze", "view",
}  # fmt: skip
"""Operations that rearrange, in `torch.ops.aten`."""

Index = Int64[Tensor, "batch *axes"]


def indices(shape: Sequence[int], batch: int, device: torch.device) -> Index:
    """Number the elements of a map, the same for each picture."""
    count = torch.Size(shape).numel()
    return torch.arange(count, device=device).reshape(1, *shape).repeat(batch, *(1 for _ in shape))


def rearranged(func: Any, name: str, index: Index, args: Sequence[Any], kwargs: Any) -> Any:
    """Apply a view to indices, whatever their layout in memory."""
    if name in ("view", "_unsafe_view", "reshape"):
        return index.reshape(args[0])
    return func(index, *args, **kwargs)


def channels_last(index: Index, shape: Sequence[int]) -> bool:
    """Return whether a map's channels were moved to the end, and nothing else."""
    if index.ndim != 4 or len(shape) != 3:
        return False
    back = index[0].permute(2, 0, 1)
    return back.shape == torch.Size(shape) and _in_order(back)


def operation(index: Index, shape: Sequence[int], like: Tensor) -> Operation | None:
    """Return what a rearrangement does to a map of `shape`; None if it is no map any more."""
    channels, height, width = (*shape, 1, 1)[:3]
    one = index[0]
    if one.ndim not in (1, 3) or not torch.equal(index, one.expand_as(index)):
        return None
    if one.numel() == len(one) and height * width > 1:
        whole = len(one) == channels * height * width and _in_order(one)
        return Flattening((channels, height, width)) if whole else None
    return _part(one.reshape(-1, *(*one.shape[1:], 1, 1)[:2]), (channels, height, width), like)


def _part(index: Tensor, shape: tuple[int, int, int], like: Tensor) -> Operation | None:
    """Return the choice of channels, and of positions at even steps."""
    channels, height, width = shape
    corner = int(index[0, 0, 0]) % (height * width)
    rows, columns = index.shape[1:]
    down = int(index[0, 1, 0] - index[0, 0, 0]) if rows > 1 else width
    across = int(index[0, 0, 1] - index[0, 0, 0]) if columns > 1 else 1
    if down % width or down < 1 or across < 1:
        return None
    one, (top, left) = like.new_ones(1), divmod(corner, width)
    stride = down // width, across
    if top + (rows - 1) * stride[0] >= height or left + (columns - 1) * stride[1] >= width:
        return None
    chosen = index[:, 0, 0] // (height * width)
    steps = [torch.arange(size, device=index.device) for size in index.shape]
    places = corner + steps[1][:, None] * down + steps[2] * across
    if not torch.equal(index, chosen[:, None, None] * (height * width) + places):
        return None
    parts: list[Unary] = []
    if (stride, top, left) != ((1, 1), 0, 0):
        parts.append(SeparableFilter(one, one, stride, (-top, -left)))
    if not torch.equal(chosen, torch.arange(channels, device=index.device)):
        choice = like.new_zeros(len(index), channels, 1, 1)
        choice[steps[0], chosen] = 1
        parts.append(Convolution(choice))
    return Chain(tuple(parts))


def _in_order(index: Tensor) -> bool:
    return torch.equal(index.flatten(), torch.arange(index.numel(), device=index.device))
