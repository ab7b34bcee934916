"""Expanded weights against modules that are linear already: blocks whose gates are frozen by hand.

Each block is written twice: as its authors do, and with a stand-in for every nonlinearity, which
plain autograd differentiates. A stand-in takes the input of the operation that it replaces from a
run of the block itself.
"""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.hooks import RemovableHandle
from torchvision import models
from torchvision.models import convnext, densenet, regnet, shufflenetv2
from torchvision.ops import SqueezeExcitation

from visioncircuits.networks import Preprocessing, wrap
from visioncircuits.weights import LOCAL, ExpandedWeights, Linearization, expanded_weights

CLOSEST = Linearization()
SIZE, POSITION = 9, (3, 5)


class Block(nn.Module):
    """A block, of which every nonlinearity is a method: the twin replaces these, and nothing else.

    Without values `frozen` it is itself, and keeps what the twin needs in `kept`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.frozen: list[Tensor | None] | None = None
        self.kept: list[Tensor | None] = []

    def _frozen(self, factor: Tensor) -> Tensor | None:
        """Return the factor of the first run; None where it counts as 1."""
        if self.frozen is None:
            self.kept.append(factor.detach())
            return factor
        return self.frozen.pop(0)

    def times(self, x: Tensor, factor: Tensor) -> Tensor:
        frozen = self._frozen(factor)
        return x if frozen is None else x * frozen


class SqueezeExciteResidual(Block):
    """Rectified, gated by two fully connected layers, added to its input."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(4, 4, 3, padding=1) for _ in range(2))
        self.squeeze, self.excite = nn.Conv2d(4, 2, 1), nn.Conv2d(2, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        y = self.second(self.times(y, (y > 0).float()))
        gate = self.excite(F.relu(self.squeeze(y.mean((2, 3), keepdim=True)))).sigmoid()
        y = x + self.times(y, gate)
        return self.times(y, (y > 0).float())


class ConvNeXtV2(Block):
    """Layer norm over channels, GELU and global response normalization."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.wide, self.narrow = nn.Conv2d(4, 8, 1), nn.Conv2d(8, 4, 1)
        self.scale, self.shift = (nn.Parameter(torch.randn(4, 1, 1)) for _ in range(2))
        self.gamma = nn.Parameter(torch.randn(8, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        y = self.depthwise(x)
        y = y - y.mean(1, keepdim=True)
        y = self.times(y, 1 / (y.square().mean(1, keepdim=True) + 1e-5).sqrt())
        y = self.wide(self.scale * y + self.shift)
        y = self.times(y, 0.5 * (1 + torch.erf(y / 2**0.5)))
        energy = y.norm(dim=(2, 3), keepdim=True)
        y = y + self.gamma * self.times(y, energy / energy.mean(1, keepdim=True))
        return x + self.narrow(y)


class Inverted(Block):
    """MobileNetV3's and EfficientNet's: expanded, depthwise, gated, projected."""

    def __init__(self, gate: Callable[[Tensor], Tensor], hard: bool) -> None:
        super().__init__()
        self.expand, self.project = nn.Conv2d(4, 8, 1), nn.Conv2d(8, 4, 1)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.squeeze, self.gate, self.hard = nn.Conv2d(8, 8, 1), gate, hard

    def smooth(self, y: Tensor) -> Tensor:
        return self.times(y, (y + 3).clamp(0, 6) / 6 if self.hard else 1 / (1 + (-y).exp()))

    def forward(self, x: Tensor) -> Tensor:
        y = self.smooth(self.depthwise(self.smooth(self.expand(x))))
        return x + self.project(self.times(y, self.gate(self.squeeze(y.mean((2, 3), True)))))


class Written(nn.Module):
    """The same blocks as modules, as a network would have them, with a block's parameters."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        b = self.block
        match b:
            case SqueezeExciteResidual():
                y = b.second(F.relu(b.first(x)))
                pooled = F.adaptive_avg_pool2d(y, 1)
                return F.relu(x + torch.sigmoid(b.excite(F.relu(b.squeeze(pooled)))) * y)
            case ConvNeXtV2():
                y = b.depthwise(x).permute(0, 2, 3, 1)
                y = F.layer_norm(y, (4,), b.scale.flatten(), b.shift.flatten(), 1e-5)
                y = F.gelu(F.linear(y, b.wide.weight.flatten(1), b.wide.bias))
                energy = y.norm(p=2, dim=(1, 2), keepdim=True)
                y = y + torch.mul(b.gamma.flatten(), y * (energy / energy.mean(-1, keepdim=True)))
                return x + F.linear(y, b.narrow.weight.flatten(1), b.narrow.bias).permute(
                    0, 3, 1, 2
                )
            case Inverted():
                smooth = F.hardswish if b.hard else F.silu
                y = smooth(b.depthwise(smooth(b.expand(x))))
                gate = F.hardsigmoid if b.hard else torch.sigmoid
                return x + b.project(y * gate(b.squeeze(F.adaptive_avg_pool2d(y, 1))))
        raise AssertionError


BLOCKS: dict[str, Callable[[], Block]] = {
    "SE residual": SqueezeExciteResidual,
    "ConvNeXt V2": ConvNeXtV2,
    "MobileNetV3": lambda: Inverted(lambda v: (v + 3).clamp(0, 6) / 6, True),
    "EfficientNet": lambda: Inverted(torch.sigmoid, False),
}


def expanded(
    module: nn.Module, linearization: Linearization, picture: Tensor
) -> tuple[ExpandedWeights, dict[str, Tensor]]:
    network = wrap(module, Preprocessing(), size=SIZE)
    weights = expanded_weights(
        network, "0", "2", linearization=linearization, pictures=picture, position=POSITION
    )
    return weights, network.activations(picture, ["0", "2"])


@pytest.mark.parametrize("linearization", [CLOSEST, LOCAL], ids=["closest", "on the picture"])
@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_weights_are_the_derivatives_of_a_block_linear_by_hand(
    on_map, block: Callable[[], Block], linearization: Linearization
) -> None:
    torch.manual_seed(8)
    twin = block()
    first, last = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 3, 3, padding=1)
    picture = torch.rand(1, 3, SIZE, SIZE)
    found, values = expanded(nn.Sequential(first, Written(twin), last), linearization, picture)
    x = values["0"].clone().requires_grad_()
    with torch.enable_grad():
        torch.testing.assert_close(last(twin(x)), values["2"], rtol=1e-4, atol=1e-5)
        twin.frozen = list(twin.kept) if linearization == LOCAL else [None] * len(twin.kept)
        linear = last(twin(x))
        rows = [
            torch.autograd.grad(unit, x, retain_graph=True)[0][0]
            for unit in linear[0, :, *POSITION]
        ]
    expected = torch.stack(rows)
    laid = on_map(found, POSITION, (SIZE, SIZE))
    torch.testing.assert_close(laid, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_on_one_picture_contributions_and_a_constant_are_the_activation(
    on_map, block: Callable[[], Block]
) -> None:
    """The constant is the block of no input, with its gates and divisors as on the picture."""
    torch.manual_seed(9)
    twin = block()
    first, last = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 3, 3, padding=1)
    picture = torch.rand(1, 3, SIZE, SIZE)
    found, values = expanded(nn.Sequential(first, Written(twin), last), LOCAL, picture)
    with torch.no_grad():
        twin(values["0"])
        twin.frozen = list(twin.kept)
        constant = last(twin(torch.zeros_like(values["0"])))[0, :, *POSITION]
    flowed = (on_map(found, POSITION, (SIZE, SIZE)) * values["0"]).sum((1, 2, 3))
    torch.testing.assert_close(
        flowed + constant, values["2"][0, :, *POSITION], rtol=1e-4, atol=1e-5
    )


