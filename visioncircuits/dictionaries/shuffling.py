"""Samples in shards, as batches in a random order without holding them all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from visioncircuits.numbers import whole

WINDOW = 8
"""Shards that are shuffled together: what is in memory at once."""

Rows = Float[np.ndarray, "samples units"]


@dataclass(eq=False)
class Shuffled:
    """The rows of shards in a random order, a new one in each epoch.

    Shards are taken in a random order, and the rows of `WINDOW` of them are shuffled together.

    Attributes
    ----------
    read
        From a shard's number to its rows.
    counts
        Rows of each shard.

    Examples
    --------
    >>> shards = [np.float32([[0], [1]]), np.float32([[2], [3]])]
    >>> rows = Shuffled(shards.__getitem__, (2, 2))
    >>> torch.cat([rows.batch(step, size=2, seed=0) for step in range(2)]).flatten().sort().values
    tensor([0., 1., 2., 3.])
    """

    read: Callable[[int], Rows]
    counts: tuple[int, ...]
    _window: tuple[tuple[int, int, int], Rows] | None = field(default=None, init=False, repr=False)

    def batch(self, step: int, *, size: int, seed: int) -> Float32[Tensor, "size units"]:
        """Return the rows of a step: the same for the same step, size and seed.

        Steps that follow one another read each shard once an epoch. An epoch may end within a
        batch.

        Raises
        ------
        InputError
            For a negative step or seed, or a batch of less than one row.
        """
        whole("step", step, least=0)
        whole("size", size, least=1)
        whole("seed", seed, least=0)
        parts, total = [], sum(self.counts)
        first, left = step * size, size
        while left:
            epoch, within = divmod(first, total)
            for window, start, shards in self._windows(seed, epoch):
                rows = sum(self.counts[shard] for shard in shards)
                if start <= within < start + rows:
                    mixed = self._mixed(seed, epoch, window, shards)
                    parts.append(mixed[within - start :][:left])
                    break
            first, left = first + len(parts[-1]), left - len(parts[-1])
        return torch.from_numpy(np.concatenate(parts)).float()

    def _windows(self, seed: int, epoch: int) -> Iterator[tuple[int, int, list[int]]]:
        """Yield the number of each window, its first row in the epoch, and its shards."""
        order = np.random.default_rng((seed, epoch)).permutation(len(self.counts)).tolist()
        start = 0
        for window in range(-(-len(order) // WINDOW)):
            shards = order[window * WINDOW :][:WINDOW]
            yield window, start, shards
            start += sum(self.counts[shard] for shard in shards)

    def _mixed(self, seed: int, epoch: int, window: int, shards: list[int]) -> Rows:
        """Return a window's rows in their order; those of the last one are kept."""
        key = seed, epoch, window
        if self._window is None or self._window[0] != key:
            self._window = None  # not two of them in memory
            rows = np.concatenate([self.read(shard) for shard in shards])
            np.random.default_rng(key).shuffle(rows)
            self._window = key, rows
        return self._window[1]
