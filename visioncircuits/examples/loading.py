"""Opening of activations on disk, which `activations` writes."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from visioncircuits import files
from visioncircuits.errors import InputError, unknown
from visioncircuits.labeled import LabeledArray

CONTENTS = "activations.json"
"""The file that is written last."""


def load_activations(path: str | Path, layer: str | None = None) -> LabeledArray:
    """Open activations that `save_activations` wrote, without reading them.

    Parameters
    ----------
    path
        The folder.
    layer
        May be left out where the folder has one.

    Returns
    -------
    LabeledArray
        By `photograph`, `unit` and, of whole maps, `row` and `column`; of drawn positions by
        `sample` and `unit`, with the coordinates `photograph`, `row` and `column` of each sample.
        Photographs have the coordinate `label` where all of their classes are known. Values are
        read from disk where they are used: index first, then compute.

    Raises
    ------
    InputError
        Where the folder has no finished activations, or not of this layer, or has several.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> from visioncircuits.examples import save_activations
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(2, 3, 64, 64)
    >>> folder = tempfile.mkdtemp()
    >>> saved = save_activations(network, ["conv2d1", "conv2d2:7"], pictures, folder)
    >>> load_activations(saved, "conv2d2").sel(unit="conv2d2:7", photograph="0").dims
    ('row', 'column')
    """
    path = Path(path)
    contents = contents_of(path)
    layers = contents["layers"]
    if layer is None:
        if len(layers) > 1:
            raise InputError(f"{path} has activations of {', '.join(layers)}; name one")
        (layer,) = layers
    if layer not in layers:
        raise unknown("layer of these activations", layer, layers)
    part, names = layers[layer], np.array(contents["photographs"])
    values: np.ndarray = mapped(path / part["file"])
    coords: dict[str, Any] = {"unit": part["units"]}
    if part["positions"] is None:
        along, repeats = "photograph", 1
        coords |= {name: range(values.shape[2 + at]) for at, name in enumerate(part["dims"][2:])}
    else:
        along, repeats = "sample", values.shape[1]
        values = values.reshape(-1, values.shape[2])
        places = mapped(path / part["positions"]).reshape(-1, 2)
        coords |= {"row": (along, places[:, 0]), "column": (along, places[:, 1])}
    coords["photograph"] = (along, names.repeat(repeats))
    if contents["labels"]:
        coords["label"] = (along, np.array(contents["labels"]).repeat(repeats))
    record = contents["record"] | {"skipped": contents["skipped"]}
    return LabeledArray(
        values,
        dims=part["dims"],
        coords=coords,
        name="activation",
        attrs={"record": json.dumps(record, sort_keys=True)},
    )


def mapped(path: Path) -> np.memmap:
    try:
        mapped = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    assert isinstance(mapped, np.memmap)
    return mapped


def contents_of(path: Path) -> dict[str, Any]:
    file = path / CONTENTS
    if not file.is_file():
        unfinished = path.is_dir() and any(path.glob(f"{files.PART}*"))
        hint = (
            "they are unfinished, and the same `save_activations` goes on"
            if unfinished
            else "`save_activations` writes them"
        )
        raise InputError(f"there are no activations in {path}; {hint}")
    try:
        return dict(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read: {error}") from error
