from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from visioncircuits.datasets import photographs
from visioncircuits.errors import InputError
from visioncircuits.networks import load


def paint(path: Path, width: int, height: int) -> None:
    """Write a picture that is red on the left and dark on top."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[height // 2 :, : width // 2] = (255, 0, 0)
    Image.fromarray(pixels).save(path)


def test_the_middle_square_is_cut_out_in_rgb(tmp_path: Path) -> None:
    paint(tmp_path / "n01443537_wide.png", 300, 128)
    paint(tmp_path / "n01440764_tall.png", 128, 300)
    found = photographs(tmp_path)
    pictures = found.pictures(112)
    assert pictures.shape == (2, 3, 112, 112)
    assert pictures.dtype == torch.float32
    for picture in pictures:
        assert picture[:, -1, 0].tolist() == [1, 0, 0]
        assert picture[:, 0, 0].tolist() == picture[:, -1, -1].tolist() == [0, 0, 0]


def test_labels_are_read_off_the_names(tmp_path: Path) -> None:
    for name in ("n15075141_toilet_tissue", "n01440764_tench", "n01443537_goldfish"):
        paint(tmp_path / f"{name}.JPEG", 32, 32)
    found = photographs(tmp_path)
    assert found.labels == (0, 1, 999)
    assert found.names[0] == "n01440764_tench.JPEG"
    assert found.part([2, 0]).labels == (999, 0)


@pytest.mark.images
@pytest.mark.weights
@pytest.mark.slow
def test_the_trained_network_is_right_as_often_as_was_published(
    checkpoints: Path, photographs: Path
) -> None:
    from visioncircuits import datasets

    network = load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
    found = datasets.photographs(photographs).part(range(0, 1000, 10))
    with torch.inference_mode():
        said = network(found.pictures(224)).argmax(1)
    right = (said == torch.tensor(found.labels)).double().mean()
    assert 0.6 < right < 0.85  # of 100; 68.7 % over the whole validation set


def test_what_is_no_folder_of_photographs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        photographs(tmp_path / "none")
    with pytest.raises(InputError, match="holds no photographs"):
        photographs(tmp_path)
    with pytest.raises(InputError, match="there are no photographs"):
        photographs([])
    with pytest.raises(InputError, match="there is no file"):
        photographs([tmp_path / "none.png"])


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "n01440764_tench.JPEG").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"n01440764_tench\.JPEG cannot be read as a picture"):
        photographs(tmp_path).pictures(32)
