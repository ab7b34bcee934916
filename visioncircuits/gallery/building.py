"""From a recipe to a site: the whole way, resumed wherever it was interrupted."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from visioncircuits import engine, files, networks
from visioncircuits.engine import WorkFailed, folders
from visioncircuits.errors import InputError
from visioncircuits.gallery import plan, recipe, writing
from visioncircuits.gallery.collection import collect
from visioncircuits.gallery.evidence import examples, photographs, tuning, visualizations, weights
from visioncircuits.gallery.evidence.kind import Build, Kind, Make, Task
from visioncircuits.gallery.selection import select
from visioncircuits.progress import bar

KINDS: tuple[Kind, ...] = (visualizations.KIND, weights.KIND, tuning.KIND, examples.KIND)
"""The kinds of evidence, in the order in which they are made."""

MARK = "recipe.toml"
"""The first file of a site, its recipe, marks the folder as a gallery's."""


def build(
    recipe_path: str | Path,
    out: str | Path,
    *,
    images: str | Path | None = None,
    workers: int | engine.Engine | None = None,
    device: str = "cpu",
    progress: bool = True,
) -> Path:
    """Build a gallery.

    What is finished already is not made again: neither after an interruption, at whatever moment,
    nor for a recipe that was changed elsewhere. However often the build was interrupted and on
    however many workers it ran, the site is the same to the byte.

    Parameters
    ----------
    recipe_path
        A TOML file; see `Recipe`.
    out
        The site's folder: new, empty, or of an earlier build, of which the recipe's is kept and
        the rest removed.
    images
        Photographs for dataset examples, instead of those that the recipe names: a folder, a tar
        file or a folder of tar files. Where the recipe's are not there, the site has no examples.
    workers
        How many processes, by default one a core; or an engine, such as `engine.cluster()`.
    device
        Where to compute, such as `"cuda"`. Only on one kind of device are sites the same to the
        byte.
    progress
        Whether to show progress, on standard error.

    Returns
    -------
    Path
        The index page, to open in a browser.

    Raises
    ------
    InputError
        For what is wrong with the recipe, before anything is computed; for a folder that cannot
        be written, is in use, or holds something else; for a full disk.
    WorkFailed
        Where some pictures could not be made. The site is there, without them.
    """
    out = Path(out)
    source = recipe.read(recipe_path)
    checkpoint = source.beside(source.recipe.checkpoint)
    workforce = workers if isinstance(workers, engine.Engine) else engine.local(workers=workers)
    network = networks.load(source.recipe.network, checkpoint=checkpoint, device=device)
    selections = select(source, network)
    images = Path(images) if images else None
    survey = photographs.find(source, selections, images, device=device)
    start = Build(source, network, selections, out, workforce, images, survey, progress)
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
            if task is not None:
                tasks[kind] = task
        stores = {kind: engine.Store(out / kind.name) for kind in tasks}
        for kind, task in tasks.items():
            work = partial(task.make, checkpoint=checkpoint, device=device)
            failed = _complete(start, kind.name, stores[kind], work, task.requests)
            failures.extend([failed] if failed else [])
        requests = {kind: task.requests for kind, task in tasks.items()}
        gallery, used = collect(source, network, selections, requests, stores, out)
        if not gallery.layers:
            raise failures[0]
        index = writing.write(gallery, out)
        for kind, task in tasks.items():
            stores[kind].keep(used[kind])
            task.tidy()
    if failures:
        raise failures[0]
    return index


def _complete(
    build: Build, label: str, store: engine.Store, make: Make, requests: Sequence[engine.Work]
) -> WorkFailed | None:
    """Do what is missing of the work requested; return what failed of it."""
    missing = list(plan.batches(requests, plan.index(store.finished())))
    total = sum(map(plan.amount, missing))
    with bar(label, total, visible=build.progress and total > 0) as advance:
        try:
            engine.complete(
                store,
                make,
                missing,
                engine=build.engine,
                advance=lambda work: advance(plan.amount(work)),
            )
        except WorkFailed as error:
            return error
    return None


def _claim(out: Path) -> None:
    """Check that `out` is empty or a gallery's."""
    found = {path.name for path in out.iterdir() if not path.name.startswith(files.PART)}
    if found and MARK not in found:
        raise InputError(
            f"{out} holds something else than a gallery; choose a folder that is new or empty"
        )
