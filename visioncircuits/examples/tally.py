"""The examples and statistics of one layer, updated batch by batch.

Sums and histograms are updated with every batch. Candidates for examples are buffered over several
batches before they are compared with the current ones, so that selection costs little next to the
forward pass.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64
from torch import Tensor

from visioncircuits.examples import exact, sampling, sketch
from visioncircuits.examples.moments import Moments
from visioncircuits.examples.record import LayerExamples
from visioncircuits.examples.sampling import Sample
from visioncircuits.examples.tops import Places

SPREAD = 8
"""Number of a unit's random neurons from each picture, besides its strongest."""

DIGITS = 2
"""Of the sums of classes."""

_BATCHES, _CANDIDATES = 64, 1 << 17
"""Number of batches, or of random examples, that are buffered before selection."""


class Tally:
    """The examples and statistics of a layer's units so far.

    Parameters
    ----------
    units
        Number of units of the layer.
    top
        Number of the strongest, and of the weakest, examples of each unit.
    seed
        Of the random examples.
    """

    def __init__(self, units: int, *, top: int, seed: int) -> None:
        self._top, self._seed = top, seed
        self._tops = self._bottoms = Places.empty(units)
        self._sample = Sample.empty()
        self._limits = self._sample.limits(units)
        self._counts = np.zeros((units, sketch.BINS), np.int64)
        self._moments = Moments.empty(units)
        self._classes: dict[int, np.ndarray] = {}
        self._extremes: list[tuple[_Extremes, _Extremes, np.ndarray]] = []
        self._drawn: list[Sample] = []

    def add(
        self,
        values: Float[Tensor, "pictures units rows columns"],
        numbers: Int64[np.ndarray, " pictures"],
        labels: list[int | None],
    ) -> None:
        """Add a batch: the layer's values, and its pictures' numbers and classes."""
        self._columns = values.shape[3]
        maps = values.float().permute(0, 2, 3, 1).contiguous()  # units last, as they mostly are
        flat = maps.flatten(1, 2)
        highest, lowest = (_extremes(maps, greatest=each) for each in (True, False))
        self._extremes.append((highest, lowest, numbers))
        drawn = _drawn(flat, highest, numbers, self._columns, self._seed, self._limits)
        self._drawn.append(drawn)
        self._counts += sketch.counted(flat.flatten(0, 1))
        self._moments = self._moments.joined(Moments.of(flat))
        self._add_classes(highest.values.clamp_min(0).double().cpu().numpy(), labels)
        if len(self._extremes) == _BATCHES:
            self._select_extremes()
        if sum(len(each.keys) for each in self._drawn) > _CANDIDATES:
            self._select_sample()

    def _add_classes(
        self, ones: Float64[np.ndarray, "pictures units"], labels: list[int | None]
    ) -> None:
        """Add each picture's highest values, and one picture, to the sums of its class."""
        counted = np.append(ones, np.ones((len(ones), 1)), 1)
        sums = exact.exact(counted[None], DIGITS)
        for place, label in enumerate(labels):
            if label is not None:
                own = sums[:, place].copy()
                before = self._classes.get(label)
                self._classes[label] = own if before is None else exact.add(before, own)

    def examples(self) -> LayerExamples:
        """Return the examples and statistics so far."""
        if self._extremes:
            self._select_extremes()
            self._select_sample()
        return LayerExamples(
            self._tops, self._bottoms, self._sample, self._counts, self._moments, self._classes
        )

    def _select_extremes(self) -> None:
        """Select examples from each picture's extremes and the current examples."""
        highest, lowest, numbers = zip(*self._extremes, strict=True)
        pictures = np.concatenate(numbers)
        self._tops = self._joined(self._tops, highest, pictures, sign=1)
        self._bottoms = self._joined(self._bottoms, lowest, pictures, sign=-1)
        self._extremes.clear()

    def _joined(
        self,
        current: Places,
        found: Sequence["_Extremes"],
        pictures: Int64[np.ndarray, " pictures"],
        *,
        sign: int,
    ) -> Places:
        values, where = (torch.cat(each).T for each in zip(*found, strict=True))
        places = Places.of(values, where, pictures, self._columns, self._top, sign=sign)
        return current.joined(places, self._top, sign=sign)

    def _select_sample(self) -> None:
        """Select random examples from those drawn and the current ones."""
        self._sample = sampling.chosen([self._sample, *self._drawn])
        self._limits = self._sample.limits(len(self._limits))
        self._drawn.clear()


class _Extremes(NamedTuple):
    """The extreme value of each unit in each picture, and its position."""

    values: Float32[Tensor, "pictures units"]
    where: Int64[Tensor, "pictures units"]


def _extremes(maps: Float32[Tensor, "pictures rows columns units"], *, greatest: bool) -> _Extremes:
    """Find the greatest values, or the least; of equals the first.

    Rows come first, so that positions are searched in one row alone.
    """
    values, values_and_places = (torch.amax, torch.max) if greatest else (torch.amin, torch.min)
    _, row = values_and_places(values(maps, 2), 1)
    pictures, units = torch.arange(len(maps))[:, None], torch.arange(maps.shape[3])
    extreme, column = values_and_places(maps[pictures, row, :, units], 2)
    return _Extremes(extreme, row * maps.shape[2] + column)


def _drawn(
    flat: Float32[Tensor, "pictures positions units"],
    highest: _Extremes,
    numbers: Int64[np.ndarray, " pictures"],
    columns: int,
    seed: int,
    limits: sampling.Limits,
) -> Sample:
    """Return the strongest neuron of each picture and random ones, if below the limits."""
    pictures, positions, units = flat.shape
    hashes = sampling.hashed(numbers[:, None], np.arange(positions), seed)
    spread = np.argsort(hashes, 1)[:, :SPREAD]
    random = flat[torch.arange(pictures)[:, None], torch.from_numpy(spread)]
    values = torch.cat([highest.values[:, None], random], 1).cpu().numpy()
    others = np.broadcast_to(spread[..., None], (*spread.shape, units))
    place = np.concatenate([highest.where[:, None].cpu().numpy(), others], 1)
    drawn = hashes[np.arange(pictures)[:, None, None], place]
    parts = sampling.part(values)
    below = drawn < limits[np.arange(units), parts]
    picture, _, unit = np.nonzero(below)
    place = place[below]
    return Sample(
        unit * sampling.PARTS + parts[below],
        drawn[below],
        values[below],
        numbers[picture],
        np.stack([place // columns, place % columns], -1),
    )
