"""From a recipe to a site: the whole way, taken up again wherever it was left."""

from functools import partial
from pathlib import Path

from visioncircuits import engine, files, networks
from visioncircuits.engine import WorkFailed, folders
from visioncircuits.errors import InputError
from visioncircuits.gallery import plan, recipe, site
from visioncircuits.gallery.collection import collect
from visioncircuits.gallery.drawing import draw
from visioncircuits.gallery.selection import select

MARK = "recipe.toml"
"""The first file of a site, the recipe that it is of, says that the folder is a gallery's."""


def build(
    recipe_path: str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
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
    workers
        How many processes; by default one a core.
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
    workforce = engine.local(workers=workers)
    network = networks.load(source.recipe.network, checkpoint=checkpoint)
    selections = select(source, network)
    asked = plan.requests(source.recipe, network, selections)
    with folders.alone(out):
        _claim(out)
        folders.sweep(out)
        files.write(out / MARK, source.text.encode())
        store = engine.Store(out / "pictures")
        missing = list(plan.batches(asked, plan.index(store.finished())))
        total = sum(len(work["features"]) * work["pictures"] for work in missing)
        failed = None
        with engine.progress("pictures", total, shown=progress) as advance:
            try:
                engine.complete(
                    store,
                    partial(draw, checkpoint=checkpoint),
                    missing,
                    engine=workforce,
                    advance=lambda work: advance(len(work["features"]) * work["pictures"]),
                )
            except WorkFailed as error:
                failed = error
        gallery, used = collect(source, network, selections, asked, store, out)
        if not gallery.layers:
            assert failed is not None
            raise failed
        index = site.write(gallery, out)
        store.keep(used)
    if failed is not None:
        raise failed
    return index


def _claim(out: Path) -> None:
    """Make sure that `out` is a gallery's or nobody's."""
    found = {path.name for path in out.iterdir() if not path.name.startswith(files.PART)}
    if found and MARK not in found:
        raise InputError(
            f"{out} holds something else than a gallery; choose a folder that is new or empty"
        )
