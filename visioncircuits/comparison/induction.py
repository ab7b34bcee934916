"""Proof by induction: does a layer follow from the theory of the one before it?

"Show that for each neuron, if one takes the theories of every neuron in the previous layer as
given, the resulting computation by the weights produces the next hypothesized feature" (Olah et
al., "Zoom In", 2020, on how a circuit could be proven). What a rule predicts from labels alone is
compared with the trained weights, and run on the earlier layer's real responses.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from visioncircuits import __version__
from visioncircuits.comparison.induction_chance import middle
from visioncircuits.comparison.induction_readings import READINGS
from visioncircuits.comparison.induction_rules import DERIVATIONS, derived_from, kind_of
from visioncircuits.comparison.induction_setting import Setting
from visioncircuits.comparison.induction_step import SOURCES, TUNING, WEIGHTS, InductionStep
from visioncircuits.comparison.induction_theory import Theory, theory_by_stimuli
from visioncircuits.errors import InputError
from visioncircuits.handwritten.labels import Label
from visioncircuits.networks import Network
from visioncircuits.numbers import whole
from visioncircuits.progress import bar

DRAWS = 400


@dataclass(frozen=True, eq=False)
class Induction:
    """How much of a layer follows from the theory of an earlier one.

    A notebook shows the `induction_panel`.

    Attributes
    ----------
    layer, source
        The later layer and the earlier one.
    units
        How many units the later layer has.
    steps
        Of the units that have a label: those that follow first, then by the weights' correlation.
    made_by
        How it was computed, as plain data: version, network, seed, draws.

    Examples
    --------
    >>> from visioncircuits.handwritten import Label
    >>> step = InductionStep("b:7", Label("circle", radius=9.0), "follows", explained=0.5)
    >>> found = Induction("b", "a", 10, (step,))
    >>> found.follows, found.explained
    (0.1, 0.05)
    """

    layer: str
    source: str
    units: int
    steps: tuple[InductionStep, ...]
    made_by: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Induction({self.summary})"

    def _repr_png_(self) -> bytes:
        from visioncircuits.comparison.induction_panel import induction_panel

        return induction_panel(self)._repr_png_()

    @property
    def tested(self) -> tuple[InductionStep, ...]:
        """The steps that could be tested."""
        return tuple(step for step in self.steps if step.verdict != "cannot be tested")

    @property
    def following(self) -> tuple[InductionStep, ...]:
        """The steps that follow."""
        return tuple(step for step in self.steps if step.verdict == "follows")

    @property
    def follows(self) -> float:
        """The share of the layer's units that follow."""
        return len(self.following) / self.units

    @property
    def explained(self) -> float:
        """The share of the squared weight into a unit that the theory accounts for.

        It is averaged over all units of the layer, and 0 for those that were not tested.
        """
        return sum(step.explained for step in self.steps) / self.units

    @property
    def explained_by_chance(self) -> tuple[float, float]:
        """The middle 95 % of the same, with labels exchanged."""
        drawn = [step.by_chance for step in self.steps if step.by_chance is not None]
        if not drawn:
            return 0.0, 0.0
        return middle(np.sum(drawn, axis=0) / self.units)

    @property
    def summary(self) -> str:
        """The layer's numbers, in one sentence."""
        count = Counter(step.verdict for step in self.steps)
        low, high = self.explained_by_chance
        return (
            f"{self.source} → {self.layer}: {count['follows']} of {self.units} units follow, "
            f"{count['partly']} partly, {count['does not follow']} do not, "
            f"{self.units - len(self.tested)} cannot be tested; {self.explained:.2%} of the "
            f"squared weight, {low:.2%} to {high:.2%} with labels exchanged"
        )

    def record(self) -> dict[str, Any]:
        """Return the layer's numbers and a row a unit, as JSON can hold them."""
        low, high = self.explained_by_chance
        return {
            "layer": self.layer,
            "source": self.source,
            "units": self.units,
            "tested": len(self.tested),
            "following": [step.unit for step in self.following],
            "explained": self.explained,
            "explained_by_chance": [low, high],
            "thresholds": {"weights": WEIGHTS, "tuning": TUNING},
            "made_by": self.made_by,
            "steps": [step.record() for step in self.steps],
        }

    def table(self) -> pd.DataFrame:
        """List the units with a label, one a row: verdict, correlations, and what chance gives.

        Returns
        -------
        pandas.DataFrame
            Of chance, the upper ends of the intervals.
        """
        return pd.DataFrame([step.row() for step in self.steps])


