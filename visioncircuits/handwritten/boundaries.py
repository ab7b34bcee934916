"""Boundary detectors, which combine several cues of a boundary.

Source: Schubert et al., "High-Low Frequency Detectors" (2021), where units of mixed3b, such
as mixed3b:345, combine high-low frequency detectors of either polarity with lines, curves and color
contrast along the same boundary; and the family Boundary of "An Overview of Early
Vision in InceptionV1" (2020).
"""

from visioncircuits.handwritten import early_vision
from visioncircuits.handwritten.circuit import Stage, build
from visioncircuits.handwritten.color import color_edges, hue_stages
from visioncircuits.handwritten.curves import early_curves
from visioncircuits.handwritten.frequency import high_low_stages
from visioncircuits.handwritten.labels import LINE, around
from visioncircuits.handwritten.lines import line_stages
from visioncircuits.handwritten.rules import straight
from visioncircuits.networks.network import Network

CUES = {"line": 1.0, "early curve": 0.5, "high-low": 0.5, "color contrast": 0.05}
"""The cues of a boundary, with their gains.

Color contrast detectors activate far more on an edge between colors than line detectors on a line.
"""


def boundaries() -> Network:
    """Build boundary detectors in 12 orientations: mixed3b.

    Examples
    --------
    >>> from visioncircuits.handwritten.circuit import labels
    >>> network = boundaries()
    >>> print(labels(network, "mixed3b")[3], sorted({x.kind for x in labels(network, "mixed3a")}))
    boundary 45° ['color contrast', 'early curve', 'high-low', 'line']
    """
    contours = [
        *line_stages(),
        early_vision.merged(
            early_curves(threshold=0.0), early_vision.longer_lines("mixed3a", size=3)
        ),
    ]
    colors = [*hue_stages(), color_edges(orientations=2 * early_vision.ORIENTATIONS)]
    stages = [
        early_vision.merged(*s) for s in zip(contours, high_low_stages(size=3), colors, strict=True)
    ]
    joined = Stage(
        layer="mixed3b",
        units=around("boundary", early_vision.ORIENTATIONS, period=LINE),
        rules={
            (cue, "boundary"): straight(spread=6.0, tolerance=15.0, inhibition=1.0, gain=gain)
            for cue, gain in CUES.items()
        },
        size=5,
    )
    return build("handwritten:boundaries", [*stages, joined])
