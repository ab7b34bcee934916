from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from visioncircuits.attribution import (
    ExactPaths,
    Gradient,
    IntegratedGradient,
    Readout,
    RelaxedGradient,
    gradient_times_activation,
)
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, load, untrained, wrap
from visioncircuits.weights import contextual_weights

PHOTOGRAPH = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))


def pooled(pool: nn.Module) -> Network:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 5, 3), nn.ReLU(), pool, nn.Conv2d(5, 4, 3)
    return wrap(nn.Sequential(*layers), Preprocessing(), size=24)


def test_a_readout_is_a_weighted_sum():
    values = torch.rand(3, 4, 5)
    weights = torch.rand(3, 4, 5)
    assert torch.allclose(Readout("a", weights).of(values), (weights * values).sum())
    assert torch.allclose(Readout("a", weights[:, 0, 0]).of(values),
                          (weights[:, :1, :1] * values).sum())  # fmt: skip


def test_the_gradient_is_that_of_gradient_times_activation():
    network = untrained("bvlc_googlenet", seed=3)
    picture = torch.rand(1, 3, 224, 224)
    known = gradient_times_activation(network, "logits:7", picture, to="mixed5a").values[0]
    readout = Readout("logits", torch.eye(1000)[7])
    (slope,) = Gradient()(network, picture, "mixed5a", [readout])
    values = network.activations(picture, ["mixed5a"])["mixed5a"][0].detach()
    assert torch.allclose(slope * values, known, atol=1e-5)


def test_integrated_gradients_add_up_to_what_changes():
    network = pooled(nn.MaxPool2d(2))
    readouts = [Readout("3", row) for row in torch.eye(4)]
    slopes = IntegratedGradient(64)(network, PHOTOGRAPH, "0", readouts)
    values = network.activations(PHOTOGRAPH, ["0", "3"])
    module = network.module
    with torch.no_grad():
        empty = module[3](module[2](torch.relu(torch.zeros_like(values["0"]))))[0].sum((1, 2))
        change = values["3"][0].sum((1, 2)) - empty
        added = (slopes * values["0"][0]).sum((1, 2, 3))
    assert torch.allclose(added, change, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "pool",
    [nn.MaxPool2d(2), nn.MaxPool2d(3, 2, padding=1), nn.MaxPool2d(3, 2, ceil_mode=True)],
    ids=str,
)
def test_the_relaxed_gradient_is_that_of_a_smooth_pool_in_its_place(pool: nn.MaxPool2d):
    """What follows is linear, so that the pool's values do not matter to the gradient."""
    network = pooled(pool)
    (slope,) = RelaxedGradient()(network, PHOTOGRAPH, "1", [Readout("3", torch.eye(4)[1])])
    leaf = network.activations(PHOTOGRAPH, ["1"])["1"].detach().requires_grad_()
    sizes = pool.kernel_size, pool.stride, pool.padding

    def averaged(values: Tensor) -> Tensor:
        return F.avg_pool2d(values, *sizes, ceil_mode=pool.ceil_mode, count_include_pad=False)

    smooth = averaged(leaf**2) / (1e-2 + averaged(leaf.abs()))
    (expected,) = torch.autograd.grad(network.module[3](smooth)[0, 1].sum(), leaf)
    assert torch.allclose(slope, expected[0], atol=1e-5)
    (plain,) = Gradient()(network, PHOTOGRAPH, "1", [Readout("3", torch.eye(4)[1])])
    assert not torch.allclose(slope, plain, atol=1e-2)


def test_without_max_pools_nothing_is_relaxed():
    network = pooled(nn.AvgPool2d(2))
    readout = [Readout("3", torch.eye(4)[1])]
    relaxed = RelaxedGradient()(network, PHOTOGRAPH, "1", readout)
    assert torch.equal(relaxed, Gradient()(network, PHOTOGRAPH, "1", readout))


def test_padding_of_minus_infinity_passes_no_gradient():
    class Padded(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 3, 2)

    network = pooled(Padded())
    (slope,) = RelaxedGradient()(network, PHOTOGRAPH, "1", [Readout("3", torch.ones(4))])
    assert slope.isfinite().all()


def carried_by_biases(network: Network, photograph: Tensor, layer: str, unit: int) -> float:
    """Multiply each bias after a layer by the gradient to it: exact with rectifiers and pools."""
    made: list[tuple[Tensor, Tensor]] = []

    def keep(module: Any, given: Any, value: Tensor) -> Tensor:
        if value.requires_grad:  # it is after the layer
            bias = torch.zeros(value.shape[1]) if module.bias is None else module.bias
            if isinstance(module, nn.BatchNorm2d):
                gain = module.weight / (module.running_var + module.eps).sqrt()
                bias = bias - gain * module.running_mean
            made.append((value, bias))
        return value.clone()  # a rectifier may work in place

    kinds = nn.Conv2d, nn.BatchNorm2d, nn.Linear
    hooks = [
        each.register_forward_hook(keep)
        for each in network.module.modules()
        if isinstance(each, kinds)
    ]
    start = network.module.get_submodule(layer)
    hooks.append(start.register_forward_hook(lambda *of: of[2].detach().requires_grad_()))
    logits = network.module(network.preprocessing(photograph))
    slopes = torch.autograd.grad(logits[0, unit], [value for value, _ in made])
    for hook in hooks:
        hook.remove()
    sums = (slope.reshape(*slope.shape[:2], -1).sum(2)[0] for slope in slopes)
    return sum(float(each @ bias) for each, (_, bias) in zip(sums, made, strict=True))


