"""What is joined to a convolution and what is not; values are tested in `test_conformance.py`."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from visioncircuits.featurevis.gradients import RedirectedReLU
from visioncircuits.networks import Network, Preprocessing, wrap
from visioncircuits.networks.convolution import Kernel
from visioncircuits.networks.edits import Edit
from visioncircuits.networks.fixed_parameters import parameters_fixed
from visioncircuits.networks.fusion import fused
from visioncircuits.networks.tracing import trace

PICTURES = torch.rand(2, 3, 16, 16, generator=torch.manual_seed(0))


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.norm.running_mean.normal_()
        self.norm.running_var.uniform_(0.5, 2)
        self.next, self.relu = nn.Conv2d(6, 6, 1), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm(self.conv(x)))
        return self.relu(self.next(x) + x)


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    return wrap(_Block().eval(), Preprocessing(), size=16)


def names(network: Network, *read: str) -> list[str]:
    """List what is computed when places are read."""
    graph = trace(network.module, PICTURES[:1])
    nodes = {(at,): node.with_inputs(lambda at: (at,)) for at, node in enumerate(graph.nodes)}
    plan = graph._plan(read, {}, (), fixed=True)
    assert fused(nodes, set(plan.places.values())).keys() == nodes.keys()
    return [getattr(step.function, "__name__", "") for step in plan.steps]


def test_a_convolution_takes_in_what_follows_it(network: Network) -> None:
    assert names(network, "output") == ["Kernel", "convolution", "Kernel", "convolution"]


@pytest.mark.parametrize("place", ["conv", "norm", "add"])
def test_values_that_are_read_are_computed(network: Network, place: str) -> None:
    found = names(network, place, "output")
    assert len(found) > 4
    with parameters_fixed():
        both = network.activations(PICTURES, [place, "output"])
    plain = network.activations(PICTURES, [place, "output"])
    for name, value in plain.items():
        torch.testing.assert_close(both[name], value)


@pytest.mark.parametrize("place", ["conv", "norm", "relu", "next", "add"])
def test_values_that_are_edited_are_computed(network: Network, place: str) -> None:
    edit = Edit(place, lambda values: values.flip(1) + 1)
    plain = network.activations(PICTURES, ["output"], changes=[edit])["output"]
    with parameters_fixed():
        found = network.activations(PICTURES, ["output"], changes=[edit])["output"]
    torch.testing.assert_close(found, plain)


def test_a_norm_by_the_batch_stays() -> None:
    norms = nn.BatchNorm2d(6, track_running_stats=False), nn.InstanceNorm2d(6)
    layers = nn.Conv2d(3, 6, 3), norms[0], nn.ReLU(), nn.Conv2d(6, 6, 3), norms[1], nn.ReLU()
    network = wrap(nn.Sequential(*layers), Preprocessing(), size=16)
    plain = network.activations(PICTURES, ["5"])["5"]
    with parameters_fixed():
        torch.testing.assert_close(network.activations(PICTURES, ["5"])["5"], plain)


def test_a_module_in_training_mode_is_run_as_in_evaluation(network: Network) -> None:
    plain = network.activations(PICTURES, ["output"])["output"]
    network.module.train()
    with parameters_fixed():
        found = network.activations(PICTURES, ["output"])["output"]
    torch.testing.assert_close(found, plain)
    assert network.module.norm.training


def test_parameters_are_read_anew_in_every_context(network: Network) -> None:
    for factor in (1.0, 3.0, 0.5):
        network.module.norm.weight.data.mul_(factor)
        plain = network.activations(PICTURES, ["relu"])["relu"]
        with parameters_fixed():
            torch.testing.assert_close(network.activations(PICTURES, ["relu"])["relu"], plain)


def test_replaced_gradients_of_rectifiers_are_used(network: Network) -> None:
    network.module.norm.bias.data.fill_(-100)  # no unit activates

    def gradient() -> Tensor:
        pictures = PICTURES.clone().requires_grad_()
        with RedirectedReLU():
            loss = -network.activations(pictures, ["relu"])["relu"].sum()
        return torch.autograd.grad(loss, pictures)[0]

    plain = gradient()
    assert plain.any()
    with parameters_fixed():
        torch.testing.assert_close(gradient(), plain)


def test_gradients_have_gradients(network: Network) -> None:
    def second() -> Tensor:
        pictures = PICTURES.clone().requires_grad_()
        loss = network.activations(pictures, ["output"])["output"].square().sum()
        (first,) = torch.autograd.grad(loss, pictures, create_graph=True)
        return torch.autograd.grad(first.square().sum(), pictures)[0]

    plain = second()
    with parameters_fixed():
        torch.testing.assert_close(second(), plain, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("side", [16, 17, 18, 19, 23])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [(7, 2, 3), (3, 2, 0), (1, 2, 0), (5, 3, 1), (4, 4, 0), (2, 3, 1)],
)
def test_gradients_of_strided_convolutions_are_torchs(
    side: int, kernel: int, stride: int, padding: int
) -> None:
    torch.manual_seed(1)
    weight, x = torch.randn(5, 3, kernel, kernel), torch.randn(2, 3, side, side + 1)
    how = (stride, stride), (padding, padding), (1, 1), 1
    made = Kernel(weight, None, None, *how)
    value = torch.conv2d(x.requires_grad_(), weight, None, stride, padding)
    grad = torch.randn_like(value)
    (expected,) = torch.autograd.grad(value, x, grad)
    with torch.no_grad():
        torch.testing.assert_close(made.gradient(grad, x.shape), expected, rtol=1e-4, atol=1e-4)


def test_passes_without_gradients_leave_later_ones_theirs(network: Network) -> None:
    with parameters_fixed():
        with torch.inference_mode():
            network.activations(PICTURES, ["output"])
        pictures = PICTURES.clone().requires_grad_()
        with RedirectedReLU():
            loss = network.activations(pictures, ["output"])["output"].sum()
        assert torch.autograd.grad(loss, pictures)[0].any()


@pytest.mark.parametrize("where", ["the kernel", "a value between", "the picture"])
def test_nan_stays_nan(where: str) -> None:
    """A rectifier of oneDNN's makes zero of it."""

    class Root(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x - 0.2).sqrt() if where == "a value between" else x

    layers = nn.Conv2d(3, 6, 3), nn.ReLU(), Root(), nn.Conv2d(6, 6, 3), nn.ReLU(), nn.MaxPool2d(2)
    module = nn.Sequential(*layers, nn.Conv2d(6, 4, 3), nn.ReLU())
    pictures = PICTURES.clone()
    if where == "the kernel":
        module[3].weight.data[2] = torch.nan
    if where == "the picture":
        pictures[1, 0, 5, 5] = torch.nan
    network = wrap(module, Preprocessing(), size=16)
    plain = network.activations(pictures, ["7"])["7"]
    assert plain.isnan().any()
    with parameters_fixed():
        found = network.activations(pictures, ["7"])["7"]
    torch.testing.assert_close(found, plain, equal_nan=True)


