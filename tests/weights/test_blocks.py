"""Expanded weights through the blocks of today's networks, against autograd of the same."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models
from torchvision.models import convnext, densenet, efficientnet, mobilenetv3, regnet, shufflenetv2
from torchvision.ops import SqueezeExcitation

from visioncircuits.errors import InputError
from visioncircuits.networks import Preprocessing, wrap
from visioncircuits.weights import (
    LOCAL,
    Linearization,
    expanded_weights,
    expanded_weights_by_autograd,
)


class GlobalResponse(nn.Module):
    """ConvNeXt V2's block, written out: channels last, with global response normalization."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.norm = nn.LayerNorm(8)
        self.wide, self.narrow = nn.Linear(8, 16), nn.Linear(16, 8)
        self.gamma = nn.Parameter(torch.randn(16))
        self.beta = nn.Parameter(torch.randn(16))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = F.gelu(self.wide(y))
        energy = y.norm(p=2, dim=(1, 2), keepdim=True)
        shares = energy / (energy.mean(-1, keepdim=True) + 1e-6)
        y = y + torch.addcmul(self.beta, self.gamma, y * shares)
        return x + self.narrow(y).permute(0, 3, 1, 2)


class Standardized(nn.Module):
    """A convolution whose weight is standardized as it runs, as in NFNet, between scaled SiLUs."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.gain = nn.Parameter(torch.randn(8, 8, 3, 3)), nn.Parameter(torch.rand(8))

    def forward(self, x: Tensor) -> Tensor:
        flat = self.weight.reshape(1, 8, -1)
        weight = F.batch_norm(flat, None, None, self.gain, training=True).reshape_as(self.weight)
        return x + 0.2 * F.conv2d(F.silu(x) * 1.7, weight, padding=1)


class Efficient(nn.Module):
    """Efficient channel attention: a gate of each channel from its neighbors, expanded."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv1d(1, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.mix(x.mean((2, 3)).view(len(x), 1, -1)).sigmoid()
        return x * y.view(len(x), -1, 1, 1).expand_as(x)


