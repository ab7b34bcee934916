"""Photographs divided into parts, always the same ones, in whatever order they are processed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from visioncircuits import fingerprint
from visioncircuits.datasets import Photographs, photographs
from visioncircuits.datasets.arrays import Range, checked
from visioncircuits.datasets.items import File, Member
from visioncircuits.datasets.tar import TAR
from visioncircuits.errors import InputError

SHARD = 128
"""Default number of pictures of a folder in a part."""

Part = Mapping[str, Any]
"""A part of the photographs, as JSON data.

`first` is the number of the first, `count` the number of photographs. `files` are those of a
folder, or `tar` is the file that contains them; each has the SHA-256 of its content. `range` is
there where one is stated for their values.
"""


def source(found: Photographs) -> Path:
    """Return the folder or tar file that photographs are in.

    Raises
    ------
    InputError
        For photographs that are not in files, some of a tar file's, and files of which the names
        are not their paths in one folder.
    """
    paths = [item.path.absolute() for item in found.items if isinstance(item, File | Member)]
    if not paths or len(paths) != len(found):
        raise InputError("a survey takes photographs in files; those in memory are for `collect`")
    if _in_tars(found):
        one, *others = dict.fromkeys(paths)
        root = one.parent if others else one
        whole = photographs(root)
        other_classes = any(label is not None for label in found.labels) and (
            found.labels != whole.labels
        )
        if whole.names != found.names or other_classes:
            raise InputError(
                "a survey takes tar files whole, with the classes in them: all of a folder, or "
                "one; other photographs are for `collect`"
            )
        return root
    above = paths[0].parents
    root = above[min(len(Path(found.names[0]).parts), len(above)) - 1]
    if any(root / name != path for name, path in zip(found.names, paths, strict=True)):
        raise InputError(
            "a survey takes photographs whose names are their paths in one folder; others are for "
            "`collect`"
        )
    return root


def parts(found: Photographs, *, shard: int = SHARD) -> list[Part]:
    """Divide the photographs of a folder or of tar files.

    Each tar file is a part; of a folder, every `shard` pictures are.
    """
    paths = [item.path for item in found.items if isinstance(item, File | Member)]
    cut = _tars(paths) if _in_tars(found) else _files(found, paths, shard)
    stated = range_of(found)
    return cut if stated is None else [{**part, "range": list(stated)} for part in cut]


def range_of(found: Photographs) -> Range | None:
    """Return the range that is stated for the values of photographs in files.

    Raises
    ------
    InputError
        Where some have another than others.
    """
    stated = {item.range for item in found.items if isinstance(item, File | Member)}
    if len(stated) > 1:
        raise InputError("a survey takes photographs of one range of values; others are apart")
    return stated.pop() if stated else None


def _in_tars(found: Photographs) -> bool:
    return all(isinstance(item, Member) for item in found.items)


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


def of_part(part: Part, source: Path) -> Photographs:
    """Return the photographs of a part of those in `source`.

    Raises
    ------
    InputError
        If a tar file cannot be read.
    """
    stated = part.get("range")
    if "tar" in part:
        tar = source if source.suffix == TAR else source / part["tar"]["name"]
        return photographs(tar, range=stated)
    files, stated = part["files"], None if stated is None else checked(stated)
    return Photographs(
        tuple(file["name"] for file in files),
        tuple(File(source / file["name"], stated) for file in files),
        tuple(file["label"] for file in files),
    )
