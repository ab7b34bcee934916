import pytest
import torch
from torch import Tensor, nn

from visioncircuits.errors import InputError
from visioncircuits.networks.layer_graph import Concat, LayerGraph, Step
from visioncircuits.networks.tracing import trace


def _graph() -> LayerGraph:
    steps = {
        "wide": Step(nn.Conv2d(3, 4, 3, padding=1), ("input",)),
        "narrow": Step(nn.Conv2d(3, 2, 1), ("input",)),
        "joined": Step(Concat(), ("wide", "narrow")),
        "rectified": Step(nn.ReLU(inplace=True), ("joined",)),
        "aside": Step(nn.MaxPool2d(2), ("joined",)),
    }
    return LayerGraph(steps, output="rectified")


def test_every_layer_is_its_operation_on_its_inputs() -> None:
    graph, inputs = _graph(), torch.randn(2, 3, 6, 5)
    expected: dict[str, Tensor] = {"input": inputs}
    for name, sources in graph.sources.items():
        expected[name] = graph.operation(name)(*(expected[source].clone() for source in sources))
    traced = trace(graph, inputs[:1])
    found, _ = traced.run(inputs, list(graph.sources))
    for name in set(graph.sources) - {"aside"}:
        assert torch.equal(found[name], expected[name]), name
    assert torch.equal(graph(inputs), expected["rectified"])


def test_modules_are_registered_under_their_layers() -> None:
    graph = _graph()
    assert {name.partition(".")[0] for name in graph.state_dict()} == {"wide", "narrow"}
    assert graph.get_submodule("wide") is graph.operation("wide")


def test_layers_out_of_order_raise() -> None:
    step = Step(nn.ReLU(), ("later",))
    with pytest.raises(InputError, match="layer 'a' takes 'later', which is not a layer before it"):
        LayerGraph({"a": step, "later": Step(nn.ReLU(), ("input",))}, output="a")
    with pytest.raises(InputError, match="unknown output layer 'b'"):
        LayerGraph({"a": Step(nn.ReLU(), ("input",))}, output="b")
