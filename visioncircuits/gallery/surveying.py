"""Which photographs a gallery draws on, and one pass over them for all its layers."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from visioncircuits import engine, examples
from visioncircuits.engine import Store, Work
from visioncircuits.errors import InputError
from visioncircuits.examples import Survey
from visioncircuits.examples.survey import amount
from visioncircuits.gallery.recipe import Source
from visioncircuits.gallery.selection import Selection

log = logging.getLogger(__name__)

FOUND = "examples.npz"
"""What is kept of the pass: see `Examples`."""

PARTS = "parts"
"""The folder with what is finished of the pass, as long as not all is."""


def find(
    source: Source, selections: Sequence[Selection], images: Path | None, *, device: str = "cpu"
) -> Survey | None:
    """Find the photographs, and plan the pass.

    Parameters
    ----------
    images
        Instead of those that the recipe names.
    device
        Where to compute.

    Returns
    -------
    Survey or None
        None where no photographs are asked for, where no layer has positions, and where the
        recipe names a folder that is not there: recipes travel without their photographs.

    Raises
    ------
    InputError
        Where there is no picture in the folder, or no such folder as `images`.
    """
    asked = source.recipe.examples
    layers = [each.layer.name for each in selections if len(each.layer.shape) == 2]
    where = images or source.beside(asked.images)
    if where is None or not layers:
        return None
    if not images and not where.exists():
        log.warning(
            "no dataset examples: there are no photographs at %s; name others with --images", where
        )
        return None
    try:
        return examples.survey(
            source.recipe.network,
            layers,
            where,
            checkpoint=source.beside(source.recipe.checkpoint),
            device=device,
            labels=asked.labels,
            top=asked.top,
        )
    except InputError as error:
        raise error if images else source.error(("examples", "images"), str(error)) from error


def fingerprint(survey: Survey) -> str:
    """Tell one collection of photographs from another, by their names and content."""
    return engine.digest({"parts": [work["part"] for work in survey.works]})


def classes(survey: Survey) -> dict[int, str]:
    """Name the classes: after the folders that they are, or by their numbers."""
    files = [file for work in survey.works for file in work["part"].get("files", ())]
    return {
        file["label"]: file["name"].partition("/")[0] for file in files if file["label"] is not None
    }


def described(survey: Survey) -> Work:
    """Describe the whole pass as one piece of work."""
    whole = {name: value for name, value in survey.works[0].items() if name != "part"}
    return {**whole, "what": "survey", "photographs": fingerprint(survey)}


def complete(survey: Survey, store: Store, workforce: engine.Engine, *, shown: bool) -> Path:
    """Carry out the pass, or what is missing of it; give the file with what was found.

    Raises
    ------
    InputError
        Where none of the photographs can be read.
    WorkFailed
        Where parts of them failed; the others are finished.
    """
    work = described(survey)
    found = store.path(work) / FOUND
    if engine.digest(work) in map(engine.digest, store.finished()):
        return found
    parts = Store(store.folder / PARTS)
    done = survey.finished(parts)
    with engine.progress("photographs", len(survey), visible=shown) as advance:
        advance(sum(map(amount, done)))
        survey.carry_out(parts, workforce=workforce, advance=advance)
    store.add(work, {FOUND: survey.joined(parts).packed()})
    return found


def tidy(survey: Survey | None, store: Store) -> None:
    """Remove what other passes gave, and what all of them gave of parts."""
    store.keep([described(survey)] if survey else [])
    shutil.rmtree(store.folder / PARTS, ignore_errors=True)
