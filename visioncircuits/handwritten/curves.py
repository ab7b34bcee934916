"""Curve detectors by formula, the artificial artificial neural network, and what they make up.

Source: Cammarata et al., "Curve Circuits" (2021), whose handwritten network was described and not
released. Kept of the description: Gabor filters 7x7, complex Gabors 1x1, lines 3x3, early curves
and lines 3x3, curves and lines 5x5, 24 orientations of curves; excitation where orientations agree
and inhibition where they oppose. Not described, and ours: the formulas (`rules`), their parameters,
the local response normalization, which InceptionV1 has too, and colour, which `hues` leaves out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from visioncircuits.handwritten import parts
from visioncircuits.handwritten.circuit import Stage, build
from visioncircuits.handwritten.labels import Label, around
from visioncircuits.handwritten.parts import beside, longer_lines
from visioncircuits.handwritten.rules import along, arc, inward_ring, opposing_arc, ring
from visioncircuits.networks.network import Network

ORIENTATIONS = 2 * parts.ORIENTATIONS


LEFT_OUT: Mapping[str, Mapping[str, Any]] = {
    "colour": {"hues": parts.GRAY},
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
"""What `curves` can do without, to find out what it is good for: name to parameters."""


def curves(
    *,
    hues: Sequence[float | None] = parts.ALL_HUES,
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
    """Write the curve detectors of mixed3b, and the four stages that lead to them.

    Each parameter can be changed to ask what it is good for. The defaults were chosen by the
    curves' own tuning and by its likeness to that of trained detectors, on synthetic curves and on
    photographs; no weight was fitted to trained ones.

    Parameters
    ----------
    hues
        Of the Gabor filters; `(None,)` is grayscale, as published.
    phases
        Of the Gabor filters; 1 leaves out that complex Gabors sum over phase.
    normalization
        Of contrast after conv2d0; `None` leaves it out.
    line_inhibition
        Of lines by all orientations alike.
    early_radius, radius
        Of early curves (mixed3a) and of curves (mixed3b), in pixels; `None` is straight.
    early_inhibition, inhibition
        Of early curves and of curves, by what follows the opposing curve; 0 leaves only positive
        weights, and curves echo at 180 degrees.
    threshold
        Of early curves and of curves.
    sources
        What curves are made of, of the two kinds in mixed3a.

    Returns
    -------
    Network
        Layers `conv2d0`, `conv2d1`, `conv2d2`, `mixed3a` and `mixed3b`, on the grids that they have
        in InceptionV1; in mixed3b units 0 to 23 are the curves, at 15 degrees a unit.

    Examples
    --------
    >>> from visioncircuits.handwritten.circuit import labels
    >>> print(labels(curves(), "mixed3b")[18])
    curve 270°, radius 60 px
    """
    return build(
        "handwritten:curves",
        [
            parts.gabors(hues=hues, phases=phases, normalization=normalization),
            parts.complex_gabors(),
            parts.lines(inhibition=line_inhibition),
            beside(
                early_curves(radius=early_radius, inhibition=early_inhibition, threshold=threshold),
                replace(longer_lines("mixed3a", size=3), threshold=threshold),
            ),
            beside(
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
    """Write curves of lines: mixed3a, 3x3. Parameters as for `curves`."""
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
    """Write curves of early curves and lines: mixed3b, 5x5. Parameters as for `curves`."""
    follow = along(arc, against=opposing_arc, spread=5.0, tolerance=20.0, inhibition=inhibition)
    return Stage(
        layer="mixed3b",
        units=around("curve", ORIENTATIONS, radius=radius),
        rules={(source, "curve"): follow for source in sources},
        size=5,
        threshold=threshold,
    )


def circles() -> Network:
    """Write circle detectors of three radii: mixed4a, curves that face outwards along a ring.

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
    """Write evolute detectors of three radii: mixed4a, curves that face inwards along a ring.

    A label's radius is the distance of the curves' apexes from the centre.

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
    """Give the stages from pixels to curves small enough to make up a circle, and a pool."""
    return [
        parts.gabors(),
        parts.complex_gabors(),
        parts.lines(),
        early_curves(radius=40.0),
        replace(curve_detectors(radius=30.0, sources=("early curve",)), pool=True),
    ]
