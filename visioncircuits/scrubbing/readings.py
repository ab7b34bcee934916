"""What a variable of a hypothesis is on each picture: read off parameters, labels or features."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int64

from visioncircuits.errors import InputError
from visioncircuits.numbers import real, whole

Codes = Int64[np.ndarray, "pictures own_units own_rows own_columns"]
"""Whole numbers, equal where a variable has the same value; axes on which it does not depend have
the length 1."""


@dataclass(frozen=True)
class Site:
    """What a reading may use: the pictures' numbers, and the units and positions of a variable.

    Attributes
    ----------
    number
        From the name of a parameter, of a label or of a feature to its number on each picture.
    orientations
        Of the variable's units, in degrees, where they are stated.
    offsets
        Of its positions, from what the pictures have at their center: `(y, x)` in pixels.
    """

    number: Callable[[str], Float64[np.ndarray, " pictures"]]
    orientations: Float64[np.ndarray, " units"] | None
    offsets: Float64[np.ndarray, "rows columns 2"]


@dataclass(frozen=True)
class Reading:
    """A number of each picture, as it is or in bins.

    Attributes
    ----------
    of
        A parameter of the stimuli, such as `"orientation"`; `"class"`; a feature, such as
        `"mixed3a:81"`, whose activation at the center is measured; or a column of your own.
    step
        Width of the bins, around its multiples; None for the number itself.
    edges
        Bounds between bins, instead.
    bins
        How many, of about as many pictures each, instead.
    relative
        Whether the angle between this orientation and each unit's own is read, from 0 to half the
        period, so that every unit has a value of its own.
    period
        Of orientations, in degrees, for `relative`.

    Raises
    ------
    InputError
        For more than one kind of bins, or bins that are none.

    Examples
    --------
    >>> turns = np.array([0.0, 10.0, 20.0, 350.0])
    >>> site = Site({"orientation": turns}.__getitem__, np.array([0.0, 90.0]), np.zeros((1, 1, 2)))
    >>> Reading("orientation", step=30).codes(site).ravel().tolist()
    [0, 0, 1, 2]
    >>> Reading("orientation", step=30, relative=True).codes(site)[:, :, 0, 0].tolist()
    [[0, 3], [0, 3], [1, 2], [0, 3]]
    """

    of: str
    step: float | None = None
    edges: tuple[float, ...] = ()
    bins: int | None = None
    relative: bool = False
    period: float = 360.0

    def __post_init__(self) -> None:
        kinds = (self.step is not None) + bool(self.edges) + (self.bins is not None)
        if kinds > 1:
            raise InputError(f"{self.of} has bins of several kinds; give a step, edges or a number")
        if self.step is not None:
            real(f"the step of {self.of}", self.step, least=0, open=True)
        if self.bins is not None:
            whole(f"the number of bins of {self.of}", self.bins, least=1)

    def codes(self, site: Site) -> Codes:
        """Return codes of the values, by picture and, where relative, by unit.

        Raises
        ------
        InputError
            For an unknown number, and where it is relative to orientations that are not stated.
        """
        numbers = site.number(self.of)[:, None]
        if self.relative:
            numbers = between(numbers, stated(site, self.of), self.period)
        return _numbered(self._binned(numbers))[:, :, None, None]

    def coarser(self) -> "Reading | None":
        """Return the reading with bins twice as wide; None where it has no bins, or only one."""
        if self.step is not None:
            return replace(self, step=2 * self.step)
        if len(self.edges) > 1:
            return replace(self, edges=self.edges[1::2])
        if self.bins is not None and self.bins > 1:
            return replace(self, bins=self.bins // 2)
        return None

    def _binned(self, numbers: np.ndarray) -> np.ndarray:
        if self.step is not None:
            return stepped(numbers, self.step)
        if self.edges:
            return np.asarray(np.digitize(numbers, self.edges))
        if self.bins is not None:
            inner = np.arange(1, self.bins) / self.bins
            bounds = np.unique(np.quantile(numbers, inner))
            return np.asarray(np.digitize(numbers, bounds, right=True))  # zeros have a bin
        return numbers

    def __str__(self) -> str:
        how = ""
        if self.step is not None:
            how = f" in steps of {self.step:g}"
        elif self.edges:
            how = f" above or below {', '.join(f'{edge:g}' for edge in self.edges)}"
        elif self.bins is not None:
            how = f" in {self.bins} bins"
        return f"{self.of}{' from own' * self.relative}{how}"


@dataclass(frozen=True)
class Contour:
    """The direction across a curve at each position, or nothing where it does not pass.

    The stimuli are curves with an `orientation` and a `radius`: circles through the center. A
    position has the direction from the center of curvature through it, and a distance from the
    stroke.

    Attributes
    ----------
    step
        Of the direction, in degrees.
    within
        Distance in pixels beyond which there is nothing.
    apart
        Step of the distance from the stroke, outwards and inwards; None for no such step.
    relative
        Whether the angle to each unit's own orientation is read.

    Raises
    ------
    InputError
        For steps or a distance that are not above 0.

    Examples
    --------
    An arch falls to the right of its apex, and does not pass above it:

    >>> arch = {"orientation": np.array([270.0]), "radius": np.array([16.0])}
    >>> offsets = np.array([[[-12.0, 0.0], [0.0, 0.0], [6.0, 12.0]]])
    >>> site = Site(arch.__getitem__, None, offsets)
    >>> Contour(step=30, within=4).codes(site).ravel().tolist()
    [0, 1, 2]
    """

    step: float
    within: float = math.inf
    apart: float | None = None
    relative: bool = False

    def __post_init__(self) -> None:
        real("the step of a contour", self.step, least=0, open=True)
        if not self.within > 0:
            raise InputError(f"a contour is within a distance above 0, not {self.within}")
        if self.apart is not None:
            real("the step of a contour's distance", self.apart, least=0, open=True)

    def codes(self, site: Site) -> Codes:
        """Return codes of the values, by picture and position and, where relative, by unit.

        Raises
        ------
        InputError
            For stimuli that are no curves, and where orientations are not stated.
        """
        turn, radius = site.number("orientation"), site.number("radius").clip(max=1e9)
        radians = np.radians(turn)
        y, x = np.moveaxis(site.offsets, -1, 0)[:, None]
        down = y + (radius * np.sin(radians))[:, None, None]  # from the center of curvature
        right = x + (radius * np.cos(radians))[:, None, None]
        distance = np.hypot(down, right) - radius[:, None, None]
        across = np.degrees(np.arctan2(down, right))[:, None] % 360
        if self.relative:
            across = between(across, stated(site, "a contour")[:, None, None], 360.0)
        codes = stepped(across, self.step) % round(360 / self.step)
        if self.apart is not None:
            codes = codes + 1000.0 * stepped(distance, self.apart)[:, None]
        return _numbered(np.where(np.abs(distance)[:, None] <= self.within, codes, -1e9))

    def coarser(self) -> "Contour":
        """Return the reading with steps twice as wide."""
        return replace(self, step=2 * self.step, apart=None if not self.apart else 2 * self.apart)

    def __str__(self) -> str:
        return f"direction here{' from own' * self.relative} in steps of {self.step:g}°"


AnyReading = Reading | Contour


def stepped(numbers: np.ndarray, step: float) -> np.ndarray:
    """Return the multiple of a step that is nearest to each number; infinity stays."""
    return np.asarray(np.floor(numbers / step + 0.5))


def between(one: np.ndarray, other: np.ndarray, period: float) -> np.ndarray:
    """Return the angle between orientations, from 0 to half the period.

    Examples
    --------
    >>> between(np.array([10.0, 190.0]), np.array([350.0, 350.0]), 360.0).tolist()
    [20.0, 160.0]
    """
    half = period / 2
    return np.asarray(np.abs((one - other + half) % period - half))


def stated(site: Site, what: str) -> Float64[np.ndarray, " units"]:
    """Return the orientations of a variable's units.

    Raises
    ------
    InputError
        Where they are not stated.
    """
    if site.orientations is None:
        raise InputError(
            f"{what} is read from each unit's own orientation, and these are not stated: give the "
            "variable orientations"
        )
    return site.orientations


def _numbered(values: np.ndarray) -> np.ndarray:
    """Number equal values alike."""
    return np.unique(values, return_inverse=True)[1].reshape(values.shape).astype(np.int64)
