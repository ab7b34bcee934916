from collections import Counter

import pytest
import torch
from torch import Tensor, nn

from visioncircuits.errors import InputError
from visioncircuits.networks.graph import Concat, LayerGraph, Node
from visioncircuits.networks.inceptionv1 import VARIANTS, GlobalAverage, inceptionv1
from visioncircuits.networks.normalization import LocalResponseNorm
from visioncircuits.networks.padding import SameConv2d, SameMaxPool2d


def _graph() -> LayerGraph:
    """One layer of every kind that a network of this library has."""
    nodes = {
        "stem": Node(SameConv2d(3, 6, 3, 2), ("input",)),
        "rectified": Node(nn.ReLU(inplace=True), ("stem",)),
        "normed": Node(LocalResponseNorm(6, size=3, alpha=1, beta=0.75, k=1.0), ("rectified",)),
        "pooled": Node(SameMaxPool2d(), ("normed",)),
        "wide": Node(nn.Conv2d(6, 4, 3, padding=1), ("pooled",)),
        "wide_rectified": Node(nn.ReLU(inplace=True), ("wide",)),
        "grouped": Node(nn.Conv2d(6, 6, 1, groups=2, bias=False), ("pooled",)),
        "reflected": Node(nn.Conv2d(6, 3, 3, padding=1, padding_mode="reflect"), ("pooled",)),
        "pair": Node(Concat(), ("wide", "grouped")),
        "joined": Node(Concat(), ("wide_rectified", "pair", "reflected", "normed_small")),
        "average": Node(GlobalAverage(), ("joined",)),
        "logits": Node(nn.Linear(23, 5), ("average",)),
        "input_joined": Node(Concat(), ("input", "input")),
        "input_rectified": Node(nn.ReLU(), ("input",)),
    }
    norm = Node(LocalResponseNorm(6, size=3, alpha=1, beta=0.75, k=1.0), ("pooled",))
    order = list(nodes)
    order.insert(order.index("joined"), "normed_small")
    return LayerGraph({name: nodes.get(name, norm) for name in order}, output="logits")


@pytest.fixture(scope="module")
def graph() -> LayerGraph:
    torch.manual_seed(0)
    return _graph().requires_grad_(False)


@pytest.fixture(scope="module")
def inputs() -> Tensor:
    return torch.randn(2, 3, 33, 26, generator=torch.Generator().manual_seed(1))


def _calls(graph: LayerGraph) -> Counter[str]:
    calls: Counter[str] = Counter()
    for name, child in graph.named_children():
        child.register_forward_hook(lambda *_, name=name: calls.update([name]))
    return calls


def _ancestors(graph: LayerGraph, layer: str) -> set[str]:
    if layer == "input":
        return set()
    return {layer}.union(*(_ancestors(graph, source) for source in graph.sources[layer]))


def _by_hand(graph: LayerGraph, inputs: Tensor) -> dict[str, Tensor]:
    """Every layer, each from copies, so that nothing done in place can be seen."""
    values = {"input": inputs.clone()}
    for name, sources in graph.sources.items():
        values[name] = graph.operation(name)(*(values[source].clone() for source in sources))
    return values


def test_every_layer_is_what_its_operation_makes_of_its_inputs(
    graph: LayerGraph, inputs: Tensor
) -> None:
    expected = _by_hand(graph, inputs)
    found = graph.compute_all(inputs)
    assert set(found) == set(expected) - {"input"}
    for name, value in found.items():
        assert torch.equal(value, expected[name]), name


@pytest.mark.parametrize("layer", list(_graph().sources))
def test_a_layer_alone_is_the_same_as_among_all(
    graph: LayerGraph, inputs: Tensor, layer: str
) -> None:
    found = graph.compute(inputs, [layer])
    assert list(found) == [layer]
    assert torch.equal(found[layer], _by_hand(graph, inputs)[layer])


def test_calling_the_graph_gives_its_output(graph: LayerGraph, inputs: Tensor) -> None:
    assert torch.equal(graph(inputs), graph.compute(inputs, ["logits"])["logits"])


@pytest.mark.parametrize("layer", ["rectified", "pair", "joined", "input_rectified", "logits"])
def test_only_what_a_layer_depends_on_is_computed_and_once(inputs: Tensor, layer: str) -> None:
    graph = _graph()
    calls = _calls(graph)
    graph.compute(inputs, [layer])
    assert calls == Counter(_ancestors(graph, layer))


def test_branches_beside_a_unit_of_inceptionv1_are_not_computed() -> None:
    graph = inceptionv1(VARIANTS["bvlc_googlenet"])
    calls = _calls(graph)
    graph.compute_units(torch.zeros(1, 3, 32, 32), {"mixed3a": torch.tensor([70])})
    assert "mixed3a_3x3_bottleneck" in calls
    assert not [name for name in calls if "5x5" in name or "pool_reduce" in name]


def test_the_input_can_be_had_and_is_never_written_to(graph: LayerGraph, inputs: Tensor) -> None:
    before = inputs.clone()
    assert graph.compute(inputs, ["input", "stem"])["input"] is inputs
    in_place = LayerGraph({"a": Node(nn.ReLU(inplace=True), ("input",))}, output="a")
    in_place(inputs)
    graph.compute_all(inputs)
    assert torch.equal(inputs, before)


