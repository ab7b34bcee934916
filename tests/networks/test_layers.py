import pytest
import torch

from visioncircuits.networks.catalog import untrained
from visioncircuits.networks.layers import Layer
from visioncircuits.networks.network import Network


@pytest.fixture(scope="module")
def googlenet() -> Network:
    return untrained("bvlc_googlenet")


def test_layers_have_units_strides_and_fields(googlenet: Network) -> None:
    assert googlenet.layer("conv2d0") == Layer("conv2d0", 64, (2, 2), (7, 7), (-3, -3), (112, 112))
    assert googlenet.layer("logits").stride == (0, 0)
    assert googlenet.layer("logits").shape == ()


def test_layers_have_centers_in_pixels(googlenet: Network) -> None:
    layer = googlenet.layer("mixed3b")
    y, x = layer.center((10, 11))
    assert x - y == layer.stride[0]
    assert y == layer.offset[0] + 10 * layer.stride[0] + (layer.receptive_field[0] - 1) / 2
    assert googlenet.layer("logits").center((0, 0)) == (111.5, 111.5)


def test_layers_of_pictures_that_are_not_square_have_offsets_of_their_own() -> None:
    layers = untrained("inceptionv1").layers_at((97, 224))
    assert layers["conv2d0"].offset == (-3, -2)
    assert layers["conv2d0"].shape == (49, 112)


def test_layers_are_in_the_order_of_computation_and_read_only(googlenet: Network) -> None:
    assert list(googlenet.layers)[:3] == ["conv2d0_pre_relu", "conv2d0", "maxpool0"]
    assert list(googlenet.layers)[-1] == "logits"
    with pytest.raises(TypeError):
        googlenet.layers["mine"] = googlenet.layer("conv2d0")  # type: ignore[index]


def test_layers_are_the_same_within_inference_mode() -> None:
    with torch.inference_mode():
        within = dict(untrained("bvlc_googlenet").layers)
    assert within == dict(untrained("bvlc_googlenet").layers)
