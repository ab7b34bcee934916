"""Parts are always the same, hold every picture once, and can be described."""

import io
import json
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from visioncircuits.errors import InputError
from visioncircuits.examples import Photograph, folder, parts, photograph, shards


def told(photographs: Iterable[Photograph]) -> list[tuple[object, ...]]:
    return [
        (
            photo.name,
            photo.label,
            photo.problem,
            None if photo.pixels is None else photo.pixels.sum(),
        )
        for photo in photographs
    ]


def all_of(images: Path, cut: list[parts.Part]) -> list[tuple[object, ...]]:
    described = json.loads(json.dumps(cut))
    return [one for part in described for one in told(parts.photographs(part, images, size=32))]


@pytest.mark.parametrize("shard", [1, 5, 19, 128])
def test_parts_of_a_folder_are_the_folder(squares: Path, shard: int) -> None:
    cut = parts.parts(squares, labels="folders", shard=shard)
    assert all_of(squares, cut) == told(folder(squares, size=32, labels="folders"))
    assert [part["first"] for part in cut] == list(range(0, 19, shard))
    assert sum(part["count"] for part in cut) == 19


def test_each_tar_file_is_a_part(tars: Path) -> None:
    cut = parts.parts(tars)
    assert [(part["first"], part["count"]) for part in cut] == [(0, 7), (7, 7), (14, 5)]
    assert all_of(tars, cut) == told(shards(sorted(tars.iterdir()), size=32))


def test_tar_files_hold_the_pictures_that_the_folder_holds(squares: Path, tars: Path) -> None:
    packed, loose = (
        [(photo.label, None if photo.pixels is None else photo.pixels.tolist()) for photo in found]
        for found in (
            shards(sorted(tars.iterdir()), size=32),
            folder(squares, size=32, labels="folders"),
        )
    )
    assert packed == loose


def test_one_tar_file_will_do(tars: Path) -> None:
    path = tars / "b.tar"
    assert all_of(path, parts.parts(path)) == told(shards([path], size=32))


def test_a_damaged_picture_is_named_by_where_it_is(tars: Path) -> None:
    *_, last = shards([tars / "c.tar"], size=32)
    assert last.problem == "c.tar/./18.jpg cannot be read as a picture: unknown format"


def test_a_changed_picture_makes_another_part(tmp_path: Path, squares: Path) -> None:
    for name in ("00.jpg", "01.jpg"):
        (tmp_path / name).write_bytes((squares / "a" / name).read_bytes())
    one, two = parts.parts(tmp_path, shard=1)
    content, told = (tmp_path / "01.jpg").read_bytes(), (tmp_path / "01.jpg").stat()
    (tmp_path / "01.jpg").write_bytes(content[:-1] + b"\0")  # as long, and as old
    os.utime(tmp_path / "01.jpg", ns=(told.st_atime_ns, told.st_mtime_ns))
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
def test_where_there_are_no_photographs_it_is_said(
    tmp_path: Path, name: str, content: dict[str, bytes], message: str
) -> None:
    path = tmp_path / name
    if content:
        _write(path, content)
    with pytest.raises(InputError, match=message):
        parts.parts(path)


def test_a_tar_file_cut_short_is_told(tars: Path, tmp_path: Path) -> None:
    path = tmp_path / "short.tar"
    path.write_bytes((tars / "a.tar").read_bytes()[:3000])
    with pytest.raises(InputError, match=r"short\.tar cannot be read as a tar file"):
        list(shards([path], size=32))


def test_a_class_that_is_no_number_is_told(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.tar", {"1.cls": b"cat", "1.jpg": b""})
    with pytest.raises(InputError, match="a class is a whole number"):
        list(shards([path], size=32))


def test_a_picture_that_has_gone_from_its_tar_file_is_told(tars: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file 99\.jpg"):
        photograph(tars, "a.tar/99.jpg", size=32)


def _write(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path
