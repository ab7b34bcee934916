"""What is computed for a window; whole networks are tested in `test_conformance.py`."""

import random
from itertools import combinations, product

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, untrained, wrap
from visioncircuits.networks.edits import Edit
from visioncircuits.networks.fixed_parameters import parameters_fixed
from visioncircuits.networks.normalization import LocalResponseNorm
from visioncircuits.stimuli import named
from visioncircuits.tuning import measure, placement


def network(*layers: nn.Module, size: int = 12) -> Network:
    torch.manual_seed(0)
    return wrap(nn.Sequential(*layers).eval(), Preprocessing(), size=size)


class Padded(nn.Module):
    def __init__(self, *sides: int, **options: object) -> None:
        super().__init__()
        self.sides, self.options = sides, options

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, self.sides, **self.options)


class Branches(nn.Module):
    """Receptive fields of 1, 3 and 7 pixels; sums of maps, of a map of one unit, and of a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.seven = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 7, padding=3)
        self.pool, self.single = nn.MaxPool2d(3, 1, 1), nn.Conv2d(3, 1, 3, padding=1)
        self.bias = nn.Parameter(torch.rand(1, 3, 1, 1))
        self.everywhere = nn.Parameter(torch.rand(3, 12, 12))

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat([self.one(x), self.pool(x)], 1)[:, :3] * self.single(x)
        return (joined + self.seven(x).relu() - self.bias).mul(2) * self.everywhere


class Gated(nn.Module):
    """Squeeze and excitation: all positions decide the gate."""

    def forward(self, x: Tensor) -> Tensor:
        return x * F.adaptive_avg_pool2d(x, 1).sigmoid()


class Attention(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(2)
        weights = (flat.transpose(1, 2) @ flat).softmax(-1)
        return (flat @ weights).view(x.shape) + x


class Choice(nn.Module):
    """What it does depends on values, so that it is not traced."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.inner(x)
        return found if found.sum() > 0 else -found


CASES: dict[str, tuple[nn.Module, ...]] = {
    "stride": (nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Conv2d(4, 4, 2)),
    "dilation": (nn.Conv2d(3, 4, 3, padding=(2, 3), dilation=(2, 3)),),
    "same": (nn.Conv2d(3, 3, 3, padding="same", dilation=2), nn.Conv2d(3, 3, 3, groups=3)),
    "valid": (nn.Conv2d(3, 3, 2, padding="valid", stride=2), nn.Conv2d(3, 4, 2)),
    "nothing but padding": (nn.Conv2d(3, 4, 2, padding=4),),
    "reflected": (nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), nn.Conv2d(4, 4, 3)),
    "ceil": (nn.MaxPool2d(3, 2, ceil_mode=True), nn.MaxPool2d(2, 3, 1, ceil_mode=True)),
    "dilated pool": (nn.Conv2d(3, 4, 3), nn.MaxPool2d(2, 1, padding=1, dilation=3)),
    "negative maxima": (Padded(1, 0, value=-9.0), nn.MaxPool2d(3, padding=1, stride=1)),
    "counted padding": (nn.AvgPool2d(3, 2, padding=1), nn.Conv2d(3, 4, 3, padding=1)),
    "counted padding in ceil mode": (nn.AvgPool2d(3, 2, padding=1, ceil_mode=True),),
    "padding that is not counted": (nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),),
    "a divisor": (nn.AvgPool2d(3, 1, padding=1, ceil_mode=True, divisor_override=4),),
    "padded unevenly": (Padded(2, 0, 1, 3, value=0.5), nn.Conv2d(3, 4, 3)),
    "cut": (Padded(-2, 1, -1, -1), nn.Conv2d(3, 4, 3, padding=1)),
    "padded units": (Padded(0, 0, 0, 0, 1, 0), nn.Conv2d(4, 4, 3)),
    "norms": (nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.PReLU(8),
              LocalResponseNorm(8, size=5, alpha=0.5, beta=0.75, k=1.0), nn.LocalResponseNorm(3)),
    "norms of all positions": (nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4), nn.GroupNorm(2, 4),
                               nn.BatchNorm2d(4, track_running_stats=False)),
    "resized": (nn.Conv2d(3, 4, 3), nn.Upsample(scale_factor=2), nn.Conv2d(4, 4, 3)),
    "transposed": (nn.ConvTranspose2d(3, 4, 3, stride=2), nn.Conv2d(4, 4, 3)),
    "branches": (Branches(), nn.ReLU(inplace=True), nn.Conv2d(3, 3, 3)),
    "gated": (nn.Conv2d(3, 4, 3), Gated(), nn.Conv2d(4, 4, 3)),
    "attention": (nn.Conv2d(3, 4, 3), Attention(), nn.Conv2d(4, 4, 3, padding=1)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@torch.no_grad()
def test_every_window_has_the_values_of_the_whole(name: str) -> None:
    cropping = network(*CASES[name])
    pictures = torch.rand(2, 3, 12, 12) - 1.5  # below 0, where pads are seen
    last = cropping.output
    whole = cropping.activations(pictures, [last])[last]
    ends = [[*combinations(range(size + 1), 2)] for size in whole.shape[2:]]
    corners = product(*([(0, 1), (size - 1, size)] for size in whole.shape[2:]))
    some = random.Random(0).choices([*product(*ends)], k=40)
    for (top, below), (left, right) in (*corners, *some):
        window = range(top, below), range(left, right)
        found = cropping.activations(pictures, [last], window=window)[last]
        torch.testing.assert_close(found, whole[:, :, top:below, left:right], msg=str(window))


def test_what_a_neuron_does_not_see_is_not_computed() -> None:
    convolutions = (nn.Conv2d(3, 4, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 2, 3))
    seeing = network(*convolutions, size=64)
    pictures = torch.rand(1, 3, 64, 64)
    seeing.activations(pictures, ["3"])  # is traced
    with FlopCounterMode(display=False) as counted:
        seeing.activations(pictures, ["3"], window=(range(9, 10), range(9, 11)))
    assert counted.get_total_flops() == 2 * (3 * 25 * 4 * (6 * 8) + 4 * 9 * 2 * 2)


def test_joined_convolutions_compute_windows_of_what_they_take_in() -> None:
    """In a residual block the sum's other part is of the same window."""
    torch.manual_seed(0)
    block = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = nn.Sequential(*block)

        def forward(self, x: Tensor) -> Tensor:
            return (self.block(x) + x).relu()

    deep = network(Block(), Block(), nn.Conv2d(3, 2, 1))
    window = range(2, 3), range(1, 3)
    plan = deep._traces.graph((12, 12))._plan(["2"], {}, (), window=window, fixed=True)
    names = [getattr(step.function, "__name__", "") for step in plan.steps if not step.constant]
    assert names.count("convolution") == 2
    assert "add" not in names
    assert "relu_" not in names
    pictures = torch.rand(1, 3, 12, 12)
    with parameters_fixed():
        found = deep.activations(pictures, ["2"], window=window)["2"]
    torch.testing.assert_close(found, deep.activations(pictures, ["2"])["2"][:, :, 2:3, 1:3])


def test_windows_carry_gradients_and_edits() -> None:
    deep = network(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 3, padding=1))
    pictures = torch.rand(1, 3, 12, 12, requires_grad=True)
    edit = [Edit("1", lambda values: values - values.mean((2, 3), keepdim=True))]
    part = deep.activations(pictures, ["2"], changes=edit, window=(range(1), range(11, 12)))["2"]
    whole = deep.activations(pictures, ["2"], changes=edit)["2"][:, :, :1, 11:]
    torch.testing.assert_close(part, whole)
    gradients = [torch.autograd.grad(values.sum(), pictures)[0] for values in (part, whole)]
    torch.testing.assert_close(*gradients)
    unit = deep.unit_activations(
        pictures, {"2": torch.tensor([1])}, changes=edit, window=(range(1), range(11, 12))
    )
    torch.testing.assert_close(unit["2"], whole[:, 1:])


