"""From a recipe to a site: the whole way, taken up again wherever it was left."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from visioncircuits import engine, files, networks
from visioncircuits.engine import WorkFailed, folders
from visioncircuits.errors import InputError
from visioncircuits.gallery import plan, recipe, site, surveying
from visioncircuits.gallery.collection import collect
from visioncircuits.gallery.drawing import draw
from visioncircuits.gallery.illustrating import illustrate
from visioncircuits.gallery.measuring import measure
from visioncircuits.gallery.selection import select
from visioncircuits.gallery.weighing import weigh

Job = Callable[..., Mapping[str, bytes]]
"""Takes a piece of work, a `checkpoint` and a `device`; gives files, name to content."""

MARK = "recipe.toml"
"""The first file of a site, the recipe that it is of, says that the folder is a gallery's."""


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

    What is finished already is not made again: neither by a build that was interrupted, at
    whatever moment, nor for a recipe that has been changed elsewhere. However often it was
    interrupted and on however many workers, the site is the same to the byte.

    Parameters
    ----------
    recipe_path
        A TOML file; see `Recipe`.
    out
        The site's folder: new, empty, or of an earlier build, what of which the recipe no longer
        asks for is removed.
    images
        Photographs for dataset examples, instead of those that the recipe names: a folder, a tar
        file or a folder of tar files. Where the recipe's are not there, the site does without.
    workers
        How many processes, by default one a core; or an engine, such as `engine.cluster()`.
    device
        Where to compute, such as `"cuda"`. Only on one kind of device are sites the same to the
        byte.
    progress
        Whether to show how far it is, on standard error.

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
    jobs: dict[str, tuple[Job, list[engine.Work]]] = {
        "pictures": (draw, plan.requests(source.recipe, network, selections)),
        "weights": (weigh, plan.weighings(source.recipe, network, selections)),
        "tuning": (measure, plan.measurements(source.recipe, network, selections)),
    }
    images = Path(images) if images else None
    survey = surveying.find(source, selections, images, device=device)
    with folders.alone(out):
        _claim(out)
        folders.sweep(out)
        files.write(out / MARK, source.text.encode())
        failures = []
        surveyed = engine.Store(out / "survey")
        if survey:
            try:
                found = surveying.complete(survey, surveyed, workforce, shown=progress)
                jobs["examples"] = (
                    partial(
                        illustrate,
                        images=survey.images,
                        found=found.absolute(),
                        classes=surveying.classes(survey),
                    ),
                    plan.illustrations(
                        source.recipe, network, selections, surveying.fingerprint(survey)
                    ),
                )
            except WorkFailed as error:
                failures.append(error)
        elif not (images or source.recipe.examples.images):
            jobs["examples"] = (illustrate, [])
        stores = {label: engine.Store(out / label) for label in jobs}
        for label, (job, asked) in jobs.items():
            work = partial(job, checkpoint=checkpoint, device=device)
            failed = _complete(label, stores[label], work, asked, workforce, shown=progress)
            failures.extend([failed] if failed else [])
        requests = {label: asked for label, (_, asked) in jobs.items()}
        gallery, used = collect(source, network, selections, requests, stores, out)
        if not gallery.layers:
            raise failures[0]
        index = site.write(gallery, out)
        for label, store in stores.items():
            store.keep(used[label])
        if "examples" in jobs:  # what was found in photographs that are away is kept for later
            surveying.tidy(survey, surveyed)
    if failures:
        raise failures[0]
    return index


def _complete(
    label: str,
    store: engine.Store,
    job: Job,
    asked: Sequence[engine.Work],
    workforce: engine.Engine,
    *,
    shown: bool,
) -> WorkFailed | None:
    """Do what is missing of the work asked for; give what failed of it."""
    missing = list(plan.batches(asked, plan.index(store.finished())))
    total = sum(map(plan.amount, missing))
    with engine.progress(label, total, visible=shown and total > 0) as advance:
        try:
            engine.complete(
                store,
                job,
                missing,
                engine=workforce,
                advance=lambda work: advance(plan.amount(work)),
            )
        except WorkFailed as error:
            return error
    return None


def _claim(out: Path) -> None:
    """Make sure that `out` is a gallery's or nobody's."""
    found = {path.name for path in out.iterdir() if not path.name.startswith(files.PART)}
    if found and MARK not in found:
        raise InputError(
            f"{out} holds something else than a gallery; choose a folder that is new or empty"
        )
