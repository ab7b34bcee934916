"""The contours along which rules excite and inhibit: arcs, rings and rays."""

from collections.abc import Callable

import numpy as np

from visioncircuits.handwritten.labels import Label
from visioncircuits.handwritten.plane import Weights

Contour = Callable[[Label, Weights, Weights], tuple[Weights, Weights]]
"""Maps a target and the positions along and across its orientation to the distance of each position
from the target's contour, and to the contour's normal there (a curve's orientation, across a line),
relative to the target's orientation."""


def arc(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """A circle of the target's radius through the center; a straight line without a radius."""
    if target.radius is None:
        return along, np.zeros_like(along)
    from_center = target.radius + along
    distance = np.hypot(from_center, across) - target.radius
    return distance, np.degrees(np.arctan2(across, from_center))


def opposing_arc(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """The arc of opposite curvature: `arc`, mirrored at its tangent."""
    distance, normal = arc(target, -along, across)
    return distance, 180.0 - normal


def ring(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """A circle of the target's radius around the center, with outward normals."""
    return np.hypot(along, across) - target.need("radius"), np.degrees(np.arctan2(across, along))


def inward_ring(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """The same circle with inward normals: an evolute."""
    distance, normal = ring(target, along, across)
    return distance, normal + 180.0


def rays(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """Lines that diverge towards the target's orientation.

    They start one radius behind the center and cover the plane: every distance is 0.
    """
    direction = np.degrees(np.arctan2(across, target.need("radius") + along))
    return np.zeros_like(along), direction + 90.0


def opposing_rays(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """Lines that converge towards the target's orientation: `rays`, mirrored."""
    distance, normal = rays(target, -along, across)
    return distance, 180.0 - normal
