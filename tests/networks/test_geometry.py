"""Receptive fields, compared with what a change of one row of the picture reaches.

NaN in a row of the input spreads to whatever depends on that row and to nothing else: no
rectifier, maximum or cancelling weight hides it.
"""

from collections.abc import Callable
from functools import cache

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.convnext import CNBlockConfig, ConvNeXt

from visioncircuits.networks.axes import Axis
from visioncircuits.networks.catalog import untrained
from visioncircuits.networks.geometry import Geometry, receptive_fields
from visioncircuits.networks.layer_graph import LayerGraph
from visioncircuits.networks.tracing import trace


@cache
def _inceptionv1(variant: str) -> LayerGraph:
    module = untrained(variant).module
    assert isinstance(module, LayerGraph)
    return module


def fields(module: nn.Module, picture: Tensor) -> dict[str, Geometry]:
    return receptive_fields(trace(module, picture), picture)


def _values(module: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """Return the output of every module's first call."""
    found: dict[str, Tensor] = {}

    def note(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object, out: Tensor) -> None:
            found.setdefault(name, out.clone())

        return hook

    hooks = [child.register_forward_hook(note(n)) for n, child in module.named_modules() if n]
    module(inputs)
    for hook in hooks:
        hook.remove()
    return found


def _reached(value: Tensor, along: int) -> Tensor:
    """Return the rows of `value` that NaN in row (or column) b of picture b reaches."""
    if value.ndim == 2:
        return value.isnan().any(1)[:, None]
    return value.isnan().any(1).any(2 if along == 2 else 1)


def _check(axis: Axis, reached: Tensor, name: str, *, gaps: bool) -> None:
    """Compare an axis with `reached`, pixels by neurons."""
    height = len(reached)
    some = reached.any(1).nonzero()
    lowest, highest = some.min().item(), some.max().item()  # an edge may reach nothing at all
    for neuron in range(reached.shape[1]):
        first = axis.offset + axis.stride * neuron
        last = first + axis.size - 1
        pixels = reached[:, neuron].nonzero().flatten().tolist()
        if (first >= 0 and last < height) or not gaps:
            expected = max(first, lowest), min(last, highest)
            assert (pixels[0], pixels[-1]) == expected, (name, neuron)
        else:  # an edge may cut a field just before a gap
            assert all(first <= pixel <= last for pixel in pixels), (name, neuron)


@torch.no_grad()
def _check_all(
    module: nn.Module, *, height: int, width: int, channels: int = 3, gaps: bool = False
) -> set[str]:
    """Compare every module's layer with what rows and columns reach, and return their names.

    With `gaps` a field may have holes, so that less is reached where an edge cuts it.
    """
    module.eval()
    picture = torch.rand(1, channels, height, width)
    found, hit = fields(module, picture), set()
    for along, size in ((2, height), (3, width)):
        inputs = picture.repeat(size, 1, 1, 1)
        for place in range(size):
            inputs[place].select(along - 1, place).fill_(torch.nan)
        for name, value in _values(module, inputs).items():
            if name in found:
                hit.add(name)
                axis = found[name].y if along == 2 else found[name].x
                _check(axis, _reached(value, along), name, gaps=gaps)
    for name, value in _values(module, picture).items():
        if name in found:
            assert found[name].units == value.shape[1]
            assert found[name].shape == tuple(value.shape[2:])
    return hit


@pytest.mark.slow
@pytest.mark.parametrize(("height", "width"), [(97, 33), (36, 34)])
@pytest.mark.parametrize("variant", ["inceptionv1", "bvlc_googlenet"])
def test_fields_of_inceptionv1_are_the_rows_that_reach_each_layer(
    variant: str, height: int, width: int
) -> None:
    module = _inceptionv1(variant)
    assert _check_all(module, height=height, width=width) == set(module.sources)


@pytest.mark.parametrize("layer", ["mixed4e_5x5", "mixed5b"])
@pytest.mark.parametrize("variant", ["inceptionv1", "bvlc_googlenet"])
@torch.no_grad()
def test_fields_larger_than_a_usual_picture_end_where_computed(variant: str, layer: str) -> None:
    module = _inceptionv1(variant)
    picture = torch.rand(1, 3, 901, 32)
    found = fields(module, picture)[layer]
    neuron = found.shape[0] // 2
    first = found.y.offset + found.y.stride * neuron
    rows = [first - 1, first, first + found.y.size - 1, first + found.y.size]
    assert rows[0] >= 0
    assert rows[-1] < 901
    inputs = picture.repeat(4, 1, 1, 1)
    for row, pixels in zip(rows, inputs, strict=True):
        pixels[:, row] = torch.nan
    reached = _reached(_values(module, inputs)[layer], 2)[:, neuron]
    assert reached.tolist() == [False, True, True, False]


@pytest.mark.parametrize("layer", ["conv2d2", "mixed3b_5x5"])
@pytest.mark.parametrize("variant", ["inceptionv1", "bvlc_googlenet"])
def test_gradients_end_where_a_field_ends(variant: str, layer: str) -> None:
    module = _inceptionv1(variant)
    inputs = torch.randn(4, 3, 115, 123, requires_grad=True)
    found = fields(module, inputs[:1].detach())[layer]
    row, column = found.shape[0] // 2, found.shape[1] // 2
    value = _values(module, inputs)[layer]
    (gradient,) = torch.autograd.grad(value[:, :, row, column].square().sum(), inputs)
    touched = gradient.abs().sum((0, 1)) > 0
    for axis, place, pixels in (
        (found.y, row, touched.any(1)),
        (found.x, column, touched.any(0)),
    ):
        first = axis.offset + axis.stride * place
        assert pixels.nonzero().min() == first
        assert pixels.nonzero().max() == first + axis.size - 1


def test_fields_of_squeezenet_are_the_rows_that_reach_each_layer() -> None:
    module = torchvision.models.squeezenet1_1()
    assert "features.12.expand3x3" in _check_all(module, height=75, width=66)


def test_fields_of_resnet18_are_the_rows_that_reach_each_layer() -> None:
    module = torchvision.models.resnet18()
    assert "layer4.1.conv2" in _check_all(module, height=65, width=33)


def test_channels_split_and_shuffled_are_followed() -> None:
    module = torchvision.models.shufflenet_v2_x0_5()
    assert "stage4.3.branch2.7" in _check_all(module, height=65, width=33)


def test_positions_put_into_channels_are_followed() -> None:
    module = nn.Sequential(nn.PixelUnshuffle(4), nn.Conv2d(48, 4, 3, padding=1))
    assert "1" in _check_all(module, height=32, width=24)


def test_channels_put_last_for_a_while_are_followed() -> None:
    blocks = [CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 1)]
    module = ConvNeXt(blocks, num_classes=4)
    assert "features.3.0.block.0" in _check_all(module, height=65, width=40)


