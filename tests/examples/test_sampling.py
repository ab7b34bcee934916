import numpy as np
import pytest

from visioncircuits.examples import sampling


def of_any_numbers(count: int, seed: int) -> sampling.Sample:
    generator = np.random.default_rng(seed)
    return sampling.Sample(
        generator.integers(0, 9, count),
        np.arange(count, dtype=np.uint64)[generator.permutation(count)],
        generator.normal(size=count).astype(np.float32),
        generator.integers(0, 50, count),
        generator.integers(0, 9, (count, 2)),
    )


def test_the_neurons_with_the_smallest_numbers_are_kept():
    everything = of_any_numbers(2000, 0)
    kept = sampling.chosen([everything, everything])
    for key in range(9):
        expected = np.sort(everything.numbers[everything.keys == key])[: sampling.KEPT]
        assert kept.numbers[kept.keys == key].tolist() == expected.tolist()


def test_neurons_whose_numbers_differ_in_the_last_bits_alone_are_distinct():
    numbers = np.arange(sampling.KEPT + 3, dtype=np.uint64)[::-1] + np.uint64(1 << 60)
    zeros = np.zeros(len(numbers), np.int64)
    same = sampling.Sample(
        zeros + 2**30, numbers, zeros.astype(np.float32), zeros, np.zeros((len(numbers), 2), int)
    )
    kept = sampling.chosen([same, same])
    assert kept.numbers.tolist() == sorted(numbers.tolist())[: sampling.KEPT]


@pytest.mark.parametrize("count", [5, 40, 400])
def test_a_growing_sample_is_that_of_all_neurons(count):
    parts = [sampling.chosen([of_any_numbers(count, seed)]) for seed in range(12)]
    growing = sampling.Growing(parts[0], units=1)
    for part in parts[1:]:
        growing.add(part)
    expected, found = sampling.chosen(parts), growing.sample()
    assert found.keys.tolist() == expected.keys.tolist()
    assert found.numbers.tolist() == expected.numbers.tolist()
