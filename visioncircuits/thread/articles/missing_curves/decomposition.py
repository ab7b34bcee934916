"""Directions of the layer that are no unit's.

The decomposition and its controls share their measurements, which is why the module has more
than 300 lines.
"""

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from scipy.stats import fisher_exact
from sklearn.decomposition import NMF, MiniBatchDictionaryLearning
from sklearn.exceptions import ConvergenceWarning

from visioncircuits.hypotheses import (
    VariantResponses,
    judge_evidence,
    measure_responses,
    predefined,
)
from visioncircuits.networks import Direction
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.missing_curves.family import (
    Coverage,
    along,
    coverage_plot,
    curve_responses,
)
from visioncircuits.thread.claims import NEGATIVE, SHUFFLED, Claim, Unavailable
from visioncircuits.thread.intervals import middle
from visioncircuits.thread.units import numbers
from visioncircuits.tuning import orientation_tuning, radial_panel
from visioncircuits.tuning.plots import beside

SAME = 0.9
"""The cosine with a curve detector from which on a direction counts as that unit."""

TOLERANCE, ITERATIONS = 1e-3, 2000
"""Of the factorization: it ends at this share of the first iteration's change; the most."""

READ = " (read out)"
METHODS = ("NMF", f"NMF{READ}", "dictionary learning", f"dictionary learning{READ}")
CHANCE = ("random", "shuffled")
CURVES = {
    method: here(
        f"directions of mixed3b by {method} are curve detectors and no units, more than by chance",
        "a question of our own",
    )
    for method in METHODS
}
FILLED = {
    method: here(
        f"curve detectors among the directions by {method} are where the units' orientations are "
        "missing",
        "a question of our own",
    )
    for method in METHODS
}
SHARPER = here(
    "curve detectors among the directions are as good as the units: as narrow, with as weak an "
    "echo",
    "a question of our own",
)
BETWEEN = here(
    "the sum of the two units beside the largest gap is a detector of the orientation between",
    "a question of our own",
    stand_ins=NEGATIVE,
)


@part(*CURVES.values(), *FILLED.values(), SHARPER, BETWEEN, stand_ins=(SHUFFLED,))
def directions(study: Study) -> Iterator[Row | Plate]:
    """Directions that are no unit's.

    Activations of mixed3b at random positions of photographs, each unit over its standard
    deviation, are taken apart by non-negative matrix factorization and by dictionary learning.
    Each component is then a direction of the layer and tested by the hypothesis that found the
    units; as it is, and read out by the pseudoinverse, which subtracts what other components
    explain. Chance is twofold: the same directions with their weights permuted over units, and
    those from activations that were shuffled, each unit's on its own.
    """
    layer = study.layer("mixed3b")
    table = study.detectors("curve", "mixed3b")
    detectors = numbers(table["unit"])
    measured = curve_responses(study)
    units = measured.sel(unit=table["unit"].tolist())
    family = Coverage.of(units)
    samples = activations(study)
    spread = study.deviations("mixed3b").values.clip(1e-6)
    found = decomposed(samples, study)
    beside_gap = neighbors(family, table["orientation"].to_numpy(float))
    pair = np.zeros((1, samples.shape[1]))
    pair[0, [detectors[place] for place in beside_gap]] = 1
    found["pair", ""] = pair
    features = {
        key: as_directions(layer, vectors / spread, " ".join(key).strip())
        for key, vectors in found.items()
    }
    judged = verdicts(study, [d for group in features.values() for d in group])
    good = {key: passing(group, found[key], detectors, judged) for key, group in features.items()}
    covers: dict[str, Coverage] = {}
    panels = [radial_panel(units, title=f"{len(detectors)} units")]
    tuned: list[xr.Dataset] = []
    for method in METHODS:
        mine = good[method, ""]
        counts = {
            how: (len(good[method, how]), len(features[method, how])) for how in ("", *CHANCE)
        }
        yield detected(method, counts, len(samples))
        if not mine:
            covers[method] = Coverage(family.angles, np.zeros((0, len(family.angles))))
            yield FILLED[method].untestable(f"{method} gave no curve detectors but units")
            continue
        responses = along(measured, mine)
        covers[method] = Coverage.of(responses)
        tuned.append(orientation_tuning(responses))
        panels.append(radial_panel(short(responses), title=f"{len(mine)} of {method}"))
        yield filling(FILLED[method], family, covers[method], study)
    yield Plate(
        "directions",
        beside(panels),
        "Radial tuning of the units, and of directions that pass as curve detectors and are not "
        "one of the units.",
    )
    yield Plate(
        "coverage",
        coverage_plot([("units", family), *covers.items()], family.stretches()),
        "Tuning over the peak, of units and of directions; shaded is where no unit reaches half of "
        "its height.",
    )
    yield sharpness(SHARPER, orientation_tuning(units), tuned, study)
    orientations = table["orientation"].to_numpy(float)[list(beside_gap)]
    yield between(along(measured, features["pair", ""]), judged, orientations)


