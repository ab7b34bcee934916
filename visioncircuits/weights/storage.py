"""Labeled arrays as files: netCDF, or numpy's .npz with the same content."""

import io
import json
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import xarray as xr

from visioncircuits import files
from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, parse

_LAYOUT = "layout"


def write(dataset: xr.Dataset, path: str | Path) -> Path:
    """Write labeled arrays to a file, atomically.

    Raises
    ------
    InputError
        If the name ends neither in .npz nor in .nc, or the file cannot be written.
    """
    path = Path(path)
    match path.suffix.lower():
        case ".nc":
            data = bytes(dataset.to_netcdf(engine="h5netcdf"))
        case ".npz":
            data = _npz(dataset)
        case _:
            raise InputError(f"{path} cannot be written: name it .npz or .nc")
    files.write(path, data)
    return path


def read(path: str | Path, kind: str) -> xr.Dataset:
    """Read a file that `write` wrote.

    Parameters
    ----------
    kind
        The expected value of the dataset's attribute `kind`.

    Raises
    ------
    InputError
        If the file is missing, damaged, or has other content.
    """
    path = Path(path)
    try:
        if path.suffix.lower() == ".nc":
            with xr.open_dataset(path, engine="h5netcdf") as dataset:
                dataset.load()
        else:
            dataset = _from_npz(path)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if dataset.attrs.get("kind") != kind:
        raise InputError(f"{path} contains {dataset.attrs.get('kind', 'other data')}, not {kind}")
    return dataset


def _npz(dataset: xr.Dataset) -> bytes:
    layout = {
        "attrs": dict(dataset.attrs),
        "data": {str(name): list(array.dims) for name, array in dataset.data_vars.items()},
        "coords": {str(name): list(array.dims) for name, array in dataset.coords.items()},
    }
    arrays = {str(name): array.values for name, array in dataset.variables.items()}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays, **{_LAYOUT: np.array(json.dumps(layout))})
    return buffer.getvalue()


def _from_npz(path: Path) -> xr.Dataset:
    with np.load(path, allow_pickle=False) as stored:
        layout = json.loads(str(stored[_LAYOUT]))
        data, coords = (
            {name: (dims, stored[name]) for name, dims in layout[part].items()}
            for part in ("data", "coords")
        )
    return xr.Dataset(data, coords, layout["attrs"])


def features_to_json(features: tuple[Feature, ...]) -> str:
    """Serialize features, directions with their weights.

    Examples
    --------
    >>> from visioncircuits.networks import Direction
    >>> features_to_json((Direction("mixed3a", (0.5, -0.5), name="hf"),))
    '[{"layer": "mixed3a", "weights": [0.5, -0.5], "name": "hf"}]'
    """
    return json.dumps([feature.record() for feature in features])


def features_from_json(text: str) -> tuple[Feature, ...]:
    """Deserialize features from `features_to_json`."""
    return tuple(map(parse, json.loads(text)))
