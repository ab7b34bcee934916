"""The photographs of a gallery, and one pass over them for all its layers."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from visioncircuits import datasets, engine
from visioncircuits.engine import Store, Work
from visioncircuits.errors import InputError
from visioncircuits.examples import Survey
from visioncircuits.examples.survey import planned
from visioncircuits.gallery.recipe import Source
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Feature
from visioncircuits.networks.obtaining import Obtain

log = logging.getLogger(__name__)

FOUND = "examples.npz"
"""The result of the pass: see `Examples`."""

PARTS = "parts"
"""The folder with the finished parts of the pass, until all are."""


def find(
    source: Source,
    obtain: Obtain,
    selections: Sequence[Selection],
    photographs: Path | None,
) -> Survey | None:
    """Find the photographs, and plan the pass.

    Parameters
    ----------
    source, obtain, selections
        The recipe, what returns the network to workers, and the features that the recipe selects.
    photographs
        Instead of those that the recipe names.

    Returns
    -------
    Survey or None
        None where no photographs are named, where no layer has positions, and where the recipe
        names a folder that is not there: recipes are shared without their photographs.

    Raises
    ------
    InputError
        Where there is no picture in the folder, or no such folder as `photographs`.
    """
    options = source.recipe.examples
    features: list[str | Feature] = []
    for each in selections:
        if len(each.layer.shape) == 2:
            features += [each.layer.name] * bool(each.units) + list(each.directions)
    where = photographs or source.beside(options.photographs)
    if where is None or not features:
        return None
    if not photographs and not where.exists():
        log.warning(
            "no dataset examples: there are no photographs at %s; name others with --photographs",
            where,
        )
        return None
    try:
        found = datasets.photographs(where, labels=options.labels, range=options.range)
        return planned(obtain, features, found, top=options.top)
    except InputError as error:
        at = ("examples", "photographs")
        raise error if photographs else source.error(at, str(error)) from error


def fingerprint(survey: Survey) -> str:
    """Compute the fingerprint of a collection of photographs, from their names and content."""
    return engine.digest({"parts": [work["part"] for work in survey.works]})


def classes(survey: Survey) -> dict[int, str]:
    """Map the numbers of classes to their names; {} where these are not known."""
    return dict(enumerate(survey.classes or ()))


def description(survey: Survey) -> Work:
    """Describe the whole pass as one piece of work."""
    whole = {name: value for name, value in survey.works[0].items() if name != "part"}
    return {**whole, "what": "survey", "photographs": fingerprint(survey)}


def complete(survey: Survey, store: Store, workforce: engine.Engine, *, progress: bool) -> Path:
    """Carry out the pass, or what is missing of it; return the file with the result.

    Raises
    ------
    InputError
        Where none of the photographs can be read.
    WorkFailed
        Where parts of them failed; the others are finished.
    """
    work = description(survey)
    found = store.path(work) / FOUND
    if engine.digest(work) in map(engine.digest, store.finished()):
        return found
    parts = Store(store.folder / PARTS)
    survey.carry_out(parts, workforce=workforce, progress=progress)
    store.add(work, {FOUND: survey.join(parts, workforce=workforce).read_bytes()})
    return found


def tidy(survey: Survey | None, store: Store) -> None:
    """Remove the results of other passes, and all finished parts."""
    store.keep([description(survey)] if survey else [])
    shutil.rmtree(store.folder / PARTS, ignore_errors=True)
