from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Generator

from visioncircuits.errors import InputError
from visioncircuits.featurevis import Maco, color, measure_spectrum


def drawn_magnitudes(pictures: torch.Tensor) -> torch.Tensor:
    maps = color.decorrelate(pictures.double().logit())
    return torch.fft.rfft2(maps, norm="ortho").abs()


def test_maco_keeps_the_magnitudes_for_all_phases() -> None:
    magnitude = torch.rand(3, 8, 5) * 0.3
    parameterized = Maco(spectrum=magnitude).initialize(
        [Generator().manual_seed(seed) for seed in (0, 1)], (3, 8, 8)
    )
    (phase,) = parameterized.parameters
    with torch.no_grad():
        phase += torch.randn_like(phase)
        found = drawn_magnitudes(parameterized.draw())
    # The first and last column of a real transform contain each frequency twice.
    torch.testing.assert_close(
        found[..., 1:-1], magnitude.double().expand(2, -1, -1, -1)[..., 1:-1], atol=1e-4, rtol=1e-4
    )


def test_maco_refuses_a_spectrum_of_another_size() -> None:
    with pytest.raises(InputError, match="measure it at their size"):
        Maco(spectrum=torch.rand(3, 8, 5)).initialize([Generator()], (3, 10, 10))


def save(picture: np.ndarray, path: Path) -> None:
    Image.fromarray(picture).save(path)


def test_a_spectrum_is_the_mean_of_the_magnitudes_of_a_folders_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(20, 236, (3, 16, 16, 3), dtype=np.uint8)
    for number, picture in enumerate(pictures):
        save(picture, tmp_path / f"{number}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    expected = []
    for picture in pictures[:2]:
        p = picture[1:15, 1:15].transpose(2, 0, 1) / 255  # 224/256 of the side
        maps = np.einsum("cr,rhw->chw", np.linalg.inv(color._ROOT.double()), np.log(p / (1 - p)))
        expected.append(np.abs(np.fft.rfft2(maps, norm="ortho")))
    found = measure_spectrum(tmp_path, 14, most=2)
    np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=1e-3, atol=1e-3)


def test_a_spectrum_is_measured_in_the_central_square_of_pictures(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(20, 236, (16, 28, 3), dtype=np.uint8)
    for folder, pixels in (("wide", picture), ("cut", picture[:, 6:22])):
        (tmp_path / folder).mkdir()
        save(pixels, tmp_path / folder / "a.png")
    wide, cut = (measure_spectrum(tmp_path / folder, 14) for folder in ("wide", "cut"))
    torch.testing.assert_close(wide, cut)


def test_no_spectrum_is_measured_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no photographs"):
        measure_spectrum(tmp_path, 8)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(InputError, match=r"broken\.png cannot be read"):
        measure_spectrum(tmp_path, 8)
    with pytest.raises(InputError, match="size"):
        measure_spectrum(tmp_path, 0)
