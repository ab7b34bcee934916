import pytest
import torch

import visioncircuits
from visioncircuits import handwritten
from visioncircuits.errors import InputError
from visioncircuits.handwritten import labels


@pytest.mark.parametrize("name", handwritten.available())
def test_every_circuit_is_a_network_with_labeled_layers(name: str, circuit) -> None:
    network = circuit(name)
    assert network.name == f"handwritten:{name}"
    top = list(network.layers)[-1]
    values = network.activations(torch.rand(1, 3, 64, 64), [top])[top]
    assert values.isfinite().all()
    assert values.shape[1] == network.layer(top).units
    for layer in network.layers:
        assert len(labels(network, layer)) == network.layer(layer).units


@pytest.mark.parametrize("name", handwritten.available())
def test_no_two_units_of_a_layer_are_the_same(name: str, circuit) -> None:
    network = circuit(name)
    for stage in network.module.stages:
        assert len(set(stage.units)) == len(stage.units)
        kernels = network.module.operation(f"{stage.layer}_pre_relu").weight.flatten(1)
        assert torch.pdist(kernels.double()).min() > 1e-6


def test_feature_visualization_increases_the_activation() -> None:
    settings = visioncircuits.Settings(size=75, steps=8)
    made = visioncircuits.render(
        visioncircuits.load("handwritten:curves"), "mixed3b:18", settings=settings
    )
    assert not made.dead
    assert made.activation > made.history[0]


def test_an_unknown_circuit_raises_with_the_nearest_names() -> None:
    with pytest.raises(InputError, match=r"unknown handwritten network 'curve'; .*'curves'"):
        handwritten.load("curve")