class Standardized(nn.Conv2d):
    """A convolution whose weight is standardized as it runs, as in NFNet."""

    def forward(self, x: Tensor) -> Tensor:
        flat = self.weight.flatten(1)
        spread = flat.var(1, keepdim=True) * flat.shape[1]
        weight = ((flat - flat.mean(1, keepdim=True)) / spread.sqrt()).reshape_as(self.weight)
        return F.conv2d(x, weight, self.bias, padding=self.padding)


class StandIn(nn.Module):
    """The linear part of a module, for one call after another."""

    def __init__(self, module: nn.Module, factors: list[Tensor | None]) -> None:
        super().__init__()
        self.module, self.factors = module, factors

    def forward(self, x: Tensor) -> Tensor:
        factor = self.factors.pop(0)
        if isinstance(self.module, nn.LayerNorm):
            x = (x - x.mean(-1, keepdim=True)) * self.module.weight
        return x if factor is None else x * factor


def factor_of(module: nn.Module, x: Tensor, out: Tensor) -> Tensor:
    """Return what a nonlinear module multiplied its input by."""
    match module:
        case nn.ReLU():
            return (out > 0).float()
        case SqueezeExcitation():
            return module._scale(x)
        case nn.LayerNorm():
            return (x.var(-1, correction=0, keepdim=True) + module.eps).rsqrt()
    return out / x


