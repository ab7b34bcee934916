"""A circuit holds the strongest connections, level by level."""

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
    """Give each input's squared L2 norm into one feature."""
    weight = expanded_weights(network, source, target).weight[0].numpy()
    return np.array([np.sum(kernel.astype(float) ** 2) for kernel in weight])


def test_a_column_a_level_with_the_feature_alone_in_its_own(found: Circuit) -> None:
    layers = [{feature.layer for feature in column} for column in found.columns]
    assert layers == [{"conv2d2"}, {"mixed3a"}, {"mixed3b"}, {"mixed4a"}]
    assert found.columns[2] == (found.feature,)
    assert all(1 <= len(column) <= 6 for column in found.columns)
    for before, after in zip(found.stages, found.stages[1:], strict=False):
        assert before.weights.outputs == after.weights.inputs


def test_the_first_level_holds_the_strongest_inputs(network: Network, found: Circuit) -> None:
    squares = norms(network, "mixed3a", "mixed3b:330")
    best = np.argsort(-squares)[:6]
    reached = np.cumsum(squares[best]) / squares[best].sum()
    needed = best[: np.argmax(reached >= 0.7) + 1]
    assert [str(feature) for feature in found.columns[1]] == [f"mixed3a:{unit}" for unit in needed]
    assert found.stages[1].share[0] == pytest.approx(squares[needed] / squares.sum(), rel=1e-4)


def test_a_deeper_level_counts_by_what_its_outputs_carry(network: Network, found: Circuit) -> None:
    shares = []
    for target in found.columns[1]:
        squares = norms(network, "conv2d2", str(target))
        shares.append(squares / squares.sum())
    carried = found.stages[1].share[0].numpy() @ np.array(shares)
    candidates = set(np.argsort(-carried)[:6].tolist())
    units = [feature.index for feature in found.columns[0]]
    assert set(units) <= candidates
    assert carried[units].tolist() == sorted(carried[units], reverse=True)


def test_no_feature_stands_alone(found: Circuit) -> None:
    for at, stage in enumerate(found.stages):
        outer, inner = (0, 1) if at < 2 else (1, 0)
        assert stage.drawn.any(outer).all(), "what nothing is drawn to is left out"
        assert stage.drawn.any(inner).all(), "each has some of its own"


def test_the_weights_are_the_networks(network: Network, found: Circuit) -> None:
    above, below = found.stages[0].weights, found.stages[-1].weights
    whole = expanded_weights(network, "conv2d2", list(above.outputs))
    assert torch.equal(above.weight, whole.weight[:, [f.index for f in above.inputs]])
    whole = expanded_weights(network, list(below.inputs), "mixed4a")
    assert torch.equal(below.weight, whole.weight[[f.index for f in below.outputs]])


def test_a_direction_has_a_circuit_too(network: Network) -> None:
    direction = Direction("mixed3a", tuple(float(unit in (3, 5)) for unit in range(256)))
    found = circuit(network, direction, inputs=1, most=3)
    assert found.columns[1] == (direction,)


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_it_is_read_back_as_it_was_saved(found: Circuit, tmp_path: Path, suffix: str) -> None:
    again = Circuit.load(found.save(tmp_path / f"circuit{suffix}"))
    assert again.feature == found.feature
    assert again.columns == found.columns
    for one, other in zip(found.stages, again.stages, strict=True):
        assert torch.equal(one.weights.weight, other.weights.weight)
        assert torch.equal(one.share, other.share)
        assert torch.equal(one.drawn, other.drawn)
        assert json.loads(json.dumps(one.weights.record)) == other.weights.record
        assert (one.weights.stride, one.weights.offset) == (
            other.weights.stride,
            other.weights.offset,
        )


@pytest.mark.parametrize(
    ("options", "told"),
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
def test_what_makes_no_circuit_is_a_sentence(
    network: Network, options: dict[str, float], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        circuit(network, "mixed3b:330", **options)


def test_a_feature_without_weights_is_a_sentence() -> None:
    weight = torch.rand(4, 3, 1, 1)
    weight[2] = 0
    module = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(), nn.Conv2d(3, 4, 1), nn.ReLU())
    module[2].weight.data = weight
    with pytest.raises(InputError, match=r"no weight connects .* with 1: all are zero"):
        circuit(wrap(module, Preprocessing(), size=8), "3:2", inputs=1)
