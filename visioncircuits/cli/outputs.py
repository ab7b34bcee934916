"""What commands write: checked before they start, and the pictures of features that they show."""

import io
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visioncircuits.errors import InputError

if TYPE_CHECKING:  # a command's help is not to wait for torch
    from PIL import Image

    from visioncircuits.networks import Feature


def check(path: Path | None, *suffixes: str) -> None:
    """Check that a file can be written, as far as its name shows.

    Raises
    ------
    InputError
        For another suffix than those, and a folder that is not there.

    Examples
    --------
    >>> check(Path("up.gif"), ".png", ".webp")
    Traceback (most recent call last):
    visioncircuits.errors.InputError: up.gif cannot be written: name it .png or .webp
    """
    if path is None:
        return
    if path.suffix.lower() not in suffixes:
        raise InputError(f"{path} cannot be written: name it {' or '.join(suffixes)}")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path} cannot be written: there is no folder {path.absolute().parent}")
    if path.is_dir() or not os.access(path.absolute().parent, os.W_OK):
        raise InputError(
            f"{path} cannot be written: it is a folder, or in one that is not yours to write to"
        )


def check_folder(path: Path) -> None:
    """Make sure that a folder can be written or made.

    Raises
    ------
    InputError
        Where it, or what is there of the way to it, is a file or may not be written to.
    """
    path = path.absolute()
    there = next(way for way in (path, *path.parents) if way.exists())
    if not there.is_dir():
        raise InputError(f"the folder {path} cannot be made: {there} is a file")
    if not os.access(there, os.W_OK):
        raise InputError(f"the folder {path} cannot be written: {there} is not yours to write to")


def stems(features: "Iterable[Feature | str]") -> list[str]:
    """Return a name for the files of each feature, with no character that a path may not have.

    The names of other things may be among them.

    Raises
    ------
    InputError
        For two features of one name.

    Examples
    --------
    >>> from visioncircuits.networks import Direction, Unit
    >>> stems([Unit("mixed3b", 7), Direction("mixed3b", [1.0], name="../a dog")])
    ['mixed3b-7', 'mixed3b-..-a-dog']
    """
    owners: dict[str, Feature | str] = {}
    for feature in features:
        stem = re.sub(r"[^\w.+-]", "-", str(feature))
        if owners.setdefault(stem, feature) != feature:
            raise InputError(
                f"{owners[stem]} and {feature} would be the same file, {stem}; rename one of them"
            )
    return list(owners)


def write_units(rows: list[dict[str, Any]], features: "Iterable[Feature]", path: Path) -> Path:
    """Write a table of features as JSON; a direction's row has its record.

    So `networks.read_features` reads them back.
    """
    from visioncircuits import files

    records = {str(feature): feature.record() for feature in features}
    for row in rows:
        if not isinstance(record := records[row["unit"]], str):
            row["direction"] = record
    files.write(path, json.dumps(rows, indent=1).encode())
    return path


def write_picture(picture: "Image.Image", path: Path) -> None:
    """Write a picture without loss, whole or not at all."""
    from visioncircuits import files

    kind = path.suffix.removeprefix(".").upper()
    buffer = io.BytesIO()
    picture.save(buffer, kind, **({"lossless": True} if kind == "WEBP" else {"optimize": True}))
    files.write(path, buffer.getvalue())
