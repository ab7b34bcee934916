"""The families that the Circuits thread described, as hypotheses.

All lengths are in proportion to what a neuron of the layer sees, so that one description serves
every layer and network.
"""

import inspect
from collections.abc import Callable, Mapping

from visioncircuits.errors import InputError, unknown
from visioncircuits.hypotheses import effects
from visioncircuits.hypotheses.hypothesis import Hypothesis, Prediction
from visioncircuits.networks import Network
from visioncircuits.stimuli import (
    StimulusSet,
    brightness_gradient,
    checkerboard,
    circle,
    color_center_surround,
    color_contrast,
    curve,
    dots,
    edge,
    frequency_pattern,
    hatch,
    high_low,
    line,
    noise,
    sinusoidal_grating,
    square_grating,
)

_AROUND, _HALF_AROUND, _HUES = range(0, 360, 15), range(0, 180, 15), range(0, 360, 30)
_STROKE = 1.67
_ON_BLACK: Mapping[str, object] = {"ink": "white", "ground": "black"}
_RED, _CYAN = "#bf2020", "#20bfbf"
_GREEN, _VIOLET = "#80bf20", "#8020bf"


def curve_detector(scale: float, *, orientation: float | None = None) -> Hypothesis:
    """A detector of curves of one orientation: "Curve Detectors" (Cammarata et al., 2020).

    Parameters
    ----------
    scale
        How many pixels a neuron sees. Radii run from an eighth of it to three times it.
    orientation
        From the centre of curvature to the apex, in degrees, if it is to be tested too.
    """
    # The published sheet's steps; none is quite straight, for then it would have no direction.
    tight, *medium, straight = (scale * 0.125 * 2.245**step for step in range(5))
    turned, filled = {"width": 2.0 * _STROKE}, {"width": 0.0, "fill": 1.0}
    shift = scale / 45
    return Hypothesis(
        "curve",
        StimulusSet(
            curve,
            {"orientation": _AROUND, "radius": (tight, *medium, straight)},
            {"width": _STROKE},
        ),
        (
            *_at(orientation),
            Prediction("answers one orientation only", effects.elsewhere, most=0.4,
                       options={"beyond": 60.0}),
            Prediction("falls below a tenth of its peak at 180 degrees from it", effects.echo,
                       most=0.1),
            Prediction("prefers curves to straight lines", effects.preference, least=1.25,
                       options={"axis": "radius", "among": (medium[0], medium[-1]),
                                "over": (straight, straight)}),
            Prediction("prefers them to tighter bends", effects.preference, least=1.0,
                       options={"axis": "radius", "among": (medium[0], medium[-1]),
                                "over": (tight, tight)}),
            Prediction("answers alike to thick, filled, inverted, colored and shifted curves",
                       effects.agreement, least=0.8),
            Prediction("no other stimulus of the same contrast drives it two thirds as far",
                       effects.controls, most=2 / 3),
        ),
        (
            {}, turned, _ON_BLACK, filled, {**filled, **_ON_BLACK},
            {"ground": "gray"}, {"ink": _RED, "ground": _CYAN},
            {**filled, "ink": _RED, "ground": _CYAN}, {**filled, "ink": _VIOLET, "ground": _GREEN},
            {"x": shift}, {"y": shift}, {**turned, "x": -shift, "y": -shift},
        ),
        {**_lines(scale), **_edges(), **_textures(scale), **_circles(scale)},
        least_field=15,
    )  # fmt: skip