def test_values_with_channels_last_are_not_layers() -> None:
    module = ConvNeXt([CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 1)]).eval()
    found = fields(module, torch.zeros(1, 3, 32, 32))
    assert "features.1.0.block.0" in found  # the convolution, before the channels are put last
    assert "features.1.0.block.3" not in found  # the linear layer
    assert found["features.1.0"].shape == (8, 8)


class _Functional(nn.Module):
    """Operations outside of any module, and a shortcut as in ResNets for CIFAR."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(6, 3, 3, 3))
        self.out = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        long = F.relu(F.conv2d(x, self.kernel, stride=2, padding=1), inplace=True)
        short = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 1, 2))
        long += short
        return self.out(F.avg_pool2d(long, 2))


class _Half(nn.Module):
    """Only the second half of a split is used."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(2, 2, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x).chunk(2, 1)[1])


class _Cropped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv2d(3, 4, 3, stride=2), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.conv(x)[:, :, 2:-1, -5::2])


def _conv(*args: object, **options: object) -> nn.Conv2d:
    return nn.Conv2d(4, 4, *args, **options)


MODULES: dict[str, Callable[[], nn.Module]] = {
    "dilation": lambda: nn.Sequential(_conv(3, padding=2, dilation=2), _conv(3, 2, dilation=3)),
    "a kernel that is not square": lambda: nn.Sequential(
        _conv((5, 1), stride=(2, 1), padding=(1, 0)), _conv((2, 3), padding=(0, 1))
    ),
    "asymmetric padding": lambda: nn.Sequential(
        nn.ZeroPad2d((1, 2, 0, 3)), _conv(4, 2), nn.ConstantPad2d((0, -1, 2, 0), 1.0), _conv(3)
    ),
    "padding that torch works out": lambda: nn.Sequential(_conv(5, padding="same"), _conv(3, 2)),
    "reflected edges": lambda: _conv(5, padding=2, padding_mode="reflect"),
    "replicated edges": lambda: _conv(5, padding=2, padding_mode="replicate"),
    "groups": lambda: nn.Sequential(_conv(3, groups=4), nn.ChannelShuffle(2), _conv(1, groups=2)),
    "pools": lambda: nn.Sequential(
        nn.MaxPool2d(3, 1, dilation=2),
        nn.AvgPool2d((2, 1), stride=(1, 2), padding=(1, 0)),
        nn.MaxPool2d(3, 2, 1, ceil_mode=True),
        nn.AvgPool2d(2),
    ),
    "pooling to a number of places": lambda: nn.Sequential(
        nn.AdaptiveAvgPool2d((12, 6)), _conv(3), nn.AdaptiveMaxPool2d((5, 2))
    ),
    "torch's local response norm": lambda: nn.Sequential(_conv(3), nn.LocalResponseNorm(3)),
    "batch norm and rectifiers": lambda: nn.Sequential(
        _conv(3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.GELU(), nn.Dropout()
    ),
}


class _Named(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)


@pytest.mark.parametrize("kind", MODULES)
def test_fields_of_any_module_are_the_rows_that_reach_it(kind: str) -> None:
    module, gaps = _Named(MODULES[kind]()), kind in ("dilation", "asymmetric padding")
    assert "inner" in _check_all(module, height=24, width=18, channels=4, gaps=gaps)


@pytest.mark.parametrize("module", [_Functional(), _Half(), _Cropped()], ids=lambda m: type(m))
def test_operations_outside_of_modules_are_followed(module: nn.Module) -> None:
    assert {"out", "second"} & _check_all(module, height=26, width=25)


UNTOLD: dict[str, nn.Module] = {
    "an upsampling": nn.Upsample(scale_factor=2),
    "edges joined in a circle": _conv(3, padding=1, padding_mode="circular"),
    "a mean over the picture": nn.AdaptiveAvgPool2d(1),
    "a matrix over the columns": nn.Linear(16, 3),
}


@pytest.mark.parametrize("module", UNTOLD.values(), ids=UNTOLD)
def test_unknown_fields_are_the_whole_picture(module: nn.Module) -> None:
    found = fields(nn.Sequential(_conv(3, padding=1), module, _conv(1)), torch.rand(1, 4, 16, 16))
    for layer in ("1", "2"):
        assert found[layer].y == found[layer].x == Axis(0, 16, 0), layer


RESIZED: dict[str, Callable[[], nn.Module]] = {
    "nearest neighbours": lambda: nn.Sequential(_conv(2, 2), nn.Upsample(scale_factor=2)),
    "bilinear": lambda: nn.Sequential(_conv(4, 4), nn.Upsample(scale_factor=2, mode="bilinear")),
    "bilinear threefold": lambda: nn.Sequential(
        nn.AvgPool2d(3), nn.Upsample(scale_factor=3, mode="bilinear")
    ),
    "bicubic": lambda: nn.Sequential(_conv(2, 2), nn.Upsample(scale_factor=2, mode="bicubic")),
    "transposed": lambda: nn.Sequential(_conv(2, 2), nn.ConvTranspose2d(4, 4, 4, 2, 1)),
    "transposed without overlap": lambda: nn.Sequential(
        _conv(4, 4), nn.ConvTranspose2d(4, 4, 2, 2)
    ),
    "transposed and dilated": lambda: nn.ConvTranspose2d(4, 4, 3, 1, 2, dilation=2),
    "channels become places": lambda: nn.Sequential(_conv(2, 2), nn.PixelShuffle(2)),
    "uneven windows": lambda: nn.Sequential(_conv(3, 2), nn.AdaptiveAvgPool2d((5, 4))),
    "smaller": lambda: nn.Sequential(_conv(3), nn.Upsample((10, 9), mode="bilinear")),
}


@pytest.mark.parametrize("kind", RESIZED)
def test_a_resizing_is_bounded_by_less_than_what_it_repeats(kind: str) -> None:
    """Neurons of one period have different fields; the result contains all of them tightly."""
    module = _Named(RESIZED[kind]()).double().eval()
    picture = torch.rand(1, 4, 24, 24, dtype=torch.float64, requires_grad=True)
    axis = fields(module, picture.detach())["inner"].y
    assert axis.stride
    values = module(picture)
    before, after = [], []
    for neuron in range(values.shape[2]):
        (gradient,) = torch.autograd.grad(
            values[:, :, neuron].square().sum(), picture, retain_graph=True
        )
        pixels = gradient.abs().sum((0, 1, 3)).nonzero().flatten()
        first = axis.offset + axis.stride * neuron
        last = first + axis.size - 1
        assert first <= pixels.min() <= pixels.max() <= last, neuron
        if first >= 0 and last < 24:
            before.append(int(pixels.min()) - first)
            after.append(last - int(pixels.max()))
    assert min(before) == min(after) == 0


class _Joined(nn.Module):
    """A sum of a small receptive field and one that is larger, or the whole picture."""

    def __init__(self, long: nn.Module) -> None:
        super().__init__()
        self.long, self.out = long, nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.out(x + self.long(x))


def test_a_sum_with_a_whole_picture_field_has_the_whole_picture() -> None:
    mixed = nn.Sequential(nn.Flatten(2), nn.Linear(64, 64), nn.Unflatten(2, (8, 8)))
    assert fields(_Joined(mixed), torch.rand(1, 4, 8, 8))["out"].x == Axis(0, 8, 0)
    strips = nn.AdaptiveAvgPool2d((None, 1))
    assert fields(_Joined(strips), torch.rand(1, 4, 8, 8))["out"].x == Axis(0, 8, 0)


def test_copies_of_one_position_are_not_counted() -> None:
    spread = nn.Sequential(nn.AdaptiveAvgPool2d(1), _conv(1), nn.Upsample((8, 8), mode="bilinear"))
    assert fields(_Joined(spread), torch.rand(1, 4, 8, 8))["out"].x == Axis(1, 1, 0)


class _Turned(_Named):
    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x.flip(2))


