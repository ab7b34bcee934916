"""Tasks of toy models: how many features there are, how often they occur, how much each counts."""

from dataclasses import dataclass
from typing import Literal, get_args

from visioncircuits import numbers
from visioncircuits.errors import InputError, unknown

Correlation = Literal["independent", "correlated", "anticorrelated"]
"""Of features of one set: occur independently, only all at once, or at most one at a time."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What one toy model is trained on.

    A feature is 0 with a probability, its sparsity, and otherwise uniform in [0, 1].

    Attributes
    ----------
    features
        How many there are.
    hidden
        How many dimensions they are to be represented in.
    sparsity
        Probability that a feature is 0; from 0 to below 1.
    importance
        Weight of each feature's squared error; 1 each, where it is empty.
    correlation
        How features of one set occur: "independent", all of them at once ("correlated") or at most
        one at a time ("anticorrelated"). Values are independent always.
    together
        How many successive features are a set, where they are not independent.
    seed
        Of the first weights and of what is drawn: models of one seed see the same random numbers.

    Raises
    ------
    InputError
        For numbers out of range, a length of `importance` other than `features`, sets that do not
        divide the features, and anticorrelated features that would occur more than once a set.

    Notes
    -----
    The inputs of "Toy Models of Superposition" (Elhage et al., 2022).

    Examples
    --------
    >>> Task(features=5, hidden=2, sparsity=0.9, importance=tuple(0.9**i for i in range(5))).hidden
    2
    >>> Task(features=4, hidden=2, sparsity=0.3, correlation="anticorrelated")
    Traceback (most recent call last):
    visioncircuits.errors.InputError: of 2 anticorrelated features each must have a sparsity of at \
least 0.5, not 0.3
    """

    features: int
    hidden: int
    sparsity: float = 0.0
    importance: tuple[float, ...] = ()
    correlation: Correlation = "independent"
    together: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("features", 1), ("hidden", 1), ("seed", 0)):
            number = numbers.whole(name, getattr(self, name), least=least)
            object.__setattr__(self, name, number)  # numpy's are no JSON
        object.__setattr__(self, "sparsity", numbers.real("sparsity", self.sparsity, least=0))
        weights = tuple(numbers.real("importance", each, least=0) for each in self.importance)
        object.__setattr__(self, "importance", weights)
        if self.sparsity >= 1:
            raise InputError(f"sparsity must be below 1, not {self.sparsity}: nothing would occur")
        if self.importance and len(self.importance) != self.features:
            raise InputError(
                f"importance must have a weight for each of {self.features} features, "
                f"not {len(self.importance)}"
            )
        if self.correlation not in get_args(Correlation):
            raise unknown("correlation", self.correlation, get_args(Correlation))
        if self.correlation == "independent":
            return
        numbers.whole("together", self.together, least=2)
        if self.features % self.together:
            raise InputError(f"{self.features} features are no sets of {self.together}")
        alone = 1 - 1 / self.together
        if self.correlation == "anticorrelated" and self.sparsity < alone - 1e-9:
            raise InputError(
                f"of {self.together} anticorrelated features each must have a sparsity of at least "
                f"{alone:.3g}, not {self.sparsity}"
            )

    @property
    def weights(self) -> tuple[float, ...]:
        """The importance of every feature."""
        return self.importance or (1.0,) * self.features

    @property
    def set_size(self) -> int:
        """How many features are a set; 1, where they are independent."""
        return 1 if self.correlation == "independent" else self.together
