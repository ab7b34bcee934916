from collections import OrderedDict

import pytest
import torch
from torch import nn

from visioncircuits.networks import LayerGraph, Network, Preprocessing, Step, wrap


def operations(channels: int = 3) -> dict[str, nn.Module]:
    """The layers of a small network, one after the other, with seeded parameters."""
    torch.manual_seed(1)
    layers = {
        "edges_pre_relu": nn.Conv2d(channels, 8, 5, stride=2, padding=2),
        "edges": nn.ReLU(inplace=True),
        "pool": nn.MaxPool2d(2),
        "shapes_pre_relu": nn.Conv2d(8, 12, 3, padding=1),
        "shapes": nn.ReLU(inplace=True),
        "average": nn.AdaptiveAvgPool2d(1),
        "flat": nn.Flatten(),
        "logits": nn.Linear(12, 5),
    }
    for name in ("edges_pre_relu", "shapes_pre_relu"):
        nn.init.constant_(layers[name].bias, 0.2)  # no unit is silent on gray
    return layers


def small(channels: int = 3) -> Network:
    """A small network for 32 px, as an ordinary module."""
    module = nn.Sequential(OrderedDict(operations(channels)))
    return wrap(module, Preprocessing(channels=channels, mean=(0.5,), std=(0.25,)), size=32)


@pytest.fixture(params=["module", "graph"])
def network(request: pytest.FixtureRequest) -> Network:
    """The small network, as an ordinary module and as a graph."""
    if request.param == "module":
        return small()
    layers = operations()
    inputs = zip(["input", *layers], layers, strict=False)
    nodes = {name: Step(layers[name], (source,)) for source, name in inputs}
    preprocessing = Preprocessing(mean=(0.5,), std=(0.25,))
    return wrap(LayerGraph(nodes, output="logits"), preprocessing, size=32)


@pytest.fixture
def one_channel() -> Network:
    """The small network for pictures of one channel."""
    return small(1)


@pytest.fixture
def four_channels() -> Network:
    """The small network for pictures of four channels."""
    return small(4)
