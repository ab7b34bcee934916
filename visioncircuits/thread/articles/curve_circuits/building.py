"""How curve detectors are built from curves and lines."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from visioncircuits.networks import Unit
from visioncircuits.stimuli import StimulusSet, curve, line
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import NEGATIVE, Claim, Unavailable
from visioncircuits.thread.intervals import middle
from visioncircuits.thread.units import numbers
from visioncircuits.tuning import angular_distance, measure, orientation_tuning
from visioncircuits.weights import expanded_weights, kernel_grid, position_grid, position_view

AGREE = here(
    "early curves excite curves of their own orientation",
    "positive where orientations agree (147→379, 81→385, …)",
)
OPPOSE = here("early curves inhibit curves of the opposite orientation", "negative at 180°")
RIGHT_ANGLES = here("early curves neither excite nor inhibit at right angles", "about zero at 90°")
ARC = here(
    "the kernel between curves of one orientation is an arc of the later one's curvature",
    "the tile follows the arc",
)
TANGENT = here(
    "lines of conv2d2 excite the curves whose tangent they are",
    "line detectors tile the curve along its tangents",
)
ACROSS = here("lines of conv2d2 inhibit the curves that they cross", "negative across")
SHARES = here(
    "curve detectors are made of curves and lines at their strongest position",
    "mixed3a: Curves 22, Lines 16 %; conv2d2: Line 47 %",
)
ALONG = here(
    "the weights into a curve detector lie along its curve, taken apart by position",
    "by eye, conv2d0 to mixed3a",
)


@part(AGREE, OPPOSE, RIGHT_ANGLES, ARC, stand_ins=(*NEGATIVE, "handwritten circles"))
def curves_from_curves(study: Study) -> Iterator[Row | Plate]:
    """Curves from early curves.

    Kernels from the curve detectors of mixed3a to those of mixed3b, both found by stimuli alone.
    The null shuffles which of the detectors has which orientation.
    """
    early, late = (study.detectors("curve", layer) for layer in ("mixed3a", "mixed3b"))
    weights = expanded_weights(study.network, list(early["unit"]), list(late["unit"]))
    size = f"{len(early)} × {len(late)} kernels, {weights.source} → {weights.target}"
    yield Plate(
        "curves-from-curves",
        kernel_grid(weights, size=48),
        f"{size}: early curves across, curves down, both in the order of their orientation. Red "
        "excites, blue inhibits.",
    )
    kernels = weights.weight.numpy()
    sums = kernels.sum((2, 3)) / np.abs(kernels.sum((2, 3))).max()
    theirs, ours = (table["orientation"].to_numpy(float) for table in (early, late))
    apart = angular_distance(ours[:, None], theirs[None, :])
    rng, draws = study.rng("curves"), study.of(10_000, quick=1000)
    shuffles = [rng.permutation(len(theirs)) for _ in range(draws)]
    yield signed(AGREE, sums, apart <= 30, 1, shuffles)
    yield signed(OPPOSE, sums, apart >= 150, -1, shuffles)
    yield right_angles(sums, apart, shuffles, rng)
    stride = max(study.network.layer(weights.target).stride)
    bend = late["radius"].to_numpy(float) / stride
    arcs, bent_back = (arc(ours + more, bend, kernels.shape[-1]) for more in (0.0, 180.0))
    rows, columns = np.nonzero(apart <= 45)
    rather = alike(kernels[rows, columns], arcs) > alike(kernels[rows, columns], bent_back)
    pairs = np.arange(len(rows))
    found = float(rather[pairs, rows].mean())
    chance = [
        float(rather[pairs, order[rows]].mean())
        for order in (rng.permutation(len(ours)) for _ in range(draws))
    ]
    low, high = middle(chance)
    yield ARC.found(
        f"{found:.2f} of {len(rows)} kernels are more like the arc than like the arc bent back",
        holds=found > high,
        interval=f"chance {low:.2f} to {high:.2f}",
        why="Pairs within 45°; the later detector's arc of its preferred radius, through the "
        "kernel's middle. A kernel of 5 × 5 hardly bends: the arc's sagitta is below a neuron.",
    )


def signed(
    claim: Claim, sums: np.ndarray, mask: np.ndarray, sign: int, shuffles: Sequence[np.ndarray]
) -> Row:
    """Compare the mean of masked kernels' sums with shuffled sources."""
    if not mask.any():
        raise Unavailable("no two detectors found are that far apart")
    found = float(sums[mask].mean())
    low, high = middle([sums[:, order][mask].mean() for order in shuffles])
    holds = {1: found > max(high, 0), -1: found < min(low, 0)}[sign]
    rule = {1: "positive and above chance", -1: "negative and below chance"}[sign]
    return claim.found(
        f"{found:+.2f} of the largest, mean of {mask.sum()} kernels' sums",
        holds=bool(holds),
        interval=f"chance {low:+.2f} to {high:+.2f}",
        why=f"Holds where {rule}.",
    )


