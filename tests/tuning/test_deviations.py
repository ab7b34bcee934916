import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, untrained
from visioncircuits.tuning import deviations


def test_deviations_are_standard_deviations_over_all_positions():
    network = untrained("bvlc_googlenet")
    pictures = torch.rand(5, 3, 64, 64)
    found = deviations(network, "conv2d1", pictures.split(2))
    whole = network.activations(pictures, ["conv2d1"])["conv2d1"]
    expected = whole.transpose(0, 1).flatten(1).double().numpy().std(1)
    assert np.allclose(found.values, expected, rtol=1e-6)
    assert found["unit"].values[2] == "conv2d1:2"


def test_no_photographs_are_rejected():
    with pytest.raises(InputError, match="need photographs"):
        deviations(untrained("bvlc_googlenet"), "conv2d1", [])


def test_directions_come_last_and_are_measured_on_their_values():
    network = untrained("bvlc_googlenet")
    pictures = torch.rand(4, 3, 64, 64)
    direction = Direction("conv2d1", tuple(torch.randn(64).tolist()), name="any")
    found = deviations(network, "conv2d1", pictures.split(2), directions=[direction])
    whole = network.activations(pictures, ["conv2d1"])["conv2d1"].double()
    values = torch.einsum("buyx,u->byx", whole, direction.vector(64).double())
    assert found["unit"].values[-1] == "conv2d1:any"
    assert float(found[-1]) == pytest.approx(values.numpy().std(), rel=1e-6)
    alone = deviations(network, "conv2d1", pictures.split(2))
    assert np.allclose(found[:-1], alone, rtol=1e-12)


def test_directions_in_another_layer_are_rejected():
    with pytest.raises(InputError, match="that is measured, conv2d1"):
        deviations(
            untrained("bvlc_googlenet"), "conv2d1", [], directions=[Direction("conv2d2", (1.0,))]
        )
