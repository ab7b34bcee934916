"""Responses on disk: netCDF, and the parts of an unfinished measurement."""

import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from visioncircuits import files
from visioncircuits.engine import Store
from visioncircuits.errors import InputError


def write_responses(responses: xr.DataArray, path: str | Path) -> None:
    """Write responses as netCDF, atomically.

    Raises
    ------
    InputError
        Where the name does not end in .nc, or the file cannot be written.
    """
    path = check_path(path)
    files.write(path, bytes(responses.to_netcdf(engine="h5netcdf")))


def read_responses(path: str | Path) -> xr.DataArray:
    """Read what `write_responses` wrote.

    Raises
    ------
    InputError
        Where there is no such file, or it holds no responses.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no file {path}; `visioncircuits tune` writes one")
    try:
        with xr.open_dataarray(path, engine="h5netcdf") as stored:
            responses = stored.load()
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} cannot be read as responses: {error}") from error
    if "record" not in responses.attrs or "unit" not in responses.dims:
        raise InputError(f"{path} holds no responses; `visioncircuits tune` writes such files")
    return responses


def check_path(path: str | Path) -> Path:
    """Check that a path ends in .nc, and return it."""
    path = Path(path)
    if path.suffix.lower() != ".nc":
        raise InputError(f"{path} cannot be written: name it .nc, for netCDF")
    return path


class Parts:
    """The finished parts of a measurement, in a folder beside its file."""

    def __init__(self, path: Path, record: Mapping[str, Any]) -> None:
        self.folder = path.with_name(files.PART + path.name + "s")
        self.record = record
        self.store = Store(self.folder)

    def get(self, start: int, stop: int) -> np.ndarray | None:
        """Return the responses to a run of stimuli, or None where they are not stored."""
        part = self.store.path(self._work(start, stop)) / "responses.npy"
        try:
            return np.load(part, allow_pickle=False) if part.is_file() else None
        except (ValueError, EOFError):
            return None  # damaged, so measured again

    def add(self, start: int, stop: int, responses: np.ndarray) -> None:
        """Store the responses to a run of stimuli."""
        buffer = io.BytesIO()
        np.save(buffer, responses, allow_pickle=False)
        self.store.add(self._work(start, stop), {"responses.npy": buffer.getvalue()})

    def remove(self) -> None:
        """Delete them all."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _work(self, start: int, stop: int) -> dict[str, Any]:
        return {**self.record, "start": start, "stop": stop}


def record(responses: xr.DataArray) -> dict[str, Any]:
    """Return the record of a measurement."""
    return dict(json.loads(responses.attrs["record"]))