def right_angles(
    sums: np.ndarray, apart: np.ndarray, shuffles: Sequence[np.ndarray], rng: np.random.Generator
) -> Row:
    """Test that kernels' sums at right angles are equivalent to none, beside those of aligned ones.

    That a mean is not far from zero is no evidence: its interval has to be near zero, relative to
    the aligned kernels' mean, and each sum small, more so than of pairs at any angle.
    """
    aligned, across = apart <= 30, np.abs(apart - 90) <= 15
    if not aligned.any() or not across.any():
        raise Unavailable("no two detectors found are aligned, or none at right angles")
    if not sums[aligned].mean() > 0:
        return RIGHT_ANGLES.untestable("aligned early curves do not excite, to compare with")

    def relative(rows: np.ndarray, columns: np.ndarray) -> float:
        drawn, near, far = (each[np.ix_(rows, columns)] for each in (sums, aligned, across))
        if not near.any() or not far.any():
            return float("nan")
        return float(drawn[far].mean() / drawn[near].mean())

    count = [np.arange(size) for size in sums.shape]
    found = relative(count[0], count[1])
    drawn = np.array([relative(*(rng.choice(each, len(each)) for each in count))
                      for _ in range(2000)])  # fmt: skip
    low, high = middle(drawn[np.isfinite(drawn)])
    size = float(np.abs(sums[across]).mean())
    least, most = middle([np.abs(sums[:, order][across]).mean() for order in shuffles])
    near_zero = low >= -0.2 and high <= 0.2
    apart_from_zero = low > 0.2 or high < -0.2
    decided = near_zero or apart_from_zero or size >= least
    return RIGHT_ANGLES.found(
        f"{found:+.2f} of the aligned mean; absolute sums {size:.3f} of the largest",
        holds=(near_zero and size < least) if decided else None,
        interval=f"{low:+.2f} to {high:+.2f} over detectors; absolute sums of shuffled pairs "
        f"{least:.3f} to {most:.3f}",
        why=f"{across.sum()} kernels of pairs 75° to 105° apart. Holds where the interval lies "
        "within a fifth of the aligned mean about zero, and absolute sums are below those of "
        "shuffled pairs; undecided where the interval spans a bound.",
    )


def arc(orientations: np.ndarray, radii: np.ndarray, size: int) -> np.ndarray:
    """Draw an arc through the middle of a kernel, for each orientation, in neurons."""
    drawn = curve(
        orientation=torch.tensor(orientations), radius=torch.tensor(radii), width=1.5, size=size
    )
    return drawn.mask[:, 0].numpy()


