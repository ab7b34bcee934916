"""What photographs say of one layer, kept up while they pass.

Sums and histograms are added up at once. Of examples only candidates are noted, for some batches,
before they are held against those kept so far: choosing is to cost little beside convolving.
"""

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from visioncircuits.examples import sampling, sketch
from visioncircuits.examples.record import LayerExamples, Moments
from visioncircuits.examples.sampling import Sample
from visioncircuits.examples.tops import Places

SPREAD = 8
"""Neurons of a unit that are drawn at random from each picture, beside its strongest."""

_BATCHES, _CANDIDATES = 64, 1 << 20
"""So many batches, or random examples, are noted before they are held against what is kept."""


class Tally:
    """What photographs say of a layer's units, so far.

    Parameters
    ----------
    units
        How many the layer has.
    top
        How many of the strongest, and of the weakest, are kept.
    seed
        Of the random examples.
    """

    def __init__(self, units: int, *, top: int, seed: int) -> None:
        self._top, self._seed = top, seed
        self._tops = self._bottoms = Places.none(units)
        self._sample = Sample.none()
        self._bar = self._sample.bar(units)
        self._counts = np.zeros((units, sketch.BINS), np.int64)
        self._moments = Moments.none(units)
        self._classes: dict[int, np.ndarray] = {}
        self._noted: list[tuple[Tensor, Tensor, Tensor, Tensor, np.ndarray, Sample]] = []
        self._waiting = 0

    def add(
        self,
        values: Float[Tensor, "pictures units rows columns"],
        numbers: Int64[np.ndarray, " pictures"],
        labels: list[int | None],
    ) -> None:
        """Take in a batch: the layer's values, and its pictures' numbers and classes."""
        self._columns = values.shape[3]
        flat = values.float().flatten(2)
        by_unit = flat.transpose(0, 1).flatten(1).contiguous()
        flat = by_unit.unflatten(1, flat.shape[::2])
        highest, where = flat.max(2)
        lowest, lowest_where = flat.min(2)
        drawn = _drawn(flat, where, numbers, self._columns, self._seed, self._bar)
        self._noted.append((highest, where, lowest, lowest_where, numbers, drawn))
        counts = sketch.counted(by_unit)
        self._counts += counts
        positive = sketch.positive(counts, by_unit)
        self._moments = self._moments.joined(Moments.of(flat, positive))
        for label, ones in zip(labels, highest.T.clamp_min(0).double().cpu().numpy(), strict=True):
            if label is not None:
                self._classes[label] = self._classes.get(label, 0) + np.append(ones, 1.0)
        self._waiting += len(drawn.keys)
        if len(self._noted) == _BATCHES or self._waiting > _CANDIDATES:
            self._choose()

    def found(self) -> LayerExamples:
        """Give what is known so far."""
        self._choose()
        return LayerExamples(
            self._tops, self._bottoms, self._sample, self._counts, self._moments, self._classes
        )

    def _choose(self) -> None:
        """Hold what has been noted against what is kept."""
        if not self._noted:
            return
        highest, where, lowest, lowest_where, numbers, drawn = zip(*self._noted, strict=True)
        pictures = np.concatenate(numbers)
        top, columns = self._top, self._columns
        strong = _places(torch.cat(highest, 1), torch.cat(where, 1), pictures, columns, top, 1)
        weak = _places(torch.cat(lowest, 1), torch.cat(lowest_where, 1), pictures, columns, top, -1)
        self._tops = self._tops.joined(strong, top)
        self._bottoms = self._bottoms.joined(weak, top, sign=-1)
        self._sample = sampling.chosen([self._sample, *drawn])
        self._bar = self._sample.bar(len(self._bar))
        self._noted.clear()
        self._waiting = 0


def _places(
    values: Float32[Tensor, "units pictures"],
    where: Int64[Tensor, "units pictures"],
    numbers: Int64[np.ndarray, " pictures"],
    columns: int,
    top: int,
    sign: int,
) -> Places:
    """Choose the strongest, or with `sign` -1 the weakest; the earlier of equals."""
    order = (sign * values).sort(dim=1, descending=True, stable=True).indices[:, :top]
    place = where.gather(1, order).cpu().numpy()
    return Places(
        values.gather(1, order).cpu().numpy(),
        numbers[order.cpu().numpy()],
        np.stack([place // columns, place % columns], -1),
    )


def _drawn(
    flat: Float32[Tensor, "units pictures positions"],
    where: Int64[Tensor, "units pictures"],
    numbers: Int64[np.ndarray, " pictures"],
    columns: int,
    seed: int,
    bar: sampling.Bar,
) -> Sample:
    """Take the strongest neuron of each picture and some at random, where they pass the bar."""
    units, _, positions = flat.shape
    every = np.arange(positions)
    spread = np.stack([
        np.argsort(sampling.hashed(np.full(positions, number), every, seed))[:SPREAD]
        for number in numbers
    ])  # fmt: skip
    chosen = torch.from_numpy(spread).to(flat.device).expand(units, -1, -1)
    asked = torch.cat([where[..., None], chosen], 2)
    values = flat.gather(2, asked).cpu().numpy()
    place = asked.cpu().numpy()
    hashes = sampling.hashed(numbers[:, None], place, seed)
    parts = sampling.part(values)
    unit, picture, each = np.nonzero(hashes < bar[np.arange(units)[:, None, None], parts])
    place = place[unit, picture, each]
    return Sample(
        unit * sampling.PARTS + parts[unit, picture, each],
        hashes[unit, picture, each],
        values[unit, picture, each],
        numbers[picture],
        np.stack([place // columns, place % columns], -1),
    )