def test_a_transposed_picture_is_not_mistaken_for_itself() -> None:
    assert fields(_Turned(_conv(3)), torch.rand(1, 4, 9, 9))["inner"].y == Axis(0, 9, 0)


class _Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.gate, self.norm = _conv(3, 2), _conv(1), nn.GroupNorm(2, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return self.norm(self.gate(x.mean((2, 3), keepdim=True)).sigmoid() * x)


def test_what_reaches_all_positions_alike_is_not_counted() -> None:
    found = fields(_Named(_Gated()), torch.rand(1, 4, 17, 17))
    assert found["inner"].y == found["inner.conv"].y == Axis(2, 3, 0)
    assert found["inner.gate"].y == Axis(0, 17, 0)


def test_a_module_that_runs_twice_is_described_at_its_first_call() -> None:
    inner = _conv(3)
    found = fields(_Named(nn.Sequential(inner, inner)), torch.rand(1, 4, 9, 9))
    assert found["inner.0"].y == Axis(1, 3, 0)
    assert found["inner"].y == Axis(1, 5, 0)


def test_layers_come_in_the_order_in_which_they_are_computed() -> None:
    module = _Half()
    module.zeroth = module.second  # registered last under this name, and known by its first
    found = [name for name in fields(module, torch.rand(1, 3, 12, 12)) if "chunk" not in name]
    assert found == ["first", "second"]


def test_no_hook_remains() -> None:
    module = nn.Sequential(_conv(3), _conv(30))
    assert list(fields(module, torch.rand(1, 4, 9, 9))) == ["0"]  # too small for the other
    assert not any(child._forward_hooks for child in module.modules())
