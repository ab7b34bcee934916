"""Photographs divided into parts, always the same ones, in whatever order they are processed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from visioncircuits import fingerprint
from visioncircuits.datasets import Photographs, photographs
from visioncircuits.datasets.items import File, Member
from visioncircuits.datasets.tar import TAR
from visioncircuits.errors import InputError

SHARD = 128
"""Default number of pictures of a folder in a part."""

Part = Mapping[str, Any]
"""A part of the photographs, as JSON data.

`first` is the number of the first, `count` the number of photographs. `files` are those of a
folder, or `tar` is the file that contains them; each has the SHA-256 of its content.
"""


def parts(found: Photographs, *, shard: int = SHARD) -> list[Part]:
    """Divide the photographs of a folder or of tar files.

    Each tar file is a part; of a folder, every `shard` pictures are.

    Raises
    ------
    InputError
        For photographs that are not in files.
    """
    if all(isinstance(item, Member) for item in found.items):
        return _tars([item.path for item in found.items if isinstance(item, Member)])
    paths = [item.path for item in found.items if isinstance(item, File)]
    if len(paths) != len(found):
        raise InputError("a survey takes a folder of photographs or tar files, not a dataset")
    return _files(found, paths, shard)


def _tars(paths: Sequence[Path]) -> list[Part]:
    counts = Counter(paths)
    firsts, shas = accumulate(counts.values(), initial=0), fingerprint.of_files(list(counts))
    return [
        {"tar": {"name": path.name, "sha256": sha}, "first": first, "count": count}
        for (path, count), sha, first in zip(counts.items(), shas, firsts, strict=False)
    ]


def _files(found: Photographs, paths: Sequence[Path], shard: int) -> list[Part]:
    shas = fingerprint.of_files(paths)
    files = [
        {"name": name, "sha256": sha, "label": label}
        for name, sha, label in zip(found.names, shas, found.labels, strict=True)
    ]
    cuts = (files[start : start + shard] for start in range(0, len(files), shard))
    return [
        {"files": cut, "first": place * shard, "count": len(cut)} for place, cut in enumerate(cuts)
    ]


def of_part(part: Part, images: Path) -> Photographs:
    """Return the photographs of a part of `images`.

    Raises
    ------
    InputError
        If a tar file cannot be read.
    """
    if "tar" in part:
        return photographs(images if images.suffix == TAR else images / part["tar"]["name"])
    files = part["files"]
    return Photographs(
        tuple(file["name"] for file in files),
        tuple(File(images / file["name"]) for file in files),
        tuple(file["label"] for file in files),
    )
