"""The same families in other networks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from visioncircuits import comparison, networks
from visioncircuits.errors import InputError
from visioncircuits.figures import Figure
from visioncircuits.stimuli import named
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
    half to double as large: in the nearest of them that has three detectors or more. A family
    counts where, on photographs, its units have partners of the other network's family that they
    correlate with more than with any null.
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
        mine = found[study.network.name]
        if not mine:
            yield claim.untestable(f"{study.network.name} has no {family} detectors to match")
            continue
        try:
            shared = [matched(study, mine, studies[name], found[name]) for name in others]
        except Unavailable as missing:
            holds = None if min(others.values()) >= 3 else False
            detail, unmatched = "", f" Families are not matched: {missing}."
        else:
            holds = min(others.values()) >= 3 and all(each.counts for each in shared)
            detail, unmatched = "; ".join(map(str, shared)), ""
        yield claim.found(
            "; ".join(f"{name.rpartition(':')[2]} {len(units)}" for name, units in found.items()),
            holds=holds,
            interval=detail,
            why="Units that pass the family's hypothesis. Holds where every other network has "
            "three or more, and the family's units correlate with partners of the same family "
            "beyond the strictest null: mismatched photographs, the other network's weights "
            "shuffled, Gabor energies. The article has AlexNet, VGG19, ResNet and InceptionV3."
            + unmatched,
        )
    for family, found in families.items():
        yield Plate(
            f"universal-{family}",
            rows_drawn(studies, found),
            f"{family.capitalize()} detectors of the available networks.",
        )


@dataclass(frozen=True)
class Shared:
    """How many units of a family have a partner of the same family, and how far beyond nulls.

    Attributes
    ----------
    name
        The other network.
    partners, units
        So many of so many.
    chance
        How many there would be, were partners any units.
    null
        The strictest.
    beyond
        Median, low and high of the difference to it, over units with such a partner.
    """

    name: str
    partners: int
    units: int
    chance: float
    null: str
    beyond: tuple[float, float, float]

    @property
    def counts(self) -> bool:
        """Whether more partners are of the family than by chance, and are beyond the null."""
        return self.partners > self.chance and self.beyond[1] > 0

    def __str__(self) -> str:
        who = f"{self.name}: {self.partners} of {self.units} have a partner of the family"
        if not self.partners:
            return who
        middle, low, high = self.beyond
        return (
            f"{who} (chance {self.chance:.1f}), {middle:+.2f} beyond {self.null} "
            f"({low:+.2f} to {high:+.2f})"
        )


def matched(study: Study, units: list[str], other: Study, others: list[str]) -> Shared:
    """Match a family with the whole layer that the other network has the same family in.

    Raises
    ------
    Unavailable
        Without photographs.
    """
    photographs = study.photographs(study.of(100, quick=20))
    name = other.network.name.rpartition(":")[2]
    if not others:
        return Shared(name, 0, len(units), 0.0, "", (0.0, 0.0, 0.0))
    layer = others[0].rpartition(":")[0]
    found = comparison.match_nulls(
        study.network, units, other.network, layer, photographs, stimuli=[named("edges")],
        seed=study.seed,
    )  # fmt: skip
    table = comparison.pairs(found)
    same = comparison.overlap(table, units, others, width=other.network.layer(layer).units)
    with_partner = table.loc[table["partner"].isin(others), "unit"].tolist()
    if not with_partner:
        return Shared(name, 0, len(units), same.chance, "", (0.0, 0.0, 0.0))
    beyond = comparison.beyond_nulls(found.sel(unit=with_partner), seed=study.seed)
    null, strictest = str(beyond.index[-1]), beyond.iloc[-1]
    bounds = (float(strictest["beyond"]), float(strictest["low"]), float(strictest["high"]))
    return Shared(name, same.same, len(units), same.chance, null, bounds)


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
            found[name] = study.studying(study.beside(networks.load(name)))
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