def residual() -> Network:
    """With biases, which an untrained network's normalizations have none of."""
    found = untrained("torchvision:resnet18", seed=2)
    for name, values in found.module.named_parameters():
        if ".bn" in name and name.endswith("bias"):
            nn.init.uniform_(values, -0.1, 0.1, generator=torch.Generator().manual_seed(3))
    return found


def test_exact_paths_and_biases_add_up_to_the_logit_of_a_residual_network():
    """The biases' part is computed on its own."""
    network, photograph, layer = residual(), torch.rand(1, 3, 64, 64), "layer2"
    (slope,) = ExactPaths()(network, photograph, layer, [Readout("fc", torch.eye(1000)[7])])
    with torch.no_grad():
        found = network.activations(photograph, [layer, "fc"])
    biases = carried_by_biases(network, photograph, layer, 7)
    added = float((slope * found[layer][0]).sum()) + biases
    assert added == pytest.approx(float(found["fc"][0, 7]), rel=1e-4)
    assert abs(biases) > 0.01 * abs(added)


@pytest.mark.weights
def test_exact_paths_and_biases_add_up_to_the_logit_of_googlenet(checkpoints: Path):
    network = load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
    photograph, layer = torch.rand(1, 3, 224, 224), "mixed4d"
    (slope,) = ExactPaths()(network, photograph, layer, [Readout("logits", torch.eye(1000)[440])])
    with torch.no_grad():
        found = network.activations(photograph, [layer, "logits"])
    biases = carried_by_biases(network, photograph, layer, 440)
    added = float((slope * found[layer][0]).sum()) + biases
    assert added == pytest.approx(float(found["logits"][0, 440]), rel=1e-4)


def test_exact_paths_are_contextual_weights_to_many_neurons_at_once():
    """Through a local response normalization, whose gain they take as it was."""
    network, photograph = untrained("bvlc_googlenet", seed=3), torch.rand(1, 3, 64, 64)
    weights = torch.zeros(256, 8, 8)
    weights[5, 3, 4], weights[9, 0, 7] = 1, 2
    (slope, other) = ExactPaths()(
        network, photograph, "conv2d0",
        [Readout("mixed3a", weights), Readout("conv2d2", torch.eye(192)[3])],
    )  # fmt: skip
    expected = torch.zeros_like(slope)
    for unit, position, factor in (5, (3, 4), 1), (9, (0, 7), 2):
        (flow,) = contextual_weights(
            network, "conv2d0", f"mixed3a:{unit}", photograph, position=position
        )
        (top, left), (height, width) = flow.weights.offset, flow.weights.weight.shape[2:]
        part = expected[:, top : top + height, left : left + width]
        part += factor * flow.weights.weight[0]
    values = network.activations(photograph, ["conv2d0"])["conv2d0"][0].detach()
    assert torch.allclose(slope * values, expected, atol=1e-5 * float(expected.abs().max()))
    assert other.shape == slope.shape


def test_exact_paths_take_gates_as_they_were():
    """By hand: of GELU `Φ(x)`, and of a squeeze-and-excitation the excitation."""
    torch.manual_seed(0)

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Conv2d(3, 5, 3), nn.Linear(5, 4)
            self.squeeze = nn.Conv2d(5, 5, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = F.gelu(self.first(x))
            x = x * torch.sigmoid(self.squeeze(x.mean((2, 3), keepdim=True)))
            return self.last(x.mean((2, 3)))

    network = wrap(Block(), Preprocessing(), size=24)
    module = network.module
    (slope,) = ExactPaths()(network, PHOTOGRAPH, "first", [Readout("last", torch.eye(4)[2])])
    with torch.no_grad():
        values = network.activations(PHOTOGRAPH, ["first", "last"])
        first = values["first"][0]
        gate = torch.special.ndtr(first)
        mean = F.gelu(first).mean((1, 2))
        excitation = torch.sigmoid(module.squeeze.weight[:, :, 0, 0] @ mean + module.squeeze.bias)
        row = module.last.weight[2] * excitation / first[0].numel()
        assert torch.allclose(slope, row[:, None, None] * gate, atol=1e-6)
        added = (slope * first).sum() + module.last.bias[2]
        assert torch.allclose(added, values["last"][0, 2], atol=1e-6)


def test_exact_paths_end_at_attention():
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Conv2d(3, 5, 3), nn.Linear(5, 4)

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(x).flatten(2)
            return self.last((x @ (x.mT @ x).softmax(1)).mean(2))

    network = wrap(Attention(), Preprocessing(), size=24)
    with pytest.raises(InputError, match="choose another slope than exact paths"):
        ExactPaths()(network, PHOTOGRAPH, "first", [Readout("last", torch.eye(4)[2])])


def test_a_readout_that_does_not_depend_on_the_layer_is_refused():
    network = untrained("bvlc_googlenet")
    with pytest.raises(InputError, match="conv2d2 does not depend on mixed3a"):
        Gradient()(
            network, torch.rand(1, 3, 64, 64), "mixed3a", [Readout("conv2d2", torch.ones(192))]
        )
    with pytest.raises(InputError, match="steps must be"):
        IntegratedGradient(0)(pooled(nn.ReLU()), PHOTOGRAPH, "0", [Readout("3", torch.ones(4))])
