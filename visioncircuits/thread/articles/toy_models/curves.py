"""Features that are drawn: a convolutional layer with more curve orientations than units."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float

from visioncircuits import toy
from visioncircuits.dictionaries import (
    BlockTopK,
    Dictionary,
    Method,
    Settings,
    TopK,
    best_cosines,
    block_r2,
    train,
    untrained_like,
)
from visioncircuits.thread import Plate, Row, Study
from visioncircuits.thread.article import part
from visioncircuits.thread.articles.toy_models.features import control
from visioncircuits.thread.claims import toy_models
from visioncircuits.thread.intervals import interval, null

ORIENTATIONS, UNITS = 16, 6
SPARSE, DENSE = 0.97, 0.0
READ = 0.5
"""R² from which an orientation is represented."""

FOUND = 0.95
"""Cosine with an atom from which a direction is recovered."""

OPEN = "not published"


def networks(
    study: Study,
    sparsity: float,
    *,
    units: int = UNITS,
    model: type[toy.CurveNetwork] = toy.CurveNetwork,
) -> toy.Solutions:
    """Train a curve network a seed."""
    tasks = [
        toy.Task(features=ORIENTATIONS, hidden=units, sparsity=sparsity, seed=study.seed + n)
        for n in range(study.of(5, quick=3))
    ]
    return toy.train(tasks, model=model, steps=study.of(1500, quick=500), batch=256)


def span(values: np.ndarray, form: str = "d") -> str:
    """Write the lowest and the highest, or the one there is."""
    low, high = format(values.min(), form), format(values.max(), form)
    return low if low == high else f"{low} to {high}"


MORE = toy_models(
    "a convolutional layer on sparse curves represents more orientations than it has units", OPEN
)
SHARED = toy_models(
    "superposition shows as units that prefer several separate ranges of orientation", OPEN
)
RING = toy_models("neighboring orientations have neighboring directions: a ring", OPEN)


@part(MORE, SHARED, RING)
def curves(study: Study) -> Iterator[Row | Plate]:
    """A convolutional layer on curves.

    At each position of a picture, curves of 16 orientations occur, each or not; those of other
    positions reach into the receptive field. Six rectified units look at the picture, and a second
    convolution reads back which orientations are at their position. An orientation is represented
    where at least half of its contrast's variance is read back (R²), on fresh pictures.
    """
    sparse, dense = networks(study, SPARSE), networks(study, DENSE)
    linear = networks(study, SPARSE, model=toy.LinearCurveNetwork)
    many = networks(study, SPARSE, units=ORIENTATIONS)

    def represented(found: toy.Solutions) -> np.ndarray:
        return np.asarray((toy.explained(toy.curve_samples(found)) >= READ).sum(1))

    networks_of = {"sparse": sparse, "dense curves": dense, "without rectifiers": linear}
    counts = {name: represented(found) for name, found in networks_of.items()}
    dimensions = toy.dimensionality(sparse.weights, sparse.output_weights).sum(1)
    yield Plate(
        "curves",
        toy.curve_panel(sparse),
        "A layer of six units that hold 16 orientations: what each unit looks for, how it is "
        "tuned, and how orientations share the units.",
    )
    yield MORE.found(
        f"{span(counts['sparse'])} of {ORIENTATIONS} orientations in {UNITS} units",
        holds=bool(counts["sparse"].min() > UNITS),
        interval=f"dimensionalities add up to {span(dimensions, '.2f')}",
        why=f"Sparsity {SPARSE}, {len(dimensions)} seeds; holds where it is so in each.",
        controls=[
            control(name, "fails", bool(counts[name].min() > UNITS),
                    f"{span(counts[name])} orientations")
            for name in ("dense curves", "without rectifiers")
        ],
    )  # fmt: skip

    def separate(found: toy.Solutions) -> float:
        return float(toy.preferences(toy.curve_tuning(found).values).mean())

    alone = separate(many)
    yield SHARED.found(
        f"{separate(sparse):.1f} ranges a unit",
        holds=separate(sparse) >= 2,
        why="Mean number of ranges above half of a unit's peak; holds from 2. With a unit for each "
        "orientation none has to be shared, and units share them all the same, as at the start.",
        controls=[
            control("as many units as orientations", "fails", alone >= 2, f"{alone:.1f}"),
        ],
    )
    values = sparse.weights.values
    rng = study.rng("rings")
    angles = np.radians(np.arange(ORIENTATIONS) * 360 / ORIENTATIONS)
    circle = np.zeros_like(values)
    circle[:, :2] = np.cos(angles), np.sin(angles)
    planted = circle + 0.3 * rng.normal(size=values.shape)
    found, chance, holds = _ring(values, rng)
    other, _, planted_holds = _ring(planted, rng)
    yield RING.found(
        f"cosines of neighbors are {found:+.2f} above those of others",
        holds=holds,
        interval=chance,
        why="Beyond what orders at random give. A layer that only has to report orientations has "
        "no use for a ring: curve detectors of trained networks get theirs from elsewhere.",
        controls=[control("a circle with noise", "holds", planted_holds, f"{other:+.2f}")],
    )


def _ring(
    directions: Float[np.ndarray, "draws hidden features"], rng: np.random.Generator
) -> tuple[float, str, bool]:
    """Compare neighbors with others: the difference, its range by chance, whether it is beyond."""
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    units = directions / np.maximum(lengths, 1e-12)
    cosines = np.einsum("dhf,dhg->fg", units, units) / len(units)
    count = len(cosines)
    apart = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    beside = (apart == 1) | (apart == count - 1)
    others = (apart > 0) & ~beside

    def above(order: np.ndarray) -> float:
        each = cosines[np.ix_(order.astype(int), order.astype(int))]
        return float(each[beside].mean() - each[others].mean())

    in_order = np.arange(count, dtype=float)
    low, high = null(above, in_order, rng)
    found = above(in_order)
    return found, f"{low:+.2f} to {high:+.2f} by chance", found > high


RECOVERED = toy_models(
    "directions of orientations in superposition are recovered by a sparse autoencoder", OPEN
)
BLOCKS = toy_models("the orientation of a curve is in one block of a block-sparse dictionary", OPEN)


@part(RECOVERED, BLOCKS)
def dictionaries(study: Study) -> Iterator[Row | Plate]:
    """Dictionaries of the curves.

    The directions that the six units have for 16 orientations are known here: what a curve alone
    adds to them. Dictionaries are fitted to what the units do on pictures, without knowing these,
    and a direction is recovered where an atom has a cosine of .95 with it. The controls are the
    units themselves, atoms that were not trained, and the layer that was trained on dense curves.
    """
    sparse, dense = networks(study, SPARSE), networks(study, DENSE)
    fitted = _fitted(study, sparse, TopK(1))
    two = [best for _, best in _recovered(sparse, _fitted(study, sparse, TopK(2)))]
    found = _recovered(sparse, fitted)
    means = np.array([mean for mean, _ in found])
    low, high = interval(means, study.rng("recovered"), statistic=lambda each: float(each.mean()))
    others = {
        "raw units": _recovered(sparse, [torch.eye(UNITS)] * len(found)),
        "untrained atoms": _recovered(
            sparse, [untrained_like(each, seed=n) for n, each in enumerate(fitted)], absolute=True
        ),
        "dense curves": _recovered(dense, _fitted(study, dense, TopK(1))),
    }

    def counts(each: list[tuple[float, int]]) -> np.ndarray:
        return np.array([count for _, count in each])

    def enough(each: list[tuple[float, int]]) -> bool:
        return bool(counts(each).mean() >= 0.9 * ORIENTATIONS)

    yield RECOVERED.found(
        f"{span(counts(found))} of {ORIENTATIONS}, mean cosine {means.mean():.3f}",
        holds=enough(found),
        interval=f"{low:.3f} to {high:.3f} over {len(means)} seeds",
        why=f"TopK(1), as a position has {ORIENTATIONS * (1 - SPARSE):.1f} curves in the mean, and "
        f"{ORIENTATIONS} atoms; holds from 90 %. With TopK(2) {span(np.array(two))}: how sparse "
        "codes are must be known.",
        controls=[
            control(name, "fails", enough(each),
                    f"{span(counts(each))}, {np.mean([mean for mean, _ in each]):.2f}")
            for name, each in others.items()
        ],
    )  # fmt: skip
    yield _blocks(study, sparse)


def _settings(study: Study) -> Settings:
    return Settings(steps=study.of(2000, quick=600), batch=512, rate=3e-3, seed=study.seed)


def _fitted(study: Study, found: toy.Solutions, method: Method) -> list[Dictionary]:
    """Fit a dictionary to the units of each network."""
    hidden = torch.tensor(toy.curve_samples(found, pictures=1024).hidden.values)
    options: dict[str, Any] = {"atoms": ORIENTATIONS, "settings": _settings(study)}
    return [train(each, "hidden", method, **options) for each in hidden]


def _recovered(
    found: toy.Solutions, atoms: list[Any], *, absolute: bool = False
) -> list[tuple[float, int]]:
    """Return the mean of directions' best cosines, and how many are recovered, in each network."""
    rows = []
    for directions, each in zip(torch.tensor(found.weights.values), atoms, strict=True):
        those = each.atoms if isinstance(each, Dictionary) else each
        best = best_cosines(directions.T, those.abs() if absolute else those)
        rows.append((float(best.mean()), int((best >= FOUND).sum())))
    return rows


