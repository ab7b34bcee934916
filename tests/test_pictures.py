from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from visioncircuits import pictures
from visioncircuits.errors import InputError


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def test_the_middle_square_is_read_in_evaluations_proportion(tmp_path):
    values = np.zeros((256, 512, 3), np.uint8)
    values[16:240, 144:368] = 255
    path = save(tmp_path / "a.png", Image.fromarray(values))
    assert pictures.read(path, 224).eq(1).all()


def test_every_mode_becomes_rgb(tmp_path):
    grey = np.linspace(0, 255, 64 * 64).reshape(64, 64).astype(np.uint8)
    upright = torch.from_numpy(
        np.asarray(Image.fromarray(grey).convert("RGB"), np.float32)
    ).permute(2, 0, 1)
    made = {
        "L.png": Image.fromarray(grey),
        "sixteen.png": Image.fromarray(grey.astype(np.uint16) * 257),
        "CMYK.tif": Image.fromarray(grey).convert("CMYK"),
        "P.gif": Image.fromarray(grey).convert("P"),
    }
    size = 56
    plain = pictures.read(save(tmp_path / "plain.png", made["L.png"].convert("RGB")), size)
    assert upright.shape == (3, 64, 64)
    for name, image in made.items():
        found = pictures.read(save(tmp_path / name, image), size)
        assert (found - plain).abs().max() < 0.02, name


def test_transparent_parts_are_white(tmp_path):
    image = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    assert pictures.read(save(tmp_path / "a.png", image), 16).eq(1).all()


def test_a_photograph_is_turned_as_its_camera_says(tmp_path):
    values = np.zeros((32, 32, 3), np.uint8)
    values[:, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise
    path = save(tmp_path / "a.png", Image.fromarray(values), exif=exif)
    found = pictures.read(path, 28)
    assert found[:, :10].mean() > 0.99
    assert found[:, -10:].mean() < 0.01


def test_folders_are_searched_in_order(tmp_path):
    (tmp_path / "b").mkdir()
    image = Image.new("RGB", (8, 8))
    for name in ("b/2.png", "b/1.PNG", "a.jpg"):
        save(tmp_path / name, image, format="PNG")
    (tmp_path / "notes.txt").write_text("")
    assert [path.name for path in pictures.listed(tmp_path)] == ["a.jpg", "1.PNG", "2.png"]


def test_what_is_no_picture_is_refused(tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError, match=r"broken\.png cannot be read"):
        pictures.read(broken, 8)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no photographs"):
        pictures.listed(tmp_path / "empty")
    with pytest.raises(InputError, match="there is no folder"):
        pictures.listed(tmp_path / "none")
