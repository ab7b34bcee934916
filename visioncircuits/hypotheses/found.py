"""The result of `find`: a table of the units that pass, with why the others do not."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from visioncircuits.hypotheses.verdicts import LEVEL, Verdict, verdict_table

NEAREST = 5
"""Near misses that are shown."""


class Found(pd.DataFrame):  # type: ignore[misc,unused-ignore]
    """A pandas table of the units that a hypothesis is supported for, with the verdicts on all.

    A notebook shows the table, how many units pass each prediction, and the nearest misses. What
    pandas makes of it, such as a selection or a sorted copy, is a plain table.

    Parameters
    ----------
    verdicts
        From `judge_all`.

    Attributes
    ----------
    verdicts
        The same, of the features that do not pass as well.

    Examples
    --------
    >>> from visioncircuits.hypotheses import Hypothesis, Prediction, effects, find
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> claim = Prediction("responds to one direction of an edge", effects.echo, most=0.1)
    >>> edges = Hypothesis("edge", named("edges"), (claim,))
    >>> found = find(untrained("bvlc_googlenet"), ["conv2d0:0", "conv2d0:5"], edges)
    >>> found.summary
    '1 of 2 units supported as edge detectors, 0 undecided, 1 refuted'
    >>> found.nearest(1)[0].reasons
    ('responds to one direction of an edge: 0.593, not ≤ 0.1',)
    """

    _metadata = ["verdicts"]  # noqa: RUF012, as pandas asks
    verdicts: tuple[Verdict, ...]

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        supported = [verdict for verdict in verdicts if verdict.status == "supported"]
        super().__init__(verdict_table(supported).drop(columns="why"))
        self.verdicts = tuple(verdicts)

    @property
    def summary(self) -> str:
        """How many units have which status."""
        if not self.verdicts:
            return "no units"
        count = Counter(verdict.status for verdict in self.verdicts)
        return (
            f"{count['supported']} of {len(self.verdicts)} units supported as "
            f"{self.verdicts[0].hypothesis.name} detectors, {count['undecided']} undecided, "
            f"{count['refuted']} refuted"
        )

    def passed(self) -> pd.DataFrame:
        """Count how many units pass each prediction, and p.

        Returns
        -------
        pandas.DataFrame
            A row a prediction, those on photographs where these were given, and one of p: its
            `bound`; how many units it `holds` for, is `open` or `fails` for; and for how many
            everything holds but `only this`. Photographs are read for units that stimuli support.

        Examples
        --------
        >>> from visioncircuits.hypotheses import Hypothesis, Prediction, effects, find
        >>> from visioncircuits.networks import untrained
        >>> from visioncircuits.stimuli import named
        >>> claim = Prediction("responds to one direction of an edge", effects.echo, most=0.1)
        >>> edges = Hypothesis("edge", named("edges"), (claim,))
        >>> passed = find(untrained("bvlc_googlenet"), "conv2d0", edges).passed()
        >>> passed[["bound", "holds", "fails"]].values.tolist()
        [['≤ 0.1', 53, 11], ['≤ 0.05', 61, 3]]
        """
        rows: list[dict[str, Any]] = []
        for place, first in enumerate(self.verdicts[0].outcomes if self.verdicts else ()):
            outcomes = [verdict.outcomes[place] for verdict in self.verdicts]
            status = Counter(outcome.status for outcome in outcomes)
            alone = sum(
                verdict.missed == (outcome,)
                for verdict, outcome in zip(self.verdicts, outcomes, strict=True)
            )
            stated = first.prediction
            rows.append(
                {
                    "prediction": stated.claim,
                    "bound": stated.bounds,
                    **{word: status[word] for word in ("holds", "open", "fails")},
                    "only this": alone,
                }
            )
        seen = any(verdict.photographs for verdict in self.verdicts)
        for stated in self.verdicts[0].hypothesis.on_photographs.predictions if seen else ():
            status = Counter(
                outcome.status
                for verdict in self.verdicts
                for outcome in verdict.photographs
                if outcome.prediction == stated
            )
            doubts = [[outcome.prediction for outcome in v.doubts] for v in self.verdicts]
            rows.append(
                {
                    "prediction": stated.claim,
                    "bound": stated.bounds,
                    **{word: status[word] for word in ("holds", "open", "fails")},
                    "only this": doubts.count([stated]),
                }
            )
        by_chance = [verdict.by_chance for verdict in self.verdicts]
        rows.append(
            {
                "prediction": "p, against shuffled units, corrected",
                "bound": f"≤ {LEVEL}",
                "holds": len(by_chance) - sum(by_chance),
                "open": 0,
                "fails": sum(by_chance),
                "only this": sum(
                    chance and not verdict.missed
                    for verdict, chance in zip(self.verdicts, by_chance, strict=True)
                ),
            }
        )
        return pd.DataFrame(rows).set_index("prediction")

    def nearest(self, count: int = NEAREST) -> list[Verdict]:
        """Return the nearest misses: units that miss the fewest predictions, and by the least."""
        misses = [verdict for verdict in self.verdicts if verdict.status != "supported"]

        def distance(verdict: Verdict) -> tuple[int, float, float]:
            return (
                len(verdict.missed) + len(verdict.doubts),
                -min(outcome.margin for outcome in verdict.outcomes),
                verdict.p,
            )

        return sorted(misses, key=distance)[:count]

    def _nearest(self) -> pd.DataFrame:
        nearest = ((verdict.unit, verdict.status, verdict) for verdict in self.nearest())
        rows = [(unit, status, "; ".join(verdict.reasons)) for unit, status, verdict in nearest]
        return pd.DataFrame(rows, columns=["nearest miss", "verdict", "why"])

    def __repr__(self) -> str:
        shown = [self.summary] if self.empty else [self.summary, super().__repr__()]
        if self.empty and self.verdicts:
            shown += [self.passed().to_string(), *map(repr, self.nearest())]
        return "\n".join(shown)

    def _repr_html_(self) -> str:
        table = (
            ""
            if self.empty
            else pd.DataFrame(self).to_html(max_rows=60, float_format="{:.3g}".format)
        )
        if not self.verdicts:
            return f"<p>{self.summary}</p>"
        parts = "".join(
            part.to_html(index=False, justify="left")
            for part in (self.passed().reset_index(), self._nearest())
        )
        opened = " open" if self.empty else ""
        return (
            f"<p>{self.summary}</p>{table}<details{opened}><summary>How many pass each prediction, "
            f"and the nearest misses</summary>{parts}</details>"
        )
