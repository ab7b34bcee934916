"""Labels of handwritten units: the stimuli that they are designed to detect."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from visioncircuits.errors import InputError
from visioncircuits.records import brief

LINE = 180.0
"""The period of orientations that repeat after half a turn."""


@dataclass(frozen=True, repr=False)
class Label:
    """The stimulus that a unit is designed to detect.

    Attributes
    ----------
    kind
        Its family, such as `"curve"`; rules are chosen by it.
    orientation
        Degrees clockwise from +x on the screen: along a line, from a curve's center of curvature
        to its apex, towards a boundary's front. `None` if it has none.
    period
        Degrees after which the orientation repeats: 360, or 180 for lines and stripes.
    radius
        Of curvature, or of a circle, in pixels of the input; `None` if it is straight.
    phase
        Of a wave across its stripes, in degrees; 0 has a crest at the center.
    wavelength
        Of that wave, in pixels.
    hue
        Degrees on the circle of hues: 0 red, 120 green, 240 blue; `None` for gray.

    Examples
    --------
    >>> arch = Label("curve", 270.0, radius=60.0)
    >>> arch
    Label(kind='curve', orientation=270.0, radius=60.0)
    >>> print(arch)
    curve 270°, radius 60 px
    """

    kind: str
    orientation: float | None = None
    period: float = 360.0
    radius: float | None = None
    phase: float | None = None
    wavelength: float | None = None
    hue: float | None = None

    __repr__ = brief

    @property
    def curvature(self) -> float:
        """One over the radius; 0 if straight."""
        return 0.0 if self.radius is None else 1 / self.radius

    @property
    def normal(self) -> float:
        """The direction across the contour: a curve's orientation, a line's plus 90 degrees."""
        return self.need("orientation") + (90.0 if self.period == LINE else 0.0)

    def need(self, attribute: str) -> float:
        """Return an attribute that a rule requires.

        Raises
        ------
        InputError
            If it is not set.

        Examples
        --------
        >>> Label("circle", radius=24.0).need("orientation")
        Traceback (most recent call last):
        visioncircuits.errors.InputError: a rule needs the orientation of 'circle, radius 24 px',
        which has none; label it with one, or choose another rule
        """
        value: float | None = getattr(self, attribute)
        if value is None:
            raise InputError(
                f"a rule needs the {attribute} of '{self}', which has none; label it with one, or "
                "choose another rule"
            )
        return value

    def rotated(self, degrees: float) -> "Label":
        """Return the label of the unit that responds the same to pictures rotated clockwise.

        Examples
        --------
        >>> Label("line", 150.0, period=180.0).rotated(45).orientation
        15.0

        The phase of a wave is reversed by half a turn:

        >>> Label("gabor", 90.0, period=180.0, phase=90.0).rotated(90).phase
        270.0
        """
        if self.orientation is None:
            return self
        turns, orientation = divmod(self.orientation + degrees, self.period)
        if self.phase is not None and self.period == LINE and turns % 2:
            return replace(self, orientation=orientation, phase=-self.phase % 360.0)
        return replace(self, orientation=orientation)

    def record(self) -> dict[str, Any]:
        """Return the attributes that are set, as plain data."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def __str__(self) -> str:
        parts = [self.kind if self.orientation is None else f"{self.kind} {self.orientation:g}°"]
        for name, unit in (("radius", " px"), ("phase", "°"), ("wavelength", " px"), ("hue", "°")):
            if (value := getattr(self, name)) is not None:
                parts.append(f"{name} {value:g}{unit}")
        return ", ".join(parts)


def around(kind: str, count: int, *, period: float = 360.0, **rest: float | None) -> list[Label]:
    """Return `count` labels of one kind, with orientations evenly spaced over the period.

    Examples
    --------
    >>> [label.orientation for label in around("line", 4, period=180.0)]
    [0.0, 45.0, 90.0, 135.0]
    """
    return [Label(kind, period / count * i, period, **rest) for i in range(count)]
