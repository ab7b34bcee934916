"""Hypotheses: claims about a feature that stimuli can refute."""

import html
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from visioncircuits import hypothesis_file
from visioncircuits.errors import InputError, unknown
from visioncircuits.hypotheses import effects
from visioncircuits.hypotheses.effects import EFFECTS, Numbers
from visioncircuits.hypotheses.evidence import Evidence
from visioncircuits.hypotheses.on_photographs import OnPhotographs
from visioncircuits.hypotheses.prediction import Prediction
from visioncircuits.stimuli import StimulusSet, named
from visioncircuits.stimuli.reading import from_table

OrientationBy = Literal["peak", "mean"]
"""How an orientation is read off tuning: at its peak, or along its mean vector."""


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
    orientation_by
        How verdicts read a unit's orientation: the `"peak"` of its tuning, or the direction of its
        `"mean"` vector, for tuning that is too broad for the peak to be informative.
    on_photographs
        What is expected on photographs, where these are given.

    Raises
    ------
    InputError
        Without predictions or variants, and for any that the stimuli do not allow: a parameter or
        an axis that they do not have, a control that is not given; for another `orientation_by`,
        and for a reader of stimuli without orientations all around.

    Examples
    --------
    >>> from visioncircuits.hypotheses import effects
    >>> claim = Prediction("responds to one direction of an edge", effects.echo, most=0.1)
    >>> Hypothesis("edge", named("edges"), (claim,), variants=({}, {"x": 1.0}))
    Hypothesis(edge, 1 prediction, 144 stimuli)
    """

    name: str
    stimuli: StimulusSet
    predictions: tuple[Prediction, ...]
    variants: tuple[Mapping[str, object], ...] = ({},)
    controls: Mapping[str, StimulusSet] = field(default_factory=dict)
    least_field: int = 1
    orientation_by: OrientationBy = "peak"
    on_photographs: OnPhotographs = OnPhotographs()

    def __post_init__(self) -> None:
        if self.orientation_by not in get_args(OrientationBy):
            raise unknown("orientation_by", self.orientation_by, get_args(OrientationBy))
        if not self.predictions:
            raise InputError(
                f"the hypothesis {self.name!r} has no predictions, so nothing can refute it; "
                "give one or more"
            )
        if not self.variants:
            raise InputError(f"the hypothesis {self.name!r} needs one variant or more; {{}} is one")
        for place, variant in enumerate(self.variants):
            for parameter in variant.keys() & self.stimuli.axes.keys():
                raise InputError(
                    f"variant {place} of {self.name!r} fixes {parameter!r}, which the stimuli "
                    "vary; fix another parameter, or take this axis out of the stimuli"
                )
            try:
                self.stimuli.fix(**variant).draw([0])
            except (TypeError, ValueError) as error:
                raise InputError(f"variant {place} of {self.name!r}: {error}") from error
        for prediction in self.predictions:
            if prediction.function in EFFECTS.values():
                try:
                    prediction.measure(self._example())
                except (TypeError, ValueError) as error:
                    raise InputError(f"the prediction {prediction.claim!r}: {error}") from error
        if self.on_photographs.reader:
            try:
                effects.preferred(self._example())
            except InputError as error:
                reader = self.on_photographs.reader
                raise InputError(f"the reader {reader!r} needs an orientation: {error}") from error

    def _example(self) -> Evidence:
        """Return evidence of one unit that responds alike to everything."""
        shape = (1, len(self.variants), *self.stimuli.shape)
        axes = {name: np.asarray(values) for name, values in self.stimuli.axes.items()}
        ones = np.ones(1)
        return Evidence(
            ("any",), np.ones(shape), axes, dict.fromkeys(self.controls, ones), ones, 1.0
        )

    def orientations(self, evidence: Evidence) -> Numbers:
        """Read the orientation that each unit prefers, in degrees, as `orientation_by` has it."""
        read = {"peak": effects.preferred, "mean": effects.mean}[self.orientation_by]
        return read(evidence)

    def __repr__(self) -> str:
        count = len(self.predictions)
        word = "prediction" if count == 1 else "predictions"
        return f"Hypothesis({self.name}, {count} {word}, {len(self)} stimuli)"

    def _repr_html_(self) -> str:
        """Show the predictions as a table."""
        rows = [(p.claim, p.effect_name, p.axis, p.bounds) for p in self.predictions]
        body = "".join(_row(row, "td") for row in rows)
        head = _row(("prediction", "effect", "axis", "bound"), "th")
        return f"<table><caption>{html.escape(repr(self))}</caption>{head}{body}</table>"

    def __len__(self) -> int:
        """Return how many stimuli a test shows."""
        return len(self.stimuli) * len(self.variants) + sum(map(len, self.controls.values()))


def _row(cells: Iterable[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"


def from_toml(path: str | Path) -> Hypothesis:
    """Read a hypothesis of your own from a file.

    ::

        name = "tight curve"
        stimuli = "curves"                    # a named set: `visioncircuits stimuli` lists them
        controls = ["lines", "noise"]         # others of them
        least_field = 40
        orientation_by = "peak"               # or "mean", where tuning is broad

        [axes]                                # instead of the set's own
        radius = [10, 20, 40, inf]

        [fixed]                               # the same for all stimuli
        fill = 0

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

        [photographs]                         # where some are given, undecided if it fails
        deviations = 8                        # the best stimulus over photographs, at least
        reader = "curves"                     # or "lines", "high-low"

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
            stimuli=from_table(content),
            predictions=tuple(_prediction(entry) for entry in content.get("predictions", ())),
            variants=tuple(content.get("variants", ({},))),
            controls={name: named(name) for name in content.get("controls", ())},
            least_field=int(content.get("least_field", 1)),
            orientation_by=content.get("orientation_by", "peak"),
            on_photographs=_on_photographs(content.get("photographs", {})),
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} is not a hypothesis: {error}") from error


def _on_photographs(table: Mapping[str, Any]) -> OnPhotographs:
    return OnPhotographs(float(table.get("deviations", 0.0)), str(table.get("reader", "")))


def _prediction(entry: Mapping[str, Any]) -> Prediction:
    name = str(entry.get("effect", ""))
    options = dict(entry.get("options", {}))
    least, most = float(entry.get("least", -math.inf)), float(entry.get("most", math.inf))
    return Prediction(
        str(entry.get("claim") or _claim(name, options, least, most)),
        name,
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
