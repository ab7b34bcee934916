import copy

import pytest
import torch
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.networks.normalization import LocalResponseNorm

VARIANTS = {
    "inceptionv1": {"size": 11, "alpha": 11e-4, "beta": 0.5, "k": 2.0},
    "bvlc_googlenet": {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 1.0},
    "another power": {"size": 3, "alpha": 0.5, "beta": 0.6, "k": 1.5},
    "wider than the layer": {"size": 31, "alpha": 0.5, "beta": 0.75, "k": 1.5},
}


@pytest.mark.parametrize("parameters", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 300.0])
def test_its_value_is_that_of_torch(parameters: dict[str, float], scale: float) -> None:
    x = torch.randn(2, 24, 5, 7) * scale
    theirs = nn.LocalResponseNorm(
        parameters["size"], parameters["alpha"], parameters["beta"], parameters["k"]
    )(x)
    ours = LocalResponseNorm(24, **parameters)(x)
    assert (ours - theirs).abs().max() <= 1e-6 * theirs.abs().max()


@pytest.mark.parametrize("parameters", VARIANTS.values(), ids=VARIANTS)
def test_its_gradient_is_that_of_its_value(parameters: dict[str, float]) -> None:
    x = torch.randn(1, 9, 2, 3, dtype=torch.float64) * 4
    assert torch.autograd.gradcheck(
        LocalResponseNorm(9, **parameters).double(), x.requires_grad_(), eps=1e-5
    )


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("parameters", VARIANTS.values(), ids=VARIANTS)
def test_its_gradient_is_that_of_torch(
    parameters: dict[str, float], layout: torch.memory_format
) -> None:
    x = (torch.randn(2, 24, 5, 7) * 20).contiguous(memory_format=layout).requires_grad_()
    along = torch.randn(2, 24, 5, 7)
    theirs = nn.LocalResponseNorm(
        parameters["size"], parameters["alpha"], parameters["beta"], parameters["k"]
    )
    (expected,) = torch.autograd.grad(theirs(x), x, along)
    (found,) = torch.autograd.grad(LocalResponseNorm(24, **parameters)(x), x, along)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_neither_its_input_nor_the_gradient_given_is_changed() -> None:
    x, along = torch.randn(1, 8, 3, 3, requires_grad=True), torch.randn(1, 8, 3, 3)
    before, before_along = x.detach().clone(), along.clone()
    LocalResponseNorm(8, **VARIANTS["bvlc_googlenet"])(x).backward(along)
    assert torch.equal(x, before)
    assert torch.equal(along, before_along)


def test_a_second_derivative_raises() -> None:
    x = torch.randn(1, 8, 3, 3, requires_grad=True)
    energy = LocalResponseNorm(8, **VARIANTS["bvlc_googlenet"])(x).square().sum()
    (gradient,) = torch.autograd.grad(energy, x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_an_even_size_raises() -> None:
    with pytest.raises(InputError, match="must be odd, not 4"):
        LocalResponseNorm(8, size=4, alpha=1e-4, beta=0.75, k=1.0)


def test_its_state_dict_is_empty() -> None:
    norm = LocalResponseNorm(8, **VARIANTS["bvlc_googlenet"])
    assert norm.state_dict() == {}
    assert not list(norm.parameters())
    x = torch.rand(1, 8, 2, 2)
    assert torch.equal(copy.deepcopy(norm)(x), norm(x))
