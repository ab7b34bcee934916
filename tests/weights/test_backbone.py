"""Main layers of several architectures."""

import pytest
import torch
from torch import Tensor, nn

from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, untrained, wrap
from visioncircuits.weights import expanded_weights, main_layers, surroundings
from visioncircuits.weights.backbone import Surroundings

INCEPTION = (
    *("conv2d0", "conv2d1", "conv2d2", "mixed3a", "mixed3b"),
    *("mixed4a", "mixed4b", "mixed4c", "mixed4d", "mixed4e", "mixed5a", "mixed5b"),
)


def test_main_layers_of_inception_are_those_of_the_circuits_thread(network: Network) -> None:
    assert main_layers(network) == INCEPTION


def test_branches_of_a_fire_module_are_no_main_layers() -> None:
    layers = main_layers(untrained("torchvision:squeezenet1_1"))
    assert layers[:4] == (
        "features.1",
        "features.3.squeeze_activation",
        "features.3",
        "features.4.squeeze_activation",
    )
    assert not any("expand" in layer for layer in layers)


def test_layers_within_a_residual_block_are_no_main_layers() -> None:
    layers = main_layers(untrained("torchvision:resnet18"))
    assert layers[0] == "relu"
    assert {"layer1.0", "layer4"} <= set(layers)
    assert not any("conv" in layer or "bn" in layer for layer in layers)


def test_surroundings_of_a_branch_are_the_layers_before_and_after_its_module(
    network: Network,
) -> None:
    about = surroundings(network, "mixed3b_5x5")
    assert about.before == ("mixed3a", "conv2d2", "conv2d1", "conv2d0")
    assert about.after == INCEPTION[4:]
    assert surroundings(network, "conv2d0").before == ()
    assert surroundings(network, "mixed5b").after == ()


def test_an_unknown_layer_raises(network: Network) -> None:
    with pytest.raises(InputError, match="unknown layer 'mixed9'"):
        surroundings(network, "mixed9")


class Biased(nn.Module):
    """A convolution plus what a layer makes of parameters alone, as in Swin's second version.

    Its course depends on the pictures, so that all modules are layers, in a graph of these alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)
        self.relu, self.last = nn.ReLU(), nn.ReLU()
        self.table = nn.Parameter(torch.rand(1, 4, 1, 1))
        self.learned = nn.Conv2d(4, 4, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        if pictures.mean() > 10:
            return pictures
        values = self.second(self.relu(self.first(pictures)))
        return self.last(values + self.learned(self.table))


def test_a_layer_that_no_picture_changes_is_on_no_path() -> None:
    network = wrap(Biased(), Preprocessing(), size=16)
    main = main_layers(network)
    assert main == ("relu", "last")
    assert surroundings(network, "first").after == main
    assert surroundings(network, "learned") == Surroundings((), ())
    with pytest.raises(InputError, match="learned does not depend on the picture"):
        expanded_weights(network, "first", "learned:0")