def test_a_rectifier_in_place_spoils_no_layer_that_hands_on_its_input() -> None:
    graph = LayerGraph(
        {
            "conv": Node(nn.Conv2d(3, 4, 1), ("input",)),
            "same": Node(nn.Identity(), ("conv",)),
            "rectified": Node(nn.ReLU(inplace=True), ("same",)),
        },
        output="rectified",
    )
    found = graph.compute(torch.randn(1, 3, 4, 4), ["conv", "rectified"])
    assert found["conv"].min() < 0
    assert torch.equal(found["conv"].relu(), found["rectified"])


@pytest.mark.parametrize("layer", list(_graph().sources))
def test_units_alone_are_those_of_the_whole_layer(
    graph: LayerGraph, inputs: Tensor, layer: str
) -> None:
    whole = graph.compute(inputs, [layer])[layer]
    generator = torch.Generator().manual_seed(2)
    for count in (1, 2, whole.shape[1], 2 * whole.shape[1]):  # repeated and out of order too
        units = torch.randint(whole.shape[1], (count,), generator=generator)
        found = graph.compute_units(inputs, {layer: units})[layer]
        torch.testing.assert_close(found, whole[:, units], rtol=1e-5, atol=1e-6)


def test_units_of_several_layers_come_from_one_pass(graph: LayerGraph, inputs: Tensor) -> None:
    units = {"joined": torch.tensor([22, 0, 5]), "wide": torch.tensor([3]), "stem": torch.arange(2)}
    found = graph.compute_units(inputs, units)
    whole = graph.compute(inputs, units)
    for layer, indices in units.items():
        torch.testing.assert_close(found[layer], whole[layer][:, indices], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer", ["mixed3a", "mixed4a_pre_relu", "mixed3b_5x5", "maxpool4"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_units_of_inceptionv1_are_those_of_the_whole_layer(variant: str, layer: str) -> None:
    graph = inceptionv1(VARIANTS[variant]).requires_grad_(False)
    inputs = torch.randn(1, 3, 32, 47) * 100
    whole = graph.compute(inputs, [layer])[layer]
    units = torch.randperm(whole.shape[1])[:40]
    found = graph.compute_units(inputs, {layer: units})[layer]
    assert (found - whole[:, units]).abs().max() <= 1e-5 * whole.abs().max()


def test_gradients_through_units_are_those_through_the_layer(
    graph: LayerGraph, inputs: Tensor
) -> None:
    inputs = inputs.clone().requires_grad_()
    units = torch.tensor([3, 12, 18])
    (found,) = torch.autograd.grad(
        graph.compute_units(inputs, {"joined": units})["joined"].square().sum(), inputs
    )
    (expected,) = torch.autograd.grad(
        graph.compute(inputs, ["joined"])["joined"][:, units].square().sum(), inputs
    )
    assert expected.abs().max() > 0
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_rectifier_of_ones_own_is_used_for_units_too(inputs: Tensor) -> None:
    class Doubled(nn.ReLU):
        def forward(self, x: Tensor) -> Tensor:
            return 2 * x.relu()

    graph = LayerGraph(
        {"a": Node(nn.Conv2d(3, 4, 1), ("input",)), "b": Node(Doubled(), ("a",))}, output="b"
    )
    units = torch.tensor([2])
    found = graph.compute_units(inputs, {"b": units})["b"]
    torch.testing.assert_close(found, graph(inputs)[:, units])


def test_branches_say_which_units_come_from_where(graph: LayerGraph, inputs: Tensor) -> None:
    spans = graph.branches("joined")
    assert spans == {
        "wide_rectified": range(4),
        "pair": range(4, 14),
        "reflected": range(14, 17),
        "normed_small": range(17, 23),
    }
    values = graph.compute_all(inputs)
    for name, span in spans.items():
        assert torch.equal(values["joined"][:, span.start : span.stop], values[name])
    assert graph.branches("stem") == {}


def test_widths_are_those_of_the_values(graph: LayerGraph, inputs: Tensor) -> None:
    for name, value in graph.compute_all(inputs).items():
        if not name.startswith("input"):
            assert graph.width(name) == value.shape[1], name


def test_modules_are_registered_under_their_layers(graph: LayerGraph) -> None:
    assert {name.partition(".")[0] for name in graph.state_dict()} <= set(graph.sources)
    assert graph.get_submodule("wide") is graph.operation("wide")


def test_an_unknown_layer_is_refused_with_the_nearest(graph: LayerGraph, inputs: Tensor) -> None:
    with pytest.raises(InputError, match=r"unknown layer 'wides'; the nearest are 'wide'"):
        graph.compute(inputs, ["wides"])


def test_layers_out_of_order_are_refused() -> None:
    node = Node(nn.ReLU(), ("later",))
    with pytest.raises(InputError, match="layer 'a' takes 'later', which is no layer before it"):
        LayerGraph({"a": node, "later": Node(nn.ReLU(), ("input",))}, output="a")
    with pytest.raises(InputError, match="unknown output layer 'b'"):
        LayerGraph({"a": Node(nn.ReLU(), ("input",))}, output="b")
