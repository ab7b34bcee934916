"""Labels of what activates the detectors, by the handwritten curve circuit."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Float

from visioncircuits import networks
from visioncircuits.examples import LayerExamples, sketch
from visioncircuits.figures import Figure
from visioncircuits.handwritten import labels
from visioncircuits.networks import Unit
from visioncircuits.stimuli import named
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.curve_detectors.family import Curves, family
from visioncircuits.thread.claims import NEGATIVE
from visioncircuits.thread.intervals import interval
from visioncircuits.tuning import circular, measure

LABELS = ("curve", "imperfect", "unrelated", "opposing")
COLORS = ("#00bcd4", "#b2ebf2", "#FFF6D7", "#ff5722")
BINS = np.arange(-4.0, 9.0)
"""Of pre-activation, in standard deviations; the last one is open."""

PREVAIL = here(
    "a curve detector's strongest activations are at curves and imperfect curves of its "
    "orientation",
    "most",
)
OPPOSED = here("curves of the opposing orientation inhibit a curve detector", "below zero only")
SHARE = here(
    "curves and imperfect curves make up most of a curve detector's expected value", "55 %"
)
MISSED = here("a curve detector hardly ever misses a curve of its orientation", "1 of 206")


@part(PREVAIL, OPPOSED, SHARE, MISSED, stand_ins=(*NEGATIVE, "handwritten curves"))
def without_humans(study: Study) -> Iterator[Row | Plate]:
    """Labels of what activates it in photographs, by a criterion in place of people.

    In the article people labeled the inputs that activate the unit. Here the handwritten curve
    circuit does, whose weights were set by formula: its strongest curve within a position of the
    neuron decides. Below a tenth of the response to a perfect curve, the label is unrelated; else
    it is curve up to 30° from the detector's orientation, imperfect up to 60°, opposing from 120°;
    the rest is unrelated. This labels contours, not objects, and misses faint ones.
    """
    curves = family(study)
    layer = study.examples().layers[curves.layer]
    drawn = sampled(study, curves, layer)
    found = labeled(drawn["off"], drawn["clear"])
    chance = labeled(drawn["off"] + 90, drawn["clear"])
    shares = np.zeros((len(BINS), len(LABELS)))
    np.add.at(shares, (drawn["bin"], found), 1)
    shares /= shares.sum(1, keepdims=True).clip(1)
    values = np.array([value(layer, place) for place in curves.places])
    yield Plate(
        "labels",
        stacked(shares, values.mean(0)),
        f"Labels of {len(found)} neurons, by pre-activation, from the handwritten circuit; "
        "below, times what each step adds to the expected value.",
    )
    yield from labeled_shares(study, found, chance, drawn["bin"])
    yield expected_value(study, found, chance, drawn, values)


def share(study: Study, mask: np.ndarray) -> tuple[float, float, float]:
    """Compute a share and its interval."""
    drawn = mask.astype(float)
    mean = float(drawn.mean()) if len(drawn) else float("nan")
    return (mean, *interval(drawn, study.rng("labels"), statistic=lambda d: float(d.mean())))


def labeled_shares(
    study: Study, labels: np.ndarray, chance: np.ndarray, bins: np.ndarray
) -> Iterator[Row]:
    """Test which labels prevail at which activations."""
    many = bins >= np.searchsorted(BINS, 4.0)
    top, low, high = share(study, labels[many] < 2)
    by_chance = float((chance[many] < 2).mean())
    yield PREVAIL.found(
        f"{top:.0%} from 4 σ on",
        holds=low > 0.5 and low > by_chance,
        interval=f"{low:.0%} to {high:.0%}; were it turned by 90°, {by_chance:.0%}",
        why=f"{many.sum()} neurons of {len(family(study).units)} detectors; holds where the "
        "interval is above half and above chance.",
    )
    below, above = bins < np.searchsorted(BINS, -1.0), bins >= np.searchsorted(BINS, 0)
    if below.any() and above.any():
        down, up = share(study, labels[below] == 3), share(study, labels[above] == 3)
        yield OPPOSED.found(
            f"{down[0]:.1%} below −1 σ, {up[0]:.1%} above 0",
            holds=down[1] > up[2],
            interval=f"{down[1]:.1%} to {down[2]:.1%}, {up[1]:.1%} to {up[2]:.1%}",
            why="Share of opposing curves; holds where the intervals do not overlap.",
        )
    else:
        yield OPPOSED.untestable("no neuron was drawn below −1 σ, or none above 0")
    missed = bins[labels == 0] < np.searchsorted(BINS, 0)
    inactive, low, high = share(study, missed)
    yield MISSED.found(
        f"{inactive:.0%} of {len(missed)} curves",
        holds=high < 0.05,
        interval=f"{low:.0%} to {high:.0%}",
        why="Neurons labeled a curve that are not active, of as many drawn from every step of "
        "activation; holds where the interval is below 5 %. The criterion detects contours of one "
        "radius and position, and at times labels straight ones and textures as curves.",
    )


def expected_value(
    study: Study,
    labels: np.ndarray,
    chance: np.ndarray,
    drawn: Mapping[str, np.ndarray],
    values: np.ndarray,
) -> Row:
    """Test how much of the expected value is at neurons labeled a curve."""

    def carried(labels_of: np.ndarray, units: np.ndarray) -> float:
        own = np.isin(drawn["unit"], units)
        total = values[units].mean(0)
        each = [
            (labels_of[own & (drawn["bin"] == at)] < 2).mean()
            if (own & (drawn["bin"] == at)).any()
            else 0.0
            for at in range(len(BINS))
        ]
        return float((np.array(each) * total).sum() / total.sum())

    everyone = np.arange(len(values))
    most = carried(labels, everyone)
    low, high = interval(
        everyone, study.rng("values"), draws=200, statistic=lambda units: carried(labels, units)
    )
    other = carried(chance, everyone)
    return SHARE.found(
        f"{most:.0%}",
        holds=low > 0.5,
        interval=f"{low:.0%} to {high:.0%} over units; were they turned by 90°, {other:.0%}",
        why="Activation times density, by label; holds where the interval is above half.",
    )


def sampled(study: Study, curves: Curves, layer: LayerExamples) -> dict[str, np.ndarray]:
    """Draw neurons evenly over activation, and measure the handwritten circuit there.

    Returns `unit`, `bin`, `off` (degrees from the detector's orientation) and `clear` (the
    handwritten circuit's response, over that to a perfect curve).
    """
    judge = networks.load("handwritten:curves", device=study.network.device)
    top = list(judge.layers)[-1]
    names = study.examples().names
    orientations = np.array(
        [label.orientation for label in labels(judge, top) if label.kind == "curve"], np.float64
    )
    bends = [Unit(top, place) for place in range(len(orientations))]
    perfect = float(measure(judge, bends, named("curves")).max())
    size, each = study.network.size, study.of(40, quick=12)
    here_at = study.network.layer_at(curves.layer, size)
    there_at = judge.layer_at(top, size)
    selected: dict[int, list[tuple[int, int, tuple[int, int]]]] = {}
    for unit, place in enumerate(curves.places):
        spread = layer.moments.deviation[place]
        for at, low in enumerate(BINS):
            high = BINS[at + 1] if at + 1 < len(BINS) else np.inf
            found = layer.drawn(place, low * spread, high * spread)
            order = study.rng(f"{place} {at}").permutation(found.values.shape[1])[:each]
            for one in order:
                row, column = found.positions[0, one].tolist()
                picture = int(found.pictures[0, one])
                selected.setdefault(picture, []).append((unit, at, (row, column)))
    rows: list[tuple[int, int, float, float]] = []
    for picture, neurons in selected.items():
        pixels = study.photograph(names[picture])
        with torch.inference_mode():
            maps = judge.activations(pixels[None], [top])[top][0, : len(orientations)]
        for unit, at, position in neurons:
            middle_of = np.array(here_at.center(position))
            nearest = np.round((middle_of - there_at.center((0, 0))) / there_at.stride).astype(int)
            row, column = nearest.clip(0, np.array(maps.shape[1:]) - 1).tolist()
            near = maps[:, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].amax((1, 2))
            best = int(near.argmax())
            off = float(orientations[best] - curves.orientations[unit])
            rows.append((unit, at, off, float(near[best]) / perfect))
    table = np.array(rows)
    return {
        "unit": table[:, 0].astype(int),
        "bin": table[:, 1].astype(int),
        "off": table[:, 2],
        "clear": table[:, 3],
    }


def labeled(off: Float[np.ndarray, " neurons"], clear: Float[np.ndarray, " neurons"]) -> np.ndarray:
    """Return the index of each neuron's label."""
    off = circular.angular_distance(off, np.zeros_like(off))
    bent = np.select([off <= 30, off <= 60, off < 120], [0, 1, 2], 3)
    return np.where(clear < 0.1, 2, bent)


def value(layer: LayerExamples, unit: int) -> Float[np.ndarray, " bins"]:
    """Compute the share of the expected value in each bin of activation."""
    middles = sketch.middles()
    weights = middles.clip(0) * layer.counts[unit]
    edges = np.append(BINS, np.inf) * layer.moments.deviation[unit]
    total = np.histogram(middles, edges, weights=weights)[0]
    found: np.ndarray = total / total.sum()
    return found


def stacked(shares: Float[np.ndarray, "bins labels"], values: Float[np.ndarray, " bins"]) -> Figure:
    """Draw the labels' shares, of neurons and of the expected value."""
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    above, below = figure.subplots(2, sharex=True)
    for axes, heights in ((above, shares), (below, shares * values[:, None])):
        base = np.zeros(len(BINS))
        for label, color, column in zip(LABELS, COLORS, heights.T, strict=True):
            axes.bar(BINS, column, 1, base, align="edge", color=color, edgecolor="white", lw=0.5,
                     label=label)  # fmt: skip
            base = base + column
        axes.spines[["top", "right"]].set_visible(False)
    above.set_ylabel("share of neurons")
    below.set_ylabel("expected value")
    below.set_xlabel("pre-activation, σ")
    above.axvline(0, color="#202124", lw=0.8)
    above.legend(frameon=False, fontsize=8, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
    return figure
