"""Main layers of several architectures."""

import pytest

from visioncircuits.errors import InputError
from visioncircuits.networks import Network, untrained
from visioncircuits.weights import main_layers, surroundings

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
