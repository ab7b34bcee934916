"""A fingerprint changes with every byte that a result depends on, and with nothing else."""

import os
import shutil
from pathlib import Path

import pytest

import visioncircuits
from visioncircuits import fingerprint


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    for name, text in (("a.txt", "one"), ("deep/b.txt", "two")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return [tmp_path / "a.txt", tmp_path / "deep" / "b.txt"]


def test_order_folder_and_modification_time_do_not_change_it(
    files: list[Path], tmp_path: Path
) -> None:
    before = fingerprint.content(files, root=tmp_path)
    os.utime(files[0], (1, 1))
    assert fingerprint.content(files[::-1], root=tmp_path) == before
    moved = tmp_path.parent / f"{tmp_path.name}-moved"
    shutil.copytree(tmp_path, moved)
    others = [moved / path.relative_to(tmp_path) for path in files]
    assert fingerprint.content(others, root=moved) == before


def test_a_byte_or_a_name_changes_it_at_the_same_modification_time(
    files: list[Path], tmp_path: Path
) -> None:
    before, status = fingerprint.content(files, root=tmp_path), files[0].stat()
    files[0].write_text("owe")  # as long, and as old
    os.utime(files[0], ns=(status.st_atime_ns, status.st_mtime_ns))
    changed = fingerprint.content(files, root=tmp_path)
    files[0].rename(tmp_path / "c.txt")
    renamed = fingerprint.content([tmp_path / "c.txt", files[1]], root=tmp_path)
    assert len({before, changed, renamed}) == 3


def test_the_code_is_every_source_of_the_package_but_the_articles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "visioncircuits"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(visioncircuits.__file__).parent, package, ignore=ignored)
    monkeypatch.setattr(fingerprint, "_PACKAGE", package)
    whole = fingerprint.code.__wrapped__
    assert whole() == fingerprint.code()
    (package / "thread" / "articles" / "more.py").write_text("more")
    assert whole() == fingerprint.code()
    with (package / "thread" / "article.py").open("a") as source:
        source.write("\n")
    assert whole() != fingerprint.code()
