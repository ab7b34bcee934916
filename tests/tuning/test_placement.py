import pytest
import torch
from torch import nn
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.networks import Preprocessing, untrained, wrap
from visioncircuits.tuning import placement
from visioncircuits.tuning.placement import nearest_placement

SLOW = pytest.mark.slow


@pytest.mark.parametrize("name", ["bvlc_googlenet", "inceptionv1"])
@pytest.mark.parametrize(
    "layer",
    [
        "conv2d0",
        "mixed3a",
        *(pytest.param(n, marks=SLOW) for n in ("conv2d2", "mixed3b", "mixed4a")),
    ],
)
def test_the_receptive_field_is_within_the_picture(name, layer):
    network = untrained(name)
    placed = placement(network, layer)
    picture = torch.rand(1, 3, *placed.size, requires_grad=True)
    row, column = placed.position
    network.activations(picture, [f"{layer}_pre_relu"])[f"{layer}_pre_relu"][
        0, :, row, column
    ].sum().backward()
    field = network.layer(layer).receptive_field[0]
    seen = picture.grad.abs().sum((0, 1)).nonzero()
    (top, left), (bottom, right) = seen.amin(0).tolist(), seen.amax(0).tolist()
    middle = (placed.size[0] - 1) / 2
    assert (top + bottom) / 2 == pytest.approx(middle + placed.shift[0], abs=field * 0.1)
    assert (left + right) / 2 == pytest.approx(middle + placed.shift[1], abs=field * 0.1)
    assert bottom - top < field
    # The network itself accepts no picture of less than 32 px.
    assert placed.size[0] <= max(32, field + 2 * network.layer(layer).stride[0])


def test_for_a_receptive_field_larger_than_the_picture_the_neuron_is_the_middle_one():
    placed = placement(untrained("bvlc_googlenet"), "mixed5b")
    assert placed.size == (224, 224)
    assert placed.position == (3, 3)


class Scaled(nn.Module):
    """Scales every picture to one size first."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(F.interpolate(x, size=(20, 20), mode="bilinear")).relu()


def test_a_network_that_rescales_its_pictures_gets_whole_ones():
    network = wrap(Scaled(), Preprocessing(), size=32)
    assert placement(network, "conv").size == (32, 32)
    assert placement(network, "conv").position == (10, 10)


def test_a_neighborhood_needs_a_larger_picture():
    network = untrained("bvlc_googlenet")
    assert (
        placement(network, "mixed3a", reach=2).size[0] == placement(network, "mixed3a").size[0] + 32
    )


def test_the_neuron_nearest_to_the_center_of_pictures_of_another_size():
    module = nn.Sequential(nn.Conv2d(3, 2, 3, stride=2, padding=1))
    network = wrap(module, Preprocessing(), size=32)
    placed = nearest_placement(network, "0", (9, 13))
    assert placed.position == (2, 3)
    assert placed.shift == (0.0, 0.0)


def test_a_layer_without_positions_is_rejected():
    with pytest.raises(InputError, match="before the global pooling"):
        placement(untrained("bvlc_googlenet"), "logits")
