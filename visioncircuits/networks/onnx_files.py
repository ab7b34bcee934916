"""Reading an ONNX file as data: the graph, and the tensors that it keeps in files beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from visioncircuits import errors
from visioncircuits.errors import InputError

EXTRA = "`pip install visioncircuits[onnx]`"


def read(path: Path) -> Any:
    """Parse an ONNX file, without tensors that it keeps in other files.

    Parameters
    ----------
    path
        A file that is there.

    Returns
    -------
    onnx.ModelProto
        Its graph's names and values are as in the file; nothing of it is run.

    Raises
    ------
    InputError
        Where the file is damaged, or the package `onnx` is not installed.
    """
    try:
        import onnx  # an extra
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    except ImportError as error:
        raise InputError(f"reading {path} needs {EXTRA}") from error
    try:
        return onnx.load(path, load_external_data=False)
    except DecodeError as error:
        raise errors.damaged(path, error) from error


def load_tensors(model: Any, path: Path) -> None:
    """Read the tensors that a graph keeps in files beside it.

    Raises
    ------
    InputError
        For a file that is in another folder, also by a link, is not there, or is too short.
    """
    import onnx
    from onnx.external_data_helper import load_external_data_for_tensor

    folder = path.absolute().parent
    for tensor in _tensors(model.graph):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        place = {entry.key: entry.value for entry in tensor.external_data}.get("location", "")
        file = folder / place
        if Path(place).name != place or place == ".." or file.is_symlink():
            raise InputError(
                f"{path} keeps the tensor {tensor.name!r} in {place!r}, and only files in its own "
                "folder are read; save it as one file"
            )
        if not file.is_file():
            raise InputError(f"{path} keeps the tensor {tensor.name!r} in {file}, which is missing")
        try:
            load_external_data_for_tensor(tensor, str(folder))
        except Exception as error:  # onnx raises several kinds of its own
            raise errors.damaged(file, error) from error
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
