import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 19 pictures of colored squares, in three classes; the last is damaged."""
    folder = tmp_path_factory.mktemp("squares")
    for place in range(19):
        path = folder / "abc"[place // 7] / f"{place:02}.jpg"
        path.parent.mkdir(exist_ok=True)
        values = np.random.default_rng(place).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(values).resize((80, 60), Image.Resampling.NEAREST).save(path)
    path.write_bytes(b"\xff\xd8 no")
    return folder


@pytest.fixture(scope="session")
def write_tar() -> Callable[[Path, dict[str, bytes]], Path]:
    """Write a tar file of members with the given names and contents."""

    def write(path: Path, members: dict[str, bytes]) -> Path:
        with tarfile.open(path, "w") as archive:
            for name, content in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return path

    return write


@pytest.fixture(scope="session")
def tars(squares: Path, write_tar, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pictures in a folder of three tar files, with their classes."""
    folder = tmp_path_factory.mktemp("tars")
    for label, name in enumerate("abc"):
        members = {}
        for path in sorted((squares / name).iterdir()):
            members[f"./{path.stem}.cls"] = str(label).encode()
            members[f"./{path.name}"] = path.read_bytes()
        members["./._hidden.jpg"] = b"a file that some systems leave"
        write_tar(folder / f"{name}.tar", members)
    return folder
