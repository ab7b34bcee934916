from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.featurevis.gradients import AveragedMaxPool, RedirectedReLU


def in_place(x: Tensor) -> Tensor:
    y = x * 1
    y.relu_()  # the returned tensor is not used
    return y


RELUS: dict[str, Callable[[Tensor], Tensor]] = {
    "nn.ReLU": nn.ReLU(),
    "nn.ReLU in place": lambda x: nn.ReLU(inplace=True)(x * 1),
    "F.relu": F.relu,
    "F.relu in place": lambda x: F.relu(x * 1, inplace=True),
    "F.relu of a keyword": lambda x: F.relu(input=x),
    "torch.relu": torch.relu,
    "x.relu": lambda x: x.relu(),
    "x.relu_": in_place,
    "F.relu_": lambda x: F.relu_(x * 1),
    "aten": torch.ops.aten.relu,
}

POOLS: dict[str, Callable[[Tensor], Tensor]] = {
    "nn.MaxPool2d": nn.MaxPool2d(2),
    "F.max_pool2d": lambda x: F.max_pool2d(x, 2),
    "F.max_pool2d of keywords": lambda x: F.max_pool2d(input=x, kernel_size=2, stride=(2, 2)),
    "torch.max_pool2d": lambda x: torch.max_pool2d(x, 2),
}


def redirected(x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Apply lucid's rule a sample at a time; negative gradients raise a neuron."""
    result = np.zeros_like(gradient)
    for sample in range(len(x)):
        passed = np.array(
            [
                g if v > 0 else 0.0
                for v, g in zip(x[sample].flat, gradient[sample].flat, strict=True)
            ]
        )
        if not passed.any():
            passed = np.array(
                [
                    0.0 if v < 0 and g > 0 else g
                    for v, g in zip(x[sample].flat, gradient[sample].flat, strict=True)
                ]
            )
        result[sample] = passed.reshape(x[sample].shape)
    return result


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS)
def test_redirected_gradients_are_lucids(relu: Callable[[Tensor], Tensor]) -> None:
    rng = np.random.default_rng(0)
    for shape in ((6, 3, 4, 4), (6, 5)):
        values = rng.normal(size=shape)
        gradient = rng.normal(size=shape)
        values[1] = -np.abs(values[1])  # wholly inactive
        values[2] = -np.abs(values[2])
        gradient[2] = np.abs(gradient[2])  # and the gradient lowers all of it
        gradient[3] = 0
        gradient[4][values[4] > 0] = 0  # zero where it is active
        x = torch.tensor(values, requires_grad=True)
        with RedirectedReLU():
            y = relu(x)
        np.testing.assert_array_equal(y.detach(), np.maximum(values, 0))
        (found,) = torch.autograd.grad(y, x, torch.tensor(gradient))
        np.testing.assert_array_equal(found, redirected(values, gradient))
        assert found[1].any()
        assert not found[2].any()
        assert found[4].any()
        selected = torch.tensor([True, False, True, True, True, True])
        with RedirectedReLU(selected):
            y = relu(x)
        (masked,) = torch.autograd.grad(y, x, torch.tensor(gradient))
        assert not masked[1].any()
        assert torch.equal(masked[selected], found[selected])


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS)
def test_rectifiers_are_restored_after_the_context(relu: Callable[[Tensor], Tensor]) -> None:
    x = torch.tensor([[-1.0, -2.0]], requires_grad=True)
    with RedirectedReLU():
        relu(x)
    with pytest.raises(ZeroDivisionError), RedirectedReLU():
        raise ZeroDivisionError
    (gradient,) = torch.autograd.grad(-relu(x).sum(), x)
    assert gradient.tolist() == [[0.0, 0.0]]


def test_an_active_sample_has_its_usual_gradient_beside_an_inactive_one() -> None:
    x = torch.tensor([[-1.0, -1.0], [-1.0, 1.0]], requires_grad=True)
    with RedirectedReLU():
        y = F.relu(x)
    (gradient,) = torch.autograd.grad(-y.sum(), x)
    assert gradient.tolist() == [[-1.0, -1.0], [0.0, -1.0]]


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_averaged_pools_have_the_maximum_and_the_gradient_of_the_mean(
    pool: Callable[[Tensor], Tensor],
) -> None:
    x = torch.randn(2, 3, 6, 6, requires_grad=True)
    gradient = torch.randn(2, 3, 3, 3)
    with AveragedMaxPool():
        y = pool(x)
    assert torch.equal(y, F.max_pool2d(x, 2))
    (found,) = torch.autograd.grad(y, x, gradient)
    (expected,) = torch.autograd.grad(F.avg_pool2d(x, 2), x, gradient)
    torch.testing.assert_close(found, expected)
    (usual,) = torch.autograd.grad(pool(x), x, gradient)
    assert ((usual != 0).sum((2, 3)) == 9).all()  # the context has no lasting effect


@pytest.mark.parametrize(
    "options",
    [
        {"stride": 1, "padding": 1},
        {"stride": 2, "ceil_mode": True},
        {"stride": (2, 1), "padding": (1, 0), "ceil_mode": True},
    ],
    ids=str,
)
def test_averages_exclude_the_padding(options: dict[str, object]) -> None:
    x = torch.randn(1, 2, 8, 7, requires_grad=True)
    with AveragedMaxPool():
        y = F.max_pool2d(x, 3, **options)
    torch.testing.assert_close(y, F.max_pool2d(x, 3, **options))
    gradient = torch.randn_like(y)
    (found,) = torch.autograd.grad(y, x, gradient)
    average = F.avg_pool2d(x, 3, **options, count_include_pad=False)
    (expected,) = torch.autograd.grad(average, x, gradient)
    torch.testing.assert_close(found, expected)


def test_padding_with_minus_infinity_leaves_gradients_finite() -> None:
    x = torch.randn(1, 1, 4, 4, requires_grad=True)
    with AveragedMaxPool():
        y = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 3, 2)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert y.isfinite().all()
    assert gradient.isfinite().all()
    assert gradient.all()


def test_pools_that_have_no_average_are_refused() -> None:
    x = torch.randn(1, 1, 8, 8)
    with AveragedMaxPool():
        with pytest.raises(InputError, match="dilated"):
            F.max_pool2d(x, 2, dilation=2)
        with pytest.raises(InputError, match="indices"):
            nn.MaxPool2d(2, return_indices=True)(x)


def test_both_work_together_within_a_network() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2))
    nn.init.constant_(module[0].bias, -50)  # nothing is active
    module.requires_grad_(False)
    x = torch.rand(2, 3, 10, 10, requires_grad=True)
    assert not torch.autograd.grad(-module(x).sum(), x)[0].any()
    with RedirectedReLU(), AveragedMaxPool():
        loss = -module(x).sum()
    (gradient,) = torch.autograd.grad(loss, x)
    # Every neuron receives a quarter of its window's gradient, as with a mean.
    linear = nn.Sequential(module[0], nn.AvgPool2d(2))
    torch.testing.assert_close(gradient, torch.autograd.grad(-linear(x).sum(), x)[0])
