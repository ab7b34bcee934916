"""Lines, and lines that diverge.

Source: Olah et al., "An Overview of Early Vision in InceptionV1" (2020), families Lines (mixed3a)
and Line Divergence (conv2d2, mixed3a).
"""

from visioncircuits.handwritten import early_vision
from visioncircuits.handwritten.circuit import Stage, build
from visioncircuits.handwritten.contours import opposing_rays, rays
from visioncircuits.handwritten.labels import around
from visioncircuits.handwritten.rules import along
from visioncircuits.networks.network import Network

ORIENTATIONS = 16


def lines() -> Network:
    """Build the line detectors of mixed3a, in 12 orientations.

    Examples
    --------
    >>> lines().layer("mixed3a").units
    12
    """
    return build(
        "handwritten:lines", [*line_stages(), early_vision.longer_lines("mixed3a", size=3)]
    )


def line_divergence() -> Network:
    """Build detectors of lines that diverge, in 16 orientations: mixed3a.

    An orientation points to where the lines are farther apart.

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
    """Return the three stages from pixels to lines.

    Examples
    --------
    What a circuit of your own may begin with:

    >>> line_stages()[-1]
    Stage('conv2d2', 12 units, kernels 3 × 3: complex gabor → line)
    """
    return [early_vision.gabors(), early_vision.complex_gabors(), early_vision.lines()]
