"""Finished work on disk: a folder for each piece, named by the digest of its description."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from visioncircuits.engine import folders
from visioncircuits.engine.work import Engine
from visioncircuits.errors import InputError

Work = Mapping[str, Any]
"""All that a result depends on, as values that JSON can represent."""

_MANIFEST = "work.json"


def digest(work: Work) -> str:
    """Return the name of a piece of work: equal descriptions have equal names.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    >>> len(digest({}))
    16
    """
    text = json.dumps(work, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Store:
    """A folder of finished work.

    A piece is a folder of files that appears whole: interrupted work has no folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store, work = Store(Path(folder)), {"unit": "mixed3b:379"}
    ...     store.add(work, {"picture.txt": b"an arch"})
    ...     list(store.finished()), (store.path(work) / "picture.txt").read_text()
    ([{'unit': 'mixed3b:379'}], 'an arch')
    """

    folder: Path

    def path(self, work: Work) -> Path:
        """Return the folder of a piece of work, which exists once it is finished."""
        return self.folder / digest(work)

    def add(self, work: Work, results: Mapping[str, bytes]) -> None:
        """Store the files of a piece of work."""
        manifest = {"work": work, "bytes": {name: len(data) for name, data in results.items()}}
        text = json.dumps(manifest, indent=1, sort_keys=True)
        folders.write(self.path(work), {**results, _MANIFEST: text.encode()})

    def finished(self) -> Iterator[Work]:
        """Iterate over finished work, in a fixed order; damaged pieces are left out."""
        for manifest in sorted(self.folder.glob(f"*/{_MANIFEST}")):
            try:
                content = json.loads(manifest.read_text())
            except ValueError:
                continue
            sizes = content["bytes"]
            if all(_size(manifest.parent / name) == size for name, size in sizes.items()):
                yield content["work"]

    def keep(self, works: Sequence[Work]) -> None:
        """Remove all finished work except `works`."""
        kept = {digest(work) for work in works}
        for manifest in list(self.folder.glob(f"*/{_MANIFEST}")):
            if manifest.parent.name not in kept:
                shutil.rmtree(manifest.parent)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def complete(
    store: Store,
    function: Callable[[Work], Mapping[str, bytes]],
    works: Sequence[Work],
    *,
    engine: Engine,
    advance: Callable[[Work], object] = lambda work: None,
) -> None:
    """Compute the works that are missing in the store, storing each as soon as it is finished.

    Workers store their results themselves: those of a cluster need the folder at the same path.

    Parameters
    ----------
    function
        Returns the files of a piece of work, name to bytes.
    advance
        Is called with every piece when it is finished.

    Raises
    ------
    InputError
        For a mistake of the user, a full disk, or workers that have another folder at this path;
        what is finished is kept.
    WorkFailed
        Where pieces failed; all others are finished and stored.

    Examples
    --------
    >>> import tempfile
    >>> from visioncircuits.engine import local
    >>> def doubled(work: Work) -> dict[str, bytes]:
    ...     return {"double.txt": str(2 * work["number"]).encode()}
    >>> works = [{"number": 3}, {"number": 4}]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(Path(folder))
    ...     complete(store, doubled, works, engine=local(workers=1))
    ...     (store.path(works[1]) / "double.txt").read_text()
    '8'
    """
    store = Store(store.folder.absolute())  # workers of a cluster run elsewhere
    folders.sweep(store.folder, deep=False)
    finished = {digest(work) for work in store.finished()}
    missing = [work for work in works if digest(work) not in finished]
    for index, _ in engine.map(partial(_stored, function=function, store=store), missing):
        if not store.path(missing[index]).exists():
            raise InputError(
                f"workers write to another {store.folder} than this process reads; choose a folder "
                "that all machines share"
            )
        advance(missing[index])


def _stored(work: Work, *, function: Callable[[Work], Mapping[str, bytes]], store: Store) -> None:
    """Compute and store a piece, on a worker: results do not pass through the driver."""
    store.add(work, function(work))
