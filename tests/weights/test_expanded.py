import numpy as np
import pytest
import torch

from visioncircuits.networks import Direction, Network
from visioncircuits.weights import ExpandedWeights, expanded_weights


@pytest.mark.parametrize("suffix", ["npz", "nc"])
def test_are_the_same_after_saving_and_loading(network, tmp_path, suffix: str) -> None:
    atom = Direction("conv2d2", tuple(np.linspace(-1, 1, 192).tolist()), name="atom")
    weights = expanded_weights(network, [atom, "conv2d2:5"], "mixed3a:9")
    path = weights.save(tmp_path / f"weights.{suffix}")
    back = ExpandedWeights.load(path)
    assert torch.equal(back.weight, weights.weight)
    assert back.inputs == weights.inputs
    assert back.outputs == weights.outputs
    assert (back.stride, back.offset) == (weights.stride, weights.offset)
    assert back.record["network"]["name"] == "untrained bvlc_googlenet"
    assert list(tmp_path.iterdir()) == [path], "no other file is left"


def test_are_labeled(network: Network) -> None:
    array = expanded_weights(network, "mixed3a", "mixed3b:330").array
    assert array.dims == ("out", "in", "y", "x")
    assert array.sel({"out": "mixed3b:330", "in": "mixed3a:147"}, drop=True).shape == (5, 5)
    assert array.y.values.tolist() == [-2, -1, 0, 1, 2]


def test_repr_names_what_was_replaced(network: Network) -> None:
    weights = expanded_weights(network, "mixed3a", "mixed3b:330")
    assert repr(weights) == (
        "ExpandedWeights(256 of mixed3a → mixed3b:330, shape=(1, 256, 5, 5), "
        "stride=(1, 1), offset=(-2, -2))\n"
        "replaced: max_pool2d (max_pool): average, relu (rectifier): identity"
    )
