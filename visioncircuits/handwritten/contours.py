"""The contours along which rules excite and inhibit: arcs, rings and rays.

They are in the target's frame: `along` is the way that it faces (its orientation; from a curve's
center to its apex), `across` is a quarter turn clockwise from there, and an angle is positive
clockwise, from `along` to `across`. `contour_panel` draws it.
"""

from collections.abc import Callable

import numpy as np

from visioncircuits.handwritten.labels import Label
from visioncircuits.handwritten.plane import Weights

Contour = Callable[[Label, Weights, Weights], tuple[Weights, Weights]]
"""Maps a target and the positions along and across its orientation to the distance of each position
from the target's contour, and to the contour's normal there (a curve's orientation, across a line),
relative to the target's orientation."""


def arc(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """A circle of the target's radius through the center; a straight line without a radius.

    Examples
    --------
    At the apex, and a quarter of the circle clockwise from there:

    >>> along, across = np.array([[0.0, -30.0]]), np.array([[0.0, 30.0]])
    >>> distance, normal = arc(Label("curve", 270.0, radius=30.0), along, across)
    >>> distance.round(3).tolist(), normal.tolist()
    ([[0.0, 0.0]], [[0.0, 90.0]])
    """
    if target.radius is None:
        return along, np.zeros_like(along)
    from_center = target.radius + along
    distance = np.hypot(from_center, across) - target.radius
    return distance, np.degrees(np.arctan2(across, from_center))


def opposing_arc(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """The arc of opposite curvature: `arc`, mirrored at its tangent.

    Examples
    --------
    >>> along, across = np.array([[0.0, 30.0]]), np.array([[0.0, 30.0]])
    >>> distance, normal = opposing_arc(Label("curve", 270.0, radius=30.0), along, across)
    >>> distance.round(3).tolist(), normal.tolist()
    ([[0.0, 0.0]], [[180.0, 90.0]])
    """
    distance, normal = arc(target, -along, across)
    return distance, 180.0 - normal


def ring(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """A circle of the target's radius around the center, with outward normals.

    Examples
    --------
    >>> along, across = np.array([[24.0, 0.0]]), np.array([[0.0, 24.0]])
    >>> distance, normal = ring(Label("circle", radius=24.0), along, across)
    >>> distance.tolist(), normal.tolist()
    ([[0.0, 0.0]], [[0.0, 90.0]])
    """
    return np.hypot(along, across) - target.need("radius"), np.degrees(np.arctan2(across, along))


def inward_ring(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """The same circle with inward normals: an evolute.

    Examples
    --------
    >>> along, across = np.array([[24.0]]), np.array([[0.0]])
    >>> inward_ring(Label("evolute", radius=24.0), along, across)[1].tolist()
    [[180.0]]
    """
    distance, normal = ring(target, along, across)
    return distance, normal + 180.0


def rays(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """Lines that diverge towards the target's orientation.

    They start one radius behind the center and cover the plane: every distance is 0.

    Examples
    --------
    >>> along, across = np.array([[0.0, 0.0]]), np.array([[0.0, 16.0]])
    >>> rays(Label("line divergence", 0.0, radius=16.0), along, across)[1].tolist()
    [[90.0, 135.0]]
    """
    direction = np.degrees(np.arctan2(across, target.need("radius") + along))
    return np.zeros_like(along), direction + 90.0


def opposing_rays(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """Lines that converge towards the target's orientation: `rays`, mirrored.

    Examples
    --------
    >>> along, across = np.array([[0.0, 0.0]]), np.array([[0.0, 16.0]])
    >>> opposing_rays(Label("line divergence", 0.0, radius=16.0), along, across)[1].tolist()
    [[90.0, 45.0]]
    """
    distance, normal = rays(target, -along, across)
    return distance, 180.0 - normal
