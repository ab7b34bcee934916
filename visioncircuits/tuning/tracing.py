"""Tracing: curves in a photograph, followed along where a family of curve detectors fires."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.interpolate import splev, splprep
from scipy.ndimage import map_coordinates

from visioncircuits.errors import InputError
from visioncircuits.networks import Layer

STEP = 0.25
"""How far a trace advances at a time; this and the lengths below are in positions of the layer."""

APART = 1.5
"""How near to another trace none begins, and where one ends that runs into another."""

SHORTEST = 3.0

TURN = 45.0
"""Degrees by which a trace turns at most from one step to the next."""

SMOOTHING = 0.02
"""Squared distance from a trace that the spline may keep, on average."""

Points = Float[np.ndarray, "_ 2"]


def trace(
    layer: Layer,
    maps: Float[np.ndarray, "units rows columns"],
    orientations: Sequence[float] | np.ndarray,
    *,
    least: float = 0.35,
    most: int = 40,
) -> list[Points]:
    """Follow the ridges of a family's activation, and lay a spline along each.

    Every unit says with its activation how a contour runs: across the direction that it prefers.
    Together they say at each position which way to go, and how surely. A trace begins where that
    is strongest, goes both ways, keeps to the ridge, and ends where what is left is weak, where it
    runs into another, or where it would have to turn back.

    Parameters
    ----------
    layer
        The units', as `Network.layers_at` describes it for the picture's size.
    maps
        The activations on one picture, rectified, of a scale on which units can be compared.
    orientations
        Of the units: from the centre of curvature to the apex, clockwise from +x, in degrees.
    least
        Of the strongest place of the picture, how much a trace needs to begin; half of it to go on.
    most
        How many traces, the strongest beginnings first.

    Returns
    -------
    list of ndarray
        Each trace as float64 `(y, x)` in pixels of the picture, evenly spaced, about one a quarter
        of a position.

    Raises
    ------
    InputError
        Where there are not as many orientations as maps.

    Notes
    -----
    "Curve Detectors" (Cammarata et al., 2020) traced curves through photographs with the trained
    detectors' activations and a spline, its algorithm unpublished; this one is ours.

    Examples
    --------
    >>> from visioncircuits.networks import load
    >>> from visioncircuits.stimuli import circle
    >>> network = load("handwritten:curves")
    >>> picture = circle(radius=60.0, size=224).picture
    >>> maps = network.activations(picture, ["mixed3b"])["mixed3b"][0, :24].numpy()
    >>> (points, *_) = trace(network.layer("mixed3b"), maps, range(0, 360, 15))
    >>> bool(np.abs(np.hypot(*(points - 111.5).T) - 60).max() < 4)
    True
    """
    if len(maps) != len(orientations):
        raise InputError(f"{len(maps)} maps need as many orientations, not {len(orientations)}")
    field = _Field.of(maps, orientations)
    strength = np.abs(field.axis)
    enough = least * float(strength.max())
    found: list[Points] = []
    if not enough > 0:
        return found
    for flat in np.argsort(-strength, axis=None, kind="stable"):
        start = np.array(np.unravel_index(flat, strength.shape), dtype=np.float64)
        if strength.flat[flat] < enough or len(found) == most:
            break
        if _near(start, found):
            continue
        forth = _follow(field, start, 1.0, enough / 2, found)
        back = _follow(field, start, -1.0, enough / 2, [*found, *_behind(forth[::-1])])
        points = np.array([*back[::-1], start, *forth])
        if len(points) * STEP >= SHORTEST:
            found.append(points)
    first, stride = np.array(layer.center((0, 0))), np.array(layer.stride)
    return [first + _smooth(points) * stride for points in found]


@dataclass(frozen=True)
class _Field:
    """At each position a complex number, whose angle is twice that of the contour's normal."""

    axis: np.ndarray

    @classmethod
    def of(cls, maps: np.ndarray, orientations: Sequence[float] | np.ndarray) -> "_Field":
        # doubled, so that curves that bend opposite ways along one contour agree on how it runs
        turned = np.exp(2j * np.radians(np.asarray(orientations, np.float64)))
        return cls(np.tensordot(turned, np.asarray(maps, np.float64).clip(0), 1))

    def at(self, places: np.ndarray) -> np.ndarray:
        """Between positions, the field; nothing beyond the map."""
        return np.asarray(map_coordinates(self.axis, np.asarray(places).T, order=1))

    def normal(self, place: np.ndarray) -> np.ndarray:
        """The contour's normal `(y, x)`, of either sign."""
        angle = np.angle(self.at(place[None])[0]) / 2
        return np.array([np.sin(angle), np.cos(angle)])


def _follow(
    field: _Field, start: np.ndarray, way: float, enough: float, others: Sequence[Points]
) -> list[np.ndarray]:
    """Go from a place one way along the ridge."""
    points: list[np.ndarray] = []
    normal = field.normal(start)
    heading = way * np.array([normal[1], -normal[0]])
    place = start
    for _ in range(int(4 * sum(field.axis.shape) / STEP)):
        place = _upon_ridge(field, place + STEP * heading)
        normal = field.normal(place)
        tangent = np.array([normal[1], -normal[0]])
        tangent *= np.sign(tangent @ heading) or 1.0
        if np.abs(field.at(place[None])[0]) < enough or _near(place, others):
            break
        if _near(place, _behind([start, *points])):
            break  # once around
        if tangent @ heading < np.cos(np.radians(TURN)):
            break
        points.append(place)
        heading = tangent
    return points


def _upon_ridge(field: _Field, place: np.ndarray) -> np.ndarray:
    """Move across the contour to where the family is strongest, half a step at most."""
    normal = field.normal(place)
    aside = np.array([-1.0, 0.0, 1.0])
    low, here, high = np.abs(field.at(place + aside[:, None] * normal))
    bend = low - 2 * here + high
    off = (low - high) / (2 * bend) if bend < 0 else 0.0
    moved: np.ndarray = place + np.clip(off, -STEP / 2, STEP / 2) * normal
    return moved


def _behind(points: Sequence[np.ndarray]) -> list[Points]:
    """All of a trace but its end, which is always near to where it goes on."""
    kept = points[: -round(2 * APART / STEP)]
    return [np.array(kept)] if kept else []


def _near(place: np.ndarray, others: Sequence[Points]) -> bool:
    return any(bool(((points - place) ** 2).sum(1).min() < APART**2) for points in others)


def _smooth(points: Points) -> Points:
    """Lay a cubic spline along points."""
    spline, _ = splprep(points.T, s=SMOOTHING * len(points))
    return np.stack(splev(np.linspace(0, 1, len(points)), spline), -1)
