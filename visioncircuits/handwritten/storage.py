"""Handwritten networks as files: the weights and the units' labels."""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from visioncircuits import tensor_files
from visioncircuits.errors import InputError
from visioncircuits.handwritten.circuit import (
    AROUND_GRAY,
    Handwritten,
    HandwrittenNetwork,
    Stage,
    handwritten,
)
from visioncircuits.handwritten.labels import Label
from visioncircuits.networks.checkpoints import Checkpoint
from visioncircuits.networks.network import Network

SUFFIX = ".safetensors"

METADATUM = "handwritten"
"""The key of the safetensors file's metadata."""


def save(network: Network, path: str | Path) -> Path:
    """Save a handwritten network, its weights and its units' labels, as a safetensors file.

    The same network gives the same bytes. `load` reads them.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        For a network that is not handwritten, a name that does not end in `.safetensors`, or a
        file that cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from visioncircuits.handwritten.frequency import high_low
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(high_low(), f"{folder}/high-low.safetensors").name
    'high-low.safetensors'
    """
    module, path = handwritten(network), Path(path)
    if path.suffix != SUFFIX:
        raise InputError(f"{path} must end in {SUFFIX}, the only format with labels")
    stages = [
        {
            "layer": stage.layer,
            "size": stage.size,
            "stride": stage.stride,
            "padding": stage.padding,
            "threshold": stage.threshold,
            "pool": stage.pool,
            "normalization": stage.normalization,
            "units": [label.record() for label in stage.units],
        }
        for stage in module.stages
    ]
    tensor_files.write(path, METADATUM, {"stages": stages}, module.state_dict())
    return path


def read(path: str | Path) -> Network:
    """Read a handwritten network that `save` wrote.

    Raises
    ------
    InputError
        If there is no such file, or it contains no handwritten network.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    try:
        record, tensors = tensor_files.read(path, METADATUM)
        module = Handwritten([_stage(stage) for stage in record["stages"]])
        module.load_state_dict(tensors)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{path} holds no handwritten network; write one with `visioncircuits handwritten "
            "curves -o FILE`"
        ) from error
    return HandwrittenNetwork(
        module, AROUND_GRAY, name=f"handwritten:{path}", checkpoint=Checkpoint(path)
    )


def _stage(record: dict[str, Any]) -> Stage:
    return Stage(**record | {"units": [Label(**unit) for unit in record["units"]]})
