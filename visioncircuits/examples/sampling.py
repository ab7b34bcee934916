"""Random neurons of every strength: a few for each part of the range, however many are seen.

Every neuron of every picture has a number that a hash of picture and position gives; of those
that fall into a part of the range the ones with the smallest numbers are kept. So it does not
matter in which order pictures come, or on how many workers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float32, Int64, UInt64

KEPT = 6
"""Of each part of the range: what a row of the published quilts shows."""

_OCTAVES = (-10, 14)
_PARTS = 4

PARTS = 2 * (_OCTAVES[1] - _OCTAVES[0]) * _PARTS + 1
"""Four parts an octave, of negative and of positive pre-activations."""


def part(values: Float32[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
    """Say which part of the range values fall into.

    Examples
    --------
    >>> part(np.array([-1.0, 0.0, 1.0], np.float32)).tolist()
    [55, 96, 137]
    """
    half = PARTS // 2
    with np.errstate(divide="ignore"):
        octave = np.log2(np.abs(values))
    size = np.floor((octave - _OCTAVES[0]) * _PARTS).clip(-1, half - 1) + 1
    return (np.sign(values) * size).astype(np.int64) + half


def hashed(
    pictures: Int64[np.ndarray, "*#shape"], positions: Int64[np.ndarray, "*#shape"], seed: int
) -> UInt64[np.ndarray, "*_"]:
    """Give every neuron a number, as good as random (splitmix64: Steele et al., 2014).

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


Bar = UInt64[np.ndarray, "units parts"]


@dataclass(frozen=True)
class Sample:
    """Neurons drawn at random, flat, in order of unit and part of the range.

    Attributes
    ----------
    keys : int64
        Unit times `PARTS`, plus the part.
    numbers : uint64
        What the hash gave.
    values : float32
        Pre-activations.
    pictures : int64
        Which picture.
    positions : int64, (count, 2)
        Row and column.
    """

    keys: Int64[np.ndarray, " count"]
    numbers: UInt64[np.ndarray, " count"]
    values: Float32[np.ndarray, " count"]
    pictures: Int64[np.ndarray, " count"]
    positions: Int64[np.ndarray, "count 2"]

    @classmethod
    def none(cls) -> "Sample":
        """No neurons."""
        none = np.empty(0, np.int64)
        return cls(none, none.astype(np.uint64), none.astype(np.float32), none, none.reshape(0, 2))

    def joined(self, other: "Sample") -> "Sample":
        """Keep the `KEPT` smallest numbers of each unit's parts; a neuron is kept once."""
        return chosen([self, other])

    def bar(self, units: int) -> Bar:
        """Give the numbers below which a neuron may still be kept, by unit and part."""
        bar = np.full(units * PARTS, np.iinfo(np.uint64).max, np.uint64)
        full = np.flatnonzero(self.keys[KEPT - 1 :] == self.keys[: len(self.keys) - KEPT + 1])
        bar[self.keys[full]] = self.numbers[full + KEPT - 1]
        return bar.reshape(units, PARTS)


def chosen(samples: Sequence[Sample]) -> Sample:
    """Keep the `KEPT` smallest numbers of each unit's parts; a neuron is kept once."""
    keys = np.concatenate([sample.keys for sample in samples])
    numbers = np.concatenate([sample.numbers for sample in samples])
    order = np.lexsort((numbers, keys))
    keys, numbers = keys[order], numbers[order]
    new = np.ones(len(keys), bool)
    new[1:] = (keys[1:] != keys[:-1]) | (numbers[1:] != numbers[:-1])
    order, keys = order[new], keys[new]
    starts = np.searchsorted(keys, keys)  # where each key's run begins
    kept = order[np.arange(len(keys)) - starts < KEPT]
    return Sample(
        *(
            np.concatenate([getattr(sample, field.name) for sample in samples])[kept]
            for field in fields(Sample)
        )
    )
