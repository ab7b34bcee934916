"""Samples of activations on disk, in shards: written once, read in shuffled batches many times."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from visioncircuits import files
from visioncircuits.dictionaries.sampling import Samples
from visioncircuits.dictionaries.shuffling import Rows, Shuffled
from visioncircuits.engine import Engine, Store, Work, complete, digest, folders, local
from visioncircuits.errors import InputError, damaged
from visioncircuits.progress import bar
from visioncircuits.wording import counted

CONTENTS = "samples.json"
"""The file that is written last."""

_ROWS, _SKIPPED = "samples.npy", "skipped.json"


@dataclass(frozen=True, eq=False)
class ActivationStore:
    """Samples of a layer's activations on disk, which are read when they are needed.

    Attributes
    ----------
    folder
        That `store` wrote.
    record
        What the samples depend on: network, layer, photographs, options, versions.
    skipped
        Why photographs could not be read, in whose place there are others.
    counts
        Samples in each shard.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> from visioncircuits.dictionaries import samples, store
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(4, 3, 64, 64)
    >>> folder = tempfile.mkdtemp()
    >>> kept = store(samples(network, "conv2d2", pictures, positions=9), folder)
    >>> kept
    ActivationStore(conv2d2, 36 samples of 192 units, in 1 shard)
    >>> len(ActivationStore.load(folder))
    36
    """

    folder: Path
    record: Mapping[str, Any]
    skipped: tuple[str, ...]
    counts: tuple[int, ...]

    def __repr__(self) -> str:
        return (
            f"ActivationStore({self.layer}, {len(self)} samples of {self.units} units, in "
            f"{counted(len(self.counts), 'shard')})"
        )

    def __len__(self) -> int:
        """Count the samples."""
        return sum(self.counts)

    @property
    def layer(self) -> str:
        """The layer's name."""
        return str(self.record["layer"])

    @cached_property
    def units(self) -> int:
        """Units of the layer."""
        return int(self.shard(0).shape[1])

    def shard(self, number: int) -> Rows:
        """Open a shard, whose values are read where they are used.

        Raises
        ------
        InputError
            Where its file is missing or damaged.
        """
        path = Store(self.folder).path(_work(self.record, number)) / _ROWS
        try:
            return np.asarray(np.load(path, mmap_mode="r"))
        except (OSError, ValueError) as error:
            raise damaged(path, error) from error

    @cached_property
    def _shuffled(self) -> Shuffled:
        return Shuffled(self.shard, self.counts)

    def batch(self, step: int, *, size: int, seed: int) -> Float32[Tensor, "size units"]:
        """Return the samples of a training step; see `Shuffled.batch`."""
        return self._shuffled.batch(step, size=size, seed=seed)

    @classmethod
    def load(cls, folder: str | Path) -> "ActivationStore":
        """Open what `store` wrote.

        Raises
        ------
        InputError
            Where there are no finished samples.
        """
        folder = Path(folder)
        path = folder / CONTENTS
        if not path.is_file():
            unfinished = folder.is_dir() and any(folder.iterdir())
            hint = "they are unfinished, and the same `store` goes on" if unfinished else (
                "`dictionaries.store` writes them"
            )  # fmt: skip
            raise InputError(f"there are no samples in {folder}; {hint}")
        try:
            contents = json.loads(path.read_text("utf-8"))
            return cls(
                folder, contents["record"], tuple(contents["skipped"]), tuple(contents["counts"])
            )
        except (OSError, ValueError, KeyError) as error:
            raise damaged(path, error) from error


def store(
    drawn: Samples,
    folder: str | Path,
    *,
    engine: Engine | None = None,
    progress: bool = False,
) -> ActivationStore:
    """Write samples to a folder, shard by shard.

    Called again with the same samples it goes on where it was interrupted, however that happened,
    and the result is the same to the byte; it returns at once where all is done.

    Parameters
    ----------
    drawn
        From `samples`.
    folder
        It may be new or exist, but not with other samples in it.
    engine
        Who does the work; this process by default.
    progress
        Whether to show a bar of the shards.

    Returns
    -------
    ActivationStore
        As `ActivationStore.load` opens it.

    Raises
    ------
    InputError
        Before anything is computed: for a folder with other samples, or a disk without enough
        room. Later: for shards none of whose photographs can be read, activations that float16
        cannot hold, or a full disk.
    WorkFailed
        Where shards failed; all others are finished and kept.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> from visioncircuits.dictionaries import samples
    >>> from visioncircuits.networks import untrained
    >>> drawn = samples(untrained("bvlc_googlenet"), "conv2d2", torch.rand(4, 3, 64, 64))
    >>> kept = store(drawn, tempfile.mkdtemp())
    >>> kept.batch(0, size=5, seed=0).equal(drawn.batch(0, size=5, seed=0))
    True
    """
    folder = Path(folder)
    record = json.loads(json.dumps(drawn.record()))
    works = [_work(record, number) for number in range(len(drawn.counts))]
    pieces = Store(folder)
    with folders.alone(folder):
        folders.sweep(folder)  # what a killed process left
        if any(work not in works for work in pieces.finished()):
            raise InputError(f"{folder} holds other samples; choose another folder or remove it")
        if not (folder / CONTENTS).is_file():
            done = {digest(work) for work in pieces.finished()}
            left = drawn.bytes * (len(works) - len(done)) // len(works)
            files.check_room(folder, left, "these samples", "draw positions (positions=16)")
            with bar("shards", len(works), visible=progress) as advance:
                advance(len(done))
                complete(
                    pieces,
                    partial(_computed, drawn),
                    works,
                    engine=engine or local(workers=1),
                    advance=lambda work: advance(1),
                )
            skipped = [
                problem
                for work in works
                for problem in json.loads((pieces.path(work) / _SKIPPED).read_text())
            ]
            contents = {"record": record, "skipped": skipped, "counts": drawn.counts}
            files.write(folder / CONTENTS, json.dumps(contents).encode())
    return ActivationStore.load(folder)


def _work(record: Mapping[str, Any], shard: int) -> Work:
    return {"samples": digest(record), "shard": shard}


def _computed(drawn: Samples, work: Work) -> dict[str, bytes]:
    """Compute the files of a shard."""
    rows, skipped = drawn.computed(work["shard"])
    buffer = io.BytesIO()
    np.save(buffer, rows)
    return {_ROWS: buffer.getvalue(), _SKIPPED: json.dumps(skipped).encode()}