class Spatial(nn.Module):
    """A gate of each position, and channels taken apart, and every other position."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Conv2d(8, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = x * torch.sigmoid(self.gate(x))
        first, second, third = x.split([2, 3, 3], 1)
        return torch.cat([third, second[:, :, :, :] + third, first], 1)[:, ::1, 1:, ::2]


class Centered(nn.Module):
    """A layer normalization over channels, written out."""

    def forward(self, x: Tensor) -> Tensor:
        x = x - x.mean(1, keepdim=True)
        return x / (x.pow(2).mean(1, keepdim=True) + 1e-6).sqrt()


BLOCKS: dict[str, Callable[[], nn.Module]] = {
    "bottleneck": lambda: models.resnet.Bottleneck(8, 2, groups=1),
    "grouped": lambda: models.resnet.Bottleneck(8, 2, groups=2, base_width=64),
    "squeeze and excitation": lambda: SqueezeExcitation(8, 4, scale_activation=nn.Hardsigmoid),
    "ConvNeXt": lambda: convnext.CNBlock(8, 1.0, 0.0),
    "ConvNeXt V2": GlobalResponse,
    "MobileNetV3": lambda: mobilenetv3.InvertedResidual(
        mobilenetv3.InvertedResidualConfig(8, 3, 16, 8, True, "HS", 1, 1, 1), nn.BatchNorm2d
    ),
    "EfficientNet": lambda: efficientnet.MBConv(
        efficientnet.MBConvConfig(4, 3, 1, 8, 8, 1), 0.0, nn.BatchNorm2d
    ),
    "RegNet": lambda: regnet.ResBottleneckBlock(
        8, 8, 1, nn.BatchNorm2d, nn.ReLU, group_width=4, se_ratio=0.5
    ),
    "NFNet": Standardized,
    "DenseNet": lambda: densenet._DenseBlock(2, 8, 2, 4, 0.0),
    "ShuffleNet": lambda: shufflenetv2.InvertedResidual(8, 8, 1),
    "group normalization": lambda: nn.Sequential(nn.GroupNorm(2, 8), nn.Mish(), nn.PReLU(8)),
    "centered by hand": Centered,
    "other functions": lambda: nn.Sequential(
        nn.ELU(), nn.SELU(), nn.CELU(), nn.Sigmoid(), nn.Tanh(), nn.Hardsigmoid(), nn.ReLU6()
    ),
    "upsampling": lambda: nn.Sequential(
        nn.AvgPool2d(2),
        nn.Upsample(scale_factor=2),
        nn.AdaptiveAvgPool2d(6),
        nn.Upsample(size=10, mode="bilinear"),
        nn.ChannelShuffle(2),
    ),
    "ECA": Efficient,
    "parts and gates": Spatial,
}

CONVENTIONS = {"closest": Linearization(), "on the picture": LOCAL}


def _network(block: nn.Module) -> nn.Module:
    torch.manual_seed(5)
    net = nn.Sequential(nn.Conv2d(3, 8, 3), block, nn.Conv2d(8, 4, 3, bias=False))
    for name, tensor in net.named_buffers():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2)
    for parameter in net.parameters():
        with torch.no_grad():
            parameter.add_(0.2 * torch.randn_like(parameter))
    if isinstance(block, densenet._DenseBlock):
        net[2] = nn.Conv2d(16, 4, 3, bias=False)
    return net


@pytest.mark.parametrize("linearization", CONVENTIONS.values(), ids=CONVENTIONS)
@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_weights_through_a_block_are_the_derivatives_of_what_replaces_it(
    block: Callable[[], nn.Module], linearization: Linearization
) -> None:
    network = wrap(_network(block()), Preprocessing(), size=12)
    picture, position = torch.rand(1, 3, 12, 12), (3, 2)
    found, expected = (
        expand(network, "0", "2", linearization=linearization, pictures=picture, position=position)
        for expand in (expanded_weights, expanded_weights_by_autograd)
    )
    (top, left), (height, width) = found.offset, found.weight.shape[2:]
    down, across = top - expected.offset[0], left - expected.offset[1]
    whole = expected.weight
    inside = whole[..., down : down + height, across : across + width]
    torch.testing.assert_close(found.weight, inside, rtol=1e-4, atol=1e-6)
    assert torch.isclose(inside.square().sum(), whole.square().sum(), rtol=1e-4)


def test_on_one_picture_smooth_gates_leave_nothing_out(on_map) -> None:
    """Without biases the local map times its input is the activation, and says what it replaced."""
    torch.manual_seed(6)
    layers = nn.Conv2d(3, 8, 3), SqueezeExcitation(8, 4), nn.GELU(), nn.Conv2d(8, 4, 3, bias=False)
    network = wrap(nn.Sequential(*layers), Preprocessing(), size=12)
    picture, position = torch.rand(1, 3, 12, 12), (4, 1)
    weights = expanded_weights(
        network, "0", "3", linearization=LOCAL, pictures=picture, position=position
    )
    found = network.activations(picture, ["0", "3"])
    flowed = (on_map(weights, position, (10, 10)) * found["0"]).sum((1, 2, 3))
    torch.testing.assert_close(flowed, found["3"][0, :, *position])
    assert weights.replaced == {"mul (product)": "gain", "gelu (rectifier)": "gate"}


def test_gates_averaged_over_pictures_are_means_of_sigmoids() -> None:
    torch.manual_seed(7)
    excitation = SqueezeExcitation(6, 3)
    module = nn.Sequential(nn.Conv2d(3, 6, 3), excitation, nn.Conv2d(6, 2, 1))
    network, pictures = wrap(module, Preprocessing(), size=9), torch.rand(5, 3, 9, 9)
    weights = expanded_weights(
        network, "0", "2", linearization=Linearization(product="gain"), pictures=pictures
    )
    with torch.no_grad():
        gates = excitation._scale(module[0](pictures)).mean(0)
    torch.testing.assert_close(weights.weight, module[2].weight * gates)


def test_a_product_of_two_maps_is_refused_by_name() -> None:
    class Squared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(x)
            return self.second(x * x.flip(1))

    with pytest.raises(InputError, match="'mul', which has no linear replacement"):
        expanded_weights(wrap(Squared(), Preprocessing(), size=9), "first", "second")


def test_channels_in_place_of_pictures_are_refused() -> None:
    class EachChannel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.each, self.last = (
                nn.Conv2d(3, 4, 3), nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(4, 5, 1)
            )  # fmt: skip

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(x)
            return self.last(self.each(x.flatten(0, 1)[:, None]).reshape_as(x))

    with pytest.raises(InputError, match="'convolution', which has no linear replacement"):
        expanded_weights(wrap(EachChannel(), Preprocessing(), size=9), "first", "last")


@pytest.mark.parametrize("views", [lambda x: x.mT, lambda x: x.flatten(1, 2).unflatten(1, (3, -1))])
def test_views_that_mix_what_axes_mean_are_refused(views: Callable[[Tensor], Tensor]) -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Conv2d(3, 4, 3), nn.LazyConv2d(2, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(views(self.first(x)))

    module = Mixed()
    module(torch.zeros(1, 3, 8, 8))
    with pytest.raises(InputError, match="has no linear replacement"):
        expanded_weights(wrap(module, Preprocessing(), size=8), "first", "last")


def test_upsampling_is_followed_to_one_neuron_only() -> None:
    layers = nn.Conv2d(3, 4, 3), nn.Upsample(scale_factor=2), nn.Conv2d(4, 2, 3)
    network = wrap(nn.Sequential(*layers), Preprocessing(), size=9)
    with pytest.raises(InputError, match=r"'upsample_nearest2d'.* pass the position"):
        expanded_weights(network, "0", "2")
    assert expanded_weights(network, "0", "2", position=(3, 3)).stride == (0, 0)


def test_what_only_gates_is_refused() -> None:
    excitation = SqueezeExcitation(4, 2)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), excitation, nn.Conv2d(4, 2, 1))
    network = wrap(module, Preprocessing(), size=9)
    with pytest.raises(InputError, match="only through gates"):
        expanded_weights(network, "1.fc1", "2")
