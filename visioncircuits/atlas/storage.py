"""An atlas on disk: one file of arrays, with the rest as JSON inside."""

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError

from visioncircuits import tensor_files
from visioncircuits.atlas.records import Atlas, Grid, SampledActivations
from visioncircuits.errors import InputError, damaged

FILE = "atlas.safetensors"
"""The file in an atlas' folder."""

_KIND = "visioncircuits atlas"


def save(atlas: Atlas, folder: str | Path) -> Path:
    """Write an atlas into a folder, whole or not at all; the same atlas gives the same bytes.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        Where it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> drawn = SampledActivations("toy", "conv", np.zeros((4, 2), np.float32),
    ...     np.zeros(4, np.int64), np.zeros((4, 2), np.int64), (3, 3), ("cat.jpg",))
    >>> made = Atlas(drawn, np.zeros((4, 2), np.float32), (), (), {"seed": 0})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(made, folder).name, load(folder)
    ('atlas.safetensors', Atlas(toy conv: 4 of 1 photograph; no grid; no classes))
    """
    samples, path = atlas.samples, Path(folder) / FILE
    parts: dict[str, SampledActivations | Grid] = {"samples": samples}
    parts |= {f"grid {grid.side}": grid for grid in atlas.grids}
    arrays = {"points": atlas.points} | {
        f"{part}/{field.name}": value
        for part, record in parts.items()
        for field in fields(record)
        if isinstance(value := getattr(record, field.name), np.ndarray)
    }
    plain = {
        "samples": {
            name: value
            for name, value in asdict(samples).items()
            if not isinstance(value, np.ndarray)
        },
        "sides": [grid.side for grid in atlas.grids],
        "classes": list(atlas.classes),
        "record": dict(atlas.record),
    }
    tensor_files.write(
        path, _KIND, plain, {name: torch.from_numpy(array) for name, array in arrays.items()}
    )
    return path


def load(folder: str | Path) -> Atlas:
    """Read an atlas that `save` wrote.

    Raises
    ------
    InputError
        Where there is none, or its file is damaged.

    Examples
    --------
    >>> load("nowhere")
    Traceback (most recent call last):
    visioncircuits.errors.InputError: there is no atlas in nowhere; `visioncircuits atlas` makes one
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise InputError(f"there is no atlas in {folder}; `visioncircuits atlas` makes one")
    try:
        plain, tensors = tensor_files.read(path, _KIND)
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        return Atlas(
            SampledActivations(**_tuples(plain["samples"]), **_part(arrays, "samples")),
            arrays["points"],
            tuple(Grid(side, **_part(arrays, f"grid {side}")) for side in plain["sides"]),
            tuple(plain["classes"]),
            plain["record"],
        )
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise damaged(path, error) from error


def found(folder: Path) -> Atlas | None:
    """Return the atlas in a folder, or None where there is none."""
    return load(folder) if (folder / FILE).exists() else None


def other(folder: Path) -> InputError:
    """Return the error for a folder with an atlas that was made otherwise."""
    return InputError(f"{folder} has another atlas; choose another folder, or remove {FILE} there")


def _part(arrays: dict[str, np.ndarray], part: str) -> dict[str, Any]:
    return {
        name.removeprefix(f"{part}/"): array
        for name, array in arrays.items()
        if name.startswith(f"{part}/")
    }


def _tuples(plain: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()
    }
