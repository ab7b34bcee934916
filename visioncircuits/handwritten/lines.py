"""Lines, and lines that diverge.

Source: Olah et al., "An Overview of Early Vision in InceptionV1" (2020), families Lines (mixed3a)
and Line Divergence (conv2d2, mixed3a).
"""

from visioncircuits.handwritten import parts
from visioncircuits.handwritten.circuit import Stage, build
from visioncircuits.handwritten.labels import around
from visioncircuits.handwritten.rules import along, opposing_rays, rays
from visioncircuits.networks.network import Network

ORIENTATIONS = 16


def lines() -> Network:
    """Write the line detectors of mixed3a, in 12 orientations.

    Examples
    --------
    >>> lines().layer("mixed3a").units
    12
    """
    return build("handwritten:lines", [*line_stages(), parts.longer_lines("mixed3a", size=3)])


def line_divergence() -> Network:
    """Write detectors of lines that diverge, in 16 orientations: mixed3a.

    An orientation points to where the lines are further apart.

    Examples
    --------
    >>> from visioncircuits.handwritten.circuit import labels
    >>> print(labels(line_divergence(), "mixed3a")[8])
    line divergence 180°, radius 16 px
    """
    follow = along(rays, against=opposing_rays, spread=1.0, tolerance=15.0, inhibition=1.0)
    return build(
        "handwritten:line-divergence",
        [
            *line_stages(),
            Stage(
                layer="mixed3a",
                units=around("line divergence", ORIENTATIONS, radius=16.0),
                rules={("line", "line divergence"): follow},
                size=3,
            ),
        ],
    )


def line_stages() -> list[Stage]:
    """Give the three stages from pixels to lines."""
    return [parts.gabors(), parts.complex_gabors(), parts.lines()]