Key = tuple[str, str]
"""A method, and how its activations were shuffled or its directions permuted, if at all."""


def decomposed(
    samples: Float[np.ndarray, "positions units"], study: Study
) -> dict[Key, np.ndarray]:
    """Decompose activations by every method, and with either null."""
    rng = study.rng("directions")
    shuffled = np.stack([rng.permutation(column) for column in samples.T], 1)
    found: dict[Key, np.ndarray] = {}
    for how, values in (("", samples), ("shuffled", shuffled)):
        for method in METHODS[::2]:
            found[method, how] = components(method, values, study)
            found[f"{method}{READ}", how] = read_out(found[method, how])
    for method in METHODS:
        repeated = np.repeat(found[method, ""], study.of(2, quick=1), axis=0)
        found[method, "random"] = rng.permuted(repeated, axis=1)
    return found


def as_directions(
    layer: str, vectors: Float[np.ndarray, "count units"], name: str
) -> list[Direction]:
    """Return vectors as directions of a layer, numbered."""
    return [
        Direction(layer, tuple(row.tolist()), name=f"{name} {at}") for at, row in enumerate(vectors)
    ]


def passing(
    group: Sequence[Direction],
    vectors: np.ndarray,
    detectors: Sequence[int],
    judged: Mapping[str, bool],
) -> list[Direction]:
    """List the directions that are curve detectors and are not one of the units."""
    cosines = np.abs(vectors[:, detectors]).max(1) / np.linalg.norm(vectors, axis=1)
    return [
        direction
        for direction, cosine in zip(group, cosines, strict=True)
        if judged[str(direction)] and cosine < SAME
    ]


def detected(method: str, counts: Mapping[str, tuple[int, int]], positions: int) -> Row:
    """Compare how many directions are curve detectors with both nulls."""
    mine, total = counts[""]
    chances = {how: counts[how] for how in CHANCE}
    odds = [
        fisher_exact([[mine, total - mine], [many, of - many]], "greater").pvalue
        for many, of in chances.values()
    ]
    return CURVES[method].found(
        f"{mine} of {total} directions",
        holds=mine > 0 and max(odds) < 0.05,
        interval=", ".join(f"{how} {many} of {of}" for how, (many, of) in chances.items()),
        why=f"Six predictions at a false discovery rate of 5 %, and a cosine below {SAME} with "
        f"every curve unit; {positions} positions. Holds where both nulls are exceeded, P < .05 by "
        f"Fisher's test; here {max(odds):.2g}.",
    )


def activations(study: Study) -> Float[np.ndarray, "positions units"]:
    """Draw positions of photographs; return each unit's activation over its deviation."""
    layer, each = study.layer("mixed3b"), 40
    spread = study.deviations("mixed3b").values.clip(1e-6)
    rng = study.rng("positions")
    rows: list[np.ndarray] = []
    for batch in study.batches(study.of(400, quick=96)):
        with torch.inference_mode():
            maps = study.network.activations(batch, [layer])[layer].flatten(2).cpu().numpy()
        rows += [
            picture[:, rng.choice(picture.shape[1], each, replace=False)].T / spread
            for picture in maps
        ]
    return np.concatenate(rows).astype(np.float64)


def components(
    method: str, samples: Float[np.ndarray, "positions units"], study: Study
) -> Float[np.ndarray, "components units"]:
    """Decompose activations into components of length 1.

    Raises
    ------
    Unavailable
        If the factorization does not come to its tolerance.
    """
    count, seed = study.of(160, quick=80), study.seed
    if method == "NMF":
        model: NMF | MiniBatchDictionaryLearning = NMF(
            count, init="nndsvda", max_iter=ITERATIONS, tol=TOLERANCE, random_state=seed
        )
    else:
        model = MiniBatchDictionaryLearning(
            count, alpha=1.0, max_iter=study.of(6, quick=4), batch_size=256,
            fit_algorithm="cd", positive_code=True, transform_algorithm="lasso_cd",
            random_state=seed,
        )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        parts = model.fit(samples).components_
    if method == "NMF" and model.n_iter_ >= ITERATIONS:
        raise Unavailable(f"the factorization did not converge in {ITERATIONS} iterations")
    lengths = np.linalg.norm(parts, axis=1, keepdims=True)
    return np.asarray((parts / np.where(lengths > 0, lengths, 1))[lengths[:, 0] > 0])


