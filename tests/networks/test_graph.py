"""What a run computes and what it leaves out; values are tested in `test_conformance.py`."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from visioncircuits.errors import InputError
from visioncircuits.networks.catalog import untrained
from visioncircuits.networks.edits import Edit, Replacement, Rewiring
from visioncircuits.networks.graph import Graph
from visioncircuits.networks.tracing import trace


class _Counting(TorchFunctionMode):
    """Counts the units that all convolutions compute, and the calls of every function."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.units = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        self.calls[name] += 1
        if name == "conv2d":
            self.units += result.shape[1]
        return result


@contextmanager
def _counted() -> Iterator[_Counting]:
    with _Counting() as counting, torch.no_grad():
        yield counting


@pytest.fixture(scope="module")
def inception() -> Graph:
    return trace(untrained("bvlc_googlenet").module, torch.zeros(1, 3, 32, 32))


@pytest.fixture(scope="module")
def resnet() -> Graph:
    torch.manual_seed(0)
    return trace(torchvision.models.resnet18(), torch.zeros(1, 3, 32, 32))


PICTURES = torch.linspace(-1, 1, 2 * 3 * 32 * 32).view(2, 3, 32, 32).sin()


def test_nothing_after_the_deepest_place_is_computed(resnet: Graph) -> None:
    with _counted() as counting:
        resnet.run(PICTURES, ["layer2.0.conv1", "bn1"])
    assert counting.calls["conv2d"] == 6  # the stem, four of layer1, and this one


def test_other_branches_than_a_units_are_not_computed(inception: Graph) -> None:
    with _counted() as counting:
        inception.run(PICTURES, units={"mixed3a": [70]})
    assert counting.calls["conv2d"] == 3 + 2  # the stem; a bottleneck of 96 and one unit of it
    assert counting.units == 64 + 64 + 192 + 96 + 1


def test_siblings_of_a_unit_are_not_computed_in_any_network(resnet: Graph) -> None:
    with _counted() as whole:
        resnet.run(PICTURES, ["layer1.0.bn1"])
    with _counted() as some:
        resnet.run(PICTURES, units={"layer1.0.bn1": [3, 60]})
    assert (whole.units, some.units) == (128, 66)


def test_siblings_of_a_unit_are_not_computed_under_an_edit_upstream(resnet: Graph) -> None:
    with _counted() as counting:
        resnet.run(PICTURES, units={"layer1.0.bn1": [3]}, changes=[Edit("conv1", torch.abs)])
    assert counting.units == 64 + 1


def test_replaced_values_are_not_computed(resnet: Graph) -> None:
    values = torch.rand(2, 64, 8, 8)
    with _counted() as counting:
        found, _ = resnet.run(
            PICTURES, ["layer1.0.conv1"], changes=[Replacement("maxpool", values)]
        )
    assert counting.calls["conv2d"] == 1
    expected = resnet.module.layer1[0].conv1(values)
    torch.testing.assert_close(found["layer1.0.conv1"], expected)


def test_parameters_are_read_anew(resnet: Graph) -> None:
    module = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU())
    graph = trace(module, torch.zeros(1, 3, 4, 4))
    graph.run(torch.ones(1, 3, 4, 4), ["1"])
    module[0].weight.data.zero_()
    module[0].bias.data.fill_(2)
    assert graph.run(torch.ones(1, 3, 4, 4), ["1"])[0]["1"].unique() == 2
    module[0].bias = nn.Parameter(torch.full((2,), 3.0))
    assert graph.run(torch.ones(1, 3, 4, 4), ["1"])[0]["1"].unique() == 3


def test_the_input_is_never_written_to() -> None:
    class Module(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.relu(x.mul_(2), inplace=True)

    pictures = PICTURES.clone()
    graph = trace(Module(), pictures[:1])
    found, _ = graph.run(pictures, ["input", "mul", "output"])
    assert torch.equal(pictures, PICTURES)
    assert torch.equal(found["input"], PICTURES)
    assert torch.equal(found["mul"], PICTURES * 2)
    assert torch.equal(found["output"], (PICTURES * 2).relu())


def test_gradients_flow_to_the_pictures_and_nowhere_else(resnet: Graph) -> None:
    inputs = PICTURES.clone().requires_grad_()
    found, some = resnet.run(inputs, ["layer1.0.bn2"], units={"layer2.0": [5, 7]})
    loss = found["layer1.0.bn2"][:, 3].square().sum() + some["layer2.0"].sum()
    (gradient,) = torch.autograd.grad(loss, inputs)

    module = resnet.module.eval()
    stem = module.maxpool(torch.relu(module.bn1(module.conv1(inputs))))
    block = module.layer1[0]
    inner = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(stem)))))
    deep = module.layer2[0](module.layer1[1](torch.relu(inner + stem)))
    loss = inner[:, 3].square().sum() + deep[:, [5, 7]].sum()
    (expected,) = torch.autograd.grad(loss, inputs)
    assert expected.abs().max() > 0
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-5)
    assert all(parameter.grad is None for parameter in module.parameters())


def test_gradients_stop_where_the_module_stops_them() -> None:
    class Module(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            with torch.no_grad():
                scale = self.conv(x).mean()
            return x * scale + x.detach()

    inputs = PICTURES.clone().requires_grad_()
    module = Module()
    (expected,) = torch.autograd.grad(module(inputs).sum(), inputs)
    found, _ = trace(module, PICTURES[:1]).run(inputs, ["output"])
    (gradient,) = torch.autograd.grad(found["output"].sum(), inputs)
    torch.testing.assert_close(gradient, expected)


def test_an_edge_carries_a_change_to_its_target_alone(resnet: Graph) -> None:
    changes = [
        Rewiring("layer1.0.relu_1", torch.zeros_like, "layer1.1.conv1", lambda _, changed: changed)
    ]
    read = ["layer1.0.relu_1", "layer1.1.conv1", "layer1.1.add"]
    plain, _ = resnet.run(PICTURES, [*read, "layer1.1.bn2"])
    found, _ = resnet.run(PICTURES, [*read, "layer1.1.bn2"], changes=changes)
    assert torch.equal(found["layer1.0.relu_1"], plain["layer1.0.relu_1"])
    assert not found["layer1.1.conv1"].any()
    torch.testing.assert_close(  # the shortcut is as it was
        found["layer1.1.add"] - found["layer1.1.bn2"], plain["layer1.0.relu_1"]
    )


def test_concatenations_have_branches(inception: Graph) -> None:
    among = ["mixed3a_1x1", "mixed3a_3x3", "mixed3a_5x5", "mixed3a_pool_reduce"]
    spans = inception.branches("mixed3a_pre_relu", among=[f"{name}_pre_relu" for name in among])
    spans = spans or inception.branches("mixed3a", among=among)
    assert [len(span) for span in spans.values()] == [64, 128, 32, 32]
    assert inception.branches("mixed3a_1x1", among=among) == {}


def test_places_depend_on_earlier_ones(resnet: Graph) -> None:
    assert resnet.depends("layer1.0.bn2", "layer1.0.conv1")
    assert not resnet.depends("layer1.0.conv1", "layer1.0.bn2")
    assert not resnet.depends("layer2.0.downsample.0", "layer2.0.conv1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([Edit("layer9", torch.abs)], "unknown layer 'layer9'"),
        (
            [Rewiring("layer2.0.conv1", torch.abs, "layer1.0.conv1", lambda now, _: now)],
            "layer1.0.conv1 does not depend on layer2.0.conv1",
        ),
    ],
)
def test_impossible_changes_raise(resnet: Graph, changes: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        resnet.run(PICTURES, ["fc"], changes=changes)
