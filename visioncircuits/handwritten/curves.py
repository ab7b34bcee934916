"""Curve detectors by formula, the "artificial artificial neural network", circles and evolutes.

Source: Cammarata et al., "Curve Circuits" (2021), whose handwritten network was described but not
released. From the description: Gabor filters 7x7, complex Gabors 1x1, lines 3x3, early curves and
lines 3x3, curves and lines 5x5, 24 orientations of curves; excitation of matching orientations and
inhibition of opposite ones. Our own: the formulas (`rules`), their parameters, the local response
normalization, as in InceptionV1, and color, which `hues` can remove.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from visioncircuits.handwritten import early_vision
from visioncircuits.handwritten.circuit import Stage, build
from visioncircuits.handwritten.contours import arc, inward_ring, opposing_arc, ring
from visioncircuits.handwritten.early_vision import longer_lines, merged
from visioncircuits.handwritten.labels import Label, around
from visioncircuits.handwritten.rules import along
from visioncircuits.networks.network import Network

ORIENTATIONS = 2 * early_vision.ORIENTATIONS


LEFT_OUT: Mapping[str, Mapping[str, Any]] = {
    "color": {"hues": early_vision.GRAY},
    "phase": {"phases": 1},
    "normalization": {"normalization": None},
    "inhibition of lines": {"line_inhibition": 0.0},
    "inhibition of curves": {"early_inhibition": 0.0, "inhibition": 0.0},
    "early curves": {"sources": ("line",)},
    "lines": {"sources": ("early curve",)},
    "lines and inhibition of curves": {
        "sources": ("early curve",),
        "early_inhibition": 0.0,
        "inhibition": 0.0,
    },
    "curvature": {"early_radius": None, "radius": None},
}
"""Parts of `curves` that can be left out to test their purpose: name to parameters."""


def curves(
    *,
    hues: Sequence[float | None] = early_vision.ALL_HUES,
    phases: int = 4,
    normalization: float | None = 0.2,
    line_inhibition: float = 1.5,
    early_radius: float | None = 60.0,
    early_inhibition: float = 0.8,
    radius: float | None = 60.0,
    inhibition: float = 0.8,
    threshold: float = 0.1,
    sources: Collection[str] = ("early curve", "line"),
) -> Network:
    """Build the curve detectors of mixed3b, with the four stages before them.

    Each parameter can be changed to test its purpose. The defaults were chosen by the curves'
    tuning and its similarity to that of trained detectors, on synthetic curves and on photographs;
    no weight was fitted to trained ones.

    Parameters
    ----------
    hues
        Of the Gabor filters; `(None,)` is grayscale, as published.
    phases
        Of the Gabor filters; with 1 the complex Gabors do not sum over phase.
    normalization
        Of contrast after conv2d0; `None` for none.
    line_inhibition
        Of lines by all orientations equally.
    early_radius, radius
        Of early curves (mixed3a) and of curves (mixed3b), in pixels; `None` is straight.
    early_inhibition, inhibition
        Of early curves and of curves, by sources along the opposing curve; with 0 all weights are
        positive, and curves echo at 180 degrees.
    threshold
        Of early curves and of curves.
    sources
        The sources of curves, of the two kinds in mixed3a.

    Returns
    -------
    Network
        Layers `conv2d0`, `conv2d1`, `conv2d2`, `mixed3a` and `mixed3b`, on the same grids as in
        InceptionV1; units 0 to 23 of mixed3b are the curves, in steps of 15 degrees.

    Examples
    --------
    >>> from visioncircuits.handwritten.circuit import labels
    >>> print(labels(curves(), "mixed3b")[18])
    curve 270°, radius 60 px
    """
    return build(
        "handwritten:curves",
        [
            early_vision.gabors(hues=hues, phases=phases, normalization=normalization),
            early_vision.complex_gabors(),
            early_vision.lines(inhibition=line_inhibition),
            merged(
                early_curves(radius=early_radius, inhibition=early_inhibition, threshold=threshold),
                replace(longer_lines("mixed3a", size=3), threshold=threshold),
            ),
            merged(
                curve_detectors(
                    radius=radius, inhibition=inhibition, threshold=threshold, sources=sources
                ),
                replace(longer_lines("mixed3b", size=5), threshold=threshold),
            ),
        ],
    )


def early_curves(
    *, radius: float | None = 60.0, inhibition: float = 0.8, threshold: float = 0.1
) -> Stage:
    """Build curves from lines: mixed3a, 3x3. Parameters as for `curves`."""
    follow = along(arc, against=opposing_arc, spread=4.0, tolerance=10.0, inhibition=inhibition)
    return Stage(
        layer="mixed3a",
        units=around("early curve", ORIENTATIONS, radius=radius),
        rules={("line", "early curve"): follow},
        size=3,
        threshold=threshold,
    )


def curve_detectors(
    *,
    radius: float | None = 60.0,
    inhibition: float = 0.8,
    threshold: float = 0.1,
    sources: Collection[str] = ("early curve", "line"),
) -> Stage:
    """Build curves from early curves and lines: mixed3b, 5x5. Parameters as for `curves`."""
    follow = along(arc, against=opposing_arc, spread=5.0, tolerance=20.0, inhibition=inhibition)
    return Stage(
        layer="mixed3b",
        units=around("curve", ORIENTATIONS, radius=radius),
        rules={(source, "curve"): follow for source in sources},
        size=5,
        threshold=threshold,
    )


def circles() -> Network:
    """Build circle detectors of three radii: mixed4a, curves that face outwards along a ring.

    Examples
    --------
    >>> from visioncircuits.handwritten.circuit import labels
    >>> print(labels(circles(), "mixed4a")[0])
    circle, radius 24 px
    """
    follow = along(ring, against=inward_ring, spread=6.0, tolerance=20.0, inhibition=0.8)
    return build(
        "handwritten:circles",
        [
            *small_curve_stages(),
            Stage(
                layer="mixed4a",
                units=[Label("circle", radius=radius) for radius in (24.0, 32.0, 40.0)],
                rules={("curve", "circle"): follow},
                size=5,
            ),
        ],
    )


def evolutes() -> Network:
    """Build evolute detectors of three radii: mixed4a, curves that face inwards along a ring.

    A label's radius is the distance of the curves' apexes from the center.

    Examples
    --------
    >>> evolutes().layer("mixed4a").stride
    (16, 16)
    """
    follow = along(inward_ring, against=ring, spread=6.0, tolerance=20.0, inhibition=0.8)
    return build(
        "handwritten:evolutes",
        [
            *small_curve_stages(),
            Stage(
                layer="mixed4a",
                units=[Label("evolute", radius=radius) for radius in (16.0, 24.0, 32.0)],
                rules={("curve", "evolute"): follow},
                size=5,
            ),
        ],
    )


def small_curve_stages() -> list[Stage]:
    """Return the stages from pixels to curves small enough for circles, and a pool."""
    return [
        early_vision.gabors(),
        early_vision.complex_gabors(),
        early_vision.lines(),
        early_curves(radius=40.0),
        replace(curve_detectors(radius=30.0, sources=("early curve",)), pool=True),
    ]
