from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import torch
import torchvision
from torch import Tensor, nn
from visioncircuits.networks.activations import compute, reading

from visioncircuits.errors import InputError
from visioncircuits.networks.catalog import untrained

RESNET = ["bn1", "layer1.0.bn1", "layer1.0.relu", "layer1.0.bn2", "layer1.0", "layer1.1.conv1"]


@pytest.fixture(scope="module")
def resnet() -> nn.Module:
    """ResNet18, whose rectifiers and shortcuts work in place."""
    torch.manual_seed(0)
    return torchvision.models.resnet18().eval()


@pytest.fixture
def inputs() -> Tensor:
    return torch.randn(2, 3, 40, 36)


def _by_hand(module: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """What every module gives the first time, copied before anything can change it."""
    found: dict[str, Tensor] = {}

    def note(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object, out: Tensor) -> None:
            found.setdefault(name, out.clone())

        return hook

    hooks = [child.register_forward_hook(note(name)) for name, child in module.named_modules()]
    module(inputs)
    for hook in hooks:
        hook.remove()
    return found


def _hooks(module: nn.Module) -> Iterator[object]:
    for child in module.modules():
        yield from child._forward_hooks.values()
        yield from child._forward_pre_hooks.values()
        yield from child._backward_hooks.values()


@torch.no_grad()
def test_what_works_in_place_afterwards_corrupts_no_layer(
    resnet: nn.Module, inputs: Tensor
) -> None:
    expected = _by_hand(resnet, inputs)
    assert expected["layer1.0.bn2"].min() < 0  # as it was before the shortcut and the rectifier
    found = compute(resnet, inputs, RESNET)
    assert set(found) == set(RESNET)
    for layer in RESNET:
        assert torch.equal(found[layer], expected[layer]), layer


@torch.no_grad()
def test_a_layer_alone_is_the_same_as_among_others(resnet: nn.Module, inputs: Tensor) -> None:
    together = compute(resnet, inputs, RESNET)
    for layer in RESNET:
        assert torch.equal(compute(resnet, inputs, [layer])[layer], together[layer]), layer


@torch.no_grad()
@pytest.mark.parametrize("order", [1, -1])
def test_a_module_that_runs_twice_gives_what_it_gave_first(
    resnet: nn.Module, inputs: Tensor, order: int
) -> None:
    expected = _by_hand(resnet, inputs)
    layers = ["layer1.0.relu", "layer1.0.bn2"][::order]
    found = compute(resnet, inputs, layers)
    assert torch.equal(found["layer1.0.relu"], expected["layer1.0.bn1"].relu())


@torch.no_grad()
def test_nothing_after_the_deepest_layer_is_computed(inputs: Tensor) -> None:
    module = torchvision.models.resnet18().eval()
    calls: Counter[str] = Counter()
    for name, child in module.named_modules():
        child.register_forward_pre_hook(lambda *_, name=name: calls.update([name]))
    compute(module, inputs, ["layer2.0.conv1", "bn1"])
    order = [name for name, _ in module.named_modules()]
    assert {"conv1", "layer1.1", "layer2.0.conv1"} <= set(calls)
    assert not {"layer2.0.bn1", "layer2.1", "layer3", "layer4", "fc"} & set(calls)
    assert max(order.index(name) for name in calls) == order.index("layer2.0.conv1")


@torch.no_grad()
def test_layers_are_found_whatever_the_order_asked_for(resnet: nn.Module, inputs: Tensor) -> None:
    forth, back = compute(resnet, inputs, RESNET), compute(resnet, inputs, RESNET[::-1])
    assert all(torch.equal(forth[layer], back[layer]) for layer in RESNET)
    twice = compute(resnet, inputs, ["conv1", "conv1"])
    assert torch.equal(twice["conv1"], resnet.conv1(inputs))


def test_nothing_is_computed_for_no_layers(inputs: Tensor) -> None:
    assert compute(_Breaking(), inputs, []) == {}


@torch.no_grad()
def test_nothing_stays_behind(resnet: nn.Module, inputs: Tensor) -> None:
    before = resnet(inputs)
    compute(resnet, inputs, RESNET)
    assert not list(_hooks(resnet))
    assert torch.equal(resnet(inputs), before)


class _Breaking(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise ZeroDivisionError("broken")


def test_nothing_stays_behind_when_the_module_raises(inputs: Tensor) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 1), _Breaking(), nn.ReLU())
    with pytest.raises(ZeroDivisionError, match="broken"):
        compute(module, inputs, ["0", "2"])
    assert not list(_hooks(module))


def test_nothing_stays_behind_when_a_layer_does_not_exist(inputs: Tensor) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
    with (
        pytest.raises(InputError, match="unknown layer '7'; known are '0', '1'"),
        reading(module, ["0", "7"]),
    ):
        module(inputs)
    assert not list(_hooks(module))


def test_other_peoples_hooks_stay(inputs: Tensor) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
    calls: list[int] = []
    module[0].register_forward_hook(lambda *_: calls.append(1))
    compute(module, inputs, ["0", "1"])
    assert calls == [1]
    assert len(list(_hooks(module))) == 1


def test_gradients_are_those_of_a_plain_run(resnet: nn.Module, inputs: Tensor) -> None:
    resnet = resnet.requires_grad_(False)
    inputs.requires_grad_()
    found = compute(resnet, inputs, ["layer1.0.bn2", "layer2.0"])
    loss = found["layer1.0.bn2"][:, 3].square().sum() + found["layer2.0"][:, 5].sum()
    (gradient,) = torch.autograd.grad(loss, inputs)

    stem = resnet.maxpool(torch.relu(resnet.bn1(resnet.conv1(inputs))))
    block = resnet.layer1[0]
    inner = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(stem)))))
    deep = resnet.layer2[0](resnet.layer1[1](torch.relu(inner + stem)))
    (expected,) = torch.autograd.grad(inner[:, 3].square().sum() + deep[:, 5].sum(), inputs)
    assert expected.abs().max() > 0
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-5)


def test_gradients_through_inceptionv1_are_those_of_a_plain_run() -> None:
    module = untrained("inceptionv1").module
    inputs = (torch.randn(1, 3, 35, 32) * 100).requires_grad_()
    (gradient,) = torch.autograd.grad(
        compute(module, inputs, ["mixed3a"])["mixed3a"][:, 70:].square().sum(), inputs
    )
    x = inputs
    for name in ("conv2d0_pre_relu", "relu", "maxpool0", "localresponsenorm0", "conv2d1_pre_relu"):
        x = torch.relu(x) if name == "relu" else module.operation(name)(x)
    x = torch.relu(module.operation("conv2d2_pre_relu")(torch.relu(x)))
    x = module.operation("maxpool1")(module.operation("localresponsenorm1")(x))

    def conv(name: str, x: Tensor) -> Tensor:
        return torch.relu(module.operation(f"mixed3a_{name}_pre_relu")(x))

    branches = [
        conv("1x1", x),
        conv("3x3", conv("3x3_bottleneck", x)),
        conv("5x5", conv("5x5_bottleneck", x)),
        conv("pool_reduce", nn.functional.max_pool2d(x, 3, 1, 1)),
    ]
    (expected,) = torch.autograd.grad(torch.cat(branches, 1)[:, 70:].square().sum(), inputs)
    assert expected.abs().max() > 0
    assert (gradient - expected).abs().max() <= 1e-5 * expected.abs().max()
