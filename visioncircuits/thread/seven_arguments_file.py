"""The seven arguments as a file: labeled arrays of pictures, responses and kernels."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import xarray as xr
from PIL import Image

from visioncircuits.networks import parse
from visioncircuits.tuning import Responses
from visioncircuits.weights import Connection

if TYPE_CHECKING:  # which imports this module
    from visioncircuits.thread.seven_arguments import SevenArguments

KIND = "seven arguments"

_RESPONSES = ("synthetic", "joint", "handwritten")
_ENDS = ("inputs", "outputs")
_NUMBERS = ("norm", "positive", "negative", "share")


def to_dataset(found: "SevenArguments") -> xr.Dataset:
    """Return everything as one dataset, in which no two arrays share a dimension.

    Examples
    --------
    >>> from visioncircuits.thread import SevenArguments
    >>> found = SevenArguments("a:0", visualization=Image.new("RGB", (4, 2)))
    >>> to_dataset(found)["visualization"].shape
    (2, 4, 3)
    """
    arrays: dict[str, tuple[Sequence[str], np.ndarray]] = {}
    coordinates: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    pictures: dict[str, Any] = {"visualization": found.visualization}
    pictures |= {f"crop_{place}": crop for place, crop in enumerate(found.crops)}
    pictures |= {
        f"thumbnail_{place}": each.convert("RGB")
        for place, each in enumerate(found.thumbnails.values())
    }
    for name, picture in pictures.items():
        if picture is not None:
            arrays[name] = (f"{name}_row", f"{name}_column", "color"), np.asarray(picture)
    for name in _RESPONSES:
        if (responses := getattr(found, name)) is not None:
            dims = {f"{name}_{dim}": responses[dim].values for dim in responses.dims}
            arrays[name], coordinates = (tuple(dims), responses.values), coordinates | dims
            attributes[name] = {"name": responses.name, "attrs": responses.attrs}
    for name in _ENDS:
        if connections := getattr(found, name):
            kernels = np.stack([each.kernel.cpu().numpy() for each in connections])
            arrays[name] = (name, f"{name}_row", f"{name}_column"), kernels
            attributes[name] = [
                {
                    "source": each.source.record(),
                    "target": each.target.record(),
                    **{number: getattr(each, number) for number in _NUMBERS},
                }
                for each in connections
            ]
    head = {
        "kind": KIND,
        "unit": found.unit,
        "crops": len(found.crops),
        "thumbnails": json.dumps(list(found.thumbnails)),
        "missing": json.dumps(dict(found.missing)),
        "attributes": json.dumps(attributes),
        "record": json.dumps(dict(found.record)),
    }
    return xr.Dataset(arrays, coordinates, head)


def from_dataset(dataset: xr.Dataset) -> dict[str, Any]:
    """Return the fields of `SevenArguments` from what `to_dataset` returned."""
    attributes = json.loads(dataset.attrs["attributes"])
    found: dict[str, Any] = {
        "unit": dataset.attrs["unit"],
        "crops": tuple(
            dataset[f"crop_{place}"].values for place in range(int(dataset.attrs["crops"]))
        ),
        "thumbnails": {
            name: Image.fromarray(dataset[f"thumbnail_{place}"].values)
            for place, name in enumerate(json.loads(dataset.attrs["thumbnails"]))
        },
        "missing": json.loads(dataset.attrs["missing"]),
        "record": json.loads(dataset.attrs["record"]),
    }
    if "visualization" in dataset:
        found["visualization"] = Image.fromarray(dataset["visualization"].values)
    for name in _RESPONSES:
        if name in dataset:
            stored = dataset[name]
            dims = {str(dim).removeprefix(f"{name}_"): dim for dim in stored.dims}
            coords = {short: _plain(dataset[dim].values) for short, dim in dims.items()}
            kind = Responses if "record" in attributes[name]["attrs"] else xr.DataArray
            found[name] = kind(stored.values, coords, tuple(dims), **attributes[name])
    for name in _ENDS:
        if name in dataset:
            found[name] = tuple(
                Connection(
                    parse(each.pop("source")),
                    parse(each.pop("target")),
                    torch.tensor(kernel),
                    **each,
                )
                for each, kernel in zip(attributes[name], dataset[name].values, strict=True)
            )
    return found


def _plain(values: np.ndarray) -> np.ndarray:
    """Return names as numpy's strings: netCDF reads them as objects."""
    return values.astype(str) if values.dtype == object else values
