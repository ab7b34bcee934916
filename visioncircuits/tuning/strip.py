"""The strip of stimuli above a heat map: one axis across, another down."""

import numpy as np
from jaxtyping import UInt8

from visioncircuits.stimuli import StimulusSet

ROWS = 4
"""How many values of the vertical axis are shown."""

LEAST = 32
"""Pixels of a stimulus' side; smaller ones are enlarged by a whole factor, up to this."""

RULE = 216
"""The gray of the lines between stimuli."""


def strip(
    stimuli: StimulusSet, down: str | None, *, across: int, along: str = "orientation"
) -> UInt8[np.ndarray, "height width 3"]:
    """Draw a grid of a set's stimuli.

    Parameters
    ----------
    stimuli
        With the axes `along` and `down`; of others the first value is shown.
    down
        The vertical axis, of which the values at `rows` are shown; or none.
    across
        The most values of the horizontal axis that are shown.
    along
        The horizontal axis.

    Examples
    --------
    >>> from visioncircuits.stimuli import named
    >>> strip(named("curves"), "radius", across=36).shape
    (240, 2160, 3)
    """
    steps = -(-len(stimuli.axes[along]) // across)
    # Of several values the middle one is shown.
    chosen = stimuli.isel(**{along: slice(steps // 2, None, steps)})
    if down is not None:
        chosen = chosen.isel(**{down: rows(len(stimuli.axes[down]))})
    chosen = chosen.isel(**{axis: 0 for axis in chosen.axes if axis not in (along, down)})
    pictures = (chosen.draw().picture * 255).round().byte().cpu().numpy()
    columns = len(chosen.axes[along])
    if chosen.dims[-1] == along:
        grid = pictures.reshape(-1, columns, *pictures.shape[1:])
    else:
        grid = pictures.reshape(columns, -1, *pictures.shape[1:]).swapaxes(0, 1)
    enlarged = max(1, LEAST // max(pictures.shape[2:]))  # so that the rules do not cover them
    grid = grid.transpose(0, 3, 1, 4, 2).repeat(enlarged, 1).repeat(enlarged, 3)
    grid[:, 0], grid[:, :, :, 0] = RULE, RULE
    return grid.reshape(grid.shape[0] * grid.shape[1], -1, 3)


def rows(count: int, most: int = ROWS) -> list[int]:
    """Choose indices along an axis to show, the first and the last among them.

    Examples
    --------
    >>> rows(4), rows(16)
    ([0, 1, 2, 3], [0, 5, 10, 15])
    """
    return sorted({round(at) for at in np.linspace(0, count - 1, most)})