def _blocks(study: Study, found: toy.Solutions) -> Row:
    """Test whether a block of two atoms explains where around the circle a single curve is.

    The positive control is units whose directions of the orientations are a circle, in a plane of
    their own.
    """
    fitted_to, fresh = (toy.curve_samples(found, pictures=512, seed=seed) for seed in (0, 1))
    angles = np.radians(np.arange(ORIENTATIONS) * 360 / ORIENTATIONS)
    circle = np.stack([np.cos(angles), np.sin(angles)])
    plane = np.linalg.qr(study.rng("plane").normal(size=(UNITS, 2)))[0]

    def best(units: Callable[[xr.Dataset], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return the best block's R² of a fitted dictionary and of an untrained one."""
        rows = []
        for n in range(fresh.sizes["instance"]):
            one = fresh.isel(instance=n)
            alone = (one.features.values > 0).sum(1) == 1
            values = torch.tensor(one.features.values[alone] @ circle.T)
            hidden = torch.tensor(units(one)[alone], dtype=torch.float32)
            learned = torch.tensor(units(fitted_to.isel(instance=n)), dtype=torch.float32)
            fitted = train(learned, "hidden", BlockTopK(1, 2), atoms=4, settings=_settings(study))
            both = (each.encode(hidden) for each in (fitted, untrained_like(fitted)))
            rows.append([float(block_r2(codes, values, 2).max()) for codes in both])
        trained, untrained = np.array(rows).T
        return trained, untrained

    held, untrained = best(lambda samples: samples["hidden"].values)
    planted, _ = best(lambda samples: samples["features"].values @ circle.T @ plane.T)
    return BLOCKS.found(
        f"R² {span(held, '.2f')}",
        holds=bool(held.min() > 0.9),
        why="The better of two blocks of two atoms, of the orientation's cosine and sine times the "
        "contrast, where there is one curve; holds above .9.",
        controls=[
            control("untrained atoms", "fails", bool(untrained.min() > 0.9),
                    f"R² {span(untrained, '.2f')}"),
            control("units with a circle", "holds", bool(planted.min() > 0.9),
                    f"R² {span(planted, '.2f')}"),
        ],
    )  # fmt: skip