def test_values_are_checked_only_where_something_could_have_made_them_nan() -> None:
    norm = nn.LocalResponseNorm(5)
    layers = nn.Conv2d(3, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 6, 3), nn.ReLU()
    module = nn.Sequential(*layers, norm, nn.Conv2d(6, 4, 3), nn.ReLU())
    graph = trace(module, PICTURES[:1])
    plan = graph._plan(["7"], {}, (), fixed=True)
    assert [step.args[-1] for step in plan.steps if len(step.args) == 5] == [True, False, True]


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.double(),
        lambda values: values.int(),
        lambda values: values.mean((0, 2, 3))[:, None, None],
        lambda values: values.mean((0, 2, 3), keepdim=True),
    ],
    ids=["float64", "int32", "three axes", "one picture"],
)
@pytest.mark.parametrize("place", ["conv", "relu", "next"])
def test_sums_of_values_that_differ_are_torchs(
    change: Callable[[Tensor], Tensor], place: str
) -> None:
    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.relu, self.next = nn.Conv2d(3, 6, 1), nn.ReLU(), nn.Conv2d(3, 6, 1)

        def forward(self, x: Tensor) -> Tensor:
            return (self.next(x) + self.relu(self.conv(x))).relu()

    network = wrap(Sum().eval(), Preprocessing(), size=16)
    plain = network.activations(PICTURES, ["output"], changes=[Edit(place, change)])["output"]
    with parameters_fixed():
        found = network.activations(PICTURES, ["output"], changes=[Edit(place, change)])["output"]
    torch.testing.assert_close(found, plain)


def test_batches_of_many_sizes_need_little_memory() -> None:
    kernel = Kernel(torch.rand(4, 3, 3, 3), None, None, (1, 1), (0, 0), (1, 1), 1)
    for batch in (*range(1, 9), 1):
        x = torch.rand(batch, 3, 8, 8)
        value = kernel.forward(x, None, rectified=False)
        torch.testing.assert_close(value, torch.conv2d(x, kernel.weight))
    assert len(kernel._packed) <= 4
