import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.networks import untrained
from visioncircuits.tuning import deviations


def test_they_are_the_standard_deviations_over_all_positions():
    network = untrained("bvlc_googlenet")
    pictures = torch.rand(5, 3, 64, 64)
    found = deviations(network, "conv2d1", pictures.split(2))
    whole = network.activations(pictures, ["conv2d1"])["conv2d1"]
    expected = whole.transpose(0, 1).flatten(1).double().numpy().std(1)
    assert np.allclose(found.values, expected, rtol=1e-6)
    assert found["unit"].values[2] == "conv2d1:2"


def test_no_photographs_are_refused():
    with pytest.raises(InputError, match="no photographs"):
        deviations(untrained("bvlc_googlenet"), "conv2d1", [])
