"""Controls of the predefined hypotheses: lines, edges, circles, textures and color.

Sizes are in proportion to `scale`, the receptive field in pixels.
"""

from collections.abc import Mapping

from visioncircuits.stimuli import (
    StimulusSet,
    checkerboard,
    circle,
    color_contrast,
    dots,
    edge,
    hatch,
    line,
    noise,
    sinusoidal_grating,
    square_grating,
)

AROUND, HALF_AROUND, HUES = range(0, 360, 15), range(0, 180, 15), range(0, 360, 30)
STROKE = 1.67
WHITE_ON_BLACK: Mapping[str, object] = {"ink": "white", "ground": "black"}


def lines(scale: float) -> dict[str, StimulusSet]:
    """Black lines of up to three widths, and white ones."""
    widths = [width for width in (STROKE, 4, 8) if width < scale]
    axes = {"orientation": HALF_AROUND, "width": widths}
    return {
        "lines": StimulusSet(line, axes),
        "white lines": StimulusSet(line, axes, WHITE_ON_BLACK),
    }


def edges() -> dict[str, StimulusSet]:
    """Edges of every orientation."""
    return {"edges": StimulusSet(edge, {"orientation": AROUND})}


def circles(scale: float) -> dict[str, StimulusSet]:
    """Black circles and disks of five radii, and white ones."""
    axes = {"radius": tuple(scale * part for part in (0.05, 0.1, 0.2, 0.3, 0.38)), "fill": (0, 1)}
    return {
        "circles": StimulusSet(circle, axes),
        "white circles": StimulusSet(circle, axes, WHITE_ON_BLACK),
    }


def textures(scale: float) -> dict[str, StimulusSet]:
    """Gratings, checkerboards, hatches and dots of up to five periods, and noise."""
    periods = [max(scale * part, 4.0) for part in (0.05, 0.08, 0.12, 0.2, 0.35)]
    periods = sorted(set(periods))
    coarse = periods[1:] or periods
    waves = {"orientation": HALF_AROUND, "period": periods, "phase": range(0, 360, 90)}
    return {
        "sinusoidal gratings": StimulusSet(sinusoidal_grating, waves),
        "square gratings": StimulusSet(square_grating, waves),
        "checkerboards": StimulusSet(
            checkerboard, {"orientation": range(0, 90, 15), "cell": periods}
        ),
        "hatches": StimulusSet(
            hatch, {"orientation": HALF_AROUND, "between": (45, 90), "period": coarse}
        ),
        "dots": StimulusSet(dots, {"orientation": (0, 22.5, 45), "period": coarse},
                            {"radius": 1.0}),
        "noise": StimulusSet(noise, {"seed": range(24), "longest": (12, 24)}),
    }  # fmt: skip


def achromatic(scale: float) -> dict[str, StimulusSet]:
    """Lines, edges and textures, all in black and white."""
    return {**lines(scale), **edges(), **textures(scale)}


ACHROMATIC = tuple(achromatic(60.0))
"""The names of `achromatic`, the same for every scale."""


def color_edges() -> dict[str, StimulusSet]:
    """Boundaries between two opposite hues."""
    return {"color contrast": StimulusSet(color_contrast, {"orientation": AROUND, "hue": HUES})}


def even_colors() -> dict[str, StimulusSet]:
    """Pictures of one hue."""
    return {"even colors": StimulusSet(color_contrast, {"hue": HUES}, {"apart": 0.0})}