def read_out(parts: Float[np.ndarray, "components units"]) -> Float[np.ndarray, "components units"]:
    """Return the directions, of length 1, that measure the amount of each component."""
    found = np.linalg.pinv(parts).T
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def verdicts(study: Study, features: Sequence[Direction]) -> dict[str, bool]:
    """Test directions by the curve hypothesis, beside all units of the layer."""
    layer = study.layer("mixed3b")
    hypothesis = predefined(study.network, layer, "curve")

    def make() -> bytes:
        measured = measure_responses(
            study.network, layer, hypothesis.stimuli, variants=hypothesis.variants,
            controls=hypothesis.controls,
        )  # fmt: skip
        buffer = io.BytesIO()
        controls = {f"control {name}": values for name, values in measured.controls.items()}
        np.savez_compressed(buffer, allow_pickle=False, values=measured.values, **controls)
        return buffer.getvalue()

    stored = np.load(io.BytesIO(study.kept(f"responses of {layer} to curves", "npz", make)))
    units = VariantResponses(
        tuple(f"{layer}:{unit}" for unit in range(len(stored["values"]))),
        stored["values"],
        {name: np.array(values) for name, values in hypothesis.stimuli.axes.items()},
        {name: stored[f"control {name}"] for name in hypothesis.controls},
    )
    everything = units.joined(units.along(features)).evidence()
    tested = range(len(units.units), len(everything.units))
    found = judge_evidence(everything, hypothesis, units=tested, seed=study.seed)
    return {verdict.unit: verdict.status == "supported" for verdict in found}


def filling(claim: Claim, family: Coverage, extra: Coverage, study: Study) -> Row:
    """Measure the share of missing orientations that directions cover, and its null."""
    gone = family.missing
    if family.degrees(gone) < 5:
        return claim.untestable("the units leave no orientation out")
    covered = ~extra.missing
    mine = float((covered & gone).sum() / gone.sum())
    by_chance = np.array([
        (np.roll(covered, shift) & gone).sum() / gone.sum() for shift in range(len(gone))
    ])  # fmt: skip
    low, high = middle(by_chance)
    return claim.found(
        f"{mine:.0%} of {family.degrees(gone):.0f}° are filled",
        holds=bool(mine >= 0.5 and mine > high),
        interval=f"the same directions turned together {low:.0%} to {high:.0%}",
        why="Orientations at which no unit reaches half its height and a direction does; "
        "holds where half of them are filled, and more than by 95 % of all turns.",
    )


def sharpness(claim: Claim, units: xr.Dataset, others: Sequence[xr.Dataset], study: Study) -> Row:
    """Compare directions with units in width and echo."""
    if not others:
        return claim.untestable("no direction is a curve detector")
    medians, apart = [], []
    rng = study.rng("sharpness")
    for name in ("width", "echo"):
        ours = units[name].values
        theirs = np.concatenate([found[name].values for found in others])
        medians.append(f"{name} {np.median(theirs):.2f} against {np.median(ours):.2f}")
        drawn = [
            np.median(rng.choice(theirs, len(theirs))) - np.median(rng.choice(ours, len(ours)))
            for _ in range(1000)
        ]
        apart.append(middle(drawn))
    return claim.found(
        ", ".join(medians),
        holds=all(low <= 0 for low, _ in apart),
        interval="difference " + ", ".join(f"{low:+.2f} to {high:+.2f}" for low, high in apart),
        why="Medians, widths in degrees; holds where neither interval is above 0.",
    )


def neighbors(family: Coverage, orientations: Float[np.ndarray, " units"]) -> tuple[int, int]:
    """Find the two units beside the longest stretch that is missing, or else the widest gap."""
    order = np.argsort(orientations)
    gaps = np.diff(orientations[order], append=orientations[order[0]] + 360)
    widest = int(gaps.argmax())
    if stretches := family.stretches():
        start, length = stretches[0]
        middle_of = (start + length / 2) % 360
        widest = int(np.searchsorted(orientations[order], middle_of) - 1) % len(order)
    return int(order[widest]), int(order[(widest + 1) % len(order)])


def between(
    pair: xr.DataArray, judged: Mapping[str, bool], orientations: Float[np.ndarray, " two"]
) -> Row:
    """Test the sum of the two units beside the gap."""
    tuned, passes = orientation_tuning(pair), judged[str(pair["unit"].values[0])]
    peak = float(tuned["orientation"][0])
    start, end = orientations
    inside = (peak - start) % 360 / max((end - start) % 360, 1e-9)
    return BETWEEN.found(
        f"{start:.0f}° and {end:.0f}°: peaks at {peak:.0f}°, width "
        f"{float(tuned['width'][0]):.0f}°; {'passes' if passes else 'does not pass'}",
        holds=passes and 0.25 <= inside <= 0.75,
        why="Each over its standard deviation; holds where the sum passes as a curve detector and "
        "peaks in the middle half between the two.",
    )


def short(responses: xr.DataArray) -> xr.DataArray:
    """Rename directions by their number alone."""
    names = [str(name).rpartition(" ")[2] for name in responses["unit"].values]
    return responses.assign_coords(unit=[f"direction:{name}" for name in names])
