"""The detectors that the Circuits thread described, as hypotheses.

All lengths are in proportion to `scale`, the receptive field in pixels, so that one description
serves every layer and network. Six descriptions, each a table of stimuli and bounds, make some 310
lines.

On photographs the best stimulus is to drive a detector half as many standard deviations as it
drives the weakest known one, rounded down: of the ten curve detectors in published heat maps that
one reaches 16.4 ("Curve Detectors"); no others are published, and the weakest handwritten line
detector reaches 4.4, high-low frequency detector 11.7, over 34 photographs. The bounds follow from
these units alone. For other families there is none.
"""

from visioncircuits.hypotheses import controls, effects
from visioncircuits.hypotheses.controls import AROUND, HUES, STROKE, WHITE_ON_BLACK
from visioncircuits.hypotheses.hypothesis import Hypothesis, OrientationBy
from visioncircuits.hypotheses.on_photographs import OnPhotographs
from visioncircuits.hypotheses.prediction import Prediction
from visioncircuits.stimuli import (
    StimulusSet,
    brightness_gradient,
    color_center_surround,
    color_contrast,
    curve,
    frequency_pattern,
    high_low,
    line,
)

_RED, _CYAN = "#bf2020", "#20bfbf"
_GREEN, _VIOLET = "#80bf20", "#8020bf"


def curve_detector(scale: float, *, orientation: float | None = None) -> Hypothesis:
    """A detector of curves of one orientation: "Curve Detectors" (Cammarata et al., 2020).

    Parameters
    ----------
    scale
        The receptive field, in pixels. Radii run from an eighth of it to three times it.
    orientation
        From the center of curvature to the apex, in degrees, to be tested too if given.
    """
    # The published sheet's steps; the last is not quite straight, so that it has a direction.
    tight, *medium, straight = (scale * 0.125 * 2.245**step for step in range(5))
    thick, filled = {"width": 2.0 * STROKE}, {"width": 0.0, "fill": 1.0}
    shift = scale / 45
    return Hypothesis(
        "curve",
        StimulusSet(
            curve,
            {"orientation": AROUND, "radius": (tight, *medium, straight)},
            {"width": STROKE},
        ),
        (
            *_at(orientation),
            Prediction("responds to one orientation only", effects.off_peak, most=0.4,
                       options={"beyond": 60.0}),
            Prediction("falls below a tenth of its peak at 180 degrees from it", effects.echo,
                       most=0.1),
            Prediction("prefers curves to straight lines", effects.preference, least=1.25,
                       options={"axis": "radius", "among": (medium[0], medium[-1]),
                                "over": (straight, straight)}),
            Prediction("prefers them to tighter bends", effects.preference, least=1.0,
                       options={"axis": "radius", "among": (medium[0], medium[-1]),
                                "over": (tight, tight)}),
            Prediction("is tuned alike to thick, filled, inverted, colored and shifted curves",
                       effects.invariance, least=0.8),
            Prediction("no other stimulus of the same contrast drives it two thirds as strongly",
                       effects.controls, most=2 / 3),
        ),
        (
            {}, thick, WHITE_ON_BLACK, filled, {**filled, **WHITE_ON_BLACK},
            {"ground": "gray"}, {"ink": _RED, "ground": _CYAN},
            {**filled, "ink": _RED, "ground": _CYAN}, {**filled, "ink": _VIOLET, "ground": _GREEN},
            {"x": shift}, {"y": shift}, {**thick, "x": -shift, "y": -shift},
        ),
        {**controls.achromatic(scale), **controls.circles(scale)},
        least_field=15,
        on_photographs=OnPhotographs(deviations=8, reader="curves"),
    )  # fmt: skip


