"""Circuits consist of the strongest connections, level by level."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Network, Preprocessing, wrap
from visioncircuits.weights import Circuit, circuit, expanded_weights


@pytest.fixture(scope="module")
def found(network: Network) -> Circuit:
    return circuit(network, "mixed3b:330", inputs=2, outputs=1, share=0.7, most=6)


def norms(network: Network, source: str, target: str) -> np.ndarray:
    """Return each input's squared L2 norm into one feature."""
    weight = expanded_weights(network, source, target).weight[0].numpy()
    return np.array([np.sum(kernel.astype(float) ** 2) for kernel in weight])


def test_each_level_adds_a_column_and_the_feature_has_its_own(found: Circuit) -> None:
    layers = [{feature.layer for feature in column} for column in found.columns]
    assert layers == [{"conv2d2"}, {"mixed3a"}, {"mixed3b"}, {"mixed4a"}]
    assert found.columns[2] == (found.feature,)
    assert all(1 <= len(column) <= 6 for column in found.columns)
    for before, after in zip(found.levels, found.levels[1:], strict=False):
        assert before.weights.outputs == after.weights.inputs


def test_the_first_level_consists_of_the_strongest_inputs(network: Network, found: Circuit) -> None:
    squares = norms(network, "mixed3a", "mixed3b:330")
    best = np.argsort(-squares)[:6]
    reached = np.cumsum(squares[best]) / squares[best].sum()
    needed = best[: np.argmax(reached >= 0.7) + 1]
    assert [str(feature) for feature in found.columns[1]] == [f"mixed3a:{unit}" for unit in needed]
    assert found.levels[1].share[0] == pytest.approx(squares[needed] / squares.sum(), rel=1e-4)


def test_a_deeper_level_is_weighted_by_the_shares_of_its_outputs(
    network: Network, found: Circuit
) -> None:
    shares = []
    for target in found.columns[1]:
        squares = norms(network, "conv2d2", str(target))
        shares.append(squares / squares.sum())
    carried = found.levels[1].share[0].numpy() @ np.array(shares)
    candidates = set(np.argsort(-carried)[:6].tolist())
    units = [feature.index for feature in found.columns[0]]
    assert set(units) <= candidates
    assert carried[units].tolist() == sorted(carried[units], reverse=True)


def test_every_feature_is_connected(found: Circuit) -> None:
    for at, level in enumerate(found.levels):
        outer, inner = (0, 1) if at < 2 else (1, 0)
        assert level.drawn.any(outer).all(), "a feature without connections is dropped"
        assert level.drawn.any(inner).all(), "each has connections of its own"


def test_weights_equal_the_expanded_weights(network: Network, found: Circuit) -> None:
    above, below = found.levels[0].weights, found.levels[-1].weights
    whole = expanded_weights(network, "conv2d2", list(above.outputs))
    assert torch.equal(above.weight, whole.weight[:, [f.index for f in above.inputs]])
    whole = expanded_weights(network, list(below.inputs), "mixed4a")
    assert torch.equal(below.weight, whole.weight[[f.index for f in below.outputs]])


def test_circuit_of_a_direction(network: Network) -> None:
    direction = Direction("mixed3a", tuple(float(unit in (3, 5)) for unit in range(256)))
    found = circuit(network, direction, inputs=1, most=3)
    assert found.columns[1] == (direction,)


def test_repr_is_one_line(found: Circuit) -> None:
    counts = [len(column) for column in found.columns]
    assert repr(found).startswith(f"Circuit(mixed3b:330: {counts[0]} of conv2d2 → {counts[1]} of ")
    assert repr(found).endswith(" connections)")
    for level in found.levels:
        assert repr(level).startswith(f"Level({level.weights.line}, {int(level.drawn.sum())} conn")
    assert max(len(repr(each)) for each in (found, *found.levels)) < 200


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_is_the_same_after_saving_and_loading(found: Circuit, tmp_path: Path, suffix: str) -> None:
    again = Circuit.load(found.save(tmp_path / f"circuit{suffix}"))
    assert again.feature == found.feature
    assert again.columns == found.columns
    for one, other in zip(found.levels, again.levels, strict=True):
        assert torch.equal(one.weights.weight, other.weights.weight)
        assert torch.equal(one.share, other.share)
        assert torch.equal(one.drawn, other.drawn)
        assert json.loads(json.dumps(one.weights.record)) == other.weights.record
        assert (one.weights.stride, one.weights.offset) == (
            other.weights.stride,
            other.weights.offset,
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": 5}, "mixed3b has 4 layers before it .mixed3a, conv2d2, .* not 5"),
        ({"outputs": 9}, "mixed3b has 7 layers after it"),
        ({"inputs": -1}, "not -1"),
        ({"inputs": 0}, "needs a level"),
        ({"share": 0.0}, "a share above 0"),
        ({"share": 1.5}, "a share above 0"),
        ({"most": 0}, "at least one feature a level"),
    ],
)
def test_invalid_options_raise(network: Network, options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        circuit(network, "mixed3b:330", **options)


def test_a_feature_without_weights_raises() -> None:
    weight = torch.rand(4, 3, 1, 1)
    weight[2] = 0
    module = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(), nn.Conv2d(3, 4, 1), nn.ReLU())
    module[2].weight.data = weight
    with pytest.raises(InputError, match=r"no weight connects .* with 1: all are zero"):
        circuit(wrap(module, Preprocessing(), size=8), "3:2", inputs=1)
