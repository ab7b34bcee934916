import numpy as np
import pytest
import torch
from PIL import Image

from visioncircuits.errors import InputError
from visioncircuits.labeled import LabeledArray
from visioncircuits.networks import Direction, untrained
from visioncircuits.tuning import deviations


def test_deviations_are_standard_deviations_over_all_positions():
    network = untrained("bvlc_googlenet")
    pictures = torch.rand(17, 3, network.size, network.size)  # two batches
    found = deviations(network, "conv2d1", pictures)
    whole = network.activations(pictures, ["conv2d1"])["conv2d1"]
    expected = whole.transpose(0, 1).flatten(1).double().numpy().std(1)
    assert np.allclose(found.values, expected, rtol=1e-6)
    assert found["unit"].values[2] == "conv2d1:2"


def test_no_photographs_are_rejected():
    with pytest.raises(InputError, match="there are no photographs"):
        deviations(untrained("bvlc_googlenet"), "conv2d1", [])


def test_directions_come_last_and_are_measured_on_their_values():
    network = untrained("bvlc_googlenet")
    pictures = torch.rand(4, 3, network.size, network.size)
    direction = Direction("conv2d1", tuple(torch.randn(64).tolist()), name="any")
    found = deviations(network, "conv2d1", pictures, directions=[direction])
    whole = network.activations(pictures, ["conv2d1"])["conv2d1"].double()
    values = torch.einsum("buyx,u->byx", whole, direction.vector(64).double())
    assert found["unit"].values[-1] == "conv2d1:any"
    assert float(found[-1]) == pytest.approx(values.numpy().std(), rel=1e-6)
    alone = deviations(network, "conv2d1", pictures)
    assert np.allclose(found[:-1], alone, rtol=1e-12)


def test_directions_in_another_layer_are_rejected():
    with pytest.raises(InputError, match="that is measured, conv2d1"):
        deviations(
            untrained("bvlc_googlenet"), "conv2d1", [], directions=[Direction("conv2d2", (1.0,))]
        )


def test_deviations_of_a_folder_are_saved_with_their_record_and_read_back(tmp_path):
    network = untrained("bvlc_googlenet")
    pixels = np.random.default_rng(0).integers(256, size=(3, 80, 60, 3), dtype=np.uint8)
    for place, picture in enumerate(pixels):
        Image.fromarray(picture).save(tmp_path / f"{place}.png")
    found = deviations(network, "conv2d0", tmp_path)
    again = LabeledArray.load(found.save(tmp_path / "spread.nc"))
    assert again.identical(found)
    assert again.record["photographs"]["count"] == 3
    assert np.allclose(found, deviations(network, "conv2d0", list(map(Image.fromarray, pixels))))