def alike(kernels: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """Correlate each kernel with each template."""
    one, other = (each.reshape(len(each), -1) for each in (kernels, templates))
    one, other = (each - each.mean(1, keepdims=True) for each in (one, other))
    norms = np.linalg.norm(one, axis=1)[:, None] * np.linalg.norm(other, axis=1)[None, :]
    cosines: np.ndarray = one @ other.T / norms.clip(1e-12)
    return cosines


@part(TANGENT, ACROSS, stand_ins=(*NEGATIVE, "handwritten curves"))
def curves_from_lines(study: Study) -> Iterator[Row | Plate]:
    """Curves from lines.

    Expanded weights from units of conv2d2 that are tuned to the orientation of lines (half width
    at most 30 degrees, responses at least the layer's median) to the curve detectors of
    mixed3b. A line is a curve's tangent where it lies at right angles to its orientation.
    """
    late = study.detectors("curve", "mixed3b")
    layer = study.layer("conv2d2")
    axes = {"orientation": np.arange(0, 180, 7.5).tolist(), "width": (1.67, 3.34)}
    responses = measure(study.network, layer, StimulusSet(line, axes)).clip(min=0)
    tuned = orientation_tuning(responses)
    peaks = np.nan_to_num(tuned["peak"].values)
    strong = peaks >= np.median(peaks[peaks > 0])
    units = np.flatnonzero(strong & (tuned["width"].values <= 60))
    if len(units) < 3:
        raise Unavailable(f"{len(units)} units of {layer} are tuned to the orientation of lines")
    facing = tuned["orientation"].values[units]
    order = np.argsort(facing)
    units, facing = units[order], facing[order]
    sources = [str(Unit(layer, int(unit))) for unit in units]
    weights = expanded_weights(study.network, sources, list(late["unit"]))
    yield Plate(
        "curves-from-lines",
        kernel_grid(weights, size=40),
        f"{len(sources)} units of {layer} that are tuned to the orientation of lines (across) into "
        f"{len(late)} curve detectors of {weights.target} (down), by orientation. Red excites, "
        "blue inhibits.",
    )
    sums = weights.weight.numpy().sum((2, 3))
    sums = sums / np.abs(sums).max()
    tangents = (late["orientation"].to_numpy(float) + 90) % 180
    apart = angular_distance(tangents[:, None], facing[None, :], period=180.0)
    rng = study.rng("lines")
    shuffles = [rng.permutation(len(sources)) for _ in range(study.of(10_000, quick=1000))]
    yield signed(TANGENT, sums, apart <= 22.5, 1, shuffles)
    yield signed(ACROSS, sums, apart >= 67.5, -1, shuffles)


@part(SHARES)
def made_of(study: Study) -> Iterator[Row | Plate]:
    """What the strongest position is made of.

    The article gives each family's share of the weights at the strongest position of 3b:379:
    in mixed3a Curves 22, Lines 16, Angles 16 %, in conv2d2 Line 47 %. Here: the share of all
    absolute weights at each detector's strongest position that comes from curves and lines that
    were found by stimuli, against the share that as many units at random have.
    """
    late = study.detectors("curve", "mixed3b")
    measured, chance, holds, rng = [], [], [], study.rng("shares")
    for layer, families in (("mixed3a", ("curve", "line")), ("conv2d2", ("line",))):
        weights = expanded_weights(study.network, study.layer(layer), list(late["unit"]))
        strength = weights.weight.abs()
        places = strength.sum(1).flatten(1).argmax(1)
        at = strength.flatten(2).gather(
            2, places[:, None, None].expand(-1, strength.shape[1], 1)
        )[..., 0]  # fmt: skip
        share = (at / at.sum(1, keepdim=True)).numpy()
        units = [
            unit for family in families for unit in numbers(study.members(family, layer)["unit"])
        ]
        mean = float(share[:, units].sum(1).mean())
        low, high = middle([
            share[:, rng.choice(share.shape[1], len(units), replace=False)].sum(1).mean()
            for _ in range(2000)
        ])  # fmt: skip
        measured.append(
            f"{layer} {' and '.join(f'{family}s' for family in families)} {mean:.0%} of all weight"
        )
        chance.append(f"{len(units)} units at random {low:.0%} to {high:.0%}")
        holds.append(mean > high and mean >= 1 / 3)
    yield SHARES.found(
        "; ".join(measured),
        holds=all(holds),
        interval="; ".join(chance),
        why="Holds where in both layers they have a third of the weight or more, as in the "
        "article, and more than as many units at random.",
    )


@part(ALONG, stand_ins=(*NEGATIVE, "handwritten curves"))
def decomposed(study: Study) -> Iterator[Row | Plate]:
    """Decomposed feature visualization.

    The weights into a detector are taken apart by position: each position is a direction in the
    earlier layer, drawn by feature visualization, the fainter the smaller its weights. The claim
    is put as a number: the magnitude over positions is an arc, rather than that arc turned.
    """
    late = study.detectors("curve", "mixed3b")
    layer = study.layer("mixed3a")
    weights = expanded_weights(study.network, layer, list(late["unit"]))
    size = weights.weight.shape[-1]
    stride = max(study.network.layer(weights.target).stride)
    magnitude = weights.weight.square().sum(1).sqrt().numpy()
    facing = late["orientation"].to_numpy(float)
    radii = late["radius"].to_numpy(float) / stride
    turns = range(0, 360, 15)
    own = np.stack(
        [np.diag(alike(magnitude, arc(facing + degrees, radii, size))) for degrees in turns]
    )
    best = np.array(turns)[own.argmax(0)]
    off = angular_distance(best.astype(float), np.zeros(len(best)), period=180.0)
    rng = study.rng("decomposed")
    chance = [np.median(angular_distance(rng.choice(turns, len(best)).astype(float),
                                         np.zeros(len(best)), period=180.0))
              for _ in range(2000)]  # fmt: skip
    low, high = middle(chance)
    yield ALONG.found(
        f"{np.median(off):.0f}° off in the median of {len(best)}",
        holds=float(np.median(off)) < low,
        interval=f"chance {low:.0f} to {high:.0f}°",
        why="The turn of the detector's arc that correlates best with the magnitude of the weights "
        f"from {layer} over {size} × {size} positions, modulo 180°.",
    )
    target = str(late["unit"][int(late["peak"].argmax())])
    view = position_view(expanded_weights(study.network, layer, target))
    directions = [direction for row in view.directions for direction in row]
    order = view.magnitude.flatten().argsort(descending=True).tolist()
    drawn = [directions[place] for place in order[: study.of(len(order), quick=6)]]
    pictures = study.thumbnails(drawn)
    yield Plate(
        "decomposed",
        position_grid(view, pictures),
        f"{target} in terms of {layer}, position by position: what activates each position's "
        f"weights most, the fainter the smaller they are; the {len(drawn)} strongest positions.",
    )
