"""Activations of a layer on photographs, as samples to fit dictionaries to.

A sample is what all units of the layer are at one position of one view of a photograph. Samples
come in shards, each of a few photographs, that depend on nothing but what they are drawn from: so
they can be computed while they are needed, or be kept on disk (see `store`), and are the same
numbers.
"""

import hashlib
import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from visioncircuits import __version__, datasets, fingerprint
from visioncircuits.datasets import Photographs, Source
from visioncircuits.dictionaries.shuffling import Rows, Shuffled
from visioncircuits.dictionaries.views import CENTRAL, Views, viewed
from visioncircuits.errors import unknown
from visioncircuits.examples.kept import DTYPES, rounded
from visioncircuits.examples.sampling import hashed
from visioncircuits.networks import Network
from visioncircuits.networks.fixed_parameters import parameters_fixed
from visioncircuits.networks.memory import freed_memory_kept
from visioncircuits.numbers import whole
from visioncircuits.wording import counted

Weighting = Literal["uniform", "norm"]

BATCH = 16
"""Views in one forward pass."""

SHARD = 1 << 25
"""About how many bytes a shard has; at least one photograph's."""

PHOTOGRAPHS = 128
"""The most in a shard: what is computed again where work was interrupted."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples of a layer's activations that are computed when they are needed.

    Made by `samples`, which has the meaning of each option.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> drawn = samples(untrained("bvlc_googlenet"), "conv2d2", torch.rand(4, 3, 64, 64))
    >>> drawn
    Samples(conv2d2, 192 units at 3136 positions of 4 views)
    """

    network: Network
    layer: str
    photographs: Photographs
    positions: int
    weighting: Weighting
    views: Views
    dtype: str
    at_once: int
    seed: int

    def __repr__(self) -> str:
        return (
            f"Samples({self.layer}, {self.units} units at {self.positions} positions of "
            f"{counted(len(self.photographs) * self.views.count, 'view')})"
        )

    @property
    def units(self) -> int:
        """Units of the layer."""
        return self.network.layer(self.layer).units

    @property
    def bytes(self) -> int:
        """What all samples need, in their type."""
        views = len(self.photographs) * self.views.count
        return views * self.positions * self.units * np.dtype(self.dtype).itemsize

    @cached_property
    def _numbers(self) -> list[list[int]]:
        """The photographs of each shard, which are in an order of their own."""
        count = len(self.photographs)
        length = max(1, min(PHOTOGRAPHS, SHARD * count // self.bytes))
        order = np.random.default_rng(self.seed).permutation(count)
        return [order[first : first + length].tolist() for first in range(0, count, length)]

    @property
    def counts(self) -> tuple[int, ...]:
        """Samples in each shard."""
        return tuple(len(each) * self.views.count * self.positions for each in self._numbers)

    def shard(self, number: int) -> Rows:
        """Compute a shard: a row a sample; see `computed`."""
        return self.computed(number)[0]

    def computed(self, number: int) -> tuple[Rows, list[str]]:
        """Compute a shard, and list why photographs could not be read.

        In place of such a photograph there are more samples of another one.

        Raises
        ------
        InputError
            Where none of the shard's photographs can be read, and for activations that float16
            cannot hold.
        """
        found, problems = [], dict[str, None]()
        pending: list[tuple[int, Tensor]] = []

        def settle() -> None:
            numbers, pixels = zip(*pending, strict=True)
            found.append(self._drawn(torch.stack(pixels), np.array(numbers)))
            pending.clear()

        size, read = self.network.size, self._numbers[number]
        with torch.inference_mode(), freed_memory_kept(), parameters_fixed():
            views = viewed(self.photographs, read, size, self.views, seed=self.seed)
            for view, pixels, problem in views:
                if problem:
                    problems[problem] = None
                pending.append((view, pixels))
                if len(pending) == self.at_once:
                    settle()
            if pending:
                settle()
        return np.concatenate(found), list(problems)

    def _drawn(
        self, pictures: Float32[Tensor, "batch _ _ _"], numbers: Int64[np.ndarray, " batch"]
    ) -> Rows:
        """Compute the layer on views, and draw positions of each."""
        maps = self.network.activations(pictures, [self.layer])[self.layer].flatten(2)
        maps = maps.reshape(*maps.shape[:2], -1).transpose(1, 2)
        if self.positions < maps.shape[1]:
            uniform = hashed(numbers[:, None], np.arange(maps.shape[1])[None], self.seed)
            keys = -np.log((uniform.astype(float) + 0.5) / 2**64)
            if self.weighting == "norm":  # Efraimidis and Spirakis, "Weighted sampling" (2006)
                with np.errstate(divide="ignore"):
                    keys /= maps.norm(dim=2).double().cpu().numpy()
            drawn = np.sort(np.argsort(keys, 1, kind="stable")[:, : self.positions], 1)
            index = torch.from_numpy(drawn).to(maps.device)[..., None]
            maps = maps.gather(1, index.expand(-1, -1, maps.shape[2]))
        return rounded(maps.reshape(-1, maps.shape[2]), self.dtype, self.layer)

    @cached_property
    def _shuffled(self) -> Shuffled:
        return Shuffled(self.shard, self.counts)

    def batch(self, step: int, *, size: int, seed: int) -> Float32[Tensor, "size units"]:
        """Return the samples of a training step, computing their shards; see `Shuffled.batch`.

        An `ActivationStore` of the same samples returns the same.
        """
        return self._shuffled.batch(step, size=size, seed=seed)

    def record(self) -> dict[str, Any]:
        """Return, as JSON data, all that the samples depend on."""
        return {
            "visioncircuits": __version__,
            "code": fingerprint.code(),
            "torch": torch.__version__,
            "device": self.network.device.type,
            "network": self.network.record(),
            "size": self.network.size,
            "layer": self.layer,
            "positions": self.positions,
            "weighting": self.weighting,
            "views": asdict(self.views),
            "dtype": self.dtype,
            "seed": self.seed,
            "photographs": {
                "count": len(self.photographs),
                "sha256": self.photographs.digest(),
                "order": hashlib.sha256("\n".join(self.photographs.names).encode()).hexdigest(),
            },
        }


def samples(
    network: Network,
    layer: str,
    photographs: Source,
    *,
    positions: int | Literal["all"] = "all",
    weighting: Weighting = "uniform",
    views: Views = CENTRAL,
    dtype: str = "float16",
    batch: int = BATCH,
    seed: int = 0,
) -> Samples:
    """Draw samples of a layer's activations on photographs.

    Nothing is computed yet. What is held in memory later does not grow with the number of
    photographs: twice 8 shards of 32 MB or, if that is more, of one photograph, beside what the
    network takes.

    Parameters
    ----------
    network
        Any network.
    layer
        The layer. If it ends in `_pre_relu`, values are those before the rectifier.
    photographs
        Those to train on; see `datasets.photographs` and `datasets.split_by_name`. In place of
        one that cannot be read, another is viewed once more.
    positions
        Of each view: `"all"`, or how many are drawn without replacement.
    weighting
        Whether positions are drawn `"uniform"`, or with a probability in proportion to the
        `"norm"` of the activations there, so that fewer are of empty ground.
    views
        Crops and flips; by default the central square alone.
    dtype
        `"float16"` or `"float32"`, which samples are rounded to also where they are not stored.
    batch
        Views in one forward pass.
    seed
        Of views and positions.

    Raises
    ------
    InputError
        For an unknown layer or option, or more positions than the layer has.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(4, 3, 64, 64)
    >>> drawn = samples(network, "conv2d2", pictures, positions=9, weighting="norm")
    >>> drawn.batch(0, size=24, seed=0).shape
    torch.Size([24, 192])
    """
    found = network.layer(layer)
    places = math.prod(found.shape)
    if positions == "all":
        positions = places
    whole("positions", positions, least=1, most=places)
    if weighting not in ("uniform", "norm"):
        raise unknown("weighting of positions", str(weighting), ("uniform", "norm"))
    if dtype not in DTYPES:
        raise unknown("dtype of activations", str(dtype), DTYPES)
    whole("batch", batch, least=1)
    whole("seed", seed, least=0, most=2**64 - 1)
    given = datasets.photographs(photographs)
    return Samples(network, found.name, given, int(positions), weighting, views, dtype, batch, seed)
