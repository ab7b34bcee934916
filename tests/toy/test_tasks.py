"""Features occur as often, and together, as a task states."""

import itertools

import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.toy import Task
from visioncircuits.toy.draws import Draws


def drawn(*tasks: Task, signed: bool = False, batch: int = 20_000) -> torch.Tensor:
    seeds = dict.fromkeys(task.seed for task in tasks)
    generators = {seed: np.random.default_rng(seed) for seed in seeds}
    return Draws(tasks, batch, generators, signed=signed)()


@pytest.mark.parametrize("sparsity", [0.0, 0.7, 0.99])
def test_features_are_uniform_and_as_sparse_as_stated(sparsity: float) -> None:
    (found,) = drawn(Task(features=4, hidden=2, sparsity=sparsity)).numpy()
    present = found > 0
    assert np.allclose(present.mean(0), 1 - sparsity, atol=0.015)
    both = (present[:, :2].all(1)).mean()
    assert both == pytest.approx((1 - sparsity) ** 2, abs=0.015)
    values = found[present]
    assert values.mean() == pytest.approx(0.5, abs=0.02)
    assert values.var() == pytest.approx(1 / 12, abs=0.01)
    assert values.min() >= 0
    assert values.max() <= 1


def test_signed_features_are_uniform_from_minus_one_to_one() -> None:
    (found,) = drawn(Task(features=2, hidden=2, sparsity=0.5), signed=True).numpy()
    values = found[found != 0]
    assert values.mean() == pytest.approx(0, abs=0.02)
    assert values.var() == pytest.approx(1 / 3, abs=0.02)


def test_correlated_features_occur_all_at_once_with_independent_values() -> None:
    task = Task(features=6, hidden=2, sparsity=0.6, correlation="correlated", together=3)
    (found,) = drawn(task).numpy()
    present = (found > 0).reshape(-1, 2, 3)
    assert (present.all(-1) == present.any(-1)).all()
    assert present.mean() == pytest.approx(0.4, abs=0.015)
    assert np.corrcoef(*found[found[:, 0] > 0, :2].T)[0, 1] == pytest.approx(0, abs=0.04)
    assert np.corrcoef(*present[..., 0].T)[0, 1] == pytest.approx(0, abs=0.04)


def test_anticorrelated_features_occur_one_at_a_time_and_as_often_as_stated() -> None:
    task = Task(features=4, hidden=2, sparsity=0.6, correlation="anticorrelated")
    (found,) = drawn(task).numpy()
    assert (found.reshape(-1, 2, 2) > 0).sum(-1).max() == 1
    assert np.allclose((found > 0).mean(0), 0.4, atol=0.015)
    assert found[found > 0].mean() == pytest.approx(0.5, abs=0.02)


def test_what_a_task_is_given_depends_on_its_seed_and_not_on_its_neighbors() -> None:
    pairs = itertools.product((0.5, 0.9), (3, 8))
    tasks = [Task(features=3, hidden=2, sparsity=s, seed=seed) for s, seed in pairs]
    together = drawn(*tasks, batch=50)
    for task, found in zip(tasks, together, strict=True):
        assert torch.equal(drawn(task, batch=50)[0], found)
    assert not torch.equal(together[0] > 0, together[1] > 0)
    assert not (together[2] > 0)[together[0] == 0].any()  # one seed: what is sparser lacks more


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sparsity": 1.0}, "sparsity must be below 1"),
        ({"sparsity": -0.1}, "sparsity must be a finite number at least 0"),
        ({"hidden": 0}, "hidden must be a whole number of 1 or more"),
        ({"importance": (1.0, 2.0)}, "a weight for each of 4 features, not 2"),
        ({"importance": (1.0, -2.0, 1.0, 1.0)}, "importance must be a finite number at least 0"),
        ({"correlation": "correlate"}, "unknown correlation 'correlate'"),
        ({"correlation": "correlated", "together": 3}, "4 features are no sets of 3"),
        ({"correlation": "anticorrelated"}, "sparsity of at least 0.5"),
    ],
)
def test_a_task_that_cannot_be_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Task(**{"features": 4, "hidden": 2, **options})  # type: ignore[arg-type]
