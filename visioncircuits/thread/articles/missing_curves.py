"""Missing curves: are orientations that no curve detector prefers in superposition?"""

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from matplotlib.figure import Figure
from scipy.stats import fisher_exact
from sklearn.decomposition import NMF, MiniBatchDictionaryLearning
from sklearn.exceptions import ConvergenceWarning

from visioncircuits.hypotheses import Responses, judge_evidence, measure_responses, predefined
from visioncircuits.networks import Direction
from visioncircuits.stimuli import named
from visioncircuits.thread import (
    Article,
    Claim,
    Plate,
    Row,
    Study,
    here,
    inception,
    middle,
    numbers,
    paper,
    part,
)
from visioncircuits.tuning import measure, orientation_tuning, radial_panel, radial_tuning
from visioncircuits.tuning.plots import beside, hsl

Array = np.ndarray

HALF = 0.5
"""Of its peak: an orientation at which no unit responds as much is missing."""

SAME = 0.9
"""The cosine with a curve detector from which on a direction counts as that unit."""

PUBLISHED_GAPS = ((181.0, 243.0), (290.0, 358.0), (22.5, 66.5))


@dataclass(frozen=True)
class Coverage:
    """A family's responses to each orientation, each unit over its peak.

    Attributes
    ----------
    angles
        At equal steps around the circle.
    tuned
        `(units, angles)`.
    """

    angles: Float[Array, " angles"]
    tuned: Float[Array, "units angles"]

    @classmethod
    def of(cls, responses: xr.DataArray) -> "Coverage":
        """Compute it from responses over orientation."""
        found = radial_tuning(responses)
        top = found.max("orientation")
        return cls(
            found["orientation"].values.astype(np.float64),
            (found / top.where(top > 0)).fillna(0).values.astype(np.float64),
        )

    @property
    def best(self) -> Float[Array, " angles"]:
        """The strongest response to each orientation."""
        found: Array = self.tuned.max(0) if len(self.tuned) else np.zeros(len(self.angles))
        return found

    @property
    def missing(self) -> Array:
        """The orientations at which no unit reaches half its height."""
        return np.asarray(self.best < HALF)

    def degrees(self, which: Array) -> float:
        """Return the extent of some of the orientations in degrees."""
        return float(which.sum() * 360 / len(self.angles))

    def stretches(self) -> list[tuple[float, float]]:
        """List the stretches that are missing, from and to, the longest first."""
        gone = self.missing
        if gone.all() or not gone.any():
            return []
        first = int(np.flatnonzero(~gone)[0])
        around = np.roll(gone, -first).astype(int)
        starts = np.flatnonzero(np.diff(around, prepend=0) == 1)
        ends = np.flatnonzero(np.diff(around, append=0) == -1)
        step = 360 / len(self.angles)
        found = [
            (float((start + first - 0.5) * step % 360), float((end + 1 - start) * step))
            for start, end in zip(starts, ends, strict=True)
        ]
        return sorted(found, key=lambda stretch: -stretch[1])

    def turned(self, rng: np.random.Generator) -> "Coverage":
        """Turn every unit by an angle of its own."""
        shifts = rng.integers(0, len(self.angles), len(self.tuned))
        rolled = [np.roll(row, shift) for row, shift in zip(self.tuned, shifts, strict=True)]
        return Coverage(self.angles, np.array(rolled))


GAPS_THERE = paper(
    "the published family leaves orientations out: none of the ten units reaches half of its "
    "height there",
    "gaps of 62°, 68°, 44°",
)
EVENLY = paper(
    "the ten are spread more evenly than by chance, so that less is left out",
    "a question of our own",
)


@part(GAPS_THERE, EVENLY)
def published_family(study: Study) -> Iterator[Row | Plate]:
    """The published family.

    Each of the ten curve detectors of mixed3b responds to a few dozen degrees. The orientations
    between them are missing, or are in directions that are no unit's.
    """
    with np.load(study.published("curve_radial_tuning.npz")) as stored:
        curves = stored["mixed3b_resp"].astype(np.float64)
    family = Coverage(np.arange(720) / 2, curves / curves.max(1, keepdims=True))
    yield from left_out(GAPS_THERE, EVENLY, family, study, "published")


GAPS = here(
    "the family leaves orientations out: none of its units reaches half of its height there",
    "gaps of 62°, 68°, 44°",
)
EVENLY_HERE = here(
    "its units are spread more evenly than by chance, so that less is left out",
    "a question of our own",
)