def line_detector(scale: float, *, orientation: float | None = None) -> Hypothesis:
    """A detector of lines of one orientation: "An Overview of Early Vision" (Olah et al., 2020).

    Parameters
    ----------
    scale
        How many pixels a neuron sees.
    orientation
        In degrees in [0, 180), if it is to be tested too.
    """
    shift = scale / 60
    return Hypothesis(
        "line",
        StimulusSet(
            line,
            {
                "orientation": [7.5 * step for step in range(24)],
                "width": (_STROKE, 2 * _STROKE),
            },
        ),
        (
            *_at(orientation),
            Prediction("answers one orientation only", effects.elsewhere, most=0.4,
                       options={"beyond": 30.0}),
            Prediction("answers alike to inverted, colored and shifted lines",
                       effects.agreement, least=0.8),
            Prediction("no edge drives it a quarter further", effects.controls, most=1.25,
                       options={"names": ("edges",)}),
            Prediction("prefers it to tight curves", effects.controls, most=2 / 3,
                       options={"names": ("tight curves",)}),
            Prediction("no texture and no circle of the same contrast drives it as far",
                       effects.controls, most=1.0,
                       options={"names": ("checkerboards", "dots", "noise", "circles")}),
        ),
        (
            {}, _ON_BLACK, {"ink": _RED, "ground": _CYAN}, {"ink": _CYAN, "ground": _RED},
            {"x": shift}, {"y": shift},
        ),
        {
            **_edges(),
            **_some(_textures(scale), "checkerboards", "dots", "noise"),
            **_circles(scale),
            "tight curves": StimulusSet(
                curve,
                {"orientation": _AROUND, "radius": (scale * 0.1, scale * 0.2)},
                {"length": scale * 0.3, "width": _STROKE},
            ),
        },
        least_field=7,
    )  # fmt: skip


def high_low_detector(scale: float, *, orientation: float | None = None) -> Hypothesis:
    """A detector of boundaries between a low and a high frequency (Schubert et al., 2021).

    Parameters
    ----------
    scale
        How many pixels a neuron sees.
    orientation
        Towards the high frequency, in degrees, if it is to be tested too.
    """
    tiles, shift = (0.93 * scale, 1.2 * scale), scale / 20
    return Hypothesis(
        "high-low",
        StimulusSet(high_low, {"orientation": _AROUND, "ratio": (1, 2, 4, 8)}, {"tile": scale}),
        (
            *_at(orientation),
            Prediction("answers one half of all orientations", effects.elsewhere, most=0.4,
                       options={"beyond": 90.0}),
            Prediction("falls below a tenth of its peak at 180 degrees from it", effects.echo,
                       most=0.1),
            Prediction("prefers two frequencies to one", effects.preference, least=2.0,
                       options={"axis": "ratio", "among": (2, 8), "over": (1, 1)}),
            Prediction("answers alike to patterns of other phases and sizes", effects.agreement,
                       least=0.8),
            Prediction("no edge, line or texture of one kind drives it two thirds as far",
                       effects.controls, most=2 / 3),
        ),
        (
            *({"phase": phase, "tile": tile} for phase in (0.0, 90.0, 180.0) for tile in tiles),
            {"x": shift}, {"phase": 90.0, "y": shift},
        ),
        {
            **_lines(scale), **_edges(), **_textures(scale), **_color_edges(),
            "one frequency": StimulusSet(
                frequency_pattern,
                {"orientation": range(0, 45, 15), "frequency": (1, 2, 3, 4, 6, 8, 12)},
                {"tile": scale},
            ),
        },
        least_field=50,
    )  # fmt: skip


def color_contrast_detector(scale: float) -> Hypothesis:
    """A detector of two hues side by side ("An Overview of Early Vision").

    Parameters
    ----------
    scale
        How many pixels a neuron sees.
    """
    shift = scale / 45
    return Hypothesis(
        "color-contrast",
        # opposite hues, which half a turn of the boundary exchanges
        StimulusSet(color_contrast, {"orientation": _AROUND, "hue": range(0, 180, 30)}),
        (
            Prediction(
                "prefers one of them on one side", effects.echo, most=0.5
            ),
            Prediction("prefers one pair of hues", effects.elsewhere, most=0.75,
                       options={"beyond": 45.0, "axis": "hue"}),
            Prediction("no black and white edge, line or texture drives it two thirds as far",
                       effects.controls, most=2 / 3, options={"names": tuple(_ACHROMATIC)}),
            Prediction("no even color drives it a tenth as far", effects.controls, most=0.1,
                       options={"names": ("even colors",)}),
            Prediction("is driven as far as the layer's typical unit, or nearly", effects.standing,
                       least=0.75),
            Prediction("answers alike to weaker and shifted contrasts", effects.agreement,
                       least=0.8, options={"axis": "hue"}),
        ),
        ({}, {"chroma": 0.6}, {"x": shift}, {"y": shift}),
        {**_lines(scale), **_edges(), **_textures(scale), **_even_colors()},
        least_field=5,
    )  # fmt: skip


