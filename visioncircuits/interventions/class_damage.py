"""What each class loses under an intervention, beyond what it loses under controls."""

import json
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import false_discovery_control

from visioncircuits import errors
from visioncircuits.errors import InputError
from visioncircuits.figures import Figure
from visioncircuits.interventions.intervals import beyond, welch
from visioncircuits.labeled import LabeledTable

Measure = Literal["cross_entropy", "logit"]

MANY = 10
"""Photographs of every class from which on its own photographs measure what it loses."""

_COLUMNS = ("effect", "low", "high", "p", "q", "photographs")


class ClassDamage(LabeledTable):  # type: ignore[no-untyped-call]
    """What each class loses, by `label`: its name, so that `.sel(label="tabby")` works.

    `effect` is the loss under the intervention less the mean loss under the control draws: positive
    where a class suffers more. `low` to `high` is its 95 % interval, `p` tests that the
    intervention is one more control draw, and `q` is p corrected for all the classes (Benjamini and
    Hochberg, 1995). `photographs` counts those it was measured on; `draws` is each control draw's
    loss, by `draw`, less their mean. A notebook shows the `class_panel` above the values.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.datasets import photographs
    >>> from visioncircuits.interventions import ablate, damage_by_class
    >>> from visioncircuits.networks import untrained
    >>> pictures = photographs(torch.rand(2, 3, 64, 64), labels=[281, 207])
    >>> found = damage_by_class(ablate(untrained("bvlc_googlenet"), "mixed5a:7", pictures))
    >>> list(found.summary()), len(found.summary())
    (['effect', 'low', 'high', 'p', 'q', 'photographs'], 1000)
    >>> float(found["q"].sel(label="tabby")) <= 1
    True
    """

    __slots__ = ()
    contents = "damage by class"
    dimensions = ("label",)

    def summary(self) -> pd.DataFrame:
        """Return a row a class, the one that suffers most first."""
        table: pd.DataFrame = self[list(_COLUMNS)].to_dataframe()[list(_COLUMNS)]
        return table.sort_values("effect", ascending=False)

    def _picture(self) -> Figure | None:
        from visioncircuits.interventions.class_panel import class_panel

        if not {*_COLUMNS, "draws"} <= {*self} or "measure" not in self.attrs:
            return None
        whole = self["draws"].dims == ("label", "draw") and self.sizes["label"] > 0
        return class_panel(self) if whole else None


