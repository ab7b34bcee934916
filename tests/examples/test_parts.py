"""Parts are always the same, contain every picture once, and can be serialized."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch

from visioncircuits.datasets import Photograph, photographs
from visioncircuits.errors import InputError
from visioncircuits.examples import parts


def summary(photographs: Iterable[Photograph]) -> list[tuple[object, ...]]:
    return [
        (
            photo.name,
            photo.label,
            photo.problem,
            None if photo.pixels is None else photo.pixels.sum(),
        )
        for photo in photographs
    ]


def read_all(images: Path, divided: list[parts.Part]) -> list[tuple[object, ...]]:
    restored = json.loads(json.dumps(divided))
    return [one for part in restored for one in summary(parts.of_part(part, images).at(32))]


@pytest.mark.parametrize("shard", [1, 5, 19, 128])
def test_parts_of_a_folder_contain_all_of_its_pictures(squares: Path, shard: int) -> None:
    divided = parts.parts(photographs(squares), shard=shard)
    assert read_all(squares, divided) == summary(photographs(squares).at(32))
    assert [part["first"] for part in divided] == list(range(0, 19, shard))
    assert sum(part["count"] for part in divided) == 19


def test_each_tar_file_is_a_part(tars: Path) -> None:
    divided = parts.parts(photographs(tars))
    assert [(part["first"], part["count"]) for part in divided] == [(0, 7), (7, 7), (14, 5)]
    assert read_all(tars, divided) == summary(photographs(tars).at(32))


def test_tar_files_and_folder_have_the_same_pictures(squares: Path, tars: Path) -> None:
    packed, loose = (
        [(photo.label, None if photo.pixels is None else photo.pixels.tolist()) for photo in found]
        for found in (
            photographs(tars).at(32),
            photographs(squares).at(32),
        )
    )
    assert packed == loose


def test_a_single_tar_file_is_one_part(tars: Path) -> None:
    path = tars / "b.tar"
    assert read_all(path, parts.parts(photographs(path))) == summary(photographs(path).at(32))


def test_a_changed_picture_changes_its_part(tmp_path: Path, squares: Path) -> None:
    for name in ("00.jpg", "01.jpg"):
        (tmp_path / name).write_bytes((squares / "a" / name).read_bytes())
    one, two = parts.parts(photographs(tmp_path), shard=1)
    content, status = (tmp_path / "01.jpg").read_bytes(), (tmp_path / "01.jpg").stat()
    (tmp_path / "01.jpg").write_bytes(content[:-1] + b"\0")  # same length and times
    os.utime(tmp_path / "01.jpg", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert parts.parts(photographs(tmp_path), shard=1)[0] == one
    assert parts.parts(photographs(tmp_path), shard=1)[1] != two


def test_a_dataset_cannot_be_divided_among_workers() -> None:
    with pytest.raises(InputError, match="in memory are for `collect`"):
        parts.source(photographs(torch.rand(2, 3, 8, 8)))


def test_tar_files_are_divided_whole_and_with_their_classes(tars: Path) -> None:
    found, one = photographs(tars), photographs(tars / "b.tar")
    assert (parts.source(found), parts.source(one)) == (tars, tars / "b.tar")
    for other in (found.part(range(9)), photographs(tars, labels=[5] * 19), one.part([0])):
        with pytest.raises(InputError, match="takes tar files whole"):
            parts.source(other)
