"""The examples and statistics of one layer, updated batch by batch.

Sums and histograms are updated with every batch. Candidates for examples are buffered over several
batches before they are compared with the current ones, so that selection costs little next to the
forward pass.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64
from torch import Tensor

from visioncircuits.examples import exact, sampling, sketch
from visioncircuits.examples.moments import Moments, OfEach, of_each
from visioncircuits.examples.record import LayerExamples
from visioncircuits.examples.sampling import Sample
from visioncircuits.examples.tops import Places

SPREAD = 8
"""Number of a unit's random neurons from each picture, besides its strongest."""

DIGITS = 2
"""Of the sums of classes."""

_BATCHES, _CANDIDATES = 64, 1 << 17
"""Number of batches, or of random examples, that are buffered before selection."""

_AT_ONCE = 1 << 18
"""Number of values of whole pictures that are read together, which fit the processor's cache."""


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
        at_once = _AT_ONCE if maps.device.type == "cpu" else maps.numel()
        parts = torch.split(maps, max(at_once // maps[0].numel(), 1))
        high, low, bins, moments = zip(*map(_read, parts), strict=True)
        highest, lowest = _Extremes.joined(high), _Extremes.joined(low)
        self._extremes.append((highest, lowest, numbers))
        self._drawn.append(_drawn(maps, highest, numbers, self._seed, self._limits))
        self._counts = sketch.counted(bins, self._counts)
        self._moments = self._moments.joined(Moments.of(moments, maps[0, ..., 0].numel()))
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
                exact.add_to(self._classes, label, sums[:, place].copy())

    def examples(self) -> LayerExamples:
        """Return the examples and statistics so far."""
        if self._extremes:
            self._select_extremes()
        if self._drawn:
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
        values, where = _Extremes.joined(found)
        places = Places.of(values.T, where.T, pictures, self._columns, self._top, sign=sign)
        return current.joined(places, self._top, sign=sign)

    def _select_sample(self) -> None:
        """Select random examples from those drawn and the current ones."""
        self._sample = sampling.chosen([self._sample, *self._drawn])
        self._limits = self._sample.limits(len(self._limits))
        self._drawn.clear()


Maps = Float32[Tensor, "pictures rows columns units"]


class _Extremes(NamedTuple):
    """The extreme value of each unit in each picture, and its position."""

    values: Float32[Tensor, "pictures units"]
    where: Int64[Tensor, "pictures units"]

    @classmethod
    def joined(cls, parts: Sequence["_Extremes"]) -> "_Extremes":
        """Return those of all pictures."""
        return cls(*(torch.cat(each) for each in zip(*parts, strict=True)))


def _read(maps: Maps) -> tuple[_Extremes, _Extremes, Tensor, OfEach]:
    """Return the greatest and the least values, all values' bins, and each picture's moments."""
    flat = maps.flatten(1, 2)
    return (
        _extremes(maps, maps.amax(2), torch.max),
        _extremes(maps, maps.amin(2), torch.min),
        sketch.bins(flat.flatten(0, 1)),
        of_each(flat),
    )


def _extremes(
    maps: Maps, rows: Float32[Tensor, "pictures rows units"], extreme: Callable[..., Any]
) -> _Extremes:
    """Find the extremes among those of rows, by `torch.max` or `torch.min`; of equals the first."""
    _, row = extreme(rows, 1)
    line = maps.gather(1, row[:, None, None].expand(-1, 1, maps.shape[2], -1))[:, 0]
    values, column = extreme(line, 1)
    return _Extremes(values, row * maps.shape[2] + column)


def _drawn(
    maps: Maps,
    highest: _Extremes,
    numbers: Int64[np.ndarray, " pictures"],
    seed: int,
    limits: sampling.Limits,
) -> Sample:
    """Return the strongest neuron of each picture and random ones, if below the limits."""
    columns, flat = maps.shape[2], maps.flatten(1, 2)
    pictures, positions, units = flat.shape
    hashes = sampling.hashed(numbers[:, None], np.arange(positions), seed)
    spread = np.argpartition(hashes, min(SPREAD, positions) - 1, 1)[:, :SPREAD]
    random = flat[torch.arange(pictures)[:, None], torch.from_numpy(spread)]
    values = torch.cat([highest.values[:, None], random], 1).cpu().numpy()
    strongest = highest.where.cpu().numpy()
    place, drawn = (
        np.concatenate([own[:, None], np.broadcast_to(others[..., None], random.shape)], 1)
        for own, others in (
            (strongest, spread),
            (np.take_along_axis(hashes, strongest, 1), np.take_along_axis(hashes, spread, 1)),
        )
    )
    parts = sampling.part(values)
    below = drawn < limits.ravel()[np.arange(units) * sampling.PARTS + parts]
    place = place[below]
    picture, _, unit = np.nonzero(below)
    return Sample(
        unit * sampling.PARTS + parts[below],
        drawn[below],
        values[below],
        numbers[picture],
        np.stack([place // columns, place % columns], -1),
    )
