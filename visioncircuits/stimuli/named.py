"""Predefined stimulus sets by name: the published ones, and one for each other family."""

from collections.abc import Callable, Mapping

from visioncircuits.errors import unknown
from visioncircuits.stimuli import published
from visioncircuits.stimuli.angles import corner
from visioncircuits.stimuli.axes import Value
from visioncircuits.stimuli.circles import circle, evolute, spiral
from visioncircuits.stimuli.contrasts import (
    black_white_vs_color,
    brightness_gradient,
    color_center_surround,
    color_contrast,
)
from visioncircuits.stimuli.curves import double_curve
from visioncircuits.stimuli.families import Family
from visioncircuits.stimuli.gratings import chirp, gabor, sinusoidal_grating, square_grating
from visioncircuits.stimuli.lines import (
    bar,
    crossing_lines,
    diverging_lines,
    edge,
    line,
    line_end,
)
from visioncircuits.stimuli.sets import StimulusSet
from visioncircuits.stimuli.textures import checkerboard, dots, hatch, noise

CONTROLS = (
    "lines",
    "edges",
    "circles",
    "sinusoidal-gratings",
    "square-gratings",
    "checkerboards",
    "hatches",
    "dots",
    "noise",
)
"""Names of sets that have the contrast of the curves, between black and white.

All have the parameters `ink` and `ground`, which can be fixed to match the contrast of any set.
"""

_FULL_TURN, _HALF_TURN, _QUARTER_TURN = range(0, 360, 15), range(0, 180, 15), range(0, 90, 15)
_HUES = range(0, 360, 30)
_WIDTHS = (1.67, 4, 8)
_PERIODS = (4, 6, 8, 12, 16, 24)
_SIDES = (8, 12, 16, 24)

_PUBLISHED: Mapping[str, Callable[[], StimulusSet]] = {
    "curves": published.curves,
    "filled-curves": published.filled_curves,
    "colored-curves": published.colored_curves,
    "angles": published.angles,
    "high-low": published.high_low_boundaries,
    "frequency-patterns": published.frequency_patterns,
    "high-factor": published.high_factor_patterns,
    "low-factor": published.low_factor_patterns,
}

_OTHERS: Mapping[str, tuple[Family, Mapping[str, range | tuple[Value, ...]]]] = {
    "lines": (line, {"orientation": range(0, 180, 5), "width": _WIDTHS}),
    "edges": (edge, {"orientation": range(0, 360, 5)}),
    "bars": (bar, {"orientation": _HALF_TURN, "length": (16, 32, 48), "width": (4, 8, 12)}),
    "line-ends": (line_end, {"orientation": _FULL_TURN, "width": _WIDTHS}),
    "crossing-lines": (
        crossing_lines,
        {"orientation": _HALF_TURN, "between": (30, 60, 90), "width": _WIDTHS},
    ),
    "diverging-lines": (
        diverging_lines,
        {"orientation": _FULL_TURN, "spread": (30, 60, 90, 120), "count": (2, 4, 6)},
    ),
    "corners": (corner, {"orientation": _FULL_TURN, "opening": (30, 60, 90, 120, 150)}),
    "circles": (circle, {"radius": (3, 5, 8, 12, 17, 23), "fill": (0, 1)}),
    "double-curves": (
        double_curve,
        {"orientation": _FULL_TURN, "between": (90, 180), "separation": (-24, -12, 12, 24)},
    ),
    "spirals": (spiral, {"orientation": _FULL_TURN, "pitch": (-16, -8, 8, 16)}),
    "evolutes": (evolute, {"orientation": _QUARTER_TURN, "radius": (12, 20, 28), "fill": (0, 1)}),
    "sinusoidal-gratings": (
        sinusoidal_grating,
        {"orientation": _HALF_TURN, "period": _PERIODS, "phase": range(0, 360, 90)},
    ),
    "square-gratings": (
        square_grating,
        {"orientation": _HALF_TURN, "period": _PERIODS, "phase": range(0, 360, 90)},
    ),
    "gabors": (
        gabor,
        {"orientation": _HALF_TURN, "period": _PERIODS, "phase": range(0, 360, 90)},
    ),
    "chirps": (chirp, {"orientation": _FULL_TURN, "phase": range(0, 360, 90)}),
    "color-contrast": (color_contrast, {"orientation": _FULL_TURN, "hue": _HUES}),
    "color-center-surround": (color_center_surround, {"hue": _HUES, "radius": (4, 8, 12, 16, 24)}),
    "black-white-vs-color": (black_white_vs_color, {"orientation": _FULL_TURN, "hue": _HUES}),
    "brightness-gradient": (
        brightness_gradient,
        {"orientation": _FULL_TURN, "extent": (20, 40, 80, 160)},
    ),
    "checkerboards": (checkerboard, {"orientation": _QUARTER_TURN, "cell": (3, 4, 6, 8, 12)}),
    "hatches": (
        hatch,
        {"orientation": _HALF_TURN, "between": (45, 90), "period": (6, 8, 12, 16)},
    ),
    "dots": (dots, {"orientation": _QUARTER_TURN, "period": _SIDES, "radius": (1.5, 3)}),
    "noise": (noise, {"seed": range(36), "longest": _SIDES}),
}


def names() -> tuple[str, ...]:
    """Return the names of the predefined sets, the published ones first.

    Examples
    --------
    >>> names()[:4]
    ('curves', 'filled-curves', 'colored-curves', 'angles')
    >>> set(CONTROLS) <= set(names())
    True
    """
    return (*_PUBLISHED, *_OTHERS)


def named(name: str) -> StimulusSet:
    """Return a predefined set, with pictures as small as the published ones (60 px, 40 px).

    ``fix(size=...)`` draws the same stimuli in larger pictures; `vary` and `sel` change the set.

    Raises
    ------
    InputError
        If there is no such set.

    Examples
    --------
    >>> named("curves").fix(size=224)
    <StimulusSet curves: 36 orientation × 4 radius>
    """
    if name in _PUBLISHED:
        return _PUBLISHED[name]()
    if name not in _OTHERS:
        raise unknown("stimulus set", name, names())
    family, axes = _OTHERS[name]
    return StimulusSet(family, axes, {"size": published.TILE}, name=name)
