"""A pass over any number of photographs, in parts: on many workers, and resumable.

The examples of a part depend on the part alone, and joining them makes no rounding error, see
`exact`. So the examples are the same to the byte on one worker and on many, however often the work
was interrupted and whichever parts were joined first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from visioncircuits import datasets, engine, fingerprint, networks
from visioncircuits.datasets import Source
from visioncircuits.engine import Engine, Store, Work
from visioncircuits.engine.local import Local
from visioncircuits.errors import InputError
from visioncircuits.examples import parts
from visioncircuits.examples.collect import (
    BATCH,
    TOP,
    check,
    collect_part,
    nothing_read,
    provenance,
    recorded,
)
from visioncircuits.examples.joining import join
from visioncircuits.examples.record import Examples, read
from visioncircuits.networks import Direction, Features, Network
from visioncircuits.networks.memory import freed_memory_kept
from visioncircuits.networks.obtaining import Given, Obtain, checked, obtaining
from visioncircuits.progress import bar

EXAMPLES = "examples.npz"
"""The file that a piece of work writes."""

SKIPPED = "photographs that were not processed"


@dataclass(frozen=True)
class Survey:
    """A planned pass over photographs, divided into pieces of work; returned by `survey`.

    Attributes
    ----------
    source
        The folder or tar file that the photographs are in.
    works
        One for each part, in their order, with all that its examples depend on.
    obtain
        Returns the network, to every worker.
    classes
        The names of the photographs' classes, by number, where they are known.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> folder = Path(tempfile.mkdtemp())
    >>> for gray in (0, 100, 200):
    ...     Image.new("L", (60, 60), gray).save(folder / f"{gray}.png")
    >>> plan = survey("handwritten:color-contrast", "conv2d0", folder, shard=2)
    >>> len(plan), len(plan.works), plan.finished(Store(folder / "work"))
    (3, 2, [])
    """

    source: Path
    works: tuple[Work, ...]
    obtain: Obtain
    classes: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        return f"Survey({self.source}: {len(self)} photographs in {len(self.works)} parts)"

    def __len__(self) -> int:
        """Count the photographs, including those that cannot be read."""
        return sum(map(amount, self.works))

    def finished(self, store: Store) -> list[Work]:
        """Return the pieces of work that are already done."""
        done = {engine.digest(work) for work in store.finished()}
        return [work for work in self.works if engine.digest(work) in done]

    def carry_out(
        self,
        store: Store,
        *,
        workforce: Engine | None = None,
        progress: bool = False,
    ) -> None:
        """Process the unfinished parts, storing the examples of each as soon as it is done.

        Parameters
        ----------
        store
            Where the examples are stored.
        workforce
            Which workers run it; by default one local worker for each core, or this process where
            the network was given as an object.
        progress
            Whether to show a bar of the photographs, with those that are finished.

        Raises
        ------
        InputError
            If photographs no longer exist, a worker loads another checkpoint than this process, or
            workers of other processes would need a network that is an object of this one.
        WorkFailed
            If parts failed; all others are finished.
        """
        workforce = workforce_for(self.obtain, workforce)
        with bar("photographs", len(self), visible=progress) as advance:
            if done := sum(map(amount, self.finished(store))):
                advance(done)
            engine.complete(
                store,
                partial(collect_work, source=self.source, obtain=self.obtain),
                self.works,
                engine=workforce,
                advance=lambda work: advance(amount(work)),
            )

    def join(self, store: Store, *, workforce: Engine | None = None) -> Path:
        """Join the examples of all parts, in a tree on the workers; return the file of the result.

        Photographs of unfinished parts are listed as skipped. What is joined is stored, so that an
        interruption loses little.

        Parameters
        ----------
        store
            Where the examples of the parts are.
        workforce
            As for `carry_out`.

        Raises
        ------
        InputError
            If no picture could be read.
        """
        done = {engine.digest(work) for work in self.finished(store)}
        works = [work if engine.digest(work) in done else _skipped(work) for work in self.works]
        for work in works:
            if work["what"] == SKIPPED:
                none = Examples({}, {}, 0, tuple(work["why"]), work["record"])
                store.add(work, {EXAMPLES: none.packed()})
        workforce = workforce_for(self.obtain, workforce)
        joining = partial(join_pieces, record=self.works[0]["record"])
        path = engine.join(store, joining, works, engine=workforce) / EXAMPLES
        seen, skipped = read(path)
        if not seen:
            raise nothing_read(skipped)
        return path

    def joined(self, store: Store, *, workforce: Engine | None = None) -> Examples:
        """Join as `join` does, and load the result."""
        return Examples.load(self.join(store, workforce=workforce))


def survey(
    network: str | Network,
    features: Features,
    photographs: Source,
    *,
    checkpoint: str | Path | None = None,
    device: str | None = None,
    precision: str | None = None,
    labels: str = "auto",
    top: int = TOP,
    seed: int = 0,
    shard: int = parts.SHARD,
) -> Survey:
    """Plan a pass over photographs that many workers share and that can be interrupted.

    Parameters
    ----------
    network
        A name, as for `networks.load`: every worker loads it itself. Or a network, which only this
        process can work with.
    features, top, seed
        As for `collect`.
    photographs
        Files, which workers read by themselves: a folder of pictures; a tar file, or a folder of
        tar files, as WebDataset writes them; a sequence of paths; or `Photographs` made of these.
        All are read once while planning, because parts are identified by their content. Workers on
        other machines need them, and the checkpoint, at the same path. Pictures in memory are for
        `collect`.
    checkpoint, device, precision
        As for `networks.load`; a network has its own.
    labels
        As for `datasets.photographs`. In tar files classes are stored beside the pictures.
    shard
        Number of pictures of a folder in a piece of work; a tar file is one piece.

    Returns
    -------
    Survey
        Nothing has been processed yet.

    Raises
    ------
    InputError
        For an unknown network or layer, a layer without positions, if there is no picture, or for
        pictures that are not in files, or some of a tar file's.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> folder = Path(tempfile.mkdtemp())
    >>> for gray in (0, 200):
    ...     Image.new("L", (60, 60), gray).save(folder / f"{gray}.png")
    >>> plan = survey("handwritten:color-contrast", ["conv2d0"], folder, top=1)
    >>> store = Store(folder / "work")
    >>> plan.carry_out(store, workforce=engine.local(workers=1))
    >>> plan.joined(store).seen
    2
    """
    obtain = obtaining(network, checkpoint=checkpoint, device=device, precision=precision)
    return planned(obtain, features, photographs, labels=labels, top=top, seed=seed, shard=shard)


def planned(
    obtain: Obtain,
    features: Features,
    photographs: Source,
    *,
    labels: str = "auto",
    top: int = TOP,
    seed: int = 0,
    shard: int = parts.SHARD,
) -> Survey:
    """Plan a pass of the network that `obtain` returns to every worker; see `survey`."""
    if shard < 1:
        raise InputError(f"a part must contain 1 picture or more, not {shard}")
    check(top=top, seed=seed)
    loaded = obtain()
    layers, directions = recorded(loaded, networks.expand(loaded, features))
    work = {
        "what": "dataset examples",
        "size": loaded.size,
        "batch": BATCH,
        "record": provenance(loaded, layers, directions, top=top, seed=seed),
    }
    found = datasets.photographs(photographs, labels=labels)
    source = parts.source(found)
    works = tuple({**work, "part": part} for part in parts.parts(found, shard=shard))
    return Survey(source, works, obtain, found.classes)


def amount(work: Work) -> int:
    """Count the photographs of a piece of work."""
    return int(work["part"]["count"])


def workforce_for(obtain: Obtain, workforce: Engine | None) -> Engine:
    """Return the engine to work on, by default one that can have the network.

    Raises
    ------
    InputError
        Where workers of other processes would need a network that is an object of this one.
    """
    if not isinstance(obtain, Given):
        return workforce or engine.local()
    if workforce is None:
        return engine.local(workers=1)
    if not isinstance(workforce, Local) or workforce.workers > 1:
        raise obtain.refusal()
    return workforce


def collect_work(work: Work, *, source: Path, obtain: Obtain) -> dict[str, bytes]:
    """Collect examples from one part of the photographs, on a worker.

    Returns
    -------
    dict
        One file with the part's `Examples`.

    Raises
    ------
    InputError
        If a tar file cannot be read, or the checkpoint or this package differs from the planned
        one.
    """
    record = work["record"]
    if record["code"] != fingerprint.code():
        raise InputError(
            "a worker has another visioncircuits than this survey; install the same on all machines"
        )
    network = checked(obtain(), record["network"])
    examples = collect_part(
        network,
        record["layers"],
        [Direction(**direction) for direction in record["directions"].values()],
        parts.of_part(work["part"], source).at(work["size"]),
        top=record["top"],
        batch=work["batch"],
        seed=record["seed"],
        first=work["part"]["first"],
    )
    return {EXAMPLES: examples.packed()}


def join_pieces(folders: Sequence[Path], *, record: Mapping[str, Any]) -> dict[str, bytes]:
    """Join the examples in some folders, on a worker."""
    pieces = (Examples.load(folder / EXAMPLES) for folder in folders)
    with freed_memory_kept():  # each piece is as large as the one before it
        return {EXAMPLES: join(pieces, record).packed()}


def _skipped(work: Work) -> Work:
    """Describe a part that failed: without examples, and why."""
    first, count = work["part"]["first"], work["part"]["count"]
    problem = f"photographs {first} to {first + count - 1} were not processed: their part failed"
    return {"what": SKIPPED, "why": [problem], "record": work["record"]}
