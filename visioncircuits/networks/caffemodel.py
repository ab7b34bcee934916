"""Read the parameters in a `.caffemodel` without Caffe: a protobuf message, parsed by hand.

Source: the messages NetParameter, V1LayerParameter, LayerParameter, BlobProto and BlobShape of
Caffe's `caffe.proto`.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks.protobuf import fields, packed

BLOB_NAMES = ("weight", "bias")


def read_caffemodel(path: Path) -> dict[str, Tensor]:
    """Read all parameters of a network that Caffe saved.

    Parameters
    ----------
    path
        The file, with either version of Caffe's layers and blobs.

    Returns
    -------
    dict
        `LAYER.weight` and `LAYER.bias`, float32; kernels are `(out, in, height, width)`.

    Raises
    ------
    InputError
        Where the file is truncated or not such a message.
    """
    try:
        return dict(_parameters(memoryview(path.read_bytes())))
    except ValueError as error:
        raise InputError(
            f"{path} is not a complete caffemodel ({error}); get it again, it may be truncated"
        ) from error


def _parameters(network: memoryview) -> Iterator[tuple[str, Tensor]]:
    for number, layer in fields(network):
        match number, layer:
            case 2, memoryview():  # `layers`, of 2014
                name, blobs = _layer(layer, name_field=4, blobs_field=6)
            case 100, memoryview():  # `layer`, since 2015
                name, blobs = _layer(layer, name_field=1, blobs_field=7)
            case _:
                continue
        for index, blob in enumerate(blobs):
            kind = BLOB_NAMES[index] if index < len(BLOB_NAMES) else str(index)
            try:
                yield f"{name}.{kind}", _tensor(blob)
            except ValueError as error:
                raise ValueError(f"{name}.{kind}: {error}") from error


def _layer(layer: memoryview, *, name_field: int, blobs_field: int) -> tuple[str, list[memoryview]]:
    name, blobs = "", []
    for number, value in fields(layer):
        if isinstance(value, memoryview):
            if number == name_field:
                name = str(value, "utf-8")
            elif number == blobs_field:
                blobs.append(value)
    return name, blobs


def _tensor(blob: memoryview) -> Tensor:
    shape: list[int] | None = None
    legacy = {1: 0, 2: 0, 3: 0, 4: 0}  # num, channels, height, width
    data = bytearray()
    for number, value in fields(blob):
        match number, value:
            case 1 | 2 | 3 | 4, int():
                legacy[number] = value
            case 5, memoryview():  # packed, or one at a time
                data += value
            case 7, memoryview():
                shape = _dimensions(value)
    if shape is None:
        shape = list(legacy.values())
        while len(shape) > 1 and shape[0] == 1:  # vectors and matrices were padded to 4-d
            del shape[0]
    if not data or math.prod(shape) * 4 != len(data):
        raise ValueError(f"a shape of {tuple(shape)} with {len(data)} bytes of float32")
    return torch.from_numpy(np.frombuffer(data, "<f4").astype(np.float32)).reshape(shape)


def _dimensions(shape: memoryview) -> list[int]:
    sizes: list[int] = []
    for number, value in fields(shape):
        if number != 1:
            continue
        if isinstance(value, int):
            sizes.append(value)
            continue
        sizes.extend(packed(value))
    return sizes
