"""Finished work joined in a tree, on the workers: the driver only names the pieces."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from visioncircuits.engine.store import Store, Work, complete, digest
from visioncircuits.engine.work import Engine

ARITY = 32
"""Default number of pieces that a worker joins at once: what it writes, another has to read."""


def join(
    store: Store,
    function: Callable[[Sequence[Path]], Mapping[str, bytes]],
    works: Sequence[Work],
    *,
    engine: Engine,
    arity: int = ARITY,
) -> Path:
    """Join the results of finished works, neighbors with neighbors, until one is left.

    What is joined is stored too: after an interruption the same call goes on where it was. With an
    associative function the result is the same for any arity.

    Parameters
    ----------
    store
        With all `works`, at least one.
    function
        Joins: returns the files of the piece that those in some folders make, in their order. It
        runs on workers and reads the store's folder there.
    works
        In the order in which they are joined.
    arity
        How many pieces are joined at once; 2 or more.

    Returns
    -------
    Path
        The folder with the result; the only work's own where there is one.

    Raises
    ------
    InputError
        Of the function, or for a full disk.
    WorkFailed
        Where joining failed.

    Examples
    --------
    >>> import tempfile
    >>> from visioncircuits.engine import local
    >>> def concatenated(folders: Sequence[Path]) -> dict[str, bytes]:
    ...     return {"text": b"".join((folder / "text").read_bytes() for folder in folders)}
    >>> works = [{"letter": letter} for letter in "tree"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(Path(folder))
    ...     for work in works:
    ...         store.add(work, {"text": work["letter"].encode()})
    ...     root = join(store, concatenated, works, engine=local(workers=1), arity=3)
    ...     (root / "text").read_text()
    'tree'
    """
    levels: list[list[Work]] = [list(works)]
    while len(level := levels[-1]) > 1:
        groups = (level[start : start + arity] for start in range(0, len(level), arity))
        levels.append([_node(group) for group in groups])
    (root,) = levels[-1]
    if digest(root) not in map(digest, store.finished()):
        for level in levels[1:]:
            complete(store, partial(_joined, function=function, store=store), level, engine=engine)
    between = {digest(work) for level in levels[1:-1] for work in level}
    for name in between - {digest(work) for work in works}:  # a last piece may have no neighbors
        shutil.rmtree(store.folder / name, ignore_errors=True)  # some, after an interruption
    return store.path(root)


def _node(group: Sequence[Work]) -> Work:
    return group[0] if len(group) == 1 else {"what": "joined", "of": [*map(digest, group)]}


def _joined(
    work: Work, *, function: Callable[[Sequence[Path]], Mapping[str, bytes]], store: Store
) -> Mapping[str, bytes]:
    return function([store.folder / name for name in work["of"]])
