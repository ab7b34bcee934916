import numpy as np
import pytest
import torch

from visioncircuits.dictionaries import capacity, embeddings, monosemanticity
from visioncircuits.errors import InputError
from visioncircuits.networks import untrained


def test_capacity_is_that_of_a_loop_over_pairs() -> None:
    weights = torch.randn(7, 3, 2, 2)
    flat = weights.flatten(1).double().numpy()
    expected = [(w @ w) ** 2 / sum((w @ v) ** 2 for v in flat) for w in flat]
    assert np.allclose(capacity(weights).numpy(), expected)


def test_capacities_add_up_to_no_more_than_the_dimensions() -> None:
    shares = capacity(torch.randn(40, 6))
    assert float(shares.sum()) <= 6 + 1e-4


def test_an_orthogonal_feature_has_a_dimension_and_an_antipodal_pair_shares_one() -> None:
    shares = capacity([[2.0, 0, 0], [-1, 0, 0], [0, 5, 0], [0, 0, 0]])
    # (w·w)² / Σ: 16 / (16 + 4) and 1 / (4 + 1)
    assert torch.allclose(shares, torch.tensor([0.8, 0.2, 1.0, 0.0]))


def test_capacity_refuses_weights_without_rows() -> None:
    with pytest.raises(InputError, match="a row for each feature"):
        capacity(torch.ones(4))


def test_the_score_is_that_of_a_loop_over_pairs() -> None:
    active, embedded = torch.rand(9, 4), torch.randn(9, 5)
    found = monosemanticity(active, embedded).numpy()
    unit = (embedded / embedded.norm(dim=1, keepdim=True)).double().numpy()
    for feature in range(4):
        a = active[:, feature].double().numpy()
        a = (a - a.min()) / (a.max() - a.min())
        pairs = [(n, m) for n in range(9) for m in range(9) if n != m]
        weights = sum(a[n] * a[m] for n, m in pairs)
        alike = sum(a[n] * a[m] * (unit[n] @ unit[m]) for n, m in pairs)
        assert np.isclose(found[feature], alike / weights, atol=1e-5)


def test_a_feature_of_one_kind_scores_above_one_of_two_kinds() -> None:
    kind = torch.arange(60) % 3
    embedded = torch.eye(3)[kind] + 0.2 * torch.rand(60, 3)
    pure, mixed = (kind == 0).float(), (kind != 2).float()
    score = monosemanticity(torch.stack([pure, mixed], 1) + 0.01 * torch.rand(60, 2), embedded)
    assert score[0] > score[1] + 0.2


def test_a_feature_of_one_picture_has_no_score() -> None:
    assert monosemanticity(torch.eye(3)[:, :1], torch.rand(3, 2)).isnan().all()


def test_embeddings_are_means_over_positions() -> None:
    network, pictures = untrained("bvlc_googlenet"), torch.rand(3, 3, 224, 224)
    found = embeddings(network, "conv2d1", pictures, batch=2)
    maps = network.activations(pictures, ["conv2d1"])["conv2d1"]
    assert torch.allclose(found, maps.mean((2, 3)), atol=1e-5)


def test_activations_and_embeddings_are_of_the_same_pictures() -> None:
    with pytest.raises(InputError, match="of 3 pictures and embeddings of 4"):
        monosemanticity(torch.rand(3, 2), torch.rand(4, 2))
