import numpy as np

from visioncircuits.examples import sampling


def test_the_neurons_with_the_smallest_numbers_are_kept():
    generator = np.random.default_rng(0)
    count = 2000
    everything = sampling.Sample(
        generator.integers(0, 9, count),
        np.arange(count, dtype=np.uint64)[generator.permutation(count)],
        generator.normal(size=count).astype(np.float32),
        generator.integers(0, 50, count),
        generator.integers(0, 9, (count, 2)),
    )
    kept = everything.joined(everything)
    for key in range(9):
        expected = np.sort(everything.numbers[everything.keys == key])[: sampling.KEPT]
        assert kept.numbers[kept.keys == key].tolist() == expected.tolist()
