"""The result of `new_features`: a table with a column a gate, and why atoms fail."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from visioncircuits import files
from visioncircuits.networks import Direction

GATES = ("no unit", "recurs", "hypothesis", "acts")
"""In their order; a new feature passes all."""

_SHOWN = 20
"""Rows that are shown of a long table."""


@dataclass(frozen=True, eq=False)
class NewFeatures:
    """Which atoms of a dictionary are new features, and why the others are not.

    Made by `new_features`. A notebook shows the table, the new features and the nearest misses
    first.

    Attributes
    ----------
    layer, method
        The dictionary's.
    hypothesis
        What was tested.
    table
        A row an atom, by its name. Of each gate the number that decides, and whether it passes:
        `unit cosine` and `no unit`; `recurrence` and `recurs`; `verdict`, `p` (corrected, against
        shuffled units), `untrained q` (corrected, against untrained atoms) and `hypothesis`;
        `effect`, `control` (of random directions), their `ratio`, `effect q` and `acts`, which are
        measured of atoms that pass the other gates, and else missing. `why` has the gates that it
        fails.
    thresholds
        Of the gates.
    by_chance
        How many atoms of an untrained dictionary, of as many, fit the hypothesis' predictions: a
        mean over draws.
    directions
        The new features, which every tool takes.
    record
        How it was made.

    Examples
    --------
    >>> table = pd.DataFrame({"no unit": [True], "recurs": [False], "hypothesis": [True],
    ...                       "acts": [False], "why": ["recurs in no second seed"]}, ["atom 0"])
    >>> found = NewFeatures("mixed3b", "TopK", "curve", table, {}, 0.5, (), {})
    >>> found.summary.split(":")[0]
    '0 of 1 atoms of TopK in mixed3b are new features as curve detectors'
    """

    layer: str
    method: str
    hypothesis: str
    table: pd.DataFrame
    thresholds: Mapping[str, float]
    by_chance: float
    directions: tuple[Direction, ...]
    record: Mapping[str, Any]

    def __len__(self) -> int:
        """Count the atoms that pass all gates."""
        return len(self.directions)

    @property
    def summary(self) -> str:
        """One sentence: how many atoms pass all gates, and each."""
        passed = {gate: int(self.table[gate].sum()) for gate in GATES}
        one = {gate: count == 1 for gate, count in passed.items()}
        tested = int((self.table[list(GATES[:3])].sum(axis=1) == 3).sum())
        reached = self.record.get("dictionary", {}).get("convergence", {}).get("converged", True)
        doubt = (
            "" if reached else "; the dictionary HAS NOT CONVERGED, and its atoms may still move"
        )
        return (
            f"{len(self)} of {len(self.table)} atoms of {self.method} in {self.layer} "
            f"{'is a new feature' if len(self) == 1 else 'are new features'} as "
            f"{self.hypothesis} detectors: {passed['no unit']} "
            f"{'is no unit' if one['no unit'] else 'are no units'}, {passed['recurs']} "
            f"{'recurs' if one['recurs'] else 'recur'} in the second seed, {passed['hypothesis']} "
            f"{'passes' if one['hypothesis'] else 'pass'} the hypothesis (of untrained atoms "
            f"{self.by_chance:.3g} fit it), and of {tested} that pass these {passed['acts']} "
            f"{'changes' if one['acts'] else 'change'} the network more than random directions do"
            f"{doubt}"
        )

    def nearest(self) -> pd.DataFrame:
        """Return the table, atoms that pass the most gates first."""
        return self.table.assign(passed=self.table[list(GATES)].sum(axis=1)).sort_values(
            "passed", ascending=False, kind="stable"
        )

    def __repr__(self) -> str:
        shown = self.nearest()[:_SHOWN].to_string(float_format="{:.3g}".format, na_rep="")
        return f"{self.summary}\n{shown}"

    def _repr_html_(self) -> str:
        shown = self.nearest()[:_SHOWN].to_html(border=0, float_format="{:.3g}".format, na_rep="")
        return f"<p><b>{self.summary}</b></p>{shown}"

    def save(self, path: str | Path) -> Path:
        """Write as JSON: the summary, the thresholds, a row an atom, and the new features' records.

        Raises
        ------
        InputError
            For a name that does not end in `.json`, or a file that cannot be written.
        """
        rows = self.table.astype(object).where(self.table.notna(), None)
        content = {
            "summary": self.summary,
            "layer": self.layer,
            "method": self.method,
            "hypothesis": self.hypothesis,
            "thresholds": dict(self.thresholds),
            "by_chance": self.by_chance,
            "atoms": rows.reset_index(names="atom").to_dict("records"),
            "new_features": [direction.record() for direction in self.directions],
            "record": dict(self.record),
        }
        return files.write_json(path, content, indent=1)
