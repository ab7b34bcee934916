"""Activations on disk: of any layers, on any number of photographs, as memory-mapped arrays.

A folder holds one `.npy` file a layer, which any program reads, and `activations.json`, which is
written last. Until then arrays are in a hidden folder, named by the digest of all that they depend
on; each piece of work is listed there when its rows are on disk. So an interrupted run goes on
where it was, and what is half written never looks finished.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from visioncircuits import __version__, datasets, files, fingerprint
from visioncircuits.datasets import Photographs, Source
from visioncircuits.engine import Engine, Store, digest, folders, local
from visioncircuits.errors import InputError
from visioncircuits.examples.collect import BATCH
from visioncircuits.examples.kept import Kept, kept
from visioncircuits.examples.loading import CONTENTS, contents_of, mapped
from visioncircuits.networks import Features, Network
from visioncircuits.networks.fixed_parameters import parameters_fixed
from visioncircuits.networks.memory import freed_memory_kept
from visioncircuits.numbers import whole
from visioncircuits.progress import bar

_SKIPPED = "skipped.json"
"""What a finished piece of work has: the reasons why photographs could not be read."""


_PIECE, _BYTES = 128, 1 << 26
"""The most photographs, and about how many bytes, in a piece of work."""


def save_activations(
    network: Network,
    features: Features,
    photographs: Source,
    path: str | Path,
    *,
    positions: int | str = "all",
    dtype: str = "float16",
    batch: int = BATCH,
    seed: int = 0,
    engine: Engine | None = None,
    progress: bool = False,
) -> Path:
    """Write activations on photographs to a folder of memory-mapped arrays.

    Called again with the same arguments it goes on where it was interrupted, or returns at once
    where all is done. Memory does not grow with the number of photographs.

    Parameters
    ----------
    network
        Any network.
    features
        Layers, for all of their units, or features of any layers. A layer whose name ends in
        `_pre_relu` gives the values before the rectifier.
    photographs
        Any (see `datasets.photographs`). Where one cannot be read its activations are NaN, and it
        is listed in `record["skipped"]`.
    path
        The folder. It may be new or exist, but not with other activations in it.
    positions
        `"all"`, for whole maps; their `"mean"` or `"max"`; or how many positions of each
        photograph are drawn at random. All features of a layer are kept at the same ones.
    dtype
        `"float16"` or `"float32"`.
    batch
        Photographs at once.
    seed
        Of the positions.
    engine
        Who does the work; this process by default.
    progress
        Whether to show a bar, after a line with the size on disk.

    Returns
    -------
    Path
        The folder, for `load_activations`.

    Raises
    ------
    InputError
        Before anything is computed: for an unknown feature or option, more positions than a layer
        has, a folder with other activations, or a disk without enough room. Later: for activations
        that float16 cannot hold, or a full disk.

    Examples
    --------
    >>> import tempfile
    >>> from visioncircuits.examples import load_activations
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(2, 3, 64, 64)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     saved = save_activations(network, "conv2d2", pictures, folder, positions=3)
    ...     dict(load_activations(saved).sizes)
    {'sample': 6, 'unit': 192}
    """
    path = Path(path)
    whole("batch", batch, least=1)
    whole("seed", seed, least=0, most=2**64 - 1)
    chosen = kept(network, features, positions, dtype, seed)
    given = datasets.photographs(photographs)
    record = _record(network, chosen, given)
    with folders.alone(path):
        if (path / CONTENTS).exists():
            if contents_of(path)["record"] == record:
                return path
            raise InputError(f"{path} holds other activations; choose another folder or remove it")
        unfinished = path / f"{files.PART}{digest(record)}"
        skipped = _fill(unfinished, network, chosen, given, batch, engine, progress)
        labels = given.known_labels
        contents = {
            "record": record,
            "skipped": skipped,
            "photographs": given.names,
            "labels": labels if labels and None not in labels else None,
            "layers": {part.layer: part.described() for part in chosen},
        }
        with files.explained(path):
            for file in unfinished.glob("*.npy"):  # some are moved already if this was interrupted
                file.replace(path / file.name)
        files.write(path / CONTENTS, json.dumps(contents).encode())
        folders.sweep(path)
    return path


def _fill(
    folder: Path,
    network: Network,
    parts: Sequence[Kept],
    given: Photographs,
    batch: int,
    engine: Engine | None,
    progress: bool,
) -> list[str]:
    """Compute what is missing of the arrays in an unfinished folder; return what was skipped."""
    store = Store(folder / "pieces")
    names = {name: row for part in parts for name, row in part.rows().items()}
    size = sum(row.nbytes for row in names.values())
    length = max(1, min(_PIECE, _BYTES // size))
    works = [
        {"first": first, "count": min(length, len(given) - first)}
        for first in range(0, len(given), length)
    ]
    done = {digest(work) for work in store.finished()}
    missing = [work for work in works if digest(work) not in done]
    if missing and not all((folder / name).exists() for name in names):
        shutil.rmtree(folder, ignore_errors=True)
        missing = works
    left = sum(work["count"] for work in missing)
    files.check_room(
        folder.parent, size * left, "these activations", "draw positions (positions=16)"
    )
    if progress:
        print(f"{folder.parent}: {files.written_size(size * len(given))}", file=sys.stderr)
    if missing == works:
        _create(folder, names, len(given))
    items = [
        (work["first"], given.part(range(work["first"], work["first"] + work["count"])))
        for work in missing
    ]
    with bar("photographs", len(given), visible=progress) as advance:
        if left < len(given):
            advance(len(given) - left)
        function = partial(_computed, network, parts, batch)
        for place, (found, skipped) in (engine or local(workers=1)).map(function, items):
            for name, rows in found.items():
                _write(folder / name, missing[place]["first"], rows)
            store.add(missing[place], {_SKIPPED: json.dumps(skipped).encode()})
            advance(missing[place]["count"])
    each = (json.loads((store.path(work) / _SKIPPED).read_text()) for work in works)
    return [problem for problems in each for problem in problems]


def _record(network: Network, parts: Sequence[Kept], given: Photographs) -> dict[str, Any]:
    """Return, as JSON data, all that the arrays depend on.

    The batch is not among it, so that a run that was out of memory can go on with a smaller one.
    """
    first = parts[0]
    record = {
        "visioncircuits": __version__,
        "code": fingerprint.code(),
        "torch": torch.__version__,
        "device": network.device.type,
        "network": network.record(),
        "size": network.size,
        "features": {
            part.layer: None if _is_whole(network, part) else [f.record() for f in part.features]
            for part in parts
        },
        "positions": first.positions,
        "dtype": first.dtype,
        "seed": first.seed,
        "photographs": {
            "count": len(given),
            "sha256": given.digest(),
            "order": hashlib.sha256("\n".join(given.names).encode()).hexdigest(),
        },
    }
    return dict(json.loads(json.dumps(record)))


def _is_whole(network: Network, part: Kept) -> bool:
    return part.indices == list(range(network.layer(part.layer).units))


def _computed(
    network: Network, parts: Sequence[Kept], batch: int, item: tuple[int, Photographs]
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Compute a piece of work: rows by file, and the reasons why photographs were skipped."""
    first, photographs = item
    layers = [part.layer for part in parts]
    found = {
        name: np.full((len(photographs), *row.shape), -1 if row.dtype == np.int32 else np.nan,
                      row.dtype)
        for part in parts
        for name, row in part.rows().items()
    }  # fmt: skip
    skipped: list[str] = []
    pending: list[tuple[int, Tensor]] = []

    def settle() -> None:
        places, pixels = zip(*pending, strict=True)
        maps = network.activations(torch.stack(pixels), layers)
        for part in parts:
            for name, rows in part.of(maps[part.layer], first + np.array(places)).items():
                found[name][list(places)] = rows
        pending.clear()

    with torch.inference_mode(), freed_memory_kept(), parameters_fixed():
        for place, photograph in enumerate(photographs.at(network.size)):
            if photograph.pixels is None:
                skipped.append(photograph.problem)
                continue
            pending.append((place, photograph.pixels))
            if len(pending) == batch:
                settle()
        if pending:
            settle()
    return found, skipped


def _create(folder: Path, names: Mapping[str, np.ndarray], count: int) -> None:
    """Make the files, whose rows are written later."""
    with files.explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, row in names.items():
            shape = (count, *row.shape)
            np.lib.format.open_memmap(folder / name, "w+", row.dtype, shape)


def _write(path: Path, first: int, rows: np.ndarray) -> None:
    """Write rows into a file of `_create`'s, from the row `first`, and wait for the disk.

    Through the file, not a map of it: on a full disk writing to a map kills the process.
    """
    offset = mapped(path).offset + first * rows[0].nbytes
    with files.explained(path), path.open("r+b") as file:
        file.seek(offset)
        file.write(np.ascontiguousarray(rows).tobytes())
        file.flush()
        os.fsync(file.fileno())
