"""Labeled arrays that show themselves in a notebook, save themselves and are read back."""

import base64
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import xarray as xr

from visioncircuits import files
from visioncircuits.errors import InputError


def netcdf_path(path: str | Path) -> Path:
    """Check that a path ends in .nc, and return it.

    Raises
    ------
    InputError
        Where it ends otherwise.
    """
    path = Path(path)
    if path.suffix.lower() != ".nc":
        raise InputError(f"{path} cannot be written: name it .nc, for netCDF")
    return path


def html_picture(png: bytes) -> str:
    """Return a PNG as an element of HTML."""
    data = base64.b64encode(png).decode()
    return f'<img style="max-width: 100%" src="data:image/png;base64,{data}">'


class _Load:
    """On a class `load(path)` reads a file; on an array it is the method of xarray."""

    def __get__(self, array: Any, kind: type[Any]) -> Callable[..., Any]:
        if array is not None:
            return partial(_xarray(kind).load, array)
        return partial(_read, kind)


def _xarray(kind: type[Any]) -> Any:
    return xr.DataArray if issubclass(kind, xr.DataArray) else xr.Dataset


def _read(kind: type[Any], path: str | Path) -> Any:
    """Read what `save` wrote.

    Raises
    ------
    InputError
        Where there is no such file, or it holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no file {path}; `.save(path)` writes {kind.contents}")
    array = issubclass(kind, xr.DataArray)
    opener = xr.open_dataarray if array else xr.open_dataset
    try:
        with opener(path, engine="h5netcdf") as stored:
            loaded = stored.load()
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} cannot be read as {kind.contents}: {error}") from error
    if "record" not in loaded.attrs or not {*kind.dimensions} <= {*loaded.dims}:
        raise InputError(f"{path} holds no {kind.contents}")
    if array:
        return kind(loaded)
    return kind(loaded.data_vars, coords=loaded.coords, attrs=loaded.attrs)


class _Labeled:
    """What arrays and datasets share.

    A subclass sets `contents`, what it is called in messages, and `dimensions`, those that make a
    file one of its kind; it may define `_picture`, which returns what a notebook shows above the
    values, or None.
    """

    __slots__ = ()
    contents: ClassVar[str] = "labeled values"
    dimensions: ClassVar[tuple[str, ...]] = ()

    def _picture(self) -> Any:
        return None

    def _repr_html_(self) -> str:
        values: str = super()._repr_html_()  # type: ignore[misc]
        picture = self._picture()
        return values if picture is None else html_picture(picture._repr_png_()) + values

    @property
    def record(self) -> dict[str, Any]:
        """How the values were made: network, checkpoint, seed, options, versions."""
        return dict(json.loads(self.attrs["record"]))  # type: ignore[attr-defined]

    def save(self, path: str | Path) -> Path:
        """Write as netCDF, whole or not at all, and return the path.

        Raises
        ------
        InputError
            Where the name does not end in .nc, or the file cannot be written.
        """
        path = netcdf_path(path)
        files.write(path, bytes(self.to_netcdf(engine="h5netcdf")))  # type: ignore[attr-defined]
        return path


class LabeledArray(_Labeled, xr.DataArray):  # type: ignore[no-untyped-call]
    """An array whose dimensions and coordinates have names, as `xarray.DataArray`.

    All that xarray does with arrays works: `.sel`, `.mean`, arithmetic, plots. `.save(path)` writes
    netCDF, which `load(path)` of the same class reads.
    """

    __slots__ = ()
    load: Any = _Load()


class LabeledTable(_Labeled, xr.Dataset):  # type: ignore[no-untyped-call]
    """Several arrays that share dimensions, as `xarray.Dataset`; saved as a `LabeledArray` is."""

    __slots__ = ()
    load: Any = _Load()
