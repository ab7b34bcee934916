"""How much is understood: which share of each layer a supported hypothesis explains."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool

from visioncircuits.comparison.coverage import (
    Coverage,
    coverage_panel,
    covered_by_families,
    covered_by_stimuli,
)
from visioncircuits.figures import Figure
from visioncircuits.hypotheses import applicable
from visioncircuits.thread import Article, Plate, Row, Study, here, paper, part
from visioncircuits.thread.claims import SHUFFLED, Unavailable
from visioncircuits.thread.intervals import share_interval
from visioncircuits.thread.units import numbers

OTHERS = {"conv2d0": 14, "conv2d1": 5, "conv2d2": 7, "mixed3a": 5, "mixed3b": 9}
"""Per cent of each layer that "An Overview of Early Vision" files under Other Units."""

NAMED = paper(
    "the taxonomy gives all but few units of early vision a family with a name",
    ", ".join(f"{layer} all but {share} %" for layer, share in OTHERS.items()),
)


@part(NAMED)
def taxonomy(study: Study) -> Iterator[Row | Plate]:
    """What the taxonomy covers.

    A family's name is a claim by people who looked; for most families no test was published. How
    few units of later layers are in one is in An Overview of Early Vision.
    """
    families = study.taxonomy().layers
    shares = {}
    for layer in OTHERS:
        counts = {name: len(units) for name, units in families[layer].items()}
        shares[layer] = int(100 * counts["Other Units"] / sum(counts.values()) + 0.5)
    yield NAMED.found(
        ", ".join(f"{layer} all but {share} %" for layer, share in shares.items()),
        holds=shares == OTHERS,
    )


EXPLAINED = here(
    "stimuli explain a part of early vision: hypotheses that can fail are supported for it",
    "no number published",
)
CHANCE = here("random parameters are not explained in this way", "no number published")
OVERLAP = here("explanations hardly overlap: a unit is of one family", "one family a unit")


def explained(study: Study, layer: str) -> Coverage:
    """Collect which units each predefined hypothesis that applies to a layer is supported for."""
    name = study.layer(layer)
    families = {
        tested.name: numbers(study.found(tested.name, layer)["unit"])
        for tested in applicable(study.network, name)
    }
    return covered_by_families(study.network, name, families)


def covered(coverage: Coverage) -> Bool[np.ndarray, " units"]:
    """Return which units any hypothesis is supported for."""
    return np.asarray(coverage.holds.any(0))


@part(EXPLAINED, OVERLAP, stand_ins=(SHUFFLED,))
def by_hypotheses(study: Study) -> Iterator[Row | Plate]:
    """What hypotheses cover.

    Every ready hypothesis is put to every unit of a layer. What none is supported for may still
    be understood by other means, and what one is supported for may do more than it states: this
    number is neither an upper nor a lower bound of understanding, but it can be compared between
    layers and networks.
    """
    layers = ["mixed3a"] if study.quick else ["conv2d0", "conv2d1", "conv2d2", "mixed3a", "mixed3b"]
    found = {}
    for layer in layers:
        try:
            found[layer] = explained(study, layer)
        except Unavailable:
            continue  # no layer like it here
    if not found:
        raise Unavailable(f"{study.network.name} has no layers like those of early vision")
    for layer, coverage in found.items():
        yield Plate(
            f"coverage-{layer}",
            coverage_panel(coverage),
            f"{coverage.layer}: units by what is supported for them alone, by several hypotheses, "
            "and by none.",
        )
    if len(found) > 1:
        yield Plate("by-layer", by_layer(found), "Share of each layer's units that a hypothesis "
                    "is supported for, with 95 % intervals.")  # fmt: skip
    shares = {layer: covered(each) for layer, each in found.items()}
    intervals = {layer: share_interval(int(s.sum()), len(s)) for layer, s in shares.items()}
    yield EXPLAINED.found(
        ", ".join(f"{layer} {s.mean():.0%}" for layer, s in shares.items()),
        holds=all(low > 0.05 for low, _ in intervals.values()),
        interval=", ".join(f"{low:.0%} to {high:.0%}" for low, high in intervals.values()),
        why="Holds where every interval is above one in twenty; "
        + ", ".join(
            f"{len(each.explanations)} hypotheses in {layer}" for layer, each in found.items()
        ),
    )
    several = {layer: each.holds.sum(0) > 1 for layer, each in found.items()}
    twice = sum(int(s.sum()) for s in several.values())
    every = sum(int(s.sum()) for s in shares.values())
    yield OVERLAP.found(
        f"{twice} of {every} explained units have two explanations or more",
        holds=twice <= every / 20,
        why="Holds up to one in twenty.",
    )


@part(CHANCE, stand_ins=())
def by_chance(study: Study) -> Iterator[Row | Plate]:
    """What chance covers.

    The same hypotheses, put to every unit of mixed3a in the same network with random parameters.
    """
    if study.quick:
        raise Unavailable("left to a full run: it doubles the time of this article")
    blank = study.untrained()
    layer = study.layer("mixed3a")
    found = covered_by_stimuli(blank, layer, applicable(blank, layer), seed=study.seed)
    units = covered(found)
    low, high = share_interval(int(units.sum()), len(units))
    yield CHANCE.found(
        f"{units.mean():.1%} of {len(units)} units",
        holds=low <= 0.05,
        interval=f"{low:.1%} to {high:.1%}",
        why="Holds where no more than one in twenty is explained.",
    )


def by_layer(found: dict[str, Coverage]) -> Figure:
    """Draw the share of every layer."""
    figure = Figure(figsize=(5.2, 2.4), layout="constrained")
    axes = figure.subplots()
    for place, coverage in enumerate(found.values()):
        units = covered(coverage)
        axes.plot([place, place], share_interval(int(units.sum()), len(units)), color="#1b1c1e")
        axes.plot(place, units.mean(), "o", color="#1b1c1e", ms=6)
    axes.set_xticks(range(len(found)), found)
    axes.set_ylim(0, None)
    axes.set_ylabel("share explained")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


ARTICLE = Article(
    "How much is understood",
    "a question that came after the thread",
    "",
    "The thread explained families. The question here is the whole: how many of all units of a "
    "layer are explained by a hypothesis that could have failed?",
    (taxonomy, by_hypotheses, by_chance),
)
