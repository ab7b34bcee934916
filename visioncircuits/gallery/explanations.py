"""Explained photographs, a chapter of a site: what the network detected in each, and where."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import visioncircuits
from visioncircuits import attribution, datasets, fingerprint
from visioncircuits.attribution.explaining import asked
from visioncircuits.attribution.slopes import SLOPES
from visioncircuits.datasets import Photographs
from visioncircuits.engine import Store, Work
from visioncircuits.errors import InputError
from visioncircuits.featurevis.thumbnails import thumbnails
from visioncircuits.gallery.chapter import Chapter
from visioncircuits.gallery.contents import Link
from visioncircuits.gallery.evidence.kind import Build, Task
from visioncircuits.gallery.recipe_tables import Explain
from visioncircuits.networks import Network
from visioncircuits.site import explanation

NAME = "explanations"

ROOT = "../../"
"""The site's folder, from a page."""


def plan(build: Build) -> Task:
    """Check all tables and their photographs, and describe a page a photograph.

    Raises
    ------
    InputError
        For a photograph that is not there or cannot be read, unknown layers or classes, and
        layers that do not follow one another; with the recipe's line.
    """
    works: list[Work] = []
    sources: dict[str, Photographs] = {}
    for place, table in enumerate(build.recipe.explain):
        options = _options(build, place, table)
        for photograph in _photographs(build, place, table):
            digest = photograph.digest()
            sources[digest] = photograph
            works.append(
                {
                    "what": "explanation",
                    "version": visioncircuits.__version__,
                    "code": fingerprint.code(),
                    "network": build.network.record(),
                    "network_size": build.network.size,
                    "photograph": {"name": Path(photograph.names[0]).stem, "sha256": digest},
                    **options,
                }
            )
    return Task(works, partial(make, photographs=sources))


def _options(build: Build, place: int, table: Explain) -> Work:
    try:
        layers, classes = asked(build.network, table.layers, table.classes, groups=table.groups)
    except InputError as error:
        raise build.source.error(("explain", place), str(error)) from error
    if not classes and not table.top:
        message = "no class is explained; name one in `classes`, or set `top` to 1 or more"
        raise build.source.error(("explain", place, "top"), message)
    options = table.model_dump(exclude={"photographs", "layers", "classes"})
    return {**options, "layers": layers, "classes": classes, "seed": build.recipe.quality.seed}


def _photographs(build: Build, place: int, table: Explain) -> list[Photographs]:
    """Find the photographs one by one, and read each once."""
    found = []
    for name in table.photographs:
        path, at = build.source.beside(name), ("explain", place, "photographs")
        assert path is not None
        if not path.exists():
            raise build.source.error(at, f"there is no photograph at {path}, and no folder of some")
        try:
            each = datasets.photographs(path, labels="none")
            each.pictures(build.network.size)
        except InputError as error:
            raise build.source.error(at, str(error)) from error
        found += [each.part([number]) for number in range(len(each))]
    return found


def make(
    network: Network, work: Work, *, photographs: Mapping[str, Photographs]
) -> Mapping[str, bytes]:
    """Explain a photograph.

    Parameters
    ----------
    network
        That the work was planned with.
    work
        As `plan` describes it.
    photographs
        By their SHA-256.

    Returns
    -------
    dict
        The files of its page.
    """
    found = attribution.explain(
        network,
        photographs[work["photograph"]["sha256"]].pictures(network.size),
        work["layers"],
        classes=work["classes"],
        top=work["top"],
        groups=work["groups"],
        slope=SLOPES[work["slope"]],
        seed=work["seed"],
    )
    worth = explanation.worth_a_picture(found, units=work["pictures"])
    pictures = thumbnails(network, worth, steps=work["steps"], progress=False)
    title = work["photograph"]["name"]
    return explanation.files(found, pictures, title=title, root=ROOT)


def links(build: Build, works: Sequence[Work]) -> list[Link]:
    """Link each photograph's page."""
    store = Store(build.out / NAME)
    found = []
    for work in works:
        folder = store.path(work).relative_to(build.out).as_posix()
        name, layers = work["photograph"]["name"], ", ".join(work["layers"])
        found.append(
            Link(name, f"{folder}/index.html", f"{folder}/{explanation.PHOTOGRAPH}", layers)
        )
    return found


CHAPTER = Chapter(NAME, "Photographs, explained", plan, links)
