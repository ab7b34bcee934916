"""Theories: what the units of a layer are claimed to detect, as labels that rules can read."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from visioncircuits.comparison.induction_rules import DERIVATIONS, kind_of
from visioncircuits.errors import InputError
from visioncircuits.handwritten import labels
from visioncircuits.handwritten.labels import LINE, Label
from visioncircuits.hypotheses import PREDEFINED, detectors, find
from visioncircuits.networks import Network
from visioncircuits.stimuli import (
    StimulusSet,
    circle,
    curve,
    diverging_lines,
    evolute,
    frequency_pattern,
)
from visioncircuits.tuning import circle_detectors, measure, orientation_tuning

CROSSING = 40 / 5.5
"""Pixels: the wavelength at which the two factors of "High-Low Frequency Detectors" cross."""

SELECTIVE = 2.0
"""How many times as strongly a unit responds to the frequencies that it is labeled by."""


@dataclass(frozen=True)
class Theory:
    """What units of a layer are claimed to detect.

    Attributes
    ----------
    layer
        Its name.
    labels
        By the unit's number; units without a claim have none.

    Examples
    --------
    >>> Theory("mixed3a", {81: Label("curve", 45.0), 7: Label("line", 0.0, 180.0)})
    Theory(mixed3a: 1 curve, 1 line)
    """

    layer: str
    labels: Mapping[int, Label]

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(self.of([kind]))} {kind}" for kind in sorted(self.kinds))
        return f"Theory({self.layer}: {counts or 'nothing'})"

    @property
    def kinds(self) -> set[str]:
        """The families, by the names that rules know them by."""
        return {kind_of(label) for label in self.labels.values()}

    def of(self, kinds: Collection[str]) -> dict[int, Label]:
        """Return the labels of some families."""
        return {unit: label for unit, label in self.labels.items() if kind_of(label) in kinds}

    def joined(self, other: "Theory") -> "Theory":
        """Add the labels of another theory to units that have none here."""
        return replace(self, labels={**other.labels, **self.labels})


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

_FREQUENCIES = "high frequency", "low frequency"


def theory_by_stimuli(
    network: Network,
    layer: str,
    kinds: Collection[str] | None = None,
    *,
    seed: int = 0,
    progress: bool = False,
) -> Theory:
    """Find the families of a layer by stimuli, each unit with what it prefers.

    Curves, lines, high-low frequency and color detectors are those that `hypotheses.find` supports,
    circles those of `tuning.circle_detectors`; units of high and of low frequency respond to
    patterns beyond the published crossing at least twice as strongly as to those below, or the
    other way round. A unit of several families is labeled as the first of these.

    Parameters
    ----------
    network, layer
        Whose units.
    kinds
        Which families; by default all that a rule knows. Others have no test and are left out.
    seed
        As for `find`.
    progress
        Whether to show bars.

    Raises
    ------
    InputError
        For an unknown layer, and one without positions.

    Examples
    --------
    >>> from visioncircuits.handwritten import load
    >>> theory_by_stimuli(load("high-low"), "conv2d1", ["high frequency", "low frequency"])
    Theory(conv2d1: 12 high frequency, 12 low frequency)
    """
    network.layer(layer)
    wanted = [kind for kind in READINGS if kinds is None or kind in kinds]
    theory = Theory(layer, {})
    for kind in wanted:
        theory = theory.joined(_found(network, layer, kind, seed=seed, progress=progress))
    return theory


def _found(network: Network, layer: str, kind: str, *, seed: int, progress: bool) -> Theory:
    if kind in PREDEFINED:
        try:
            return labels_of_table(
                layer, kind, find(network, layer, kind, seed=seed, progress=progress)
            )
        except InputError:  # its neurons see too little for the stimuli
            return Theory(layer, {})
    units: Sequence[int] = ()  # of line divergence, evolutes and boundaries there is no test
    if kind in _FREQUENCIES:
        units = frequency_units(network, layer, kind)
    elif kind == "circle":
        units = np.flatnonzero(circle_detectors(network, layer)["detector"]).tolist()
    return Theory(layer, read(network, layer, kind, units))


def labels_of_table(layer: str, kind: str, table: pd.DataFrame) -> Theory:
    """Make labels of a table that `find` returned.

    Examples
    --------
    >>> rows = pd.DataFrame({"unit": ["a:3"], "orientation": [15.0], "radius": [57.0]})
    >>> labels_of_table("a", "curve", rows).labels
    {3: Label(kind='curve', orientation=15.0, radius=57.0)}
    """
    reading = READINGS[kind]
    found = {}
    for row in table.to_dict("records"):
        angle = float(row["orientation"]) if reading.period else None
        rest = {axis: float(row[axis]) for axis in reading.axes}
        unit = int(str(row["unit"]).rpartition(":")[2])
        found[unit] = Label(kind, angle, reading.period or 360.0, **rest)
    return Theory(layer, found)


def theory_by_families(
    network: Network, layer: str, families: Mapping[str, Sequence[int]]
) -> Theory:
    """Take a taxonomy's families as a theory; what each unit prefers is measured.

    Families that no rule knows are left out, and so are units that respond to none of their
    family's stimuli.

    Parameters
    ----------
    families
        Units by family: a taxonomy's `layers[layer]`, of this very network.

    Raises
    ------
    InputError
        For units that the layer does not have, and where a rule knows none of the families.

    Examples
    --------
    >>> from visioncircuits.handwritten import load
    >>> theory_by_families(load("curves"), "mixed3b", {"Curves": [0, 6], "Fur": [1]}).labels[6]
    Label(kind='curve', orientation=90.0..., radius=...)
    """
    total = network.layer(layer).units
    found: dict[int, Label] = {}
    known = {name: units for name, units in families.items() if kind_of(name) in READINGS}
    if not known:
        listed = ", ".join(READINGS)
        raise InputError(f"no rule knows the families of {layer}; known are {listed}")
    for name, units in known.items():
        if not set(units) <= set(range(total)):
            raise InputError(
                f"the family {name} has unit {max(units)}, and {layer} of {network.name} units 0 "
                f"to {total - 1}: a taxonomy is of one network"
            )
        found = {**read(network, layer, kind_of(name), units), **found}
    return Theory(layer, found)


def theory_by_design(network: Network, layer: str) -> Theory:
    """Return what the units of a handwritten network were designed to detect.

    Raises
    ------
    InputError
        For a network that is not handwritten, or an unknown layer.

    Examples
    --------
    >>> from visioncircuits.handwritten import load
    >>> theory_by_design(load("curves"), "mixed3a")
    Theory(mixed3a: 24 curve, 12 line)
    """
    return Theory(layer, dict(enumerate(labels(network, layer))))


def read(network: Network, layer: str, kind: str, units: Sequence[int]) -> dict[int, Label]:
    """Measure what units of a family prefer; those that respond to nothing are left out.

    Examples
    --------
    >>> from visioncircuits.handwritten import load
    >>> read(load("lines"), "mixed3a", "line", [3])[3]
    Label(kind='line', orientation=45.0..., period=180.0)
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
            None if angles is None else float(angles[place]),
            reading.period or 360.0,
            **{axis: float(values[place]) for axis, values in rest.items()},
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


def known_sources(kinds: Collection[str]) -> set[str]:
    """Return the families that rules derive these from.

    Examples
    --------
    >>> sorted(known_sources(["curve", "fur"]))
    ['curve', 'line']
    """
    return {source for kind in kinds if kind in DERIVATIONS for source in DERIVATIONS[kind].gains}