def color_center_surround_detector(scale: float, *, hue: float | None = None) -> Hypothesis:
    """A detector of a spot of one hue on another ("An Overview of Early Vision").

    Parameters
    ----------
    scale
        How many pixels a neuron sees.
    hue
        Of the spot, in degrees, if it is to be tested too.
    """
    shift = scale / 60
    at = () if hue is None else (
        Prediction(f"prefers a spot of hue {hue:g} ± 30", effects.off, most=30.0,
                   options={"angle": hue, "axis": "hue"}),
    )  # fmt: skip
    return Hypothesis(
        "color-center-surround",
        StimulusSet(
            color_center_surround,
            {"hue": _HUES, "radius": tuple(scale * part for part in (0.08, 0.14, 0.22))},
        ),
        (
            *at,
            Prediction("prefers one hue to its opposite", effects.echo, most=0.25,
                       options={"axis": "hue"}),
            Prediction("no boundary between two hues drives it two thirds as far",
                       effects.controls, most=2 / 3, options={"names": ("color contrast",)}),
            Prediction("no even color drives it two thirds as far", effects.controls, most=2 / 3,
                       options={"names": ("even colors",)}),
            Prediction("nothing black and white drives it two thirds as far", effects.controls,
                       most=2 / 3, options={"names": (*_ACHROMATIC, "circles")}),
            Prediction("answers alike to paler and shifted spots", effects.agreement, least=0.8,
                       options={"axis": "hue"}),
        ),
        ({}, {"chroma": 0.6}, {"x": shift}, {"y": shift}),
        {
            **_lines(scale), **_edges(), **_textures(scale), **_circles(scale), **_even_colors(),
            **_color_edges(),
        },
        least_field=15,
    )  # fmt: skip


def brightness_gradient_detector(scale: float, *, orientation: float | None = None) -> Hypothesis:
    """A detector of brightness that changes slowly in one direction.

    Parameters
    ----------
    scale
        How many pixels a neuron sees.
    orientation
        Of the gradient, in degrees, if it is to be tested too.
    """
    shift, sharp = scale / 20, max(scale * 0.05, 1.0)
    return Hypothesis(
        "brightness-gradient",
        StimulusSet(
            brightness_gradient,
            {"orientation": _AROUND, "extent": (sharp, scale * 0.5, scale, scale * 2)},
        ),
        (
            *_at(orientation),
            Prediction("answers one half of all orientations", effects.elsewhere, most=0.4,
                       options={"beyond": 90.0}),
            Prediction("falls below a quarter of its peak at 180 degrees from it", effects.echo,
                       most=0.25),
            Prediction("prefers gradual changes to sharp ones", effects.preference, least=1.0,
                       options={"axis": "extent", "among": (scale * 0.5, scale * 2),
                                "over": (sharp, sharp)}),
            Prediction("answers alike to darker and shifted gradients", effects.agreement,
                       least=0.8),
            Prediction("no edge, line or texture drives it further", effects.controls, most=1.0),
        ),
        ({}, {"ink": "#202020", "ground": "#a0a0a0"}, {"x": shift}, {"y": shift}),
        {**_lines(scale), **_edges(), **_textures(scale)},
        least_field=15,
    )  # fmt: skip


PREDEFINED: Mapping[str, Callable[..., Hypothesis]] = {
    "curve": curve_detector,
    "line": line_detector,
    "high-low": high_low_detector,
    "color-contrast": color_contrast_detector,
    "color-center-surround": color_center_surround_detector,
    "brightness-gradient": brightness_gradient_detector,
}
"""By name; each takes how many pixels a neuron sees."""


