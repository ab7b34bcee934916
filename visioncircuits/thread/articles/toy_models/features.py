"""Features that are numbers: superposition, plateaus, polytopes and phases."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from visioncircuits import toy
from visioncircuits.thread import Plate, Row, Study
from visioncircuits.thread.article import part
from visioncircuits.thread.claims import Control, Expected, Status, toy_models

IMPORTANCE = tuple(0.7**feature for feature in range(10))
NAMED = 50
"""Draws of exact and of random directions, for what a name is worth."""

SUPERPOSITION = toy.PHASES.index("superposition")


def how(study: Study) -> dict[str, Any]:
    """Choose how long models are trained."""
    return {"steps": study.of(2000, quick=1000), "batch": study.of(1024, quick=256)}


def control(name: str, expected: Expected, holds: bool, measured: str) -> Control:
    """Make a control of whether a rule holds for it."""
    status: Status = "holds" if holds else "does not hold"
    return Control(name, expected, status, measured)


MORE = toy_models(
    "sparse features are in superposition: more are represented than there are dimensions",
    "yes; with dense features, and in a linear model, as many as dimensions",
)


@part(MORE)
def superposition(study: Study) -> Iterator[Row | Plate]:
    """Sparse features share dimensions.

    Ten features in five dimensions, each .7 times as important as the one before. A feature is
    represented where its direction is at least half as long as 1. The controls are the same model
    on features that are never 0, and the model without a rectified output, which is principal
    component analysis, on the same sparse ones.
    """

    def represented(sparsity: float, model: type[toy.Model] = toy.ReLUOutput) -> list[int]:
        options: dict[str, Any] = {"features": 10, "hidden": 5, "importance": IMPORTANCE}
        tasks = [toy.Task(**options, sparsity=sparsity, seed=study.seed + n) for n in range(5)]
        trained = toy.train(tasks, model=model, **how(study))
        return [int(count) for count in toy.represented(trained.weights).sum(1)]

    def holds(counts: Sequence[int]) -> bool:
        return min(counts) > 5

    def measured(counts: Sequence[int]) -> str:
        fewest, most = min(counts), max(counts)
        return f"{fewest if fewest == most else f'{fewest} to {most}'} features in 5 dimensions"

    dense, linear, sparse = represented(0), represented(0.95, toy.Linear), represented(0.95)
    importance = tuple(0.9**feature for feature in range(5))
    sparsities = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95)
    tasks = [
        toy.Task(features=5, hidden=2, sparsity=s, importance=importance, seed=study.seed)
        for s in sparsities
    ]
    yield Plate(
        "directions",
        toy.directions_panel(toy.train(tasks, **how(study))),
        "Directions of five features in two dimensions, by how sparse they are; each .9 times as "
        "important as the one before, and paler. The circle has the radius 1.",
    )
    yield MORE.found(
        measured(sparse),
        holds=holds(sparse),
        why="At a sparsity of .95; holds where it is so in each of 5 seeds.",
        controls=[
            control("dense features", "fails", holds(dense), measured(dense)),
            control("linear model", "fails", holds(linear), measured(linear)),
        ],
    )


HALVES = toy_models(
    "at middle sparsity, features have half a dimension each: pairs of opposite ones", "1/2"
)
SUM = toy_models("the dimensionalities of all features add up to the number of dimensions", "m")


@part(HALVES, SUM)
def plateaus(study: Study) -> Iterator[Row | Plate]:
    """Plateaus of dimensionality.

    Twenty features that are as important as each other in six dimensions, at sparsities of .5 and
    .7. The controls are models that were not trained.
    """
    seeds = range(study.seed, study.seed + 3)
    tasks = [
        toy.Task(features=20, hidden=6, sparsity=s, seed=seed) for s in (0.5, 0.7) for seed in seeds
    ]
    trained = toy.train(tasks, **how(study)).weights.values
    random = toy.train(tasks, steps=1, batch=1, rate=1e-9).weights.values
    random /= np.linalg.norm(random, axis=1, keepdims=True)

    def middle(weights: Float[np.ndarray, "instances hidden features"]) -> tuple[float, float]:
        kept, shares = toy.represented(weights), toy.dimensionality(weights)
        pairs = zip(shares, kept, strict=True)
        spans = np.array([np.quantile(each[k], [0.1, 0.9]) for each, k in pairs])
        return float(spans.min()), float(spans.max())

    def halves(span: tuple[float, float]) -> bool:
        return 0.49 < span[0] <= span[1] < 0.51

    def measured(span: tuple[float, float]) -> str:
        return f"{span[0]:.3f} to {span[1]:.3f}"

    found, chance = middle(trained), middle(random)
    counts, sums = toy.represented(trained).sum(1), toy.dimensionality(trained).sum(1)
    yield HALVES.found(
        f"{measured(found)}; {counts.min()} to {counts.max()} of 20 represented",
        holds=halves(found),
        why="The middle 80 % of the features that are represented, in 6 models; holds within .01.",
        controls=[
            control("random directions of length 1", "fails", halves(chance), measured(chance))
        ],
    )
    alone = toy.dimensionality(random[:, :, :6] * np.geomspace(1, 0.1, 6)).sum(1)
    yield SUM.found(
        f"{sums.min():.3f} to {sums.max():.3f}, m = 6",
        holds=bool(np.abs(sums - 6).max() < 0.02),
        why="Within .02. It holds exactly for any tight frame, WWᵀ ∝ I, and for no others.",
        controls=[
            control(
                "six random directions of six lengths",
                "fails",
                bool(np.abs(alone - 6).max() < 0.02),
                f"{alone.min():.3f} to {alone.max():.3f}",
            )
        ],
    )
    times = np.geomspace(1.2, 50, study.of(40, quick=20))
    sweep = [toy.Task(features=40, hidden=6, sparsity=1 - 1 / t, seed=study.seed) for t in times]
    yield Plate(
        "dimensionality",
        toy.dimensionality_plot(toy.train(sweep, **how(study))),
        "Dimensionality of every represented feature of 40 in six dimensions, over how many times "
        "rarer than always a feature occurs. Lines: exact polytopes; the 3/8 of the square "
        "antiprism is that of the tight frame.",
    )


PENTAGON = toy_models("five sparse features in two dimensions lie on a pentagon", "2/5 each")
ANTIPRISM = toy_models("eight sparse features in three dimensions lie on a square antiprism", "3/8")


@part(PENTAGON, ANTIPRISM)
def polytopes(study: Study) -> Iterator[Row | Plate]:
    """Geometry.

    Features that interfere are connected, and a connected part is named after the polytope whose
    number of corners, dimensions and angles it has. What a name is worth: exact corners with noise
    must have it, and random directions not.
    """
    claims: Mapping[str, Any] = {"pentagon": PENTAGON, "square antiprism": ANTIPRISM}
    draws = {"pentagon": 20, "square antiprism": 5}
    rng = study.rng("toy models")
    for name, claim in claims.items():
        corners = toy.polytope(name)
        hidden, features = corners.shape
        tasks = [
            toy.Task(features=features, hidden=hidden, sparsity=0.95, seed=study.seed + draw)
            for draw in range(draws[name])
        ]
        trained = toy.train(tasks, **how(study)).weights.values
        named = _named(trained, name)
        noise = rng.normal(size=(NAMED, hidden, features))
        exact = _named(corners + 0.03 * noise, name)
        chance = _named(noise / np.linalg.norm(noise, axis=1, keepdims=True), name)
        shares = toy.dimensionality(trained)[named]
        mean = f", {shares.mean():.3f} each" if named.any() else ""
        tight = ""
        if name == "square antiprism":
            tight = " 3/8 is that of the tight frame; one with edges of one length has .366."
        yield claim.found(
            f"{named.sum()} of {len(named)} seeds{mean}",
            holds=bool(named.mean() >= 0.95),
            why="At a sparsity of .95; holds from 95 % of seeds; the noise's standard deviation is "
            f".03.{tight}",
            controls=[
                control("random directions", "fails", bool(chance.mean() >= 0.95),
                        f"{chance.sum()} of {NAMED}"),
                control("exact corners with noise", "holds", bool(exact.mean() >= 0.95),
                        f"{exact.sum()} of {NAMED}"),
            ],
        )  # fmt: skip


def _named(weights: Float[np.ndarray, "draws hidden features"], name: str) -> np.ndarray:
    return np.array([[part.name for part in toy.parts(each)] == [name] for each in weights])


PHASES = toy_models(
    "a feature is dropped, alone or in superposition as the losses of ideal solutions predict",
    "three phases, with sharp limits",
)


@part(PHASES)
def phases(study: Study) -> Iterator[Row | Plate]:
    """The phase diagram.

    Two features in one dimension, by the second's relative importance and the sparsity of both.
    The losses of three ideal solutions are known by formula, and the lowest predicts the phase.
    The control is a linear model, which must not be in superposition anywhere.
    """
    trained = {**how(study), "steps": study.of(1000, quick=500)}
    diagram = toy.phase_diagram(**trained, seed=study.seed)
    linear = toy.phase_diagram(**trained, seed=study.seed, model=toy.Linear)
    cells = [(float(i), float(s)) for i in diagram.importance for s in diagram.sparsity]
    expected = np.array([toy.expected_phase(*cell) for cell in cells])
    same, other = (float((expected == each.phase.values.ravel()).mean()) for each in
                   (diagram, linear))  # fmt: skip
    shared = int((linear.phase.values == SUPERPOSITION).sum())
    commonest = float(np.bincount(expected).max() / len(expected))
    yield PHASES.found(
        f"{same:.0%} of {len(cells)} cells",
        holds=same >= 0.9,
        interval=f"{commonest:.0%} if every cell had the commonest phase",
        why="Holds from 90 %; ideal solutions have length 1, so that limits may differ by a cell.",
        controls=[
            control("linear model", "fails", other >= 0.9,
                    f"{other:.0%}; {shared} cells in superposition")
        ],
    )  # fmt: skip
    yield Plate(
        "phases",
        toy.phase_panel(diagram),
        "What becomes of the second of two features in one dimension, the best of three models a "
        "cell.",
    )
