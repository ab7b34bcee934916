"""How families' labels are read off responses, and which stimuli their tuning is predicted for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from visioncircuits.handwritten.labels import LINE, Label
from visioncircuits.hypotheses import detectors
from visioncircuits.networks import Network
from visioncircuits.stimuli import (
    StimulusSet,
    circle,
    curve,
    diverging_lines,
    evolute,
    frequency_pattern,
)
from visioncircuits.tuning import measure, orientation_tuning

CROSSING = 40 / 5.5
"""Pixels: the wavelength at which the two factors of "High-Low Frequency Detectors" cross."""

SELECTIVE = 2.0
"""How many times as strongly a unit responds to the frequencies that it is labeled by."""


@dataclass(frozen=True)
class Reading:
    """How a family's label is read off responses.

    Attributes
    ----------
    stimuli
        Functions of the receptive field in pixels. A label is read off the first set; tuning is
        predicted for all.
    period
        Of the orientation; 0 where the family has none.
    column
        Of `orientation_tuning`: where the tuning curve peaks, or its mean.
    axes
        Of the stimuli, whose best values are attributes of the label.
    """

    stimuli: tuple[Callable[[float], StimulusSet], ...]
    period: float = 0.0
    column: str = "orientation"
    axes: tuple[str, ...] = ()


def _circles(scale: float) -> StimulusSet:
    radii = np.linspace(0.06, 0.45, 14) * scale
    return StimulusSet(circle, {"radius": radii.tolist()}, {"width": 3.0})


def _arcs(scale: float) -> StimulusSet:
    radii = [scale * part for part in (0.1, 0.15, 0.22, 0.3)]
    axes = {"orientation": range(0, 360, 30), "radius": radii}
    return StimulusSet(curve, axes, {"width": 3.0})


def _evolutes(scale: float) -> StimulusSet:
    radii = np.linspace(0.15, 0.9, 14) * scale
    return StimulusSet(evolute, {"radius": radii.tolist()}, {"width": 3.0})


def _divergences(scale: float) -> StimulusSet:
    axes = {"orientation": range(0, 360, 15), "spread": (30.0, 60.0, 90.0), "count": (2, 4)}
    return StimulusSet(diverging_lines, axes)


def _frequencies(scale: float) -> StimulusSet:
    # as published, on tiles of 40 px; octaves around the crossing, of what fits into the field
    cycles = [5.5 * 2**step for step in (-2, -1.5, -1, -0.5, 0.5, 1) if 5.5 * 2**step <= 12]
    axes = {"orientation": (0.0, 15.0, 30.0), "frequency": cycles}
    return StimulusSet(frequency_pattern, axes, {"tile": 40.0})


READINGS: Mapping[str, Reading] = {
    "curve": Reading((lambda s: detectors.curve_detector(s).stimuli,), 360.0, axes=("radius",)),
    "line": Reading((lambda s: detectors.line_detector(s).stimuli,), LINE),
    "high-low": Reading((lambda s: detectors.high_low_detector(s).stimuli,), 360.0, "mean"),
    "color-contrast": Reading(
        (lambda s: detectors.color_contrast_detector(s).stimuli,), 360.0, axes=("hue",)
    ),
    "color-center-surround": Reading(
        (lambda s: detectors.color_center_surround_detector(s).stimuli,), axes=("hue",)
    ),
    "line divergence": Reading((_divergences,), 360.0),
    "boundary": Reading((lambda s: detectors.line_detector(s).stimuli,), LINE),
    "circle": Reading((_circles, _arcs), axes=("radius",)),
    "evolute": Reading((_evolutes, _arcs), axes=("radius",)),
    "high frequency": Reading((_frequencies,)),
    "low frequency": Reading((_frequencies,)),
}
"""By kind."""


def read(network: Network, layer: str, kind: str, units: Sequence[int]) -> dict[int, Label]:
    """Measure what units of a family prefer; those that respond to nothing are left out.

    Examples
    --------
    >>> from visioncircuits.handwritten import load
    >>> read(load("lines"), "mixed3a", "line", [3])[3]
    Label(kind='line', orientation=45.0, period=180.0)
    """
    if not len(units):
        return {}
    reading = READINGS[kind]
    field = float(min(*network.layer(layer).receptive_field, network.size))
    names = [f"{layer}:{unit}" for unit in units]
    responses = measure(network, names, reading.stimuli[0](field)).clip(min=0)
    driven = responses.values.reshape(len(units), -1).max(1) > 0
    rest = {
        axis: responses[axis].values[
            responses.transpose("unit", axis, ...).values.reshape(len(units), -1, 1)
            .reshape(len(units), responses.sizes[axis], -1).mean(2).argmax(1)
        ]
        for axis in reading.axes
    }  # fmt: skip
    angles = orientation_tuning(responses)[reading.column].values if reading.period else None
    return {
        int(unit): Label(
            kind,
            None if angles is None else round(float(angles[place]), 1),
            reading.period or 360.0,
            **{axis: round(float(values[place]), 1) for axis, values in rest.items()},
        )
        for place, unit in enumerate(units)
        if driven[place]
    }


def frequency_units(network: Network, layer: str, kind: str) -> list[int]:
    """List the units that respond to high frequencies rather than to low ones, or to low ones.

    Examples
    --------
    >>> from visioncircuits.handwritten import load
    >>> frequency_units(load("high-low"), "conv2d2", "high frequency")
    [0]
    """
    field = float(min(*network.layer(layer).receptive_field, network.size))
    # the nearest neurons too, so that the pattern's phase matters less
    responses = measure(network, layer, _frequencies(field), reach=1).clip(min=0)
    means = responses.mean("orientation").transpose("unit", "frequency").values
    high = responses["frequency"].values > 40 / CROSSING
    above, below = means[:, high].max(1), means[:, ~high].max(1)
    if kind == "low frequency":
        above, below = below, above
    return np.flatnonzero((above > 0) & (above >= SELECTIVE * below)).tolist()


def tuning_sets(network: Network, layer: str, kind: str) -> list[StimulusSet]:
    """Return the stimuli that a family's tuning is measured with, scaled to a layer.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> [len(each) for each in tuning_sets(untrained("bvlc_googlenet"), "mixed4a", "circle")]
    [14, 48]
    """
    field = float(min(*network.layer(layer).receptive_field, network.size))
    return [make(field) for make in READINGS[kind].stimuli]
