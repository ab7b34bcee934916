import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from visioncircuits.errors import InputError
from visioncircuits.featurevis import Visualization

RECORD = {"settings": {"seed": 3, "penalty": "-1·L2 <&>"}, "network": {"mean": [104, 117.5]}}


def made(channels: int = 3) -> Visualization:
    picture = torch.randint(0, 256, (channels, 6, 5)).float() / 255
    if channels == 4:
        picture[3, :2] = 0  # fully transparent pixels have a color too
    return Visualization(
        picture=picture,
        objective="2·(unit mixed3b:413 - unit mixed3b:379)",
        feature="mixed3b:413",
        score=1.25,
        activation=3.5,
        history=(0.0, 0.1, 1 / 3),
        dead=False,
        record=RECORD,
    )


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".webp", ".PNG"])
def test_what_was_saved_is_read_back(tmp_path: Path, suffix: str, channels: int) -> None:
    visualization = made(channels)
    path = visualization.save(tmp_path / f"new folder/unit{suffix}")
    back = Visualization.load(path)
    torch.testing.assert_close(back.picture, visualization.picture, atol=1e-6, rtol=0)
    assert back.data() == visualization.data()
    assert back.history == visualization.history
    beside = json.loads(path.with_suffix(".json").read_text())
    assert beside == visualization.data() | {"history": list(visualization.history)}
    assert sorted(p.name for p in path.parent.iterdir()) == sorted(["unit.json", f"unit{suffix}"])


def test_values_are_rounded_to_the_nearest_of_8_bits() -> None:
    values = torch.tensor([0.0, 0.4 / 255, 0.6 / 255, 1.0, 0.5, 1.0, 0.1, 0.2, 0.3])
    visualization = made()
    visualization.picture.flatten()[:9] = values
    pixels = np.asarray(visualization.image()).transpose(2, 0, 1)
    assert pixels.shape == (3, 6, 5)
    assert pixels.flatten()[:9].tolist() == [0, 0, 1, 255, 128, 255, 26, 51, 76]


def of_channels(channels: int, **stated: object) -> Visualization:
    network = {"preprocessing": {"channels": channels, **stated}}
    return replace(made(channels), record={"network": network})


@pytest.mark.parametrize("suffix", [".png", ".webp"])
@pytest.mark.parametrize("channels", [2, 4, 13])
def test_other_numbers_of_channels_are_gray_tiles_beside_all_their_values(
    tmp_path: Path, channels: int, suffix: str
) -> None:
    visualization = of_channels(channels)
    image = np.asarray(visualization.image())
    assert image.ndim == 2
    assert image.shape[1] < 5 * 80  # in rows, so that 13 are not a ribbon
    back = Visualization.load(visualization.save(tmp_path / f"unit{suffix}"))
    assert torch.equal(back.picture, visualization.picture)
    array = np.load(tmp_path / "unit.npy")
    np.testing.assert_array_equal(array, visualization.picture.numpy())
    (tmp_path / "unit.npy").unlink()
    with pytest.raises(InputError, match=r"unit\.npy, with the channels of the picture beside it"):
        Visualization.load(tmp_path / f"unit{suffix}")


def test_a_stated_composite_is_what_one_looks_at(tmp_path: Path) -> None:
    weights = [[0.0, 0.0, 1.0, 0.0], [0.0, 2.0, 0.0, 0.0], [0.5, 0.0, 0.0, 0.5]]
    visualization = of_channels(4, to_rgb=weights)
    pixels = np.asarray(visualization.image()).transpose(2, 0, 1) / 255
    first, second, third, fourth = visualization.picture.numpy()
    expected = np.stack([third, (2 * second).clip(0, 1), (first + fourth) / 2])
    np.testing.assert_allclose(pixels, expected, atol=0.5 / 255 + 1e-6)
    back = Visualization.load(visualization.save(tmp_path / "unit.png"))
    assert torch.equal(back.picture, visualization.picture)


def test_an_array_of_something_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "unit.npy").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"over .*unit\.npy, which is not this picture's"):
        of_channels(4).save(tmp_path / "unit.png")
    assert [path.name for path in tmp_path.iterdir()] == ["unit.npy"]


@pytest.mark.parametrize("content", ['{"curves": 3}', "[1]", "no JSON", ""])
def test_a_file_that_is_not_a_record_is_not_overwritten(tmp_path: Path, content: str) -> None:
    beside = tmp_path / "curves.json"
    beside.write_text(content)
    with pytest.raises(InputError, match=r"over .*curves\.json, which is not this picture's"):
        made().save(tmp_path / "curves.png")
    assert [path.name for path in tmp_path.iterdir()] == ["curves.json"]
    assert beside.read_text() == content


def test_a_record_of_another_picture_is_not_overwritten(tmp_path: Path) -> None:
    first = made()
    first.save(tmp_path / "unit.webp")
    with pytest.raises(InputError, match="not this picture's"):
        replace(made(), score=7.0).save(tmp_path / "unit.png")
    first.save(tmp_path / "unit.png")  # its record is the same
    assert json.loads((tmp_path / "unit.json").read_text())["score"] == first.score


def test_a_notebook_displays_a_png() -> None:
    visualization = made(4)
    image = Image.open(io.BytesIO(visualization._repr_png_()))
    assert image.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(image), np.asarray(visualization.image()))


def test_saving_again_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "unit.png"
    made(1).save(path)
    made(3).save(path)
    assert Visualization.load(path).picture.shape == (3, 6, 5)


def test_other_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.png or \.webp"):
        made().save(tmp_path / "unit.jpg")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_a_damaged_file_is_refused_wherever_it_is_cut(tmp_path: Path, suffix: str) -> None:
    path = made().save(tmp_path / f"unit{suffix}")
    whole = path.read_bytes()
    for kept in range(0, len(whole) - 20, 37):
        path.write_bytes(whole[:kept])
        with pytest.raises(InputError, match="unit"):
            Visualization.load(path)


def test_a_picture_without_a_record_or_with_another_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "unit.png"
    Image.new("RGB", (4, 4)).save(path)
    with pytest.raises(InputError, match="no record"):
        Visualization.load(path)
    visualization = made()
    for damage in (b'"objective"', b'"history"', b'"shape"'):
        visualization.save(path)
        data = path.read_bytes()
        start = data.index(b"{")
        end = data.rindex(b"}") + 1
        text = data[start:end].replace(damage, b'"' + b"x" * (len(damage) - 2) + b'"')
        image = Image.open(io.BytesIO(data))
        info = PngInfo()
        info.add_itxt("visioncircuits", text.decode())
        image.save(path, pnginfo=info)
        with pytest.raises(InputError, match="damaged record"):
            Visualization.load(path)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.png cannot be read"):
        Visualization.load(tmp_path / "missing.png")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot write"):
        made().save(tmp_path / "file" / "unit.png")


def test_a_quality_is_a_webps(tmp_path: Path) -> None:
    visualization = made()
    light = visualization.save(tmp_path / "light.webp", quality=60)
    exact = visualization.save(tmp_path / "exact.webp")
    assert light.stat().st_size < exact.stat().st_size
    assert Visualization.load(light).record == visualization.record
    with pytest.raises(InputError, match="a quality is a WebP's"):
        visualization.save(tmp_path / "light.png", quality=60)
