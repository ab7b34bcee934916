"""Parts are always the same, contain every picture once, and can be serialized."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from visioncircuits.errors import InputError
from visioncircuits.examples import Photograph, folder, parts, photograph, shards


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
    return [one for part in restored for one in summary(parts.photographs(part, images, size=32))]


@pytest.mark.parametrize("shard", [1, 5, 19, 128])
def test_parts_of_a_folder_contain_all_of_its_pictures(squares: Path, shard: int) -> None:
    divided = parts.parts(squares, labels="folders", shard=shard)
    assert read_all(squares, divided) == summary(folder(squares, size=32, labels="folders"))
    assert [part["first"] for part in divided] == list(range(0, 19, shard))
    assert sum(part["count"] for part in divided) == 19


def test_each_tar_file_is_a_part(tars: Path) -> None:
    divided = parts.parts(tars)
    assert [(part["first"], part["count"]) for part in divided] == [(0, 7), (7, 7), (14, 5)]
    assert read_all(tars, divided) == summary(shards(sorted(tars.iterdir()), size=32))


def test_tar_files_and_folder_have_the_same_pictures(squares: Path, tars: Path) -> None:
    packed, loose = (
        [(photo.label, None if photo.pixels is None else photo.pixels.tolist()) for photo in found]
        for found in (
            shards(sorted(tars.iterdir()), size=32),
            folder(squares, size=32, labels="folders"),
        )
    )
    assert packed == loose


def test_a_single_tar_file_is_one_part(tars: Path) -> None:
    path = tars / "b.tar"
    assert read_all(path, parts.parts(path)) == summary(shards([path], size=32))


def test_a_changed_picture_changes_its_part(tmp_path: Path, squares: Path) -> None:
    for name in ("00.jpg", "01.jpg"):
        (tmp_path / name).write_bytes((squares / "a" / name).read_bytes())
    one, two = parts.parts(tmp_path, shard=1)
    content, status = (tmp_path / "01.jpg").read_bytes(), (tmp_path / "01.jpg").stat()
    (tmp_path / "01.jpg").write_bytes(content[:-1] + b"\0")  # same length and times
    os.utime(tmp_path / "01.jpg", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert parts.parts(tmp_path, shard=1)[0] == one
    assert parts.parts(tmp_path, shard=1)[1] != two


def test_photographs_are_found_again_by_name(squares: Path, tars: Path) -> None:
    for images, found in (
        (squares, folder(squares, size=32)),
        (tars, shards(sorted(tars.iterdir()), size=32)),
        (tars / "a.tar", shards([tars / "a.tar"], size=32)),
    ):
        for photo in found:
            if photo.pixels is not None:
                assert photograph(images, photo.name, size=32).equal(photo.pixels)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none", {}, "there is no folder"),
        ("none.tar", {}, "cannot be read as a tar file"),
        ("notes.tar", {"a.txt": b"no picture"}, "holds no photographs"),
    ],
)
def test_without_photographs_raises(
    tmp_path: Path, write_tar, name: str, content: dict[str, bytes], message: str
) -> None:
    path = tmp_path / name
    if content:
        write_tar(path, content)
    with pytest.raises(InputError, match=message):
        parts.parts(path)