def predefined(
    name: str, network: Network, layer: str, *, orientation: float | None = None
) -> Hypothesis:
    """The hypothesis of a name, made to measure for a layer.

    Parameters
    ----------
    name
        A key of `PREDEFINED`, in the singular or plural.
    network, layer
        Where it is to be tested.
    orientation
        In degrees, if it is to be tested too.

    Raises
    ------
    InputError
        For an unknown name or layer, a layer that sees too little for the stimuli, or an
        orientation of what has none.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> len(predefined("curves", untrained("bvlc_googlenet"), "mixed3b"))
    2222
    """
    singular = name.removesuffix("s")
    if singular not in PREDEFINED:
        raise unknown("hypothesis", name, PREDEFINED)
    seen = network.layer(layer).receptive_field
    scale = min(*seen, network.size)
    if scale < 5:
        raise InputError(f"a neuron of {layer} sees {scale} px; choose a deeper layer")
    make = PREDEFINED[singular]
    if orientation is None:
        hypothesis = make(float(scale))
    elif "orientation" in inspect.signature(make).parameters:
        hypothesis = make(float(scale), orientation=orientation)
    else:
        raise InputError(f"{singular} detectors have no orientation to test; leave it out")
    check_field(hypothesis, network, layer)
    return hypothesis


def check_field(hypothesis: Hypothesis, network: Network, layer: str) -> None:
    """Refuse a layer that comes too early for a hypothesis' stimuli.

    Raises
    ------
    InputError
        Where its neurons see less than the hypothesis needs.
    """
    seen = min(network.layer(layer).receptive_field)
    if seen < hypothesis.least_field:
        enough = [
            other.name
            for other in network.layers.values()
            if min(other.receptive_field) >= hypothesis.least_field and len(other.shape) == 2
        ]
        raise InputError(
            f"{layer} is too early for {hypothesis.name} detectors: its neurons see {seen} px, and "
            f"they need {hypothesis.least_field}; "
            + (f"begin with {enough[0]}" if enough else "this network has no layer that does")
        )


def _at(orientation: float | None) -> tuple[Prediction, ...]:
    if orientation is None:
        return ()
    return (
        Prediction(
            f"peaks at {orientation:g} ± 15 degrees",
            effects.off,
            most=15.0,
            options={"angle": orientation},
        ),
    )


def _some(sets: Mapping[str, StimulusSet], *names: str) -> dict[str, StimulusSet]:
    return {name: sets[name] for name in names}


def _lines(scale: float) -> dict[str, StimulusSet]:
    widths = [width for width in (_STROKE, 4, 8) if width < scale]
    axes = {"orientation": _HALF_AROUND, "width": widths}
    return {
        "lines": StimulusSet(line, axes),
        "white lines": StimulusSet(line, axes, _ON_BLACK),
    }


def _edges() -> dict[str, StimulusSet]:
    return {"edges": StimulusSet(edge, {"orientation": _AROUND})}


def _circles(scale: float) -> dict[str, StimulusSet]:
    axes = {"radius": tuple(scale * part for part in (0.05, 0.1, 0.2, 0.3, 0.38)), "fill": (0, 1)}
    return {
        "circles": StimulusSet(circle, axes),
        "white circles": StimulusSet(circle, axes, _ON_BLACK),
    }


def _textures(scale: float) -> dict[str, StimulusSet]:
    periods = [max(scale * part, 4.0) for part in (0.05, 0.08, 0.12, 0.2, 0.35)]
    periods = sorted(set(periods))
    coarse = periods[1:] or periods
    waves = {"orientation": _HALF_AROUND, "period": periods, "phase": range(0, 360, 90)}
    return {
        "sinusoidal gratings": StimulusSet(sinusoidal_grating, waves),
        "square gratings": StimulusSet(square_grating, waves),
        "checkerboards": StimulusSet(
            checkerboard, {"orientation": range(0, 90, 15), "cell": periods}
        ),
        "hatches": StimulusSet(
            hatch, {"orientation": _HALF_AROUND, "between": (45, 90), "period": coarse}
        ),
        "dots": StimulusSet(dots, {"orientation": (0, 22.5, 45), "period": coarse},
                            {"radius": 1.0}),
        "noise": StimulusSet(noise, {"seed": range(24), "longest": (12, 24)}),
    }  # fmt: skip


_ACHROMATIC = ("lines", "white lines", "edges", *_textures(60.0))


def _color_edges() -> dict[str, StimulusSet]:
    return {"color contrast": StimulusSet(color_contrast, {"orientation": _AROUND, "hue": _HUES})}


def _even_colors() -> dict[str, StimulusSet]:
    return {"even colors": StimulusSet(color_contrast, {"hue": _HUES}, {"apart": 0.0})}
