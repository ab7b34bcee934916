"""Reading tensors by name from files of parameters, without executing anything in them."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from visioncircuits import errors
from visioncircuits.errors import InputError
from visioncircuits.networks import onnx_files
from visioncircuits.networks.caffemodel import read_caffemodel
from visioncircuits.networks.frozen_graph import read_frozen_graph
from visioncircuits.networks.torchscript import is_archive, read_torchscript

NESTED = ("state_dict", "model_state_dict", "model")
"""Where training scripts keep the state dict beside the optimizer's state and the like."""


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read all tensors of a file, under their names in it.

    Parameters
    ----------
    path
        A file in one of `FORMATS`, by its suffix: `.safetensors`; `.pth`, `.pt`, `.ckpt` or `.bin`,
        a state dict, alone or under one of `NESTED` beside other things, unpickled with
        `weights_only=True`, or a TorchScript archive, of which no code is run; `.onnx`, the
        initializers; `.caffemodel`; `.pb`, a frozen graph of TensorFlow.

    Raises
    ------
    InputError
        Where there is no such file, it is in no known format, or it is damaged.

    Examples
    --------
    >>> import tempfile
    >>> from safetensors.torch import save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "net.safetensors"
    ...     save_file({"conv.bias": torch.zeros(4)}, path)
    ...     read_tensors(path)["conv.bias"].shape
    torch.Size([4])
    """
    if not path.is_file():
        raise InputError(f"there is no checkpoint file {path}")
    read = FORMATS.get(path.suffix.lower())
    if read is None:
        raise InputError(f"{path} is not a checkpoint: its name must end in {', '.join(FORMATS)}")
    tensors = read(path)
    if not tensors:
        raise InputError(f"{path} holds no tensors; get it again, it may be truncated")
    return tensors


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise errors.damaged(path, error) from error


def _state_dict(path: Path) -> dict[str, Tensor]:
    if is_archive(path):
        return read_torchscript(path)
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path} is damaged or holds more than tensors, and code in it is never run; save "
            "`module.state_dict()` alone"
        ) from error
    except Exception as error:  # a damaged pickle can fail in any way
        raise errors.damaged(path, error) from error
    if isinstance(found, dict) and not _is_state_dict(found):
        nested = [found[key] for key in NESTED if _is_state_dict(found.get(key))]
        if len(nested) == 1:
            (found,) = nested
    if not _is_state_dict(found):
        raise InputError(
            f"{path} holds no plain state dict, alone or as its {' or '.join(map(repr, NESTED))}; "
            "save `module.state_dict()` alone"
        )
    return {name: value.detach() for name, value in found.items()}


def _is_state_dict(found: Any) -> bool:
    return isinstance(found, dict) and all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in found.items()
    )


def _onnx(path: Path) -> dict[str, Tensor]:
    graph = onnx_files.read(path).graph
    import onnx
    from onnx import numpy_helper

    # Whole numbers are shapes for reshaping, not parameters.
    kept = [t for t in graph.initializer if t.data_type != onnx.TensorProto.INT64]
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in kept):
        raise InputError(f"{path} keeps its tensors in other files; save it as one file")
    try:
        return {tensor.name: torch.tensor(numpy_helper.to_array(tensor)) for tensor in kept}
    except (KeyError, TypeError, ValueError) as error:
        raise errors.damaged(path, error) from error


FORMATS: dict[str, Callable[[Path], dict[str, Tensor]]] = {
    ".safetensors": _safetensors,
    ".pth": _state_dict,
    ".pt": _state_dict,
    ".ckpt": _state_dict,
    ".bin": _state_dict,
    ".onnx": _onnx,
    ".caffemodel": read_caffemodel,
    ".pb": read_frozen_graph,
}