def line_detector(scale: float, *, orientation: float | None = None) -> Hypothesis:
    """A detector of lines of one orientation: "An Overview of Early Vision" (Olah et al., 2020).

    Parameters
    ----------
    scale
        The receptive field, in pixels.
    orientation
        In degrees in [0, 180), to be tested too if given.
    """
    shift, textures = scale / 60, controls.textures(scale)
    return Hypothesis(
        "line",
        StimulusSet(
            line,
            {
                "orientation": [7.5 * step for step in range(24)],
                "width": (STROKE, 2 * STROKE),
            },
        ),
        (
            *_at(orientation),
            Prediction("responds to one orientation only", effects.off_peak, most=0.4,
                       options={"beyond": 30.0}),
            Prediction("is tuned alike to inverted, colored and shifted lines",
                       effects.invariance, least=0.8),
            Prediction("no edge drives it a quarter more strongly", effects.controls, most=1.25,
                       options={"names": ("edges",)}),
            Prediction("prefers it to tight curves", effects.controls, most=2 / 3,
                       options={"names": ("tight curves",)}),
            Prediction("no texture and no circle of the same contrast drives it as strongly",
                       effects.controls, most=1.0,
                       options={"names": ("checkerboards", "dots", "noise", "circles")}),
        ),
        (
            {}, WHITE_ON_BLACK, {"ink": _RED, "ground": _CYAN}, {"ink": _CYAN, "ground": _RED},
            {"x": shift}, {"y": shift},
        ),
        {
            **controls.edges(),
            **{name: textures[name] for name in ("checkerboards", "dots", "noise")},
            **controls.circles(scale),
            "tight curves": StimulusSet(
                curve,
                {"orientation": AROUND, "radius": (scale * 0.1, scale * 0.2)},
                {"length": scale * 0.3, "width": STROKE},
            ),
        },
        least_field=7,
        on_photographs=OnPhotographs(deviations=2),
    )  # fmt: skip


def high_low_detector(scale: float, *, orientation: float | None = None) -> Hypothesis:
    """A detector of boundaries between a low and a high frequency (Schubert et al., 2021).

    Parameters
    ----------
    scale
        The receptive field, in pixels.
    orientation
        Towards the high frequency, in degrees, to be tested too if given. It is read by the mean
        vector, as in the article: half of all directions drive a unit about as strongly as its
        peak, which therefore lies anywhere among them.
    """
    tiles, shift = (0.93 * scale, 1.2 * scale), scale / 20
    return Hypothesis(
        "high-low",
        StimulusSet(high_low, {"orientation": AROUND, "ratio": (1, 2, 4, 8)}, {"tile": scale}),
        (
            *_at(orientation, by="mean"),
            Prediction("responds to one half of all orientations", effects.off_peak, most=0.4,
                       options={"beyond": 90.0}),
            Prediction("falls below a tenth of its peak at 180 degrees from it", effects.echo,
                       most=0.1),
            Prediction("prefers two frequencies to one", effects.preference, least=2.0,
                       options={"axis": "ratio", "among": (2, 8), "over": (1, 1)}),
            Prediction("is tuned alike to patterns of other phases and sizes", effects.invariance,
                       least=0.8),
            Prediction("no edge, line or texture of one kind drives it two thirds as strongly",
                       effects.controls, most=2 / 3),
        ),
        (
            *({"phase": phase, "tile": tile} for phase in (0.0, 90.0, 180.0) for tile in tiles),
            {"x": shift}, {"phase": 90.0, "y": shift},
        ),
        {
            **controls.achromatic(scale), **controls.color_edges(),
            "one frequency": StimulusSet(
                frequency_pattern,
                {"orientation": range(0, 45, 15), "frequency": (1, 2, 3, 4, 6, 8, 12)},
                {"tile": scale},
            ),
        },
        least_field=50,
        orientation_by="mean",
        on_photographs=OnPhotographs(deviations=5),
    )  # fmt: skip


def color_contrast_detector(scale: float) -> Hypothesis:
    """A detector of two hues side by side ("An Overview of Early Vision").

    Parameters
    ----------
    scale
        The receptive field, in pixels.
    """
    shift = scale / 45
    return Hypothesis(
        "color-contrast",
        # opposite hues, which half a turn of the boundary exchanges
        StimulusSet(color_contrast, {"orientation": AROUND, "hue": range(0, 180, 30)}),
        (
            Prediction("prefers one of them on one side", effects.echo, most=0.5),
            Prediction("prefers one pair of hues", effects.off_peak, most=0.75,
                       options={"beyond": 45.0, "axis": "hue"}),
            Prediction("no black and white edge, line or texture drives it two thirds as strongly",
                       effects.controls, most=2 / 3, options={"names": controls.ACHROMATIC}),
            Prediction("no even color drives it a tenth as strongly", effects.controls, most=0.1,
                       options={"names": ("even colors",)}),
            Prediction("responds about as strongly as the layer's typical unit",
                       effects.relative_strength, least=0.75),
            Prediction("is tuned alike to weaker and shifted contrasts", effects.invariance,
                       least=0.8, options={"axis": "hue"}),
        ),
        ({}, {"chroma": 0.6}, {"x": shift}, {"y": shift}),
        {**controls.achromatic(scale), **controls.even_colors()},
        least_field=5,
    )  # fmt: skip