@pytest.mark.parametrize(
    ("layer", "rows", "message"),
    [
        ("0", range(9, 11), "0 has rows 0 to 9; "),
        ("0", range(0), "0 has rows 0 to 9; "),
        ("0", range(0, 9, 2), "0 has rows 0 to 9; "),
        ("2", range(1), "2 has no rows and columns"),
    ],
)
def test_a_window_that_a_layer_does_not_have_is_rejected(
    layer: str, rows: range, message: str
) -> None:
    flat = network(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(InputError, match=message):
        flat.activations(torch.rand(1, 3, 12, 12), [layer], window=(rows, range(1)))


def test_a_part_that_is_not_traced_is_computed_whole() -> None:
    closed = network(Choice(), nn.Conv2d(4, 2, 3))
    pictures, window = torch.rand(2, 3, 12, 12), (range(3, 5), range(1))
    for layer in ("0.inner", "1"):  # by hooks, and after one call
        whole = closed.activations(pictures, [layer])[layer]
        found = closed.activations(pictures, [layer], window=window)[layer]
        torch.testing.assert_close(found, whole[:, :, 3:5, :1])


@pytest.mark.parametrize("reach", [0, 2])
def test_responses_are_those_of_whole_maps(reach: int) -> None:
    bvlc = untrained("bvlc_googlenet")
    few = named("curves").isel(orientation=slice(0, None, 9), radius=0)
    found = measure(bvlc, "mixed3a", few, reach=reach)
    at = placement(bvlc, "mixed3a", reach=reach)
    placed = few.fix(size=at.size[0], y=at.shift[0], x=at.shift[1])
    maps = bvlc.activations(placed.draw(range(len(few))).picture, ["mixed3a"])["mixed3a"]
    rows, columns = (slice(max(p - reach, 0), p + reach + 1) for p in at.position)
    expected = maps[:, :, rows, columns].amax((2, 3)).T.numpy()
    torch.testing.assert_close(torch.tensor(found.values), torch.tensor(expected))
