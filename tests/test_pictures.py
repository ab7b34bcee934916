import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from visioncircuits import pictures
from visioncircuits.errors import InputError


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def test_the_central_square_is_read_in_the_proportion_of_evaluation(tmp_path):
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


def test_a_photograph_is_rotated_by_its_exif_orientation(tmp_path):
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


def test_other_inputs_than_pictures_raise(tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError, match=r"broken\.png cannot be read"):
        pictures.read(broken, 8)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no photographs"):
        pictures.listed(tmp_path / "empty")
    with pytest.raises(InputError, match="there is no folder"):
        pictures.listed(tmp_path / "none")


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 20000), (20000, 1)])
def test_tiny_and_very_narrow_pictures_are_enlarged(tmp_path, size):
    path = save(tmp_path / "a.png", Image.new("RGB", size, (255, 0, 51)))
    found = pictures.read(path, 32)
    assert found.shape == (3, 32, 32)
    assert found.mean((1, 2)).tolist() == pytest.approx([1, 0, 0.2], abs=1e-3)


def test_very_narrow_pictures_are_cut_to_their_center(tmp_path):
    values = np.zeros((2, 4000, 3), np.uint8)
    values[:, 1999:2001] = 255
    found = pictures.read(save(tmp_path / "a.png", Image.fromarray(values)), 32)
    assert found[:, :, 15:17].mean() > 0.9
    assert found[:, :, 0].mean() > 0.3


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_of_an_animation_the_first_picture_is_read(tmp_path, suffix):
    first, *others = (Image.new("RGB", (40, 40), color) for color in ("red", "blue", "lime"))
    path = save(tmp_path / f"a{suffix}", first, save_all=True, append_images=others)
    with Image.open(path) as file:
        assert file.n_frames == 3
    found = pictures.read(path, 16)
    assert found[0].mean() > 0.95
    assert found[1:].mean() < 0.05


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".webp", ".tif", ".bmp"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5])
def test_a_truncated_picture_raises(tmp_path, suffix, share):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    path = save(tmp_path / f"a{suffix}", Image.fromarray(noise))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=f"a{suffix} cannot be read as a picture"):
        pictures.read(path, 16)


def test_a_damaged_file_is_read_or_raises_an_input_error(tmp_path):
    generator = np.random.default_rng(0)
    image = Image.fromarray(generator.integers(0, 256, (24, 24, 3), np.uint8))
    messages = set()
    for suffix in (".jpg", ".png", ".gif", ".webp", ".tif", ".bmp"):
        content = save(tmp_path / f"a{suffix}", image).read_bytes()
        for _ in range(40):
            damaged = np.frombuffer(content, np.uint8).copy()
            damaged[generator.integers(0, len(damaged), 6)] = generator.integers(0, 256, 6)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # Pillow tells of what it puts up with
                    found = pictures.read(BytesIO(damaged.tobytes()), 16, name="damaged")
            except InputError as error:
                messages.add(str(error))
            else:
                assert found.isfinite().all()
    assert len(messages) > 6
    assert all(text.startswith("damaged cannot be read as a picture: ") for text in messages)
    assert not any(" object at 0x" in text for text in messages)


def test_a_picture_of_too_many_pixels_raises_before_it_is_decoded(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png", Image.new("L", (200, 100)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 200 * 100 // 2 - 1)
    with pytest.raises(InputError, match=r"a\.png cannot be read .* decompression bomb"):
        pictures.read(path, 16)


def test_an_enormous_photograph_is_read_small(tmp_path):
    path = save(tmp_path / "a.jpg", Image.new("RGB", (9000, 6000), (51, 102, 204)))
    found = pictures.read(path, 224)
    assert found.mean((1, 2)).tolist() == pytest.approx([0.2, 0.4, 0.8], abs=0.02)


def ramp(dtype: str) -> np.ndarray:
    """A gradient from black to white in the central square that is read at 56 pixels."""
    values = np.linspace(0, 1, 64 * 64).reshape(64, 64)
    kind = np.dtype(dtype)
    return (values * (np.iinfo(kind).max if kind.kind in "iu" else 1)).astype(kind)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "uint32", "int32", "float32"])
def test_tiff_of_any_precision_is_read_from_black_to_white(tmp_path, dtype):
    expected = pictures.read(save(tmp_path / "plain.png", Image.fromarray(ramp("uint8"))), 56)
    tifffile.imwrite(tmp_path / "a.tif", ramp(dtype))
    assert (pictures.read(tmp_path / "a.tif", 56) - expected).abs().max() < 0.01


def test_16_bits_stored_in_32_have_the_same_brightness(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", ramp("uint16"))
    for dtype in ("uint32", "int32"):
        tifffile.imwrite(tmp_path / "b.tif", ramp("uint16").astype(dtype))
        assert pictures.read(tmp_path / "b.tif", 56).equal(pictures.read(tmp_path / "a.tif", 56))


def test_floats_up_to_one_keep_their_brightness_and_greater_ones_their_proportions(tmp_path):
    for scale, mean in ((0.25, 0.25), (1.0, 1.0), (4000.0, 1.0)):
        values = np.full((64, 64), scale, np.float32)
        tifffile.imwrite(tmp_path / "a.tif", values)
        assert float(pictures.read(tmp_path / "a.tif", 56).mean()) == pytest.approx(mean, abs=0.01)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_floats_that_are_not_finite_raise(tmp_path, value):
    values = ramp("float32")
    values[5, 7] = value
    tifffile.imwrite(tmp_path / "a.tif", values)
    with pytest.raises(InputError, match=r"a\.tif cannot be read .* values that are not finite"):
        pictures.read(tmp_path / "a.tif", 56)
