"""Reading the parameters of a TorchScript archive without its code.

Such an archive, written by `torch.jit.save`, is a zip file of `data.pkl`, a pickle of the module's
attributes; `data/`, a file for the content of each storage; and `code/`, the source of the classes.
The pickle is read by an unpickler that knows the parts of tensors and plain containers and refuses
any other name. The code is neither compiled nor run: the names of a class's parameters and buffers
are found in it as text.
"""

import pickle
import re
import zipfile
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from visioncircuits import errors
from visioncircuits.errors import InputError

STORAGES = {
    "BFloat16Storage": torch.bfloat16,
    "BoolStorage": torch.bool,
    "ByteStorage": torch.uint8,
    "CharStorage": torch.int8,
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "IntStorage": torch.int32,
    "LongStorage": torch.int64,
    "ShortStorage": torch.int16,
}


def is_archive(path: Path) -> bool:
    """Check whether a file is a TorchScript archive, which has constants, unlike a state dict.

    Examples
    --------
    >>> is_archive(Path("nowhere.pt"))
    False
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """Read the parameters and buffers of an archive, as `torch.jit.load(path).state_dict()` does.

    Raises
    ------
    InputError
        Where the archive is damaged, or its pickle names anything but tensors and modules.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return dict(_state("", _Unpickler(archive).load()))
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path} is damaged or holds more than tensors ({error}), and code in it is never run; "
            "get it again from a source that you trust"
        ) from error
    except Exception as error:  # a damaged pickle can fail in any way
        raise errors.damaged(path, error) from error


class _Module:
    """A module's attributes; its methods stay in the archive."""

    kept: frozenset[str] | None
    """The names of parameters and buffers; None where the class does not list them."""

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        self.attributes = dict(attributes)


def _state(prefix: str, module: Any) -> Iterator[tuple[str, Tensor]]:
    if not isinstance(module, _Module):
        raise pickle.UnpicklingError("it is no module")
    for name, value in module.attributes.items():
        if isinstance(value, _Module):
            yield from _state(f"{prefix}{name}.", value)
        elif isinstance(value, Tensor) and (module.kept is None or name in module.kept):
            yield prefix + name, value


class _Unpickler(pickle.Unpickler):
    """Reads modules, tensors and plain containers; refuses all else.

    What a pickle can reach through a name, it can also set attributes of. So all of these are
    built-in, or made for one unpickler alone.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        data = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        super().__init__(BytesIO(archive.read(data)))
        self._archive, self._folder = archive, data.removesuffix("/data.pkl")
        self._storages: dict[str, Tensor] = {}
        lists = ("build_boollist", "build_doublelist", "build_intlist", "build_tensorlist")
        self._known: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): dict,
            ("torch._utils", "_rebuild_tensor_v2"): partial(_tensor),
            ("torch.jit._pickle", "restore_type_tag"): lambda value, _type: value,
            **{("torch.jit._pickle", name): list for name in lists},
            **{("torch", name): dtype for name, dtype in STORAGES.items()},
        }

    def find_class(self, module: str, name: str) -> Any:
        place = module, name
        if place not in self._known:
            if module.split(".")[0] != "__torch__":
                raise pickle.UnpicklingError(f"it names {module}.{name}")
            self._known[place] = type(name, (_Module,), {"kept": self._kept(*place)})
        return self._known[place]

    def persistent_load(self, description: Any) -> Tensor:
        """Read the content of a storage, from whatever device it was."""
        _, dtype, key, _device, _size = description
        if key not in self._storages:
            content = bytearray(self._archive.read(f"{self._folder}/data/{key}"))
            made = torch.frombuffer(content, dtype=dtype) if content else torch.empty(0).to(dtype)
            self._storages[key] = made
        return self._storages[key]

    def _kept(self, module: str, name: str) -> frozenset[str] | None:
        """Return the parameters and buffers that the source of a class lists."""
        file = f"{self._folder}/code/{module.replace('.', '/')}.py"
        if file not in self._archive.namelist():
            return None
        source = self._archive.read(file).decode()
        pattern = rf"^class {re.escape(name)}\(Module\):\n" + "".join(
            rf"\s+__{kind}__ = \[(.*)\]\n" for kind in ("parameters", "buffers")
        )
        listed = re.search(pattern, source, re.MULTILINE)
        return frozenset(re.findall(r'"([^"]*)"', listed[1] + listed[2])) if listed else None


def _tensor(
    storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> Tensor:
    return storage.as_strided(size, stride, offset)
