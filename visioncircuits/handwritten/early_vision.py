"""The stages that several circuits share: from pixels to lines."""

from collections.abc import Sequence
from dataclasses import replace

from visioncircuits.errors import InputError
from visioncircuits.handwritten.circuit import Stage
from visioncircuits.handwritten.labels import LINE, Label, around
from visioncircuits.handwritten.rules import straight, wave

GRAY: tuple[float | None, ...] = (None,)
ALL_HUES: tuple[float | None, ...] = (None, 0.0, 60.0, 120.0)
"""Gray, and three axes of color: red to cyan, yellow to blue, green to magenta."""

ORIENTATIONS = 12
"""Number of orientations of lines, over 180 degrees; curves have twice as many over 360."""


def gabors(
    *,
    hues: Sequence[float | None] = ALL_HUES,
    orientations: int = ORIENTATIONS,
    phases: int = 4,
    wavelength: float = 10.0,
    length: float = 2.0,
    width: float = 2.4,
    normalization: float | None = 0.2,
    kind: str = "gabor",
) -> Stage:
    """Build Gabor filters over orientations, phases and hues: conv2d0, 7x7.

    Parameters
    ----------
    hues
        Degrees on the circle of hues, each an axis through gray; `None` is gray itself.
    orientations
        Number of orientations, over 180 degrees.
    phases
        Number of phases, over 360 degrees.
    wavelength, length, width
        Of the wave, and the Gaussian's standard deviations along and across its stripes, pixels.
    normalization
        The contrast, as activation, above which responses saturate; `None` for none.
    kind
        Of the units, to distinguish several scales.
    """
    units = [
        Label(kind, turn, LINE, phase=360.0 / phases * step, wavelength=wavelength, hue=hue)
        for turn in (LINE / orientations * step for step in range(orientations))
        for step in range(phases)
        for hue in hues
    ]
    return Stage(
        layer="conv2d0",
        units=units,
        rules={("pixel", kind): wave(length=length, width=width)},
        size=7,
        stride=2,
        pool=True,
        normalization=normalization,
    )


def complex_gabors(
    *, orientations: int = ORIENTATIONS, inhibition: float = 1.0, gabor: str = "gabor"
) -> Stage:
    """Build units that sum Gabor filters over phases and hues: conv2d1, 1x1.

    Parameters
    ----------
    orientations
        Number of orientations, over 180 degrees, as of the Gabor filters.
    inhibition
        By all orientations equally; at 1 a texture without orientation excites nothing.
    gabor
        The kind of the Gabor filters.
    """
    kind = f"complex {gabor}"
    matching = straight(spread=1.0, tolerance=45.0 / orientations, inhibition=inhibition)
    return Stage(
        layer="conv2d1",
        units=around(kind, orientations, period=LINE),
        rules={(gabor, kind): matching},
        size=1,
    )


def lines(*, orientations: int = ORIENTATIONS, inhibition: float = 1.5) -> Stage:
    """Build lines from aligned complex Gabors: conv2d2, 3x3.

    Parameters
    ----------
    orientations
        Number of orientations, over 180 degrees.
    inhibition
        By all orientations equally, as for `complex_gabors`.
    """
    follow = straight(spread=2.0, length=4.0, tolerance=10.0, inhibition=inhibition)
    return Stage(
        layer="conv2d2",
        units=around("line", orientations, period=LINE),
        rules={("complex gabor", "line"): follow},
        size=3,
        pool=True,
    )


def longer_lines(layer: str, *, size: int, orientations: int = ORIENTATIONS) -> Stage:
    """Build lines from lines, to pass them to later stages."""
    follow = straight(spread=4.0, tolerance=10.0, inhibition=2.0)
    return Stage(
        layer=layer,
        units=around("line", orientations, period=LINE),
        rules={("line", "line"): follow},
        size=size,
    )


def merged(first: Stage, *others: Stage) -> Stage:
    """Merge the units of several stages into one layer, with their rules.

    Raises
    ------
    InputError
        If the stages differ in layer or shape, or two have a rule for the same kinds.

    Examples
    --------
    >>> len(merged(longer_lines("mixed3a", size=3), longer_lines("mixed3a", size=3)).units)
    Traceback (most recent call last):
    visioncircuits.errors.InputError: two stages of 'mixed3a' have a rule from 'line' to 'line';
    give the units of one stage another kind
    """
    units, rules = list(first.units), dict(first.rules)
    for other in others:
        if replace(other, units=first.units, rules=first.rules) != first:
            raise InputError(
                f"the stages {first.layer!r} and {other.layer!r} differ in more than units and "
                "rules; merge only stages with the same layer, kernel size and stride"
            )
        for source, target in other.rules.keys() & rules:
            raise InputError(
                f"two stages of {first.layer!r} have a rule from {source!r} to {target!r}; give "
                "the units of one stage another kind"
            )
        units += other.units
        rules |= other.rules
    return replace(first, units=units, rules=rules)
