"""Signed numbers as colors, and back: red is positive, blue negative, white zero."""

import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

LEVELS = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
ANCHORS = np.array(
    [(5, 113, 176), (146, 197, 222), (247, 247, 247), (244, 165, 130), (202, 0, 32)], dtype=float
)
"""#0571B0, #92C5DE, #F7F7F7, #F4A582 and #CA0020, at the `LEVELS`, linearly interpolated."""


def signed_colors(
    values: Float[Tensor, "*shape"] | Float[np.ndarray, "*shape"], scale: float
) -> UInt8[np.ndarray, "*shape 3"]:
    """Convert numbers to colors: `scale` is the deepest red, its negative the deepest blue.

    Numbers beyond the scale are clipped. A scale of 0 is for all zeros; what is no number is white.

    Examples
    --------
    >>> signed_colors(np.array([-2.0, 0.0, 1.0]), scale=2.0).tolist()
    [[5, 113, 176], [247, 247, 247], [244, 165, 130]]
    """
    levels = np.nan_to_num(np.nan_to_num(np.asarray(values, dtype=float)) / (scale or 1.0))
    channels = [np.interp(levels, LEVELS, anchors) for anchors in ANCHORS.T]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def decoded(pixels: UInt8[np.ndarray, "*shape 3"], scale: float) -> Float[np.ndarray, "*shape"]:
    """Convert colors back to numbers, within .005 of the scale.

    Any color is read as the nearest one of the map.

    Examples
    --------
    >>> decoded(signed_colors(np.array([0.25, -0.75]), scale=1.0), scale=1.0).round(2).tolist()
    [0.25, -0.75]
    """
    colors = pixels.astype(float)[..., None, :]
    along = np.diff(ANCHORS, axis=0)
    steps = ((colors - ANCHORS[:-1]) * along).sum(-1) / (along**2).sum(-1)
    steps = steps.clip(0, 1)
    away = ((ANCHORS[:-1] + steps[..., None] * along - colors) ** 2).sum(-1)
    nearest = away.argmin(-1, keepdims=True)
    levels: NDArray[np.float64] = LEVELS[:-1] + 0.5 * steps
    return np.asarray(np.take_along_axis(levels, nearest, -1)[..., 0] * scale)
