import numpy as np
import pytest
import torch

from visioncircuits.examples import crop, masked
from visioncircuits.networks import untrained


@pytest.mark.parametrize("position", [(0, 0), (6, 6), (11, 3)])
def test_a_crop_is_exactly_the_receptive_field(position):
    network = untrained("bvlc_googlenet")
    picture = torch.rand(1, 3, 96, 96, requires_grad=True)
    layer = network.layers_at(96)["mixed3a"]
    values = network.activations(picture, ["mixed3a_pre_relu"])["mixed3a_pre_relu"]
    values[0, :, position[0], position[1]].sum().backward()
    field = picture.grad[0].abs().sum(0) > 0
    marked = torch.where(field, 1.0, 0.0).expand(3, -1, -1).contiguous()
    cut = crop(layer, marked, position)
    assert cut.shape == (3, 59, 59)
    assert int((cut[0] == 1).sum()) == int(field.sum())


def test_a_smaller_crop_is_the_center_of_the_whole_one():
    layer = untrained("bvlc_googlenet").layers_at(96)["mixed3a"]
    picture = torch.rand(3, 96, 96)
    assert crop(layer, picture, (6, 6), most=31).equal(
        crop(layer, picture, (6, 6))[:, 14:45, 14:45]
    )


def test_a_photograph_is_faded_except_where_the_unit_activates():
    picture = torch.zeros(3, 64, 64)
    activations = torch.full((8, 8), -1.0)
    activations[2, 5] = 3.0
    faded = masked(picture, activations)[0].numpy()
    row, column = np.unravel_index(faded.argmin(), faded.shape)
    assert (row // 8, column // 8) == (2, 5)
    assert faded[60, 4] > 0.7
    assert masked(picture, torch.zeros(8, 8)).min() > 0.7
