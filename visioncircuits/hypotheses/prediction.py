"""Predictions: numbers that are to lie within bounds."""

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from visioncircuits.errors import InputError, unknown
from visioncircuits.hypotheses.effects import EFFECTS, Effect, Numbers
from visioncircuits.hypotheses.evidence import Evidence


@dataclass(frozen=True)
class Prediction:
    """A number that is predicted to lie within bounds.

    Attributes
    ----------
    claim
        What is predicted, in words.
    effect
        The number: one of `effects`, itself or by name, or a function of your own of `Evidence` and
        options.
    least, most
        Its bounds, both included.
    options
        Passed on to the effect.

    Raises
    ------
    InputError
        Without a bound, with bounds that nothing can meet, for an unknown effect, and for options
        that the effect does not have or lacks.

    Examples
    --------
    >>> from visioncircuits.hypotheses.effects import echo
    >>> Prediction("falls below a tenth of its peak at 180 degrees from it", echo, most=0.1).most
    0.1
    >>> Prediction("responds to one orientation", "off_peak", most=0.4, options={"beyond": 60})
    Prediction('responds to one orientation': off_peak ≤ 0.4)
    """

    claim: str
    effect: Effect | str
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

        self._check_options()

    def _check_options(self) -> None:
        """Check that the effect has the options that are given, and lacks none."""
        if not callable(self.function):
            raise InputError(
                f"the effect of the prediction {self.claim!r} must be a function or the name of "
                f"one, not {self.effect!r}"
            )
        _, *parameters = inspect.signature(self.function).parameters.values()
        kinds = {parameter.name: parameter.kind for parameter in parameters}
        names = [name for name, kind in kinds.items() if kind is not inspect.Parameter.VAR_KEYWORD]
        where = f"it is given in the prediction {self.claim!r}"
        for option in self.options:
            if option not in names and len(names) == len(kinds):
                if not names:
                    raise InputError(f"{self.effect_name} has no options, not {option!r}; {where}")
                raise unknown(f"option of {self.effect_name}", option, names, hint=where)
        for parameter in parameters:
            needed = parameter.name in names and parameter.default is inspect.Parameter.empty
            if needed and parameter.name not in self.options:
                raise InputError(
                    f"{self.effect_name} needs the option {parameter.name!r} in the prediction "
                    f"{self.claim!r}: options={{{parameter.name!r}: …}}"
                )

    def __repr__(self) -> str:
        return f"Prediction({self.claim!r}: {self.effect_name} {self.bounds})"

    @property
    def function(self) -> Effect:
        """The effect, also where it is given by name."""
        if not isinstance(self.effect, str):
            return self.effect
        if self.effect not in EFFECTS:
            raise unknown("effect", self.effect, EFFECTS)
        return EFFECTS[self.effect]

    @property
    def effect_name(self) -> str:
        """The effect's name."""
        return str(getattr(self.function, "__name__", type(self.function).__name__))

    @property
    def axis(self) -> str:
        """The axis of the stimuli that the effect is about, or nothing."""
        parameters = inspect.signature(self.function).parameters
        default = parameters["axis"].default if "axis" in parameters else ""
        return str(self.options.get("axis", "" if default is inspect.Parameter.empty else default))

    @property
    def bounds(self) -> str:
        """The bounds as text: `≤ 0.1`."""
        bounds = (("≥", self.least), ("≤", self.most))
        return ", ".join(f"{sign} {bound:.3g}" for sign, bound in bounds if math.isfinite(bound))

    def measure(self, evidence: Evidence) -> Numbers:
        """Compute the number for every unit.

        Raises
        ------
        InputError
            Where the effect does not return a number for every unit.
        """
        numbers = np.asarray(self.function(evidence, **self.options))
        if numbers.shape != (len(evidence.units),):
            raise InputError(
                f"the effect {self.effect_name} of the prediction {self.claim!r} must return a "
                f"number for each of {len(evidence.units)} units, not the shape {numbers.shape}"
            )
        return numbers

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