@part(GAPS, EVENLY_HERE)
def family_here(study: Study) -> Iterator[Row | Plate]:
    """The family of this network."""
    units = study.detectors("curve", "mixed3b")["unit"].tolist()
    family = Coverage.of(curve_responses(study).sel(unit=units))
    yield from left_out(GAPS, EVENLY_HERE, family, study, "units")


def left_out(
    gaps: Claim, evenly: Claim, family: Coverage, study: Study, name: str
) -> Iterator[Row | Plate]:
    """Measure what a family leaves out, and draw it."""
    yield Plate(
        f"{name}-coverage",
        coverage_plot([("units", family)], family.stretches()),
        "Each detector's tuning to orientation over its peak, in the hue of its peak; where "
        "none of them reaches half of its height is shaded.",
    )
    gone, stretches = family.degrees(family.missing), family.stretches()
    listed = ", ".join(
        f"{start:.0f}° to {(start + length) % 360:.0f}°" for start, length in stretches[:4]
    )
    yield gaps.found(
        f"{gone:.0f}° of 360°" + (f": {listed}" if listed else ""),
        holds=bool(stretches) and stretches[0][1] >= 5,
        why="Radial tuning curves; holds where a stretch of 5° or more is left out.",
    )
    rng = study.rng(f"{name} turned")
    by_chance = np.array([
        chance.degrees(chance.missing) for chance in (family.turned(rng) for _ in range(1000))
    ])  # fmt: skip
    low, high = middle(by_chance)
    yield evenly.found(
        f"{gone:.0f}° left out",
        holds=gone < low,
        interval=f"units turned at random leave out {low:.0f}° to {high:.0f}°",
        why=f"{(by_chance <= gone).mean():.1%} of 1,000 draws leave out as little.",
    )


def curve_responses(study: Study) -> xr.DataArray:
    """Measure all units of the layer on the published curves."""
    stimuli = named("curves").vary(orientation=range(0, 360, 5))
    return measure(study.network, study.layer("mixed3b"), stimuli)


def along(responses: xr.DataArray, directions: Sequence[Direction]) -> xr.DataArray:
    """Compute the responses of directions, which are sums over units."""
    vectors = np.stack([direction.vector(len(responses)).numpy() for direction in directions])
    return xr.DataArray(
        np.tensordot(vectors, responses.values, 1),
        dims=responses.dims,
        coords={**responses.coords, "unit": [str(direction) for direction in directions]},
    )


# Directions

READ = ", read out"
METHODS = ("NMF", f"NMF{READ}", "dictionary learning", f"dictionary learning{READ}")
CHANCE = ("random", "shuffled")

CURVES = {
    method: here(
        f"{method}: directions of mixed3b are curve detectors and no units, more than by chance",
        "a question of our own",
    )
    for method in METHODS
}
FILLED = {
    method: here(
        f"{method}: these are where the units' orientations are missing", "a question of our own"
    )
    for method in METHODS
}
SHARPER = here(
    "the directions are detectors as good as the units: as narrow, with as weak an echo",
    "a question of our own",
)
BETWEEN = here(
    "the sum of the two units beside the largest gap is a detector of the orientation between",
    "a question of our own",
)


@part(*CURVES.values(), *FILLED.values(), SHARPER, BETWEEN)
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


def decomposed(samples: Float[Array, "positions units"], study: Study) -> dict[Key, Array]:
    """Decompose activations by every method, and with either null."""
    rng = study.rng("directions")
    shuffled = np.stack([rng.permutation(column) for column in samples.T], 1)
    found: dict[Key, Array] = {}
    for how, values in (("", samples), ("shuffled", shuffled)):
        for method in METHODS[::2]:
            found[method, how] = components(method, values, study)
            found[f"{method}{READ}", how] = read_out(found[method, how])
    for method in METHODS:
        repeated = np.repeat(found[method, ""], study.of(2, quick=1), axis=0)
        found[method, "random"] = rng.permuted(repeated, axis=1)
    return found


def as_directions(layer: str, vectors: Float[Array, "count units"], name: str) -> list[Direction]:
    """Return vectors as directions of a layer, numbered."""
    return [
        Direction(layer, tuple(row.tolist()), name=f"{name} {at}") for at, row in enumerate(vectors)
    ]


