"""Folders are written whole or not at all, by one process at a time."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from visioncircuits import files
from visioncircuits.engine import folders
from visioncircuits.errors import InputError
from visioncircuits.thread.study import _held


def test_an_existing_folder_is_replaced(tmp_path: Path) -> None:
    folders.write(tmp_path / "a", {"old": b"1"})
    folders.write(tmp_path / "a", {"new": b"2"})
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == {
        "new": b"2"
    }


def test_a_missing_permission_is_named_in_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", denied)
    with pytest.raises(InputError, match="no permission to write"):
        files.write(tmp_path / "a" / "b", b"")


def test_a_failed_write_leaves_the_existing_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "page.html"
    files.write(path, b"first")

    def full(part: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match="disk is full"):
        files.write(path, b"second")
    assert path.read_bytes() == b"first"


def test_sweeping_removes_unfinished_files_and_folders_only(tmp_path: Path) -> None:
    (tmp_path / "deep" / ".part-folder").mkdir(parents=True)
    (tmp_path / "deep" / ".part-folder" / "file").write_text("half")
    (tmp_path / "deep" / ".part-page.html").write_text("half")
    (tmp_path / "deep" / "page.html").write_text("whole")
    folders.sweep(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["deep", "page.html"]


def test_a_second_writer_of_a_folder_raises(tmp_path: Path) -> None:
    with (
        folders.alone(tmp_path),
        pytest.raises(InputError, match="another process"),
        folders.alone(tmp_path),
    ):
        pass
    with folders.alone(tmp_path):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_without_locks_is_written_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(handle: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with folders.alone(tmp_path / "gallery"):
        pass
    with _held(tmp_path / "kept" / "a.lock"):
        pass


def test_a_folder_that_cannot_be_opened_raises_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "a.lock").mkdir()
    with (
        pytest.raises(InputError, match=r"cannot write .*a\.lock"),
        _held(tmp_path / "a.lock"),
    ):
        pass
