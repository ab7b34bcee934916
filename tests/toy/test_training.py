"""Trained toy models reach the published solutions, whatever else is trained beside them."""

from pathlib import Path

import numpy as np
import pytest
import torch

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

DECAY = tuple(0.7**i for i in range(6))


def names(solutions: Solutions, instance: int) -> list[str]:
    return sorted(part.name for part in parts(solutions.weights.values[instance]))


def test_a_model_is_the_same_alone_and_beside_others() -> None:
    tasks = [
        Task(features=4, hidden=2, sparsity=s, seed=seed) for s in (0.3, 0.9) for seed in (0, 5)
    ]
    together = train(tasks, steps=100, batch=64)
    for place, task in enumerate(tasks):
        alone = train([task], steps=100, batch=64)
        assert np.allclose(alone.weights[0], together.weights[place], atol=1e-4)
        assert float(alone.loss[0]) == pytest.approx(float(together.loss[place]), rel=1e-3)
    assert not np.allclose(together.weights[0], together.weights[1], atol=0.1)


def test_the_same_call_gives_the_same_bytes_and_a_file_gives_them_back(tmp_path: Path) -> None:
    tasks = [Task(features=3, hidden=2, sparsity=0.5)]
    first, second = train(tasks, steps=20), train(tasks, steps=20)
    assert first.identical(second)
    read = Solutions.load(first.save(tmp_path / "toy.nc"))
    assert read.identical(first) and read.record["steps"] == 20


def test_a_linear_model_of_dense_features_is_principal_component_analysis() -> None:
    """Its loss is the variance, weighted, of the features that it drops."""
    (found,) = train(
        [Task(features=6, hidden=2, importance=DECAY)], model=Linear, steps=600, batch=512
    ).weights.values
    shares = dimensionality(found)
    assert np.allclose(shares[:2], 1, atol=0.02) and (shares[2:] < 0.05).all()
    assert represented(found).tolist() == [True] * 2 + [False] * 4


def test_the_loss_of_a_linear_model_is_the_variance_of_what_it_drops() -> None:
    (loss,) = train([Task(features=6, hidden=2, importance=DECAY)], model=Linear, steps=600).loss
    assert float(loss) == pytest.approx(sum(DECAY[2:]) / 12 / 6, rel=0.03)


def test_dense_features_are_not_in_superposition_and_sparse_ones_are() -> None:
    tasks = [Task(features=5, hidden=2, sparsity=s, importance=DECAY[:5]) for s in (0.0, 0.95)]
    dense, sparse = train(tasks, steps=600, batch=512).weights.values
    assert represented(dense).sum() == 2 and interference(dense)[:2].max() < 0.02
    assert represented(sparse).sum() > 2 and interference(sparse)[:2].min() > 0.2


@pytest.mark.slow
@pytest.mark.minutes(0.3)
def test_twenty_features_in_six_dimensions_are_six_digons() -> None:
    """Elhage et al. (2022): a plateau at 1/2, of 11 to 12 features."""
    tasks = [
        Task(features=20, hidden=6, sparsity=s, seed=seed) for s in (0.5, 0.7) for seed in (0, 1)
    ]
    for weights in train(tasks).weights.values:
        kept, shares = represented(weights), dimensionality(weights)
        low, high = np.quantile(shares[kept], [0.1, 0.9])
        assert 11 <= kept.sum() <= 12
        assert (low, high) == (pytest.approx(0.5, abs=0.01), pytest.approx(0.5, abs=0.01))
        assert shares.sum() == pytest.approx(6, abs=0.02)


@pytest.mark.slow
def test_five_sparse_features_in_two_dimensions_are_a_pentagon_in_nearly_every_seed() -> None:
    found = train([Task(features=5, hidden=2, sparsity=0.95, seed=seed) for seed in range(20)])
    pentagons = [names(found, instance) == ["pentagon"] for instance in range(20)]
    assert sum(pentagons) >= 19
    shares = dimensionality(found.weights)
    assert np.allclose(shares[pentagons], 0.4, atol=0.005)
    assert np.allclose(shares.sum(1), 2, atol=0.02)


@pytest.mark.slow
def test_eight_sparse_features_in_three_dimensions_are_a_square_antiprism() -> None:
    """Not quite the tight frame, whose corners have 3/8: .37, between it and equal edges."""
    found = train([Task(features=8, hidden=3, sparsity=0.95, seed=seed) for seed in range(3)])
    assert [names(found, instance) for instance in range(3)] == [["square antiprism"]] * 3
    shares = dimensionality(found.weights)
    assert 0.3664 < shares.mean() < 0.375


@pytest.mark.slow
def test_anticorrelated_features_are_opposite_and_correlated_ones_orthogonal() -> None:
    """Elhage et al. (2022), correlated feature pairs; cosines within sets, in absolute value."""
    options = {"features": 4, "hidden": 2, "sparsity": 0.9}
    opposite = train(
        [Task(**options, correlation="anticorrelated", seed=seed) for seed in range(5)], steps=1000
    )
    orthogonal = train(
        [Task(**options, correlation="correlated", seed=seed) for seed in range(5)], steps=1000
    )

    def cosines(found: Solutions) -> np.ndarray:
        units = found.weights.values / np.linalg.norm(found.weights.values, axis=1, keepdims=True)
        return np.einsum("ihs,ihs->is", units[:, :, ::2], units[:, :, 1::2])

    assert (cosines(opposite) < -0.95).all()
    assert (np.abs(cosines(orthogonal)) < 0.1).all()


@pytest.mark.slow
def test_absolute_values_have_two_neurons_each_where_there_are_enough() -> None:
    tasks = [Task(features=3, hidden=6, seed=seed) for seed in range(5)]
    found = train(tasks, model=AbsoluteValue, steps=1500)
    best = found.isel(instance=int(found.loss.argmin()))
    assert float(best.loss) < 1e-3
    weights = best.weights.values[np.linalg.norm(best.weights.values, axis=1) > 0.1]
    assert (np.sort(np.abs(weights), axis=1)[:, -2] < 0.1).all()  # one feature a neuron


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_gives_what_the_processor_gives() -> None:
    tasks = [Task(features=4, hidden=2, sparsity=0.5)]
    there, here = (train(tasks, steps=50, device=device) for device in ("cuda", "cpu"))
    assert np.allclose(there.weights, here.weights, atol=1e-3)


def test_bad_input_is_refused_in_one_sentence() -> None:
    task = Task(features=3, hidden=2)
    with pytest.raises(InputError, match="at least one task"):
        train([])
    with pytest.raises(InputError, match="the same features, hidden dimensions"):
        train([task, Task(features=4, hidden=2)])
    for wrong in ({"steps": 0}, {"batch": 0}, {"rate": 0.0}):
        with pytest.raises(InputError, match=f"{next(iter(wrong))} must be"):
            train([task], **wrong)  # type: ignore[arg-type]
