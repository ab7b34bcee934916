"""From a selection to pieces of work: pictures to make, in batches."""

from collections.abc import Container, Iterable, Iterator, Sequence

import visioncircuits
from visioncircuits import fingerprint
from visioncircuits.engine import Work, digest
from visioncircuits.gallery.recipe import Recipe, Show
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Network, Unit

BATCH = 16
"""How many pictures are optimized at once, or units weighed: more gain nothing on a core."""

CUT = 32
"""Of how many units examples are cut at once: a photograph is read once for all of them."""

TOGETHER = 1024
"""How many units are measured at once: one forward pass is for all units of a layer."""


def requests(recipe: Recipe, network: Network, selections: Sequence[Selection]) -> list[Work]:
    """Describe all pictures of a gallery: for each layer and kind, what is wanted of its units.

    All that a picture depends on stands in its description, so that what was made for another
    recipe, or another state of this one, is known to be the same or not.
    """
    return [
        {
            "what": "feature visualization",
            "version": visioncircuits.__version__,
            "code": fingerprint.code(),
            "network": network.record(),
            "kind": kind,
            "pictures": pictures,
            "settings": recipe.quality.settings(),
            "features": [str(Unit(selection.layer.name, unit)) for unit in selection.units],
        }
        for selection in selections
        for kind, pictures in kinds(recipe.show).items()
    ]


def weighings(recipe: Recipe, network: Network, selections: Sequence[Selection]) -> list[Work]:
    """Describe all that a gallery tells of weights, as `requests` does of pictures."""
    if not recipe.weights.connections:
        return []
    return [
        {
            "what": "weights",
            "version": visioncircuits.__version__,
            "code": fingerprint.code(),
            "network": network.record(),
            "weights": recipe.weights.model_dump(),
            "features": [str(Unit(selection.layer.name, unit)) for unit in selection.units],
        }
        for selection in selections
    ]


def measurements(recipe: Recipe, network: Network, selections: Sequence[Selection]) -> list[Work]:
    """Describe all that a gallery tells of tuning; layers without positions have none."""
    return [
        {
            "what": "tuning",
            "version": visioncircuits.__version__,
            "code": fingerprint.code(),
            "network": network.record(),
            "stimuli": name,
            "batch": TOGETHER,
            "features": [str(Unit(selection.layer.name, unit)) for unit in selection.units],
        }
        for selection in selections
        if len(selection.layer.shape) == 2
        for name in recipe.tuning.stimuli
    ]


def illustrations(
    recipe: Recipe, network: Network, selections: Sequence[Selection], photographs: str
) -> list[Work]:
    """Describe all that a gallery shows of photographs, whose fingerprint is given."""
    return [
        {
            "what": "dataset examples",
            "version": visioncircuits.__version__,
            "code": fingerprint.code(),
            "network": network.record(),
            "photographs": photographs,
            "examples": recipe.examples.model_dump(exclude={"images"}),
            "batch": CUT,
            "features": [str(Unit(selection.layer.name, unit)) for unit in selection.units],
        }
        for selection in selections
        if len(selection.layer.shape) == 2
    ]


def kinds(show: Show) -> dict[str, int]:
    """Give how many pictures of each kind a unit gets, those it gets."""
    counts = {
        "positive": int(show.positive),
        "negative": int(show.negative),
        "diversity": show.diversity,
    }
    return {kind: count for kind, count in counts.items() if count}


def batches(asked: Iterable[Work], finished: Container[str]) -> Iterator[Work]:
    """Cut what has not been made yet into pieces of work.

    How float arithmetic rounds depends on a batch's size, so a picture's last bits do too. A job
    that is taken up again still cuts the same batches: of what a request asks in order, whole
    batches are finished, and the cuts between the others stay where they were.
    """
    for work in asked:
        missing = [feature for feature in work["features"] if key(work, feature) not in finished]
        size = max(1, work.get("batch", BATCH) // work.get("pictures", 1))
        for start in range(0, len(missing), size):
            yield {**work, "features": missing[start : start + size]}


def amount(work: Work) -> int:
    """Count the pictures, or the units weighed or measured, that a piece of work gives."""
    return len(work["features"]) * work.get("pictures", 1)


def key(work: Work, feature: str) -> str:
    """Name what is made of one feature, whichever batch it is made in."""
    return digest({**work, "features": [feature]})


def index(works: Iterable[Work]) -> dict[str, Work]:
    """Say in which piece of work each feature's pictures are."""
    return {key(work, feature): work for work in works for feature in work["features"]}