def damage_by_class(
    scores: xr.Dataset,
    condition: str | None = None,
    *,
    measure: Measure | None = None,
    controls: Sequence[str] | None = None,
) -> ClassDamage:
    """Compute what each class loses under an intervention, beyond what it loses under controls.

    With many photographs a class, a class's loss is the rise in cross-entropy on these. With few,
    it is the fall of the class's logit over all photographs, each logit less the mean of all
    classes', which a softmax ignores.

    The interval holds two uncertainties: of the photographs, whose differences are paired, and of
    the controls, whose draws are as many other units as the ones in question, of the same branches
    and with firing rates near theirs (`control_units`). The variance among draws is estimated for
    each class, and shrunk to what classes have in common, as in Smyth, "Linear models and empirical
    Bayes methods" (2004). Draws move classes together, so that one unlucky set of draws misleads
    about many: more draws make narrower intervals and safer ones. Draws from a small branch share
    units, and then differ less than they should.

    Parameters
    ----------
    scores
        As `score`, `ablate` and `score_transplant` return them.
    condition
        The intervention; by default the only one that is neither "original" nor a control.
    measure
        What a class loses: the rise in `"cross_entropy"` on its own photographs, in nats, or the
        fall of its `"logit"` on all photographs. By default `"cross_entropy"` where every class
        of the photographs has 10 or more, otherwise `"logit"`.
    controls
        Conditions that are control draws, 2 or more; by default all that begin with "control".
        With none, `effect` is what is lost against the original network.

    Returns
    -------
    ClassDamage
        By `label`, in the network's order; `summary()` sorts them.

    Raises
    ------
    InputError
        For an unknown condition, several to choose from, a single control draw, or a class with
        one photograph where its own are measured.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.datasets import photographs
    >>> from visioncircuits.interventions import ablate
    >>> from visioncircuits.networks import untrained
    >>> pictures = photographs(torch.rand(4, 3, 64, 64), labels=[281, 281, 207, 207])
    >>> scores = ablate(untrained("bvlc_googlenet"), "mixed5a:7", pictures, controls=5)
    >>> own = damage_by_class(scores, measure="cross_entropy")
    >>> own["label"].values.tolist(), own["photographs"].values.tolist()
    (['golden retriever', 'tabby'], [2, 2])
    """
    changed, drawn = _conditions(scores, condition, controls)
    own = scores["class"].to_series().value_counts() if "class" in scores.coords else None
    chosen = measure or ("logit" if own is None or own.min() < MANY else "cross_entropy")
    if chosen == "logit":
        labels = scores["label"].values
        values = scores["logit"].sel(condition=["original", changed, *drawn]).values.astype(float)
        values -= values.mean(2, keepdims=True)
        parts = [values[0] - values[1:]]
    elif chosen == "cross_entropy":
        if own is None:
            raise InputError(
                "the photographs have no classes; pass labels, or measure='logit' for each class's "
                "logit on all photographs"
            )
        if own.min() < 2:
            raise InputError(
                f"{own.idxmin()!r} has one photograph, on which nothing varies; pass 2 or more a "
                "class, or measure='logit' for each class's logit on all photographs"
            )
        labels = np.array([label for label in scores["label"].values if label in own.index])
        values = scores["cross_entropy"].sel(condition=["original", changed, *drawn]).values
        rise = (values[1:] - values[0])[..., None]
        parts = [rise[:, scores["class"].values == label] for label in labels]
    else:
        raise errors.unknown("measure", chosen, ["cross_entropy", "logit"])
    effect, variance, draws = (
        np.concatenate(found, -1) for found in zip(*map(beyond, parts), strict=True)
    )
    counts = np.repeat([part.shape[1] for part in parts], [part.shape[2] for part in parts])
    low, high, p = welch(effect, variance / counts, counts - 1, draws)
    record = json.loads(scores.attrs["record"]) if "record" in scores.attrs else {}
    record |= {"condition": changed, "measure": chosen, "controls": drawn}
    columns = (effect, low, high, p, false_discovery_control(p), counts)
    return ClassDamage(
        {name: ("label", column) for name, column in zip(_COLUMNS, columns, strict=True)}
        | {"draws": (("label", "draw"), draws.T)},
        coords={"label": labels, "draw": drawn},
        attrs={
            "condition": changed,
            "measure": chosen,
            "record": json.dumps(record, sort_keys=True),
        },
    )


def _conditions(
    scores: xr.Dataset, condition: str | None, controls: Sequence[str] | None
) -> tuple[str, list[str]]:
    """Choose the intervention and its controls."""
    known = [str(name) for name in scores["condition"].values]
    drawn = (
        [name for name in known if name.startswith("control")]
        if controls is None
        else list(controls)
    )
    others = [name for name in known if name not in ("original", *drawn)]
    if condition is None and len(others) != 1:
        raise InputError(
            f"there are {len(others)} interventions beside the controls; pass the condition, "
            f"{' or '.join(map(repr, others))}"
            if others
            else "there is no intervention beside the controls; name one in the scores"
        )
    chosen = others[0] if condition is None else condition
    for name in ("original", chosen, *drawn):
        if name not in known:
            raise errors.unknown("condition", name, known)
    if chosen == "original" or chosen in drawn:
        raise InputError(f"{chosen!r} cannot be compared with itself; choose another condition")
    if len(drawn) == 1:
        raise InputError(
            "one control draw does not show how much draws differ; score with 2 or more "
            "(controls=3), or pass controls=[] to compare with the original network"
        )
    return chosen, drawn
