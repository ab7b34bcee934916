from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Generator

from visioncircuits.errors import InputError
from visioncircuits.featurevis import (
    Fourier,
    Laplacian,
    Maco,
    Pixels,
    Transparent,
    color,
    measure_spectrum,
)
from visioncircuits.featurevis.parameterizations import Parameterization, frequencies, over

ALL = [Pixels(), Fourier(), Laplacian(), Maco()]
HOLDING = [Pixels(), Fourier(), Fourier(decay=0.5), Laplacian(), Laplacian(levels=2)]


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
    canvas = Fourier(decay=1.5, sd=0.3).canvas(generators(0, 1), (3, height, width))
    (values,) = canvas.parameters
    y, x = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    scale = np.maximum(np.hypot(x, y), 1 / max(size)) ** -1.5 / 4
    coefficients = values.detach().numpy().astype(complex)
    spectrum = (coefficients[..., 0] + 1j * coefficients[..., 1]) * scale
    maps = np.fft.irfft2(spectrum, s=size, norm="ortho")
    expected = 1 / (1 + np.exp(-np.einsum("rc,bchw->brhw", color._ROOT.numpy(), maps)))
    np.testing.assert_allclose(canvas.draw().detach(), expected, atol=1e-5)


def test_a_laplacian_pyramid_is_the_sum_of_its_enlarged_levels() -> None:
    canvas = Laplacian(levels=3, sd=1.0).canvas(generators(0), (1, 8, 8))
    assert [tuple(level.shape[2:]) for level in canvas.parameters] == [(8, 8), (4, 4), (2, 2)]
    total = np.zeros((8, 8))
    for level in canvas.parameters:
        values = level.detach()[0, 0].numpy()
        # Bilinear, pixel centers at halves, edges held: np.interp along one axis, then the other.
        places = (np.arange(8) + 0.5) * len(values) / 8 - 0.5
        grown = np.stack([np.interp(places, np.arange(len(values)), row) for row in values])
        total += np.stack([np.interp(places, np.arange(len(values)), c) for c in grown.T], axis=1)
    np.testing.assert_allclose(canvas.draw().detach()[0, 0], 1 / (1 + np.exp(-total)), atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(16, 16), (13, 18)], ids=["square", "odd"])
@pytest.mark.parametrize("parameterization", HOLDING, ids=named)
def test_a_starting_picture_comes_back(
    parameterization: Parameterization, size: tuple[int, int], channels: int
) -> None:
    start = torch.rand(2, channels, *size) * 0.9 + 0.05
    canvas = parameterization.canvas(generators(0, 1), (channels, *size), start=start)
    torch.testing.assert_close(canvas.draw(), start, atol=2e-5, rtol=0)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("parameterization", [*ALL, Transparent()], ids=named)
def test_canvases_draw_pictures_whose_gradients_reach_the_parameters(
    parameterization: Parameterization, channels: int
) -> None:
    canvas = parameterization.canvas(generators(0, 1), (channels, 12, 9))
    pictures = canvas.draw()
    assert pictures.shape == (2, channels + isinstance(parameterization, Transparent), 12, 9)
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    gradients = torch.autograd.grad(
        (pictures * torch.randn_like(pictures)).sum(), canvas.parameters
    )
    assert all(gradient.abs().sum() > 0 for gradient in gradients)


@pytest.mark.parametrize("parameterization", [*ALL, Transparent()], ids=named)
def test_a_picture_begins_from_its_own_generator_alone(parameterization: Parameterization) -> None:
    together = parameterization.canvas(generators(3, 4), (3, 8, 8)).draw()
    alone = parameterization.canvas(generators(4), (3, 8, 8)).draw()
    torch.testing.assert_close(together[1:], alone, atol=1e-6, rtol=0)
    assert not torch.equal(together[0], together[1])


def drawn_magnitudes(pictures: torch.Tensor) -> torch.Tensor:
    maps = color.decorrelate(pictures.double().logit())
    return torch.fft.rfft2(maps, norm="ortho").abs()


