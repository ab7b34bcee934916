"""From a recipe to a site: the whole way, resumed wherever it was interrupted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from visioncircuits import engine, files
from visioncircuits.engine import Work, WorkFailed, folders
from visioncircuits.errors import InputError
from visioncircuits.examples.survey import workforce_for
from visioncircuits.gallery import atlases, explanations, plan, writing
from visioncircuits.gallery.chapter import Chapter
from visioncircuits.gallery.collection import collect
from visioncircuits.gallery.evidence import (
    atoms,
    examples,
    partners,
    tuning,
    visualizations,
    weights,
)
from visioncircuits.gallery.evidence.kind import Build, Kind, Make, Task
from visioncircuits.gallery.evidence.photographs import find
from visioncircuits.gallery.recipe import read
from visioncircuits.gallery.selection import select
from visioncircuits.networks import Features, Network
from visioncircuits.networks.obtaining import Obtain, checked, obtaining
from visioncircuits.progress import bar

KINDS: tuple[Kind, ...] = (
    examples.KIND,
    visualizations.KIND,
    weights.KIND,
    atoms.KIND,
    partners.KIND,
    tuning.KIND,
)
"""The kinds of evidence, in the order in which they are made.

Photographs come first, so that a mistake there is met at the door; partners after the weights
and atoms that show them.
"""

CHAPTERS: tuple[Chapter, ...] = (explanations.CHAPTER, atlases.CHAPTER)
"""The chapters of a site, in the order in which the index links them."""

MARK = "recipe.toml"
"""The first file of a site, its recipe, marks the folder as a gallery's."""


def build(
    recipe: str | Path,
    out: str | Path,
    *,
    network: Network | None = None,
    features: Features = (),
    photographs: str | Path | None = None,
    workers: int | engine.Engine | None = None,
    device: str | None = None,
    precision: str | None = None,
    progress: bool = False,
) -> Path:
    """Build a gallery.

    What is finished already is not made again: neither after an interruption, at whatever moment,
    nor for a recipe that was changed elsewhere. However often the build was interrupted and on
    however many workers it ran, the site is the same to the byte.

    Parameters
    ----------
    recipe
        A TOML file; see `Recipe`.
    out
        The site's folder: new, empty, or of an earlier build, of which the recipe's is kept and
        the rest removed.
    network
        Instead of the one that the recipe names, which it then need not. Only this process can
        work with it.
    features
        Shown after those that the recipe names, of which there may be none then: directions that
        are in memory, for example.
    photographs
        For dataset examples, instead of those that the recipe names: a folder, a tar
        file or a folder of tar files. Where the recipe's are not there, the site has no examples.
    workers
        How many processes, by default one a core, or this one where `network` is given; or an
        engine, such as `engine.cluster()`.
    device
        Where to compute, such as `"cuda"`; by default the CPU, or where a given network is. Only
        on one kind of device are sites the same to the byte. What is finished on another is kept;
        each picture's record names its own.
    precision
        What to compute in, see `Network.computing_in`; by default float32, or what a given network
        computes in. What is finished in another is made anew.
    progress
        Whether to show progress, on standard error.

    Returns
    -------
    Path
        The index page, to open in a browser.

    Raises
    ------
    InputError
        For what is wrong with the recipe or the features, before anything is computed; for a
        folder that cannot be written, is in use, or holds something else; for a full disk; for a
        given network with workers of other processes.
    WorkFailed
        Where some pictures could not be made. The site is there, without them.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> recipe = '''
    ... title = "Gabor filters"
    ... network = "handwritten:lines"
    ... quality = { steps = 2, size = 16 }
    ... weights = { connections = 0 }
    ... layers = [{ name = "conv2d0", units = "0-3" }]
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     (Path(folder) / "gabors.toml").write_text(recipe) and None
    ...     page = build(Path(folder) / "gabors.toml", Path(folder) / "site", workers=1)
    ...     "4 units in 1 layer of handwritten:lines" in page.read_text()
    True
    """
    out = Path(out)
    source = read(recipe, named=network is None, chosen=not features)
    obtain = obtaining(
        source.network if network is None else network,
        checkpoint=source.beside(source.recipe.checkpoint) if network is None else None,
        device=device,
        precision=precision,
    )
    workforce = engine.local(workers=workers) if isinstance(workers, int) else workers
    workforce = workforce_for(obtain, workforce)
    found = obtain()
    selections = select(source, found, features)
    given = Path(photographs) if photographs else None
    survey = find(source, obtain, selections, given)
    start = Build(source, found, selections, obtain, out, workforce, given, survey, progress)
    chapters = {chapter: chapter.plan(start) for chapter in CHAPTERS}
    with folders.alone(out):
        _claim(out)
        folders.sweep(out)
        files.write(out / MARK, source.text.encode())
        failures = []
        tasks: dict[Kind, Task] = {}
        for kind in KINDS:
            try:
                task = kind.plan(start)
            except WorkFailed as error:
                failures.append(error)
                continue
            if task is None:
                continue
            tasks[kind] = task
            store = engine.Store(out / kind.name)
            missing = list(plan.batches(task.requests, plan.index(store.finished())))
            failures += _complete(start, store, task.make, missing)
        links = {}
        for chapter, task in chapters.items():
            store = engine.Store(out / chapter.name)
            store.keep(task.requests)
            failures += _complete(start, store, task.make, task.requests)
            if done := [work for work in task.requests if store.path(work).exists()]:
                try:
                    links[chapter.title] = chapter.links(start, done)
                except WorkFailed as error:
                    failures.append(error)
        gallery, finished = collect(start, {kind: task.requests for kind, task in tasks.items()})
        if not gallery.layers:
            raise failures[0]
        index = writing.write(replace(gallery, chapters=links), out)
        for kind, task in tasks.items():
            finished[kind].keep_used()
            task.tidy()
    if failures:
        raise failures[0]
    return index


def _complete(
    build: Build, store: engine.Store, make: Make, works: Sequence[Work]
) -> list[WorkFailed]:
    """Do what is missing of some work; return what failed of it."""
    finished = set(map(engine.digest, store.finished()))
    missing = [work for work in works if engine.digest(work) not in finished]
    total = sum(map(plan.amount, missing))
    with bar(store.folder.name, total, visible=build.progress and total > 0) as advance:
        try:
            engine.complete(
                store,
                partial(_made, build.obtain, make),
                missing,
                engine=build.engine,
                advance=lambda work: advance(plan.amount(work)),
            )
        except WorkFailed as error:
            return [error]
    return []


def _made(obtain: Obtain, make: Make, work: Work) -> Mapping[str, bytes]:
    """Do a piece of work, on a worker."""
    return make(checked(obtain(), work["network"]), work)


def _claim(out: Path) -> None:
    """Check that `out` is empty or a gallery's."""
    found = {path.name for path in out.iterdir() if not path.name.startswith(files.PART)}
    if found and MARK not in found:
        raise InputError(
            f"{out} holds something else than a gallery; choose a folder that is new or empty"
        )
