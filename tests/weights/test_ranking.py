"""Rankings of synthetic kernels whose order is known."""

import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.networks import Unit
from visioncircuits.weights import ExpandedWeights, strongest_inputs, strongest_outputs


@pytest.fixture
def weights() -> ExpandedWeights:
    kernels = torch.zeros(3, 4, 2, 2)
    kernels[1, 0] = torch.tensor([[3.0, -4.0], [0.0, 0.0]])
    kernels[1, 2] = torch.tensor([[0.0, 0.0], [0.0, 6.0]])
    kernels[1, 3, 1, 1] = -2.0
    kernels[2, 2, 0, 0] = 8.0
    inputs = tuple(Unit("a", index) for index in range(4))
    outputs = tuple(Unit("b", index) for index in range(3))
    return ExpandedWeights(kernels, inputs, outputs, (1, 1), (0, 0), {})


def test_inputs_are_in_the_order_of_their_norms(weights: ExpandedWeights) -> None:
    found = strongest_inputs(weights, "b:1")
    assert [str(connection.source) for connection in found] == ["a:2", "a:0", "a:3", "a:1"]
    assert [connection.norm for connection in found] == [6, 5, 2, 0]
    assert repr(found[1]) == "Connection(a:0 → b:1, 2 × 2, norm=5, share=0.385)"
    assert {str(connection.target) for connection in found} == {"b:1"}


def test_positive_and_negative_parts_are_measured_separately(weights: ExpandedWeights) -> None:
    second = strongest_inputs(weights, "b:1")[1]
    assert (second.positive, second.negative) == (3, 4)
    inhibiting = strongest_inputs(weights, "b:1", part="negative", top=2)
    assert [str(connection.source) for connection in inhibiting] == ["a:0", "a:3"]
    exciting = strongest_inputs(weights, "b:1", part="positive", top=1)
    assert str(exciting[0].source) == "a:2"


def test_shares_are_fractions_of_the_whole_squared_norm(weights: ExpandedWeights) -> None:
    shares = [connection.share for connection in strongest_inputs(weights, "b:1")]
    assert shares == pytest.approx([36 / 65, 25 / 65, 4 / 65, 0])
    of_two = strongest_inputs(weights, "b:1", top=2)
    assert sum(connection.share for connection in of_two) == pytest.approx(61 / 65)


def test_outputs_are_in_the_order_of_their_norms(weights: ExpandedWeights) -> None:
    found = strongest_outputs(weights, "a:2", top=2)
    assert [str(connection.target) for connection in found] == ["b:2", "b:1"]
    assert found[0].share == pytest.approx(64 / 100)
    assert {str(connection.source) for connection in found} == {"a:2"}


def test_shares_of_a_feature_without_weights_are_zero(weights: ExpandedWeights) -> None:
    assert [connection.share for connection in strongest_inputs(weights, "b:0", top=1)] == [0]


def test_unnamed_or_unknown_features_raise(weights: ExpandedWeights) -> None:
    with pytest.raises(InputError, match="the weights have 3 outputs; name one"):
        strongest_inputs(weights)
    with pytest.raises(InputError, match="b:7 is not among the 3 outputs of the weights"):
        strongest_inputs(weights, "b:7")
    with pytest.raises(InputError, match="a:9 is not among the 4 inputs of the weights"):
        strongest_outputs(weights, "a:9")
