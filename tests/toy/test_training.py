"""Trained toy models reach the published solutions, whatever else is trained beside them."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.toy import (
    AbsoluteValue,
    Linear,
    Solutions,
    Task,
    dimensionality,
    interference,
    parts,
    represented,
    train,
)
from visioncircuits.toy.tasks import Correlation

DECAY = tuple(0.7**i for i in range(6))


def names(solutions: Solutions, instance: int) -> list[str]:
    return sorted(part.name for part in parts(solutions.weights.values[instance]))


@pytest.mark.slow
def test_a_model_is_the_same_alone_and_beside_others() -> None:
    pairs = itertools.product((0.3, 0.9), (0, 5))
    tasks = [Task(features=4, hidden=2, sparsity=s, seed=seed) for s, seed in pairs]
    together = train(tasks, steps=60, batch=64)
    for place, task in enumerate(tasks):
        alone = train([task], steps=60, batch=64)
        assert np.allclose(alone.weights[0], together.weights[place], atol=1e-4)
        assert float(alone.loss[0]) == pytest.approx(float(together.loss[place]), rel=1e-3)
    assert not np.allclose(together.weights[0], together.weights[1], atol=0.1)


def test_the_same_call_gives_the_same_bytes_and_a_file_gives_them_back(tmp_path: Path) -> None:
    tasks = [Task(features=3, hidden=2, sparsity=0.5)]
    first, second = train(tasks, steps=20), train(tasks, steps=20)
    assert first.identical(second)
    read = Solutions.load(first.save(tmp_path / "toy.nc"))
    assert read.identical(first)
    assert read.record["steps"] == 20


@pytest.mark.slow
def test_a_linear_model_is_principal_component_analysis() -> None:
    """Its loss is the variance, weighted, of the features that it drops."""
    task = Task(features=6, hidden=2, importance=DECAY)
    found = train([task], model=Linear, steps=1500, batch=256)
    (shares,) = dimensionality(found.weights)
    assert shares == pytest.approx([1, 1, 0, 0, 0, 0], abs=0.02)
    assert represented(found.weights)[0].tolist() == [True] * 2 + [False] * 4
    assert float(found.loss[0]) == pytest.approx(sum(DECAY[2:]) / 12 / 6, rel=0.03)


@pytest.mark.slow
def test_dense_features_are_not_in_superposition_and_sparse_ones_are() -> None:
    tasks = [Task(features=5, hidden=2, sparsity=s, importance=DECAY[:5]) for s in (0.0, 0.95)]
    dense, sparse = train(tasks, steps=1000, batch=256).weights.values
    assert represented(dense).tolist() == [True] * 2 + [False] * 3
    assert interference(dense)[:2] == pytest.approx(0, abs=0.02)
    assert represented(sparse).all()
    assert interference(sparse).min() > 1


@pytest.mark.slow
def test_twenty_features_in_six_dimensions_are_six_digons() -> None:
    """Elhage et al. (2022): a plateau at 1/2, of 11 to 12 features."""
    tasks = [
        Task(features=20, hidden=6, sparsity=sparsity, seed=seed)
        for sparsity in (0.5, 0.7)
        for seed in (0, 1)
    ]
    for weights in train(tasks, steps=1000, batch=256).weights.values:
        kept, shares = represented(weights), dimensionality(weights)
        assert 11 <= kept.sum() <= 12
        assert np.quantile(shares[kept], [0.1, 0.9]) == pytest.approx(0.5, abs=0.01)
        assert shares.sum() == pytest.approx(6, abs=0.02)


@pytest.mark.slow
def test_five_sparse_features_in_two_dimensions_are_a_pentagon_in_nearly_every_seed() -> None:
    tasks = [Task(features=5, hidden=2, sparsity=0.95, seed=seed) for seed in range(20)]
    found = train(tasks, steps=1000, batch=256)
    pentagons = [names(found, instance) == ["pentagon"] for instance in range(20)]
    assert sum(pentagons) >= 19
    shares = dimensionality(found.weights)
    assert np.allclose(shares[pentagons], 0.4, atol=0.01)
    assert np.allclose(shares.sum(1), 2, atol=0.02)


@pytest.mark.slow
def test_eight_sparse_features_in_three_dimensions_are_a_square_antiprism() -> None:
    """Not quite the tight frame, whose corners have 3/8, but between it and equal edges."""
    tasks = [Task(features=8, hidden=3, sparsity=0.95, seed=seed) for seed in range(3)]
    found = train(tasks, steps=1000, batch=256)
    assert [names(found, instance) for instance in range(3)] == [["square antiprism"]] * 3
    assert 0.3664 < dimensionality(found.weights).mean() < 0.375


def within_sets(found: Solutions) -> np.ndarray:
    """Cosines of the two features of every set."""
    units = found.weights.values / np.linalg.norm(found.weights.values, axis=1, keepdims=True)
    return np.einsum("ihs,ihs->is", units[:, :, ::2], units[:, :, 1::2])


@pytest.mark.slow
@pytest.mark.parametrize(("correlation", "cosine"), [("anticorrelated", -1), ("correlated", 0)])
def test_the_best_solution_has_anticorrelated_features_opposite_and_correlated_ones_orthogonal(
    correlation: Correlation, cosine: float
) -> None:
    tasks = [
        Task(features=4, hidden=2, sparsity=0.9, correlation=correlation, seed=seed)
        for seed in range(8)
    ]
    found = train(tasks, steps=1000, batch=256)
    assert within_sets(found)[found.loss.values.argmin()] == pytest.approx(cosine, abs=0.05)


@pytest.mark.slow
def test_absolute_values_have_two_neurons_each_where_there_are_enough() -> None:
    tasks = [Task(features=3, hidden=6, seed=seed) for seed in range(5)]
    found = train(tasks, model=AbsoluteValue, steps=1000, batch=256)
    best = found.isel(instance=int(found.loss.values.argmin()))
    assert float(best.loss) < 1e-3
    strengths = np.sort(np.abs(best.weights.values), axis=1)
    assert (strengths[:, -1] > 0.5).all()
    assert (strengths[:, -2] < 0.1).all()  # one feature a neuron
    assert ((np.abs(best.weights.values) > 0.5).sum(0) == 2).all()  # two neurons a feature


def test_bad_input_is_refused_in_one_sentence() -> None:
    task = Task(features=3, hidden=2)
    with pytest.raises(InputError, match="at least one task"):
        train([])
    with pytest.raises(InputError, match="the same features, hidden dimensions"):
        train([task, Task(features=4, hidden=2)])
    for wrong in ({"steps": 0}, {"batch": 0}, {"rate": 0.0}):
        with pytest.raises(InputError, match=f"{next(iter(wrong))} must be"):
            train([task], **wrong)  # type: ignore[arg-type]
