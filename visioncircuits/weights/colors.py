"""Signed numbers as colours, and back: red excites, blue inhibits, white is zero."""

import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

LEVELS = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
ANCHORS = np.array(
    [(5, 113, 176), (146, 197, 222), (247, 247, 247), (244, 165, 130), (202, 0, 32)], dtype=float
)
"""#0571B0, #92C5DE, #F7F7F7, #F4A582 and #CA0020, at the `LEVELS`; straight lines lie between."""


def signed_colors(
    values: Float[Tensor, "*shape"] | Float[np.ndarray, "*shape"], scale: float
) -> UInt8[np.ndarray, "*shape 3"]:
    """Draw numbers: `scale` as the deepest red, its negative as the deepest blue.

    Beyond the scale the colour stays the same. A scale of 0 is that of nothing but zeros.

    Examples
    --------
    >>> signed_colors(np.array([-2.0, 0.0, 1.0]), scale=2.0).tolist()
    [[5, 113, 176], [247, 247, 247], [244, 165, 130]]
    """
    levels = np.asarray(values, dtype=float) / (scale or 1.0)
    channels = [np.interp(levels, LEVELS, anchors) for anchors in ANCHORS.T]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def decoded(pixels: UInt8[np.ndarray, "*shape 3"], scale: float) -> Float[np.ndarray, "*shape"]:
    """Read numbers off their colours, within .005 of the scale.

    Any colour is read as the nearest one of the map.

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
