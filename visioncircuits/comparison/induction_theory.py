"""Theories: what the units of a layer are claimed to detect, as labels that rules can read."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from visioncircuits.comparison.induction_readings import READINGS, frequency_units, read
from visioncircuits.comparison.induction_rules import kind_of
from visioncircuits.errors import InputError
from visioncircuits.handwritten import labels
from visioncircuits.handwritten.labels import Label
from visioncircuits.hypotheses import PREDEFINED, find
from visioncircuits.networks import Network
from visioncircuits.tuning import circle_detectors


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
        return f"Theory({self.layer}: {', '.join(self._counts) or 'nothing'})"

    @property
    def summary(self) -> str:
        """How many units of which families, in words.

        Examples
        --------
        >>> Theory("mixed3a", {81: Label("curve", 45.0), 7: Label("line", 0.0, 180.0)}).summary
        '1 curve and 1 line units of mixed3a'
        """
        return f"{' and '.join(self._counts) or 'no'} units of {self.layer}"

    @property
    def _counts(self) -> list[str]:
        return [f"{len(self.of([kind]))} {kind}" for kind in sorted(self.kinds)]

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
    >>> theory_by_stimuli(load("high-low"), "conv2d2", ["high frequency", "low frequency"])
    Theory(conv2d2: 1 high frequency, 1 low frequency)
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
            return theory_of_table(
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


def theory_of_table(layer: str, kind: str, table: pd.DataFrame) -> Theory:
    """Make labels of a table that `find` returned.

    Examples
    --------
    >>> rows = pd.DataFrame({"unit": ["a:3"], "orientation": [15.0], "radius": [57.0]})
    >>> theory_of_table("a", "curve", rows).labels
    {3: Label(kind='curve', orientation=15.0, radius=57.0)}
    """
    reading = READINGS[kind]
    found = {}
    for row in table.to_dict("records"):
        angle = round(float(row["orientation"]), 1) if reading.period else None
        rest = {axis: round(float(row[axis]), 1) for axis in reading.axes}
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
    Label(kind='curve', orientation=90.0, radius=...)
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