def induct(
    network: Network,
    layer: str,
    theory: Theory,
    *,
    later: Theory | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    progress: bool = False,
) -> Induction:
    """Predict units' weights and tuning from what earlier units are claimed to detect.

    A rule of the later unit's family (`DERIVATIONS`) makes a kernel for every labeled earlier unit
    of the labels of the two alone. These kernels are correlated with the expanded weights, and run
    on the earlier units' real responses to the stimuli of the later unit's family. Chance is the
    same with labels exchanged within families, and with other units; and rules of other families.

    Parameters
    ----------
    network
        Any network.
    layer
        The later layer.
    theory
        What units of an earlier layer detect: see `theory_by_stimuli`, `theory_by_families`,
        `theory_by_design`.
    later
        What units of the later layer are claimed to detect; by default found by stimuli.
    draws
        Of either kind of chance.
    seed
        Of the draws.
    progress
        Whether to show bars.

    Raises
    ------
    InputError
        As `expanded_weights`; where no rule derives anything from the theory's families, where no
        unit of the later layer has a label, and for labels of other layers or of units that a layer
        does not have.

    Examples
    --------
    >>> from visioncircuits.comparison import theory_by_design
    >>> from visioncircuits.handwritten import load
    >>> network = load("high-low")
    >>> early, late = (theory_by_design(network, layer) for layer in ("conv2d1", "mixed3a"))
    >>> found = induct(network, "mixed3a", early, later=late, draws=50)
    >>> found.follows
    1.0
    """
    whole("draws", draws, least=2)
    _check(network, theory, theory.layer)
    possible = derived_from(theory.kinds)
    if not possible:
        listed = ", ".join(sorted(theory.kinds)) or "nothing"
        raise InputError(
            f"no rule derives a later family from those of {theory.layer} ({listed}); known are "
            + "; ".join(f"{kind} from {', '.join(d.gains)}" for kind, d in DERIVATIONS.items())
        )
    if later is None:
        later = theory_by_stimuli(network, layer, possible, seed=seed, progress=progress)
    if not later.labels:
        raise InputError(
            f"no unit of {layer} is found to detect {', '.join(possible)}, which rules derive from "
            f"{', '.join(sorted(theory.kinds))}; give labels of your own, or another layer"
        )
    _check(network, later, layer)
    steps: list[InductionStep] = []
    groups: dict[str, dict[int, Label]] = {}
    for unit, label in later.labels.items():
        reason = _untestable(theory, kind_of(label))
        if reason:
            steps.append(InductionStep(f"{layer}:{unit}", label, "cannot be tested", reason))
        else:
            groups.setdefault(kind_of(label), {})[unit] = label
    with bar("units", sum(map(len, groups.values())), visible=progress) as advance:
        for kind, labels in groups.items():
            setting = Setting.of(network, layer, theory, kind, list(labels))
            for at, (unit, label) in enumerate(labels.items()):
                rng = np.random.default_rng([seed, unit])
                steps.append(setting.step(at, f"{layer}:{unit}", label, rng, draws))
                advance(1)
    order = ["follows", "partly", "does not follow", "cannot be tested"]
    steps.sort(key=lambda s: (order.index(s.verdict), -(s.weights.found if s.weights else 0)))
    made_by = {
        "visioncircuits": __version__,
        "network": network.record(),
        "draws": draws,
        "seed": seed,
    }
    return Induction(layer, theory.layer, network.layer(layer).units, tuple(steps), made_by)


def _check(network: Network, theory: Theory, layer: str) -> None:
    units = network.layer(layer).units
    if theory.layer != layer:
        raise InputError(f"the labels are of {theory.layer}, and those of {layer} are needed")
    if not set(theory.labels) <= set(range(units)):
        raise InputError(
            f"a label is of unit {max(theory.labels)}, and {layer} of {network.name} has units 0 "
            f"to {units - 1}"
        )


def _untestable(theory: Theory, kind: str) -> str:
    """Return why no rule can be tested for a family; empty where one can."""
    if kind not in DERIVATIONS or kind not in READINGS:
        return f"no rule is known for {kind}"
    gains = DERIVATIONS[kind].gains
    count = len(theory.of(gains))
    if count < SOURCES:
        return f"{count} of {', '.join(gains)} in {theory.layer}; {SOURCES} are needed"
    return ""