def test_maco_keeps_the_magnitudes_whatever_the_phases() -> None:
    magnitude = torch.rand(3, 8, 5) * 0.3
    canvas = Maco(spectrum=magnitude).canvas(generators(0, 1), (3, 8, 8))
    (phase,) = canvas.parameters
    with torch.no_grad():
        phase += torch.randn_like(phase)
        found = drawn_magnitudes(canvas.draw())
    # The columns of a real transform's ends hold each frequency twice, see its symmetry.
    torch.testing.assert_close(
        found[..., 1:-1], magnitude.double().expand(2, -1, -1, -1)[..., 1:-1], atol=1e-4, rtol=1e-4
    )


def test_maco_refuses_a_spectrum_of_another_size() -> None:
    with pytest.raises(InputError, match="measure it at their size"):
        Maco(spectrum=torch.rand(3, 8, 5)).canvas(generators(0), (3, 10, 10))


def test_over_lays_paint_on_a_background_in_proportion_to_its_opacity() -> None:
    picture, background = torch.rand(2, 4, 3, 3), torch.rand(2, 3, 3, 3)
    found = over(picture, background)
    for b, c, y, x in np.ndindex(2, 3, 3, 3):
        a = picture[b, 3, y, x]
        expected = picture[b, c, y, x] * a + background[b, c, y, x] * (1 - a)
        torch.testing.assert_close(found[b, c, y, x], expected)


def test_a_transparent_canvas_starts_from_a_picture_at_half_opacity() -> None:
    start = torch.rand(1, 3, 8, 8) * 0.9 + 0.05
    drawn = Transparent().canvas(generators(0), (3, 8, 8), start=start).draw()
    torch.testing.assert_close(drawn[:, :3], start, atol=1e-5, rtol=0)
    torch.testing.assert_close(drawn[:, 3], torch.full((1, 8, 8), 0.5), atol=0.05, rtol=0)


@pytest.mark.parametrize("kind", [Pixels, Fourier, Laplacian])
def test_noise_of_less_than_nothing_is_refused(kind: type) -> None:
    with pytest.raises(InputError, match="sd"):
        kind(sd=-1.0)


def test_a_pyramid_without_levels_is_refused() -> None:
    with pytest.raises(InputError, match="levels"):
        Laplacian(levels=0)


def save(picture: np.ndarray, path: Path) -> None:
    Image.fromarray(picture).save(path)


def test_a_spectrum_is_the_mean_of_the_magnitudes_of_a_folders_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(20, 236, (3, 8, 8, 3), dtype=np.uint8)
    for number, picture in enumerate(pictures):
        save(picture, tmp_path / f"{number}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    expected = []
    for picture in pictures[:2]:
        p = picture.transpose(2, 0, 1) / 255
        maps = np.einsum("cr,rhw->chw", np.linalg.inv(color._ROOT.double()), np.log(p / (1 - p)))
        expected.append(np.abs(np.fft.rfft2(maps, norm="ortho")))
    found = measure_spectrum(tmp_path, 8, most=2)
    np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=1e-3, atol=1e-3)


def test_a_spectrum_is_measured_in_the_middle_of_pictures_that_are_not_square(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(20, 236, (8, 14, 3), dtype=np.uint8)
    for folder, pixels in (("wide", picture), ("cut", picture[:, 3:11])):
        (tmp_path / folder).mkdir()
        save(pixels, tmp_path / folder / "a.png")
    wide, cut = (measure_spectrum(tmp_path / folder, 8) for folder in ("wide", "cut"))
    torch.testing.assert_close(wide, cut)


def test_no_spectrum_is_measured_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no"):
        measure_spectrum(tmp_path, 8)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(InputError, match=r"broken\.png cannot be read"):
        measure_spectrum(tmp_path, 8)
    with pytest.raises(InputError, match="size"):
        measure_spectrum(tmp_path, 0)
