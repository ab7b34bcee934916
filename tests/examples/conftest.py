import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 19 pictures of coloured squares, in three classes; the last is damaged."""
    folder = tmp_path_factory.mktemp("squares")
    for place in range(19):
        path = folder / "abc"[place // 7] / f"{place:02}.jpg"
        path.parent.mkdir(exist_ok=True)
        values = np.random.default_rng(place).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(values).resize((80, 60), Image.Resampling.NEAREST).save(path)
    path.write_bytes(b"\xff\xd8 no")
    return folder


@pytest.fixture(scope="session")
def tars(squares: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pictures in a folder of three tar files, with their classes."""
    folder = tmp_path_factory.mktemp("tars")
    for label, name in enumerate("abc"):
        with tarfile.open(folder / f"{name}.tar", "w") as archive:
            for path in sorted((squares / name).iterdir()):
                _add(archive, f"./{path.stem}.cls", str(label).encode())
                _add(archive, f"./{path.name}", path.read_bytes())
            _add(archive, "./._hidden.jpg", b"what some systems leave")
    return folder


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))
