import pytest
import torch
from torch import nn
from torch.nn import functional as F

from visioncircuits.attribution import (
    Gradient,
    IntegratedGradient,
    Readout,
    RelaxedGradient,
    gradient_times_activation,
)
from visioncircuits.attribution.slopes import Slope, attributed_to_all
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, untrained, wrap

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

    def averaged(values: torch.Tensor) -> torch.Tensor:
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
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 3, 2)

    network = pooled(Padded())
    (slope,) = RelaxedGradient()(network, PHOTOGRAPH, "1", [Readout("3", torch.ones(4))])
    assert slope.isfinite().all()


def test_a_readout_that_does_not_depend_on_the_layer_is_refused():
    network = untrained("bvlc_googlenet")
    with pytest.raises(InputError, match="conv2d2 does not depend on mixed3a"):
        Gradient()(
            network, torch.rand(1, 3, 64, 64), "mixed3a", [Readout("conv2d2", torch.ones(192))]
        )
    with pytest.raises(InputError, match="steps must be"):
        IntegratedGradient(0)(pooled(nn.ReLU()), PHOTOGRAPH, "0", [Readout("3", torch.ones(4))])


@pytest.mark.parametrize("slope", [Gradient(), RelaxedGradient(), IntegratedGradient(2)])
def test_all_outputs_at_once_are_as_one_readout_after_another(slope: Slope):
    """Through the max pools and padding of GoogLeNet."""
    network, picture = untrained("bvlc_googlenet", seed=3), torch.rand(1, 3, 64, 64)
    values = network.activations(picture, ["mixed4e"])["mixed4e"][0].detach()
    parts = torch.stack([values * (torch.arange(16).reshape(4, 4) == place) for place in (3, 10)])
    found = attributed_to_all(network, picture, "mixed4e", parts, slope)
    numbers = [7, 400, 999]
    readouts = [Readout("logits", row) for row in torch.eye(1000)[numbers]]
    slopes = slope(network, picture, "mixed4e", readouts)
    known = torch.einsum("cuhw,puhw->pc", slopes, parts)
    assert known.abs().max() > 1e-4
    assert torch.allclose(found[:, numbers], known, atol=1e-6 * float(known.abs().max()), rtol=1e-4)


def test_all_outputs_at_once_need_a_classifier_and_derivatives_in_forward_mode():
    network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    parts = torch.rand(1, 64, 16, 16)
    with pytest.raises(InputError, match="no derivative in forward mode; name the classes"):
        attributed_to_all(network, picture, "conv2d1", parts, Gradient())
    with pytest.raises(InputError, match="is not a classifier"):
        attributed_to_all(pooled(nn.MaxPool2d(2)), PHOTOGRAPH, "0", parts, Gradient())
