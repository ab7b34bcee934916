"""Which of the named sets of stimuli a gallery can show, and how much of each."""

from functools import cache
from math import ceil

import numpy as np

from visioncircuits.stimuli import StimulusSet, named, names

ACROSS, DOWN = 36, 12
"""The most orientations that are shown, and the most values of another axis."""


def stimuli(name: str) -> StimulusSet:
    """Reduce a named set to what a page has room for.

    Examples
    --------
    >>> stimuli("high-low")
    <StimulusSet high-low: 36 orientation × 12 ratio>
    """
    whole = named(name)
    room = {axis: ACROSS if axis == "orientation" else DOWN for axis in whole.axes}
    return whole.isel(
        **{
            axis: slice(None, None, ceil(len(values) / room[axis]))
            for axis, values in whole.axes.items()
        }
    )


@cache
def oriented() -> tuple[str, ...]:
    """List the named sets whose orientations are evenly spaced over 180 or 360 degrees.

    Examples
    --------
    >>> oriented()[:2], "circles" in oriented()
    (('curves', 'filled-curves'), False)
    """
    return tuple(name for name in names() if _around(named(name)))


def _around(whole: StimulusSet) -> bool:
    angles = np.asarray(whole.axes.get("orientation", ()))
    return len(angles) > 3 and len(angles) * (angles[1] - angles[0]) in (180, 360)
