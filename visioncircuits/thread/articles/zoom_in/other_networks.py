"""The same families in other networks."""

from collections.abc import Iterator

import numpy as np

from visioncircuits import networks
from visioncircuits.errors import InputError
from visioncircuits.figures import Figure
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import SHUFFLED, Unavailable
from visioncircuits.thread.units import number

OTHERS = ("bvlc_googlenet", "torchvision:squeezenet1_1", "torchvision:alexnet")
CURVES_TOO = here("other networks have curve detectors", "5 of 5 networks")
SIDES_TOO = here("other networks have high-low frequency detectors", "5 of 5 networks")


@part(CURVES_TOO, SIDES_TOO, stand_ins=(SHUFFLED,))
def universality(study: Study) -> Iterator[Row | Plate]:
    """Universality.

    The available networks, each tested by the same stimuli, in layers whose receptive fields are
    half to double as large: in the nearest of them that has three detectors or more.
    """
    families: dict[str, dict[str, list[str]]] = {}
    studies = {study.network.name: study, **other_studies(study)}
    for claim, family, layer in (
        (CURVES_TOO, "curve", "mixed3b"),
        (SIDES_TOO, "high-low", "mixed3a"),
    ):
        found = {}
        for name, each in studies.items():
            found[name] = first_detectors(each, family, layer)
        families[family] = found
        others = {name: len(units) for name, units in found.items() if name != study.network.name}
        if not others:
            yield claim.untestable("no other network is available")
            continue
        yield claim.found(
            "; ".join(f"{name.rpartition(':')[2]} {len(units)}" for name, units in found.items()),
            holds=min(others.values()) >= 3,
            why="Units that pass the family's hypothesis. Holds where every other network has "
            "three or more. The article has AlexNet, VGG19, ResNet and InceptionV3.",
        )
    for family, found in families.items():
        yield Plate(
            f"universal-{family}",
            rows_drawn(studies, found),
            f"{family.capitalize()} detectors of the available networks.",
        )


def first_detectors(study: Study, family: str, layer: str) -> list[str]:
    """List a family's units in the first of the corresponding layers that has three."""
    found: list[str] = []
    try:
        for name in study.layers(layer):
            found = study.found(family, name)["unit"].tolist() or found
            if len(found) >= 3:
                break
    except (Unavailable, InputError):
        pass
    return found


def other_studies(study: Study) -> dict[str, Study]:
    """Return a study of each other network whose parameters are available."""
    found = {}
    for name in OTHERS:
        available = networks.checkpoints.find(name.rpartition(":")[2]) is not None
        if available and name != study.network.name:
            network = networks.load(name)
            found[name] = study.studying(network)
    return found


def rows_drawn(studies: dict[str, Study], found: dict[str, list[str]], *, most: int = 8) -> Figure:
    """Draw a row of units for each network."""
    first = {name: units[:most] for name, units in found.items() if units}
    figure = Figure(figsize=(1.15 * most, 1.6 * max(len(first), 1)))
    parts = np.ravel(np.array(figure.subfigures(max(len(first), 1), 1)))
    for part_, (name, units) in zip(parts, first.items(), strict=False):
        part_.text(0.01, 0.98, name.rpartition(":")[2], va="top", fontsize=9)
        row = part_.subplots(1, most)
        part_.subplots_adjust(0.01, 0.02, 0.99, 0.74, 0.06)
        for axes in row:
            axes.axis("off")
        pictures = studies[name].pictures(units)
        for axes, unit, picture in zip(row, units, pictures, strict=False):
            axes.imshow(picture)
            axes.set_title(number(unit), fontsize=8, pad=2)
    return figure
