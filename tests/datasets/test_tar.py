import io
from pathlib import Path

import pytest
from PIL import Image

from visioncircuits.datasets import photographs
from visioncircuits.errors import InputError


def test_pictures_are_read_with_their_classes(tmp_path, write_tar):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(buffer, "JPEG")
    jpeg = buffer.getvalue()
    members = {"a.jpg": jpeg, "a.cls": b"7", "b.jpg": jpeg, "b.cls": b"7"}
    path = write_tar(tmp_path / "shard-0.tar", members)
    photos = list(photographs(path).at(32))
    assert [(photo.name, photo.label) for photo in photos] == [
        ("shard-0.tar/a.jpg", 7),
        ("shard-0.tar/b.jpg", 7),
    ]
    assert photos[0].pixels is not None
    assert photos[0].pixels[0].mean() > 0.9


def test_a_damaged_picture_is_reported_with_its_path(tars: Path) -> None:
    *_, last = photographs(tars / "c.tar").at(32)
    assert last.problem == "c.tar/./18.jpg cannot be read as a picture: unknown format"


def test_a_truncated_tar_file_raises(tars: Path, tmp_path: Path) -> None:
    path = tmp_path / "short.tar"
    path.write_bytes((tars / "a.tar").read_bytes()[:3000])
    with pytest.raises(InputError, match=r"short\.tar cannot be read as a tar file"):
        list(photographs(path).at(32))


def test_a_class_that_is_no_number_raises(tmp_path: Path, write_tar) -> None:
    path = write_tar(tmp_path / "a.tar", {"1.cls": b"cat", "1.jpg": b""})
    with pytest.raises(InputError, match="a class is a whole number"):
        list(photographs(path).at(32))


def test_a_picture_missing_from_its_tar_file_raises(tars: Path) -> None:
    with pytest.raises(InputError, match=r"no photograph a\.tar/99\.jpg"):
        photographs(tars).read("a.tar/99.jpg", 32)
