"""A pass over any number of photographs, in parts: on many workers, and taken up where it stopped.

What a part says depends on the part alone, and parts are joined in their order. So the examples
are the same to the byte on one worker and on many, however often the work was interrupted; beside
`collect`'s only sums may differ, in their last digits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial, reduce
from pathlib import Path

from visioncircuits import engine, fingerprint, networks
from visioncircuits.engine import Engine, Store, Work
from visioncircuits.errors import InputError
from visioncircuits.examples import parts
from visioncircuits.examples.collect import BATCH, TOP, check, provenance, shown, some, told
from visioncircuits.examples.record import Examples
from visioncircuits.networks import Network

EXAMPLES = "examples.npz"
"""What a piece of work gives."""


@dataclass(frozen=True)
class Survey:
    """Photographs to be shown to a network, cut into pieces of work; made by `survey`.

    Attributes
    ----------
    images
        The folder or tar file.
    works
        One for each part, in their order. They say all that its examples depend on.
    checkpoint
        Where the network's parameters are, if not where they are looked for.
    """

    images: Path
    works: tuple[Work, ...]
    checkpoint: Path | None

    def __len__(self) -> int:
        """Count the photographs, those that cannot be read too."""
        return sum(map(amount, self.works))

    def finished(self, store: Store) -> list[Work]:
        """Say which parts need not be seen again."""
        done = {engine.digest(work) for work in store.finished()}
        return [work for work in self.works if engine.digest(work) in done]

    def carry_out(
        self,
        store: Store,
        *,
        workforce: Engine | None = None,
        advance: Callable[[int], object] = lambda more: None,
    ) -> None:
        """See the parts that have not been seen, keeping what each says as soon as it is known.

        Parameters
        ----------
        store
            Where that is kept.
        workforce
            Who does it; by default one worker a core.
        advance
            Is told how many photographs more have been seen.

        Raises
        ------
        InputError
            Where photographs have gone, or a worker loads another checkpoint than this process.
        WorkFailed
            Where parts failed; all others are finished.
        """
        engine.complete(
            store,
            partial(show, images=self.images, checkpoint=self.checkpoint),
            self.works,
            engine=workforce or engine.local(),
            advance=lambda work: advance(amount(work)),
        )

    def joined(self, store: Store) -> Examples:
        """Join what all parts say. Photographs of unfinished parts are told as skipped.

        Raises
        ------
        InputError
            Where no picture could be read.
        """
        done = {engine.digest(work) for work in self.finished(store)}
        pieces = (
            Examples.load(store.path(work) / EXAMPLES)
            if engine.digest(work) in done
            else _unseen(work)
            for work in self.works
        )
        found = some(reduce(Examples.joined, pieces))
        record = self.works[0]["record"]
        return replace(
            found, layers={name: found.layers[name] for name in record["layers"]}, record=record
        )


def survey(
    network: str,
    layers: Sequence[str],
    images: str | Path,
    *,
    checkpoint: str | Path | None = None,
    device: str = "cpu",
    precision: str = "float32",
    labels: str = "none",
    top: int = TOP,
    seed: int = 0,
    shard: int = parts.SHARD,
) -> Survey:
    """Plan a pass over photographs that many workers share, and that can be interrupted.

    Parameters
    ----------
    network
        A name, as `networks.load` takes it: every worker loads it for itself.
    layers, top, seed
        As for `collect`.
    images
        A folder of pictures; a tar file, or a folder of tar files, as WebDataset writes them. They
        are read through once to plan, as parts are known by their content.
        Workers on other machines must find it, and the checkpoint, at the same path.
    checkpoint, device, precision
        As for `networks.load`.
    labels
        `"folders"` where the folders in a folder are its pictures' classes. In tar files classes
        stand beside the pictures.
    shard
        How many pictures of a folder are a piece of work; a tar file is one.

    Returns
    -------
    Survey
        Nothing has been shown yet.

    Raises
    ------
    InputError
        For an unknown network or layer, a layer without positions, or where there is no picture.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> folder = Path(tempfile.mkdtemp())
    >>> for grey in (0, 200):
    ...     Image.new("L", (60, 60), grey).save(folder / f"{grey}.png")
    >>> asked = survey("handwritten:color-contrast", ["conv2d0"], folder, top=1)
    >>> store = Store(folder / "work")
    >>> asked.carry_out(store, workforce=engine.local(workers=1))
    >>> asked.joined(store).seen
    2
    """
    if shard < 1:
        raise InputError(f"a part must hold 1 picture or more, not {shard}")
    check(top=top, seed=seed)
    images = Path(images).absolute()
    where = None if checkpoint is None else Path(checkpoint).absolute()
    found = _loaded(network, where, device, precision)
    work = {
        "what": "dataset examples",
        "network": network,
        "device": device,
        "precision": precision,
        "size": found.size,
        "batch": BATCH,
        "record": provenance(found, told(found, layers), top=top, seed=seed),
    }
    cut = parts.parts(images, labels=labels, shard=shard)
    return Survey(images, tuple({**work, "part": part} for part in cut), where)


def amount(work: Work) -> int:
    """Count the photographs of a piece of work."""
    return work["part"]["count"]


def show(work: Work, *, images: Path, checkpoint: Path | None) -> dict[str, bytes]:
    """Show a part of the photographs: what a worker does.

    Returns
    -------
    dict
        One file, the part's `Examples`.

    Raises
    ------
    InputError
        Where a tar file cannot be read, or the checkpoint or this package is another than was
        asked for.
    """
    network = _loaded(work["network"], checkpoint, work["device"], work["precision"])
    record = work["record"]
    if record["code"] != fingerprint.code():
        raise InputError(
            "a worker has another visioncircuits than was asked for; install the same on all "
            "machines"
        )
    if engine.digest(network.record()) != engine.digest(record["network"]):
        raise InputError(
            f"a worker has another checkpoint of {network.name} than was asked for; give all "
            "machines the same file, or name one with checkpoint"
        )
    found = shown(
        network,
        record["layers"],
        parts.photographs(work["part"], images, size=work["size"]),
        top=record["top"],
        batch=work["batch"],
        seed=record["seed"],
        first=work["part"]["first"],
    )
    return {EXAMPLES: found.packed()}


@cache
def _loaded(name: str, checkpoint: Path | None, device: str, precision: str) -> Network:
    """Load a network, once in a process."""
    return networks.load(name, checkpoint=checkpoint, device=device, precision=precision)


def _unseen(work: Work) -> Examples:
    first, count = work["part"]["first"], work["part"]["count"]
    told = f"photographs {first} to {first + count - 1}: their part failed, they were not shown"
    return Examples({}, {}, 0, (told,), work["record"])
