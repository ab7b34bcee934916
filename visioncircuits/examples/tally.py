"""The examples and statistics of one layer, updated batch by batch.

Sums and histograms are updated with every batch. Candidates for examples are buffered over several
batches before they are compared with the current ones, so that selection costs little next to the
forward pass.
"""

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
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

_BATCHES, _CANDIDATES = 64, 1 << 20
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
        self._buffer: list[tuple[Tensor, Tensor, Tensor, Tensor, np.ndarray, Sample]] = []
        self._candidates = 0

    def add(
        self,
        values: Float[Tensor, "pictures units rows columns"],
        numbers: Int64[np.ndarray, " pictures"],
        labels: list[int | None],
    ) -> None:
        """Add a batch: the layer's values, and its pictures' numbers and classes."""
        self._columns = values.shape[3]
        flat = values.float().flatten(2)
        by_unit = flat.transpose(0, 1).flatten(1).contiguous()
        flat = by_unit.reshape(len(by_unit), *flat.shape[::2])
        highest, where = flat.max(2)
        lowest, lowest_where = flat.min(2)
        drawn = _drawn(flat, where, numbers, self._columns, self._seed, self._limits)
        self._buffer.append((highest, where, lowest, lowest_where, numbers, drawn))
        counts = sketch.counted(by_unit)
        self._counts += counts
        positive = sketch.positive(counts, by_unit)
        self._moments = self._moments.joined(Moments.of(flat, positive))
        for label, ones in zip(labels, highest.T.clamp_min(0).double().cpu().numpy(), strict=True):
            if label is not None:
                sums = exact.exact(np.append(ones, 1.0)[None], DIGITS)
                self._classes[label] = (
                    exact.add(self._classes[label], sums) if label in self._classes else sums
                )
        self._candidates += len(drawn.keys)
        if len(self._buffer) == _BATCHES or self._candidates > _CANDIDATES:
            self._select()

    def examples(self) -> LayerExamples:
        """Return the examples and statistics so far."""
        self._select()
        return LayerExamples(
            self._tops, self._bottoms, self._sample, self._counts, self._moments, self._classes
        )

    def _select(self) -> None:
        """Select examples from the buffered candidates and the current ones."""
        if not self._buffer:
            return
        highest, where, lowest, lowest_where, numbers, drawn = zip(*self._buffer, strict=True)
        pictures = np.concatenate(numbers)
        top, columns = self._top, self._columns
        strong = Places.of(torch.cat(highest, 1), torch.cat(where, 1), pictures, columns, top)
        weak = Places.of(
            torch.cat(lowest, 1), torch.cat(lowest_where, 1), pictures, columns, top, sign=-1
        )
        self._tops = self._tops.joined(strong, top)
        self._bottoms = self._bottoms.joined(weak, top, sign=-1)
        self._sample = sampling.chosen([self._sample, *drawn])
        self._limits = self._sample.limits(len(self._limits))
        self._buffer.clear()
        self._candidates = 0


def _drawn(
    flat: Float32[Tensor, "units pictures positions"],
    where: Int64[Tensor, "units pictures"],
    numbers: Int64[np.ndarray, " pictures"],
    columns: int,
    seed: int,
    limits: sampling.Limits,
) -> Sample:
    """Return the strongest neuron of each picture and random ones, if below the limits."""
    units, _, positions = flat.shape
    every = np.arange(positions)
    spread = np.stack([
        np.argsort(sampling.hashed(np.full(positions, number), every, seed))[:SPREAD]
        for number in numbers
    ])  # fmt: skip
    chosen = torch.from_numpy(spread).to(flat.device).expand(units, -1, -1)
    candidates = torch.cat([where[..., None], chosen], 2)
    values = flat.gather(2, candidates).cpu().numpy()
    place = candidates.cpu().numpy()
    hashes = sampling.hashed(numbers[:, None], place, seed)
    parts = sampling.part(values)
    unit, picture, each = np.nonzero(hashes < limits[np.arange(units)[:, None, None], parts])
    place = place[unit, picture, each]
    return Sample(
        unit * sampling.PARTS + parts[unit, picture, each],
        hashes[unit, picture, each],
        values[unit, picture, each],
        numbers[picture],
        np.stack([place // columns, place % columns], -1),
    )
