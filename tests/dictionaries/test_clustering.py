import pytest
import torch

from visioncircuits.dictionaries import clusters
from visioncircuits.errors import InputError


def kinds(*sizes: int, noise: float = 0.2) -> torch.Tensor:
    """Examples of several kinds, each driven by a unit of its own."""
    rows = torch.eye(20)[: len(sizes)].repeat_interleave(torch.tensor(sizes), 0)
    return rows + noise * torch.rand(len(rows), 20)


@pytest.mark.parametrize("sizes", [(24, 24), (36, 12), (30, 30, 30)])
def test_kinds_are_found_largest_first(sizes: tuple[int, ...]) -> None:
    found = clusters(kinds(*sizes), draws=39)
    assert found.sizes == sizes
    assert found.p <= 0.05
    truth = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    pairs = torch.stack([truth, found.labels]).unique(dim=1)
    assert pairs.shape[1] == len(sizes)  # each kind is one cluster


@pytest.mark.slow
@pytest.mark.parametrize("family", ["normal", "gamma", "arc"])
def test_one_cluster_is_taken_for_several_no_more_often_than_one_in_ten(family: str) -> None:
    generator = torch.Generator().manual_seed(0)
    scales = torch.logspace(0, -1, 20)
    false = 0
    for draw in range(40):
        if family == "normal":
            rows = torch.randn(48, 20, generator=generator) * scales + 2
        elif family == "gamma":  # a half of a degree of freedom: half of the units hardly activate
            rows = torch.randn(48, 20, generator=generator).square() * scales
        else:
            angle = torch.rand(48, 1, generator=generator)
            rows = torch.cat([angle.cos(), angle.sin(), torch.zeros(48, 18)], 1)
            rows = rows + 0.1 * torch.randn(48, 20, generator=generator)
        false += len(clusters(rows, draws=39, seed=draw)) > 1
    assert false <= 4


def test_strength_does_not_matter() -> None:
    rows = kinds(24, 24)
    strong = rows * torch.linspace(1, 100, 48)[torch.randperm(48)][:, None]
    assert torch.equal(clusters(rows, draws=19).labels, clusters(strong, draws=19).labels)


def test_a_seed_fixes_the_clusters() -> None:
    rows = kinds(20, 20)
    one, other = (clusters(rows, draws=19, seed=5) for _ in range(2))
    assert torch.equal(one.labels, other.labels)
    assert one.p == other.p


@pytest.mark.parametrize("count", [1, 9])
def test_few_examples_are_one_kind(count: int) -> None:
    assert len(clusters(torch.rand(count, 4))) == 1


def test_equal_examples_are_one_kind() -> None:
    assert len(clusters(torch.ones(30, 4))) == 1


def test_too_few_draws_are_refused() -> None:
    with pytest.raises(InputError, match="draws must be a whole number of 19 or more, not 5"):
        clusters(torch.rand(20, 4), draws=5)
