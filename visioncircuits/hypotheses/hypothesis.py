"""Hypotheses: claims about a feature that stimuli can refute."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from visioncircuits import hypothesis_file
from visioncircuits.errors import InputError, unknown
from visioncircuits.hypotheses.effects import EFFECTS, Effect, Numbers
from visioncircuits.hypotheses.evidence import Evidence
from visioncircuits.stimuli import StimulusSet, named


@dataclass(frozen=True)
class Prediction:
    """A number that is predicted to lie within bounds.

    Attributes
    ----------
    claim
        What is predicted, in words.
    effect
        The number: one of `effects`, or a function of your own of `Evidence` and options.
    least, most
        Its bounds, both included.
    options
        Passed on to the effect.

    Raises
    ------
    InputError
        Without a bound, or with bounds that nothing can meet.

    Examples
    --------
    >>> from visioncircuits.hypotheses.effects import echo
    >>> Prediction("falls below a tenth of its peak at 180 degrees from it", echo, most=0.1).most
    0.1
    """

    claim: str
    effect: Effect
    least: float = -math.inf
    most: float = math.inf
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if math.isinf(self.least) and math.isinf(self.most):
            raise InputError(f"the prediction {self.claim!r} has no bound; give least or most")
        if self.least > self.most:
            raise InputError(
                f"no number is both at least {self.least:g} and at most {self.most:g}, the bounds "
                f"of the prediction {self.claim!r}; exchange them"
            )

    def measure(self, evidence: Evidence) -> Numbers:
        """Compute the number for every unit."""
        return self.effect(evidence, **self.options)

    def margin(self, numbers: Numbers) -> Numbers:
        """Compute how far numbers are within the bounds, relative to the bound.

        Negative outside the bounds; minus infinity for NaN, where nothing drives the unit.
        """
        margins = np.full(numbers.shape, np.inf)
        for bound, inside in ((self.least, 1), (self.most, -1)):
            if math.isfinite(bound):
                size = abs(bound) or 1.0
                margins = np.minimum(margins, inside * (numbers - bound) / size)
        return np.where(np.isnan(margins), -np.inf, margins)


@dataclass(frozen=True)
class Hypothesis:
    """A claim about a feature, stated so that stimuli can refute it.

    Attributes
    ----------
    name
        Of what the feature is claimed to detect: "curve".
    stimuli
        The family of stimuli that the predictions are about.
    predictions
        All of them must hold.
    variants
        Ways of drawing the stimuli that should make no difference: parameters fixed otherwise.
        Intervals are bootstrapped over them.
    controls
        Other stimuli of matched contrast, by name.
    least_field
        The smallest receptive field, in pixels, for which the stimuli make sense.

    Raises
    ------
    InputError
        Without predictions or variants.
    """

    name: str
    stimuli: StimulusSet
    predictions: tuple[Prediction, ...]
    variants: tuple[Mapping[str, object], ...] = ({},)
    controls: Mapping[str, StimulusSet] = field(default_factory=dict)
    least_field: int = 1

    def __post_init__(self) -> None:
        if not self.predictions:
            raise InputError(
                f"the hypothesis {self.name!r} has no predictions, so nothing can refute it; "
                "give one or more"
            )
        if not self.variants:
            raise InputError(f"the hypothesis {self.name!r} needs one variant or more; {{}} is one")

    def __len__(self) -> int:
        """Return how many stimuli a test shows."""
        return len(self.stimuli) * len(self.variants) + sum(map(len, self.controls.values()))


def from_toml(path: str | Path) -> Hypothesis:
    """Read a hypothesis of your own from a file.

    ::

        name = "tight curve"
        stimuli = "curves"                    # a named set: `visioncircuits stimuli` lists them
        controls = ["lines", "noise"]         # others of them
        least_field = 40

        [axes]                                # instead of the set's own
        radius = [10, 20, 40, inf]

        [[variants]]
        width = 1.67
        [[variants]]
        width = 3.0
        ink = "white"
        ground = "black"

        [[predictions]]
        claim = "falls below a tenth of its peak at 180 degrees from it"
        effect = "echo"                       # a function of visioncircuits.hypotheses.effects
        most = 0.1
        [[predictions]]
        effect = "preference"
        options = {axis = "radius", among = [10, 20], over = [40, inf]}
        least = 1.5

    Raises
    ------
    InputError
        Where the file is missing or is no TOML, or for an invalid value in it.

    Examples
    --------
    >>> import tempfile
    >>> text = '''
    ... name = "bend"
    ... stimuli = "curves"
    ... [[predictions]]
    ... claim = "no echo"
    ... effect = "echo"
    ... most = 0.3
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = Path(folder, "bend.toml").write_text(text)
    ...     hypothesis = from_toml(Path(folder, "bend.toml"))
    >>> hypothesis.name, hypothesis.predictions[0].most
    ('bend', 0.3)
    """
    path = Path(path)
    content = hypothesis_file.read(path)
    try:
        return Hypothesis(
            name=str(content.get("name", path.stem)),
            stimuli=named(content["stimuli"]).vary(**content.get("axes", {})),
            predictions=tuple(_prediction(entry) for entry in content.get("predictions", ())),
            variants=tuple(content.get("variants", ({},))),
            controls={name: named(name) for name in content.get("controls", ())},
            least_field=int(content.get("least_field", 1)),
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} is not a hypothesis: {error}") from error


def _prediction(entry: Mapping[str, Any]) -> Prediction:
    name = str(entry.get("effect", ""))
    if name not in EFFECTS:
        raise unknown("effect", name, EFFECTS)
    options = dict(entry.get("options", {}))
    least, most = float(entry.get("least", -math.inf)), float(entry.get("most", math.inf))
    return Prediction(
        str(entry.get("claim") or _claim(name, options, least, most)),
        EFFECTS[name],
        least=least,
        most=most,
        options=options,
    )


def _claim(name: str, options: Mapping[str, Any], least: float, most: float) -> str:
    """Describe a prediction whose file gives no claim.

    Examples
    --------
    >>> _claim("echo", {}, -math.inf, 0.1)
    'echo is at most 0.1'
    """
    bounds = [
        f"at {side} {bound:g}"
        for side, bound in (("least", least), ("most", most))
        if math.isfinite(bound)
    ]
    given = ", ".join(f"{key} {value}" for key, value in options.items())
    return f"{name}{f' ({given})' if given else ''} is {' and '.join(bounds)}"
