"""Color contrast, color center-surround, and black and white against color.

Source: Olah et al., "An Overview of Early Vision in InceptionV1" (2020), families of the same
names (mixed3a); Voss et al., "Visualizing Weights" (2021), where black and white detectors are
inhibited by color.
"""

from visioncircuits.handwritten.circuit import Stage, build
from visioncircuits.handwritten.early_vision import GRAY, complex_gabors, gabors, merged
from visioncircuits.handwritten.labels import Label, around
from visioncircuits.handwritten.rules import center_surround, pooled, sided
from visioncircuits.networks.network import Network

HUES = tuple(45.0 * step for step in range(8))
"""Degrees: 0 red, 120 green, 240 blue."""

HALF_OF_HUES = HUES[:4]
"""Sufficient for edges: one from a hue to its opposite is, rotated, one from the opposite."""

ORIENTATIONS = 8


def color_contrast() -> Network:
    """Build detectors of an edge between two opposite hues: mixed3a, 8 orientations by 4 hues.

    An orientation points from a label's hue to the opposite one.

    Examples
    --------
    >>> from visioncircuits.handwritten.circuit import labels
    >>> print(labels(color_contrast(), "mixed3a")[2])
    color contrast 90°, hue 0°
    """
    return build("handwritten:color-contrast", [*hue_stages(), color_edges()])


def color_center_surround() -> Network:
    """Build detectors of one hue surrounded by the opposite one: mixed3a, 8 hues.

    Examples
    --------
    >>> from visioncircuits.handwritten.circuit import labels
    >>> print(labels(color_center_surround(), "mixed3a")[0])
    color center-surround, hue 0°
    """
    kind = "color center-surround"
    spots = Stage(
        layer="mixed3a",
        units=[Label(kind, hue=hue) for hue in HUES],
        rules={("hue", kind): center_surround(width=6.0)},
        size=3,
    )
    return build("handwritten:color-center-surround", [*hue_stages(), spots])


def black_and_white() -> Network:
    """Build detectors of black and white: mixed3a, contrast without color.

    One for contrast everywhere, and eight for contrast behind and color ahead of the center, in the
    direction of their orientation.

    Examples
    --------
    >>> from visioncircuits.handwritten.circuit import labels
    >>> [str(label) for label in labels(black_and_white(), "mixed3a")[:2]]
    ['black and white', 'black and white vs color 0°']
    """
    one, other = "black and white", "black and white vs color"
    gray = [gabors(hues=GRAY), complex_gabors(inhibition=0.0), contrast()]
    detectors = Stage(
        layer="mixed3a",
        units=[Label(one), *around(other, ORIENTATIONS)],
        rules={
            ("contrast", one): pooled(width=8.0),
            ("hue", one): pooled(width=8.0, gain=-1.0),
            ("contrast", other): sided(width=8.0, gain=-1.0),
            ("hue", other): sided(width=8.0),
        },
        size=3,
    )
    stages = [merged(*both) for both in zip(gray, hue_stages(), strict=True)]
    return build("handwritten:black-and-white", [*stages, detectors])


def hue_stages(*, width: float = 2.0, normalization: float | None = 0.2) -> list[Stage]:
    """Return the three stages from pixels to hues: blobs, hues sharpened, hues pooled.

    Parameters
    ----------
    width
        Standard deviation of a blob, in pixels.
    normalization
        As for `gabors`.
    """
    blobs = Stage(
        layer="conv2d0",
        units=[Label("hue blob", hue=hue) for hue in HUES],
        rules={("pixel", "hue blob"): pooled(width=width)},
        size=7,
        stride=2,
        pool=True,
        normalization=normalization,
    )
    hues = [Label("hue", hue=hue) for hue in HUES]
    sharpened = Stage(
        layer="conv2d1", units=hues, rules={("hue blob", "hue"): pooled(width=1.0)}, size=1
    )
    wider = Stage(
        layer="conv2d2", units=hues, rules={("hue", "hue"): pooled(width=2.0)}, size=3, pool=True
    )
    return [blobs, sharpened, wider]


def contrast() -> Stage:
    """Pool complex Gabors of all orientations: conv2d2, 3x3."""
    return Stage(
        layer="conv2d2",
        units=[Label("contrast")],
        rules={("complex gabor", "contrast"): pooled(width=4.0)},
        size=3,
        pool=True,
    )


def color_edges(*, orientations: int = ORIENTATIONS) -> Stage:
    """Detect a hue behind and its opposite ahead: mixed3a, 3x3."""
    kind = "color contrast"
    return Stage(
        layer="mixed3a",
        units=[label for hue in HALF_OF_HUES for label in around(kind, orientations, hue=hue)],
        rules={("hue", kind): sided(width=8.0, gain=-1.0)},
        size=3,
    )
