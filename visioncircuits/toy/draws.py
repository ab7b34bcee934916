"""Features at random, for many tasks at once."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.toy.tasks import Task


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

    Attributes
    ----------
    rows
        For each task, the place of its seed among the generators.
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
        self.rows = [seeds.index(task.seed) for task in tasks]
        self._taken = torch.tensor(self.rows, device=device)
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
        drawn = torch.from_numpy(self._numbers).to(self._device)[self._taken]
        occurs = drawn[..., : self._sets].repeat_interleave(self._size, -1) / self._chance
        if self._together:
            values, present = drawn[..., self._sets :], occurs < 1
        else:  # of a set the first occurs in [0, 1), the next in [1, 2), …: uniform where it does
            values = occurs - self._slot
            present = (values >= 0) & (values < 1)
        return (2 * values - 1 if self._signed else values) * present
