"""Photographs divided into parts, always the same ones, in whatever order they are processed."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from jaxtyping import Float32
from torch import Tensor

from visioncircuits import fingerprint, pictures
from visioncircuits.errors import InputError
from visioncircuits.examples import tar
from visioncircuits.examples.folders import Files, folder
from visioncircuits.examples.photographs import Photograph

SHARD = 128
"""Default number of pictures of a folder in a part."""

TAR = ".tar"

Part = Mapping[str, Any]
"""A part of the photographs, as JSON data.

`first` is the number of the first, `count` the number of photographs. `files` are those of a
folder, or `tar` is the file that contains them; each has the SHA-256 of its content.
"""


def parts(images: Path, *, labels: str = "none", shard: int = SHARD) -> list[Part]:
    """Divide a folder of pictures, a tar file, or a folder of tar files.

    Parameters
    ----------
    images
        Each tar file in it is a part; if there are none, every `shard` pictures are.
    labels
        As for `folder`. In tar files classes are stored beside the pictures.

    Raises
    ------
    InputError
        If there is no such folder or file, or no picture in it.
    """
    if images.suffix == TAR:
        return _tars([images], images)
    if tars := sorted(images.glob(f"*{TAR}")):
        return _tars(tars, images)
    return _files(folder(images, size=0, labels=labels), shard)


def _tars(paths: Sequence[Path], images: Path) -> list[Part]:
    counts = [tar.count(path) for path in paths]
    if not any(counts):
        raise InputError(f"{images} holds no photographs ({', '.join(pictures.SUFFIXES)})")
    firsts, shas = accumulate(counts, initial=0), fingerprint.of_files(paths)
    return [
        {"tar": {"name": path.name, "sha256": sha}, "first": first, "count": count}
        for path, sha, count, first in zip(paths, shas, counts, firsts, strict=False)
        if count
    ]


def _files(found: Files, shard: int) -> list[Part]:
    shas = fingerprint.of_files(found.paths)
    files = [
        {"name": path.relative_to(found.root).as_posix(), "sha256": sha, "label": label}
        for path, sha, label in zip(found.paths, shas, found.labels, strict=True)
    ]
    cuts = (files[start : start + shard] for start in range(0, len(files), shard))
    return [
        {"files": cut, "first": place * shard, "count": len(cut)} for place, cut in enumerate(cuts)
    ]


def photographs(part: Part, images: Path, *, size: int) -> Iterator[Photograph]:
    """Read the photographs of a part of `images`, decoded ahead on threads.

    Raises
    ------
    InputError
        If a tar file cannot be read.
    """
    if "tar" in part:
        path = images if images.suffix == TAR else images / part["tar"]["name"]
        return tar.shards([path], size=size)
    files = part["files"]
    paths = tuple(images / file["name"] for file in files)
    return iter(Files(images, paths, tuple(file["label"] for file in files), size))


def photograph(images: str | Path, name: str, *, size: int) -> Float32[Tensor, "3 size size"]:
    """Read one of the photographs again, by its name in the examples.

    Parameters
    ----------
    images
        The folder or tar file of the examples.
    name
        From `Examples.names`.
    size
        Of the central square, in pixels.

    Raises
    ------
    InputError
        If it no longer exists, or cannot be read.
    """
    images = Path(images)
    shard, _, member = name.partition("/")
    if not shard.endswith(TAR):
        return pictures.read(images / name, size)
    path = images if images.suffix == TAR else images / shard
    return pictures.read(tar.content(path, member), size, name=name)
