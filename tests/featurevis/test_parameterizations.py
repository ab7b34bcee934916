import numpy as np
import pytest
import torch
from torch import Generator

from visioncircuits.errors import InputError
from visioncircuits.featurevis import (
    Fourier,
    Laplacian,
    Maco,
    Pixels,
    Transparent,
    color,
)
from visioncircuits.featurevis.parameterizations import Parameterization, frequencies

ALL = [Pixels(), Fourier(), Laplacian(), Maco()]
INVERTIBLE = [Pixels(), Fourier(), Fourier(decay=0.5), Laplacian(), Laplacian(levels=2)]


def generators(*seeds: int) -> list[Generator]:
    return [Generator().manual_seed(seed) for seed in seeds]


def named(parameterization: Parameterization) -> str:
    return type(parameterization).__name__


def test_frequencies_are_numpys() -> None:
    for height, width in ((6, 8), (5, 7), (1, 3)):
        y, x = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
        np.testing.assert_allclose(frequencies(height, width), np.sqrt(x**2 + y**2), atol=1e-7)


@pytest.mark.parametrize("size", [(6, 8), (7, 5)], ids=["even", "odd"])
def test_fourier_is_an_inverse_transform_of_scaled_coefficients(size: tuple[int, int]) -> None:
    height, width = size
    parameterized = Fourier(decay=1.5, sd=0.3).initialize(generators(0, 1), (3, height, width))
    (values,) = parameterized.parameters
    y, x = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    scale = np.maximum(np.hypot(x, y), 1 / max(size)) ** -1.5 / 4
    coefficients = values.detach().numpy().astype(complex)
    spectrum = (coefficients[..., 0] + 1j * coefficients[..., 1]) * scale
    maps = np.fft.irfft2(spectrum, s=size, norm="ortho")
    expected = 1 / (1 + np.exp(-np.einsum("rc,bchw->brhw", color._ROOT.numpy(), maps)))
    np.testing.assert_allclose(parameterized.draw().detach(), expected, atol=1e-5)


def test_a_laplacian_pyramid_is_the_sum_of_its_enlarged_levels() -> None:
    parameterized = Laplacian(levels=3, sd=1.0).initialize(generators(0), (1, 8, 8))
    assert [tuple(level.shape[2:]) for level in parameterized.parameters] == [
        (8, 8),
        (4, 4),
        (2, 2),
    ]
    total = np.zeros((8, 8))
    for level in parameterized.parameters:
        values = level.detach()[0, 0].numpy()
        # Bilinear, pixel centers at halves: np.interp along one axis, then the other.
        positions = (np.arange(8) + 0.5) * len(values) / 8 - 0.5
        resized = np.stack([np.interp(positions, range(len(values)), row) for row in values])
        total += np.stack([np.interp(positions, range(len(values)), c) for c in resized.T], axis=1)
    np.testing.assert_allclose(
        parameterized.draw().detach()[0, 0], 1 / (1 + np.exp(-total)), atol=1e-6
    )


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(16, 16), (13, 18)], ids=["square", "odd"])
@pytest.mark.parametrize("parameterization", INVERTIBLE, ids=named)
def test_a_starting_picture_is_drawn_first(
    parameterization: Parameterization, size: tuple[int, int], channels: int
) -> None:
    start = torch.rand(2, channels, *size) * 0.9 + 0.05
    parameterized = parameterization.initialize(generators(0, 1), (channels, *size), start=start)
    torch.testing.assert_close(parameterized.draw(), start, atol=2e-5, rtol=0)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("parameterization", [*ALL, Transparent()], ids=named)
def test_gradients_of_pictures_reach_the_parameters(
    parameterization: Parameterization, channels: int
) -> None:
    parameterized = parameterization.initialize(generators(0, 1), (channels, 12, 9))
    pictures = parameterized.draw()
    assert pictures.shape == (2, channels + isinstance(parameterization, Transparent), 12, 9)
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    gradients = torch.autograd.grad(
        (pictures * torch.randn_like(pictures)).sum(), parameterized.parameters
    )
    assert all(gradient.abs().sum() > 0 for gradient in gradients)


@pytest.mark.parametrize("parameterization", [*ALL, Transparent()], ids=named)
def test_an_initial_picture_depends_on_its_own_generator(
    parameterization: Parameterization,
) -> None:
    together = parameterization.initialize(generators(3, 4), (3, 8, 8)).draw()
    single = parameterization.initialize(generators(4), (3, 8, 8)).draw()
    torch.testing.assert_close(together[1:], single, atol=1e-6, rtol=0)
    assert not torch.equal(together[0], together[1])


@pytest.mark.parametrize("kind", [Pixels, Fourier, Laplacian])
def test_a_negative_standard_deviation_is_refused(kind: type) -> None:
    with pytest.raises(InputError, match="sd"):
        kind(sd=-1.0)


def test_a_pyramid_without_levels_is_refused() -> None:
    with pytest.raises(InputError, match="levels"):
        Laplacian(levels=0)
