"""Tensors in a safetensors file, with a record of what they are."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from visioncircuits import files


def write(path: Path, kind: str, record: Any, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors and their record, whole or not at all; the same ones give the same bytes.

    Parameters
    ----------
    kind
        The only key of the file's metadata, as the order of several would not be fixed. Its value
        is the record, as JSON.

    Raises
    ------
    InputError
        For a file that cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> path = Path(tempfile.mkdtemp(), "ones.safetensors")
    >>> write(path, "example", {"layer": "mixed3b"}, {"weights": torch.ones(2)})
    >>> read(path, "example")
    ({'layer': 'mixed3b'}, {'weights': tensor([1., 1.])})
    """
    held = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    files.write(path, save(held, metadata={kind: json.dumps(record)}))


def read(path: Path, kind: str) -> tuple[Any, dict[str, Tensor]]:
    """Read a record and its tensors, on the CPU.

    Raises
    ------
    SafetensorError, OSError, KeyError or ValueError
        Where the file is missing or damaged, or is of another kind.
    """
    with safe_open(path, "pt") as file:
        record = json.loads((file.metadata() or {})[kind])
        return record, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