NONLINEAR = nn.ReLU | nn.GELU | nn.SiLU | nn.Hardswish | SqueezeExcitation | nn.LayerNorm

MODULES: dict[str, Callable[[], nn.Module]] = {
    "ResNeXt": lambda: models.resnet.Bottleneck(8, 2, groups=2, base_width=64),
    "ConvNeXt": lambda: convnext.CNBlock(8, 1.0, 0.0),
    "RegNet-Y": lambda: regnet.ResBottleneckBlock(
        8, 8, 1, nn.BatchNorm2d, nn.ReLU, group_width=4, se_ratio=0.5
    ),
    "NFNet": lambda: nn.Sequential(
        nn.SiLU(inplace=True), Standardized(8, 8, 3, padding=1), SqueezeExcitation(8, 2)
    ),
    "DenseNet": lambda: densenet._DenseBlock(2, 8, 2, 4, 0.0),
    "ShuffleNet": lambda: shufflenetv2.InvertedResidual(8, 8, 1),
}


def linear_by_hand(module: nn.Module, x: Tensor, *, exact: bool) -> nn.Module:
    """Run a module, then replace every nonlinear part of a copy by what it was on `x`."""
    twin, handles = copy.deepcopy(module), list[RemovableHandle]()
    factors: dict[str, list[Tensor | None]] = {}
    for name, part in module.named_modules():
        if isinstance(part, NONLINEAR) and not any(name.startswith(f"{n}.") for n in factors):
            handles += _kept(part, factors.setdefault(name, []), exact)
    with torch.no_grad():
        module(x.clone())
    for handle in handles:
        handle.remove()
    for name, found in factors.items():
        twin.set_submodule(name, StandIn(twin.get_submodule(name), found))
    return twin


def _kept(part: nn.Module, factors: list[Tensor | None], exact: bool) -> list[RemovableHandle]:
    """Keep the factor of each call; its input is copied before, as the call may overwrite it."""
    given: list[Tensor] = []

    def after(_part: nn.Module, _args: tuple[Tensor], out: Tensor) -> None:
        factors.append(factor_of(part, given.pop(), out) if exact else None)

    return [
        part.register_forward_pre_hook(lambda _part, args: given.append(args[0].clone())),
        part.register_forward_hook(after),
    ]


@pytest.mark.parametrize("linearization", [CLOSEST, LOCAL], ids=["closest", "on the picture"])
@pytest.mark.parametrize("block", MODULES.values(), ids=MODULES)
def test_weights_are_the_derivatives_of_a_network_of_stand_ins(
    on_map, block: Callable[[], nn.Module], linearization: Linearization
) -> None:
    torch.manual_seed(10)
    middle = block()
    for name, buffer in middle.named_buffers():
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
    wide = 16 if isinstance(middle, densenet._DenseBlock) else 8
    last = nn.Conv2d(wide, 3, 3, padding=1)
    module = nn.Sequential(nn.Conv2d(3, 8, 1), middle, last).eval()
    found, values = expanded(module, linearization, torch.rand(1, 3, SIZE, SIZE))
    twin = linear_by_hand(middle, values["0"], exact=linearization == LOCAL)
    x = values["0"].clone().requires_grad_()
    with torch.enable_grad():
        units = last(twin(x))[0, :, *POSITION]
        rows = [torch.autograd.grad(unit, x, retain_graph=True)[0][0] for unit in units]
    expected = torch.stack(rows)
    laid = on_map(found, POSITION, (SIZE, SIZE))
    torch.testing.assert_close(laid, expected, rtol=1e-3, atol=1e-5 * float(expected.abs().max()))