def color_center_surround_detector(scale: float, *, hue: float | None = None) -> Hypothesis:
    """A detector of a spot of one hue on another ("An Overview of Early Vision").

    Parameters
    ----------
    scale
        The receptive field, in pixels.
    hue
        Of the spot, in degrees, to be tested too if given.
    """
    shift = scale / 60
    at = () if hue is None else (
        Prediction(f"prefers a spot of hue {hue:g} ± 30", effects.peak_distance, most=30.0,
                   options={"angle": hue, "axis": "hue"}),
    )  # fmt: skip
    return Hypothesis(
        "color-center-surround",
        StimulusSet(
            color_center_surround,
            {"hue": HUES, "radius": tuple(scale * part for part in (0.08, 0.14, 0.22))},
        ),
        (
            *at,
            Prediction("prefers one hue to its opposite", effects.echo, most=0.25,
                       options={"axis": "hue"}),
            Prediction("no boundary between two hues drives it two thirds as strongly",
                       effects.controls, most=2 / 3, options={"names": ("color contrast",)}),
            Prediction("no even color drives it two thirds as strongly", effects.controls,
                       most=2 / 3, options={"names": ("even colors",)}),
            Prediction("nothing black and white drives it two thirds as strongly", effects.controls,
                       most=2 / 3, options={"names": (*controls.ACHROMATIC, "circles")}),
            Prediction("is tuned alike to paler and shifted spots", effects.invariance, least=0.8,
                       options={"axis": "hue"}),
        ),
        ({}, {"chroma": 0.6}, {"x": shift}, {"y": shift}),
        {
            **controls.achromatic(scale), **controls.circles(scale), **controls.even_colors(),
            **controls.color_edges(),
        },
        least_field=15,
    )  # fmt: skip


def brightness_gradient_detector(scale: float, *, orientation: float | None = None) -> Hypothesis:
    """A detector of brightness that changes slowly in one direction.

    Parameters
    ----------
    scale
        The receptive field, in pixels.
    orientation
        Of the gradient, in degrees, to be tested too if given.
    """
    shift, sharp = scale / 20, max(scale * 0.05, 1.0)
    return Hypothesis(
        "brightness-gradient",
        StimulusSet(
            brightness_gradient,
            {"orientation": AROUND, "extent": (sharp, scale * 0.5, scale, scale * 2)},
        ),
        (
            *_at(orientation),
            Prediction("responds to one half of all orientations", effects.off_peak, most=0.4,
                       options={"beyond": 90.0}),
            Prediction("falls below a quarter of its peak at 180 degrees from it", effects.echo,
                       most=0.25),
            Prediction("prefers gradual changes to sharp ones", effects.preference, least=1.0,
                       options={"axis": "extent", "among": (scale * 0.5, scale * 2),
                                "over": (sharp, sharp)}),
            Prediction("is tuned alike to darker and shifted gradients", effects.invariance,
                       least=0.8),
            Prediction("no edge, line or texture drives it more strongly", effects.controls,
                       most=1.0),
        ),
        ({}, {"ink": "#202020", "ground": "#a0a0a0"}, {"x": shift}, {"y": shift}),
        {**controls.achromatic(scale)},
        least_field=15,
    )  # fmt: skip


def _at(orientation: float | None, *, by: OrientationBy = "peak") -> tuple[Prediction, ...]:
    if orientation is None:
        return ()
    claim, effect = {
        "peak": ("peaks at", effects.peak_distance),
        "mean": ("its mean direction is", effects.mean_distance),
    }[by]
    return (
        Prediction(
            f"{claim} {orientation:g} ± 15 degrees",
            effect,
            most=15.0,
            options={"angle": orientation},
        ),
    )
