"""Random neurons over the whole range of activations: a few for each part of the range.

Every neuron of every picture has a number, a hash of picture and position; in each part of the
range the neurons with the smallest numbers are kept. So the sample does not depend on the order of
pictures or the number of workers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float32, Int64, UInt64

KEPT = 6
"""Number of neurons for each part of the range, as in a row of the published quilts."""

_OCTAVES = (-10, 14)
_PARTS = 4

PARTS = 2 * (_OCTAVES[1] - _OCTAVES[0]) * _PARTS + 1
"""Number of parts: four for each octave of negative and of positive pre-activations."""


def part(values: Float32[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
    """Return the part of the range of each value.

    Examples
    --------
    >>> part(np.array([-1.0, 0.0, 1.0], np.float32)).tolist()
    [55, 96, 137]
    """
    half = PARTS // 2
    with np.errstate(divide="ignore"):
        octave = np.log2(np.abs(values))
    size = np.floor((octave - _OCTAVES[0]) * _PARTS).clip(-1, half - 1) + 1
    bins: np.ndarray = (np.sign(values) * size).astype(np.int64) + half
    return bins


def hashed(
    pictures: Int64[np.ndarray, "*#shape"], positions: Int64[np.ndarray, "*#shape"], seed: int
) -> UInt64[np.ndarray, "*_"]:
    """Return a pseudorandom number for every neuron (splitmix64: Steele et al., 2014).

    Examples
    --------
    >>> hashed(np.array([3]), np.array([4]), 2**64 - 1).dtype
    dtype('uint64')
    """
    mixed = pictures.astype(np.uint64) * np.uint64(1 << 20) + positions.astype(np.uint64)
    mixed = mixed + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


Limits = UInt64[np.ndarray, "units parts"]


@dataclass(frozen=True)
class Sample:
    """Random neurons, flat, in order of unit and part of the range.

    Attributes
    ----------
    keys : int64
        Unit times `PARTS`, plus the part.
    numbers : uint64
        The hash.
    values : float32
        Pre-activations.
    pictures : int64
        Number of the picture.
    positions : int64, (count, 2)
        Row and column.
    """

    keys: Int64[np.ndarray, " count"]
    numbers: UInt64[np.ndarray, " count"]
    values: Float32[np.ndarray, " count"]
    pictures: Int64[np.ndarray, " count"]
    positions: Int64[np.ndarray, "count 2"]

    def __repr__(self) -> str:
        return f"Sample({len(self.keys)} neurons)"

    @classmethod
    def empty(cls) -> "Sample":
        """Return a sample of no neurons."""
        none = np.empty(0, np.int64)
        return cls(none, none.astype(np.uint64), none.astype(np.float32), none, none.reshape(0, 2))

    def below(self, limits: Limits) -> "Sample":
        """Return the neurons whose numbers are below the limits of their units' parts."""
        kept = np.flatnonzero(self.numbers < limits.ravel()[self.keys])
        return Sample(*(getattr(self, field.name).take(kept, 0) for field in fields(Sample)))

    def limits(self, units: int) -> Limits:
        """Return the number below which a neuron can still be kept, by unit and part."""
        limits = np.full(units * PARTS, np.iinfo(np.uint64).max, np.uint64)
        full = np.flatnonzero(self.keys[KEPT - 1 :] == self.keys[: len(self.keys) - KEPT + 1])
        limits[self.keys[full]] = self.numbers[full + KEPT - 1]
        return limits.reshape(units, PARTS)


def chosen(samples: Sequence[Sample]) -> Sample:
    """Keep the `KEPT` smallest numbers of each unit's parts; a neuron is kept once."""
    keys = np.concatenate([sample.keys for sample in samples])
    numbers = np.concatenate([sample.numbers for sample in samples])
    order, keys = _order(keys, numbers)
    few = np.ones(len(order), bool)
    few[KEPT:] = keys[KEPT:] != keys[:-KEPT]
    kept = order.take(np.flatnonzero(few))
    return Sample(
        *(
            np.concatenate([getattr(sample, field.name) for sample in samples]).take(kept, 0)
            for field in fields(Sample)
        )
    )


class Growing:
    """A sample to which others are added.

    Of these, neurons that can be kept wait until they are more than those that are: so the more has
    been added, the less another sample costs.

    Parameters
    ----------
    first
        A sample of its own.
    units
        Number of units.
    """

    def __init__(self, first: Sample, units: int) -> None:
        self._sample, self._limits = first, first.limits(units)
        self._added: list[Sample] = []

    def add(self, other: Sample) -> None:
        """Add a sample."""
        self._added.append(other.below(self._limits))
        if sum(len(each.keys) for each in self._added) > len(self._sample.keys):
            self._limits = self.sample().limits(len(self._limits))

    def sample(self) -> Sample:
        """Return the sample of all that has been added."""
        if self._added:
            self._sample = chosen([self._sample, *self._added])
            self._added.clear()
        return self._sample


def _order(
    keys: Int64[np.ndarray, " count"], numbers: UInt64[np.ndarray, " count"]
) -> tuple[Int64[np.ndarray, " distinct"], UInt64[np.ndarray, " distinct"]]:
    """Sort by key, then by number, without duplicates; return the order, and the keys in it.

    One sort by both, as far as 64 bits hold them, which is quick for what is sorted in parts.
    """
    bits = np.uint64(64 - int(keys.max(initial=1)).bit_length())
    both = keys.astype(np.uint64) << bits | numbers >> (np.uint64(64) - bits)
    order = np.argsort(both, kind="stable")
    both = both.take(order)
    new = np.ones(len(both), bool)
    new[1:] = both[1:] != both[:-1]
    again = np.flatnonzero(~new)
    if (numbers[order[again]] != numbers[order[again - 1]]).any():  # the bits left out decide
        order = np.lexsort((numbers, keys))
        keys, numbers = keys[order], numbers[order]
        new[1:] = (keys[1:] != keys[:-1]) | (numbers[1:] != numbers[:-1])
        both = keys.astype(np.uint64) << bits
    kept = np.flatnonzero(new)
    return order.take(kept), both.take(kept) >> bits
