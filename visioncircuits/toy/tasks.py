"""Tasks of toy models: how many features there are, how often they occur, how much each counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

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


class Draws:
    """Features for many tasks at once, a batch a call.

    Tasks of one seed share its random numbers, so that each is drawn once, and what a task is given
    depends neither on which others are drawn beside it nor on the device.

    Parameters
    ----------
    tasks
        Of the same number of features, correlation and sets.
    batch
        How many a call.
    generators
        By seed.
    signed
        Whether values are uniform in [-1, 1].
    device
        Where to put them.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        batch: int,
        generators: Mapping[int, np.random.Generator],
        *,
        signed: bool = False,
        device: str = "cpu",
    ) -> None:
        first = tasks[0]
        self._generators = [*generators.values()]
        seeds = [*generators]
        self._rows = torch.tensor([seeds.index(task.seed) for task in tasks], device=device)
        chances = [1 - task.sparsity for task in tasks]
        self._chance = torch.tensor(chances, dtype=torch.float32, device=device)[:, None, None]
        self._size, self._signed, self._device = first.set_size, signed, device
        self._together = first.correlation == "correlated"
        self._slot = torch.arange(first.features, device=device) % first.set_size
        sets = first.features // first.set_size
        width = sets + first.features if self._together else sets
        self._sets = sets
        self._numbers = np.empty((len(seeds), batch, width), np.float32)

    def __call__(self) -> Float[Tensor, "instances batch features"]:
        """Draw the next batch of every task."""
        for generator, row in zip(self._generators, self._numbers, strict=True):
            generator.random(out=row, dtype=np.float32)
        drawn = torch.from_numpy(self._numbers).to(self._device)[self._rows]
        occurs = drawn[..., : self._sets].repeat_interleave(self._size, -1) / self._chance
        if self._together:
            values, present = drawn[..., self._sets :], occurs < 1
        else:  # of a set the first occurs in [0, 1), the next in [1, 2), …: uniform where it does
            values = occurs - self._slot
            present = (values >= 0) & (values < 1)
        return (2 * values - 1 if self._signed else values) * present
