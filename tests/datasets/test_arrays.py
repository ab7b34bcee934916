"""Files of more channels than colors, and values in units of their own."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from torch import nn

from visioncircuits import engine
from visioncircuits.datasets import photographs
from visioncircuits.engine import Store
from visioncircuits.errors import InputError
from visioncircuits.examples import collect, survey
from visioncircuits.networks import Preprocessing, wrap


def bands(channels: int = 13) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 10000, (channels, 32, 32), np.uint16)


def write(path: Path, values: np.ndarray, form: str) -> Path:
    path = path / f"bands{'.npy' if 'npy' in form else '.tif'}"
    match form:
        case "npy":
            np.save(path, values)
        case "npy, channels last":
            np.save(path, values.transpose(1, 2, 0))
        case "npy, big endian":
            np.save(path, values.astype(">u2"))
        case "tiff, pages":
            for place, page in enumerate(values):
                tifffile.imwrite(path, page, append=place > 0)
        case "tiff, samples":
            tifffile.imwrite(path, values.transpose(1, 2, 0), photometric="minisblack")
        case "tiff, planes":
            tifffile.imwrite(path, values, photometric="minisblack", planarconfig="separate")
    return path


@pytest.mark.parametrize(
    "form",
    [
        "npy",
        "npy, channels last",
        "npy, big endian",
        "tiff, pages",
        "tiff, samples",
        "tiff, planes",
    ],
)
@pytest.mark.parametrize("channels", [2, 4, 13])
def test_files_of_channels_keep_every_value(tmp_path: Path, channels: int, form: str) -> None:
    values = bands(channels)
    path = write(tmp_path, values, form)
    (found,) = photographs(path, range=(0, 10000)).at(32)
    assert found.pixels.shape == (channels, 32, 32)
    np.testing.assert_allclose(found.pixels, values / 10000, atol=1e-7)


def test_the_range_of_a_preprocessing_gives_the_units_back() -> None:
    values = bands().astype(np.float32) - 273
    stated = Preprocessing(channels=13, range=(-273, 10000))
    pictures = photographs(values[None], range=stated.range).pictures(32)
    torch.testing.assert_close(stated(pictures)[0], torch.tensor(values), atol=2e-3, rtol=0)


def test_depth_of_16_bits_is_read_in_full_precision(tmp_path: Path) -> None:
    depth = np.arange(1024, dtype=np.uint16).reshape(32, 32) + 2000
    Image.fromarray(depth).save(tmp_path / "depth.png")
    (found,) = photographs(tmp_path, range=(0, 10000)).at(32)
    np.testing.assert_allclose(found.pixels[0], depth / 10000, atol=1e-7)


def test_colors_are_read_as_ever(tmp_path: Path) -> None:
    colors = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(colors).save(tmp_path / "a.tif")
    Image.fromarray(colors).convert("RGBA").save(tmp_path / "b.tif")
    Image.fromarray(colors).convert("CMYK").save(tmp_path / "c.tif")
    Image.fromarray(colors[..., 0]).save(tmp_path / "d.tif")
    for found in photographs(tmp_path).at(32):
        assert found.pixels.shape == (3, 32, 32)


@pytest.mark.parametrize(
    ("values", "range", "message"),
    [
        (bands(), None, r"is of \(13, 32, 32\) and uint16; pass .* or state the range"),
        (bands() / 10, None, "has values from .* or state their range"),
        (bands(), (0, 5000), "beyond the range of 0 to 5000; state a wider one"),
        (np.full((4, 8, 8), np.nan), (0, 1), "has values from nan to nan, beyond"),
        (np.zeros((4, 8)), None, None),
        (np.zeros((2, 4, 8, 8)), (0, 1), r"is of \(2, 4, 8, 8\)"),
    ],
)
def test_values_that_are_no_picture_are_refused(
    tmp_path: Path, values: np.ndarray, range: tuple | None, message: str | None
) -> None:
    np.save(tmp_path / "bands.npy", values)
    (found,) = photographs(tmp_path, range=range).at(8)
    if message is None:
        assert found.pixels.shape == (3, 8, 8)  # gray
    else:
        with pytest.raises(InputError, match=message):
            raise InputError(found.problem)


@pytest.mark.parametrize("range", [(0,), (1, 1), 5, (0, np.inf)])
def test_a_range_is_two_numbers(range: object) -> None:
    with pytest.raises(InputError, match="range"):
        photographs(bands()[None], range=range)


def test_damaged_files_have_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY")
    np.save(tmp_path / "b.npy", np.array([{"pickled": 1}]), allow_pickle=True)
    path = write(tmp_path, bands(), "tiff, samples")
    path.write_bytes(path.read_bytes()[:200])
    for found in photographs(tmp_path).at(8):
        assert "cannot be read as" in found.problem


def test_a_range_is_part_of_the_digest() -> None:
    values = bands()[None]
    assert photographs(values, range=(0, 1)).digest() != photographs(values, range=(0, 2)).digest()
    assert photographs(values).digest() != photographs(values, range=(0, 1)).digest()
    with pytest.raises(InputError, match="these are photographs already"):
        photographs(photographs(values), range=(0, 1))


def test_a_survey_of_files_with_a_range_finds_what_collecting_them_finds(tmp_path: Path) -> None:
    for place in range(3):
        np.save(tmp_path / f"{place}.npy", np.roll(bands(4), place, axis=2))
    module = nn.Sequential(nn.Conv2d(4, 2, 3), nn.ReLU())
    network = wrap(module, Preprocessing(channels=4), size=32)
    given = photographs(tmp_path, range=(0, 10000))
    plan = survey(network, ["0"], given, shard=2)
    store = Store(tmp_path / "work")
    plan.carry_out(store, workforce=engine.local(workers=1))
    found, expected = plan.joined(store), collect(network, ["0"], given)
    assert found.seen == 3
    np.testing.assert_allclose(
        found.layers["0"].tops.values, expected.layers["0"].tops.values, rtol=1e-5
    )