def passing(
    group: Sequence[Direction], vectors: Array, detectors: Sequence[int], judged: Mapping[str, bool]
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


def activations(study: Study) -> Float[Array, "positions units"]:
    """Draw positions of photographs; return each unit's activation over its deviation."""
    layer, each = study.layer("mixed3b"), 40
    spread = study.deviations("mixed3b").values.clip(1e-6)
    rng = study.rng("positions")
    rows: list[Array] = []
    for batch in study.batches(study.of(400, quick=96)):
        with torch.inference_mode():
            maps = study.network.activations(batch, [layer])[layer].flatten(2).cpu().numpy()
        rows += [
            picture[:, rng.choice(picture.shape[1], each, replace=False)].T / spread
            for picture in maps
        ]
    return np.concatenate(rows).astype(np.float64)


def components(
    method: str, samples: Float[Array, "positions units"], study: Study
) -> Float[Array, "components units"]:
    """Decompose activations into components of length 1."""
    count, seed = study.of(160, quick=80), study.seed
    if method == "NMF":
        model: NMF | MiniBatchDictionaryLearning = NMF(
            count, init="nndsvda", max_iter=study.of(100, quick=40), tol=1e-3, random_state=seed
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
    lengths = np.linalg.norm(parts, axis=1, keepdims=True)
    return np.asarray((parts / np.where(lengths > 0, lengths, 1))[lengths[:, 0] > 0])


def read_out(parts: Float[Array, "components units"]) -> Float[Array, "components units"]:
    """Return the directions, of length 1, that measure the amount of each component."""
    found = np.linalg.pinv(parts).T
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def verdicts(study: Study, features: Sequence[Direction]) -> dict[str, bool]:
    """Test directions by the curve hypothesis, beside all units of the layer."""
    layer = study.layer("mixed3b")
    hypothesis = predefined("curve", study.network, layer)

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
    units = Responses(
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


def neighbors(family: Coverage, orientations: Float[Array, " units"]) -> tuple[int, int]:
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
    pair: xr.DataArray, judged: Mapping[str, bool], orientations: Float[Array, " two"]
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


def coverage_plot(
    groups: Sequence[tuple[str, Coverage]], missing: Sequence[tuple[float, float]]
) -> Figure:
    """Draw tuning over orientation, and shade what is missing."""
    figure = Figure(figsize=(7.4, 0.6 + 1.35 * len(groups)), layout="constrained")
    rows = figure.subplots(len(groups), sharex=True, squeeze=False)[:, 0]
    for axes, (name, family) in zip(rows, groups, strict=True):
        angles = np.append(family.angles, 360.0)
        around = np.append(np.arange(len(family.angles)), 0)
        for start, length in missing:
            for turn in (0, 360):
                axes.axvspan(start - turn, start + length - turn, color="#f3d6d0", lw=0)
        for row in family.tuned:
            color = hsl(float(family.angles[row.argmax()]), 0.75, 0.45)
            axes.plot(angles, row[around], color=color, lw=1)
        axes.axhline(HALF, color="#9a9ea5", lw=0.7, ls=(0, (3, 3)))
        axes.set(
            xlim=(0, 360), ylim=(0, 1.02), yticks=(0, 0.5, 1), ylabel=name.replace(" ", "\n", 1)
        )
        axes.spines[["top", "right"]].set_visible(False)
    rows[-1].set_xticks(range(0, 361, 45), [f"{angle}°" for angle in range(0, 361, 45)])
    return figure


THERE = inception(
    "directions of NMF on mixed3b fill the published gaps, 181° to 243°, 290° to 358°, 22.5° to "
    "66.5°",
    "62°, 68°, 44°",
)


@part(THERE)
def inception5h(study: Study) -> Iterator[Row | Plate]:
    """Google's own network."""
    google = replace(study, network=study.inceptionv1())
    spread = google.deviations("mixed3b").values.clip(1e-6)
    vectors = components("NMF", activations(google), google)
    features = as_directions("mixed3b", vectors / spread, "NMF")
    judged = verdicts(google, features)
    mine = [feature for feature in features if judged[str(feature)]]
    if not mine:
        yield THERE.found("no curves", holds=False)
        return
    peaks = orientation_tuning(along(curve_responses(google), mine))["orientation"].values
    inside = [
        int((((peaks - start) % 360 > (end - start) / 4)
             & ((peaks - start) % 360 < (end - start) * 3 / 4)).sum())
        for start, end in PUBLISHED_GAPS
    ]  # fmt: skip
    yield THERE.found(
        f"{len(mine)} curves; {', '.join(map(str, inside))} in the middle of the gaps",
        holds=all(inside),
        why="Directions that pass as curve detectors; holds where each gap's middle half has one.",
    )


ARTICLE = Article(
    "Missing curves",
    "a question of our own",
    "",
    "The ten published curve detectors leave orientations out. Does the network not detect these, "
    "or does it represent them in directions that are no unit's?",
    (published_family, family_here, directions, inception5h),
)
