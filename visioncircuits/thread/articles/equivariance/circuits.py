"""Equivariant circuits of a network."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch

from visioncircuits.comparison import rotation
from visioncircuits.comparison.symmetry import centroids, placement, sums_by_angle
from visioncircuits.stimuli import StimulusSet, circle
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import NEGATIVE, SHUFFLED, Unavailable
from visioncircuits.thread.intervals import interval, middle, null
from visioncircuits.tuning import circular, measure
from visioncircuits.tuning.circles import circle_detectors
from visioncircuits.weights import expanded_weights, kernel_grid

RULE = here(
    "curve to curve, kernels follow the angle between orientations: aligned ones excite",
    "mean sums from +2.33 to -2.86",
)
QUARTERS = here(
    "curve to curve, kernels turn with the curves: kernels of pairs at one angle, turned onto one "
    "another, are alike",
    "aligned .52 to .85",
)
SIZES = here(
    "circle detectors come in several sizes, larger from layer to layer",
    "conv2d2:146, mixed3b:346, 323, mixed4a:402",
    stand_ins=(SHUFFLED,),
)
ROUND = here("circles are made of curves that each lie where they face", "within 15° (mixed4a:402)")


@part(RULE, QUARTERS, SIZES, ROUND, stand_ins=(*NEGATIVE, "handwritten circles"))
def circuits_here(study: Study) -> Iterator[Row | Plate]:
    """Equivariant circuits in this network.

    Curve detectors and what they prefer are found by stimuli alone, so that weights are
    independent evidence.
    """
    network = study.network
    early, late = (study.detectors("curve", layer) for layer in ("mixed3a", "mixed3b"))
    weights = expanded_weights(network, early["unit"].tolist(), late["unit"].tolist())
    kernels = weights.weight.double().numpy()
    sources, targets = (table["orientation"].to_numpy(float) for table in (early, late))

    def falling(sources: np.ndarray) -> float:
        sums = sums_by_angle(kernels, targets, sources, step=60)["sum"]
        return float(sums.iloc[0] - sums.iloc[-1])

    rng = study.rng("rule")
    slope = falling(sources)
    low, high = null(falling, sources, rng)
    by_angle = sums_by_angle(kernels, targets, sources)["sum"]
    yield RULE.found(
        ", ".join(f"{value:+.2f}" for value in by_angle),
        holds=slope > high,
        interval=f"0-60° less 120-180°: {slope:.2f}; shuffled {low:.2f} to {high:.2f}",
        why=f"Mean sums at steps of 30° of {len(sources)} × {len(targets)} kernels.",
    )
    alike = turned_likeness(kernels, targets, sources)
    chance = [turned_likeness(kernels, rng.permutation(targets), rng.permutation(sources))
              for _ in range(study.of(200, quick=50))]  # fmt: skip
    low, high = middle(chance)
    yield QUARTERS.found(
        f"mean correlation {alike:.2f}",
        holds=alike > high,
        interval=f"orientations shuffled: {low:.2f} to {high:.2f}",
        why="Kernels of aligned pairs (within 45°), each turned upright by its target's "
        "orientation, correlated with one another.",
    )
    yield sizes(study)
    yield from round_here(study, late)


def sizes(study: Study) -> Row:
    """Compare the preferred radius of circle detectors in several layers, in pixels."""
    network, radii, spans, counts = study.network, {}, {}, {}
    for layer in map(study.layer, ("conv2d2", "mixed3a", "mixed3b", "mixed4a")):
        table = circle_detectors(network, layer)
        units = table[table["detector"]]["unit"].tolist()
        if len(units) < 3:
            continue
        field = float(min(*network.layer(layer).receptive_field, network.size))
        stimuli = StimulusSet(
            circle, {"radius": np.linspace(0.06, 0.45, 14) * field}, {"width": 3.0}
        )
        best = measure(network, units, stimuli).idxmax("radius").values.astype(float)
        counts[layer], radii[layer] = len(units), float(np.median(best))
        spans[layer] = interval(best, study.rng(layer))
    if len(radii) < 2:
        return SIZES.untestable("circle detectors were found in fewer than two layers")
    middles = list(radii.values())
    return SIZES.found(
        ", ".join(f"{layer} {radius:.0f} px ({counts[layer]})" for layer, radius in radii.items()),
        holds=len(radii) >= 3 and middles == sorted(set(middles)),
        interval=", ".join(f"{low:.0f} to {high:.0f}" for low, high in spans.values()),
        why="Median of the radius that activates them most, of circles from .06 to .45 of a "
        "neuron's receptive field (number of detectors); holds where it grows over three layers or "
        "more.",
    )


def turned_likeness(kernels: np.ndarray, targets: np.ndarray, sources: np.ndarray) -> float:
    """Correlate the kernels of aligned pairs with each other, turned upright."""
    rows, columns = np.nonzero(circular.angular_distance(targets[:, None], sources) <= 45)
    upright = [
        rotation(-targets[row]).kernel(torch.tensor(kernels[row, column])[None, None])[0, 0]
        for row, column in zip(rows, columns, strict=True)
    ]
    flat = torch.stack(upright).flatten(1).numpy()
    table = np.corrcoef(flat)
    return float(table[np.triu_indices(len(table), 1)].mean())


def round_here(study: Study, curves: pd.DataFrame) -> Iterator[Row | Plate]:
    """Test where curves lie in circles."""
    layer = study.layer("mixed4a")
    table = circle_detectors(study.network, layer)
    units = table[table["detector"]]["unit"].tolist()
    if not units:
        raise Unavailable(f"no circle detectors found in {layer}")
    facing = curves["orientation"].to_numpy(float)
    weights = expanded_weights(study.network, curves["unit"].tolist(), units)
    kernels = weights.weight.double().numpy()
    apart = np.linalg.norm(centroids(kernels), axis=-1) > 0.5  # from the middle: it has a direction
    exciting = apart & (kernels.sum((2, 3)) > 0)
    if exciting.sum() < 10:
        raise Unavailable(f"{int(exciting.sum())} kernels lie beside the middle; ten are needed")
    which = np.nonzero(exciting)[1]
    off = np.abs(placement(kernels[exciting], facing[which]))
    rng = study.rng("circles")
    low, high = null(
        lambda drawn: float(np.median(np.abs(placement(kernels[exciting], drawn[which])))),
        facing,
        rng,
    )
    yield ROUND.found(
        f"median {np.median(off):.0f}°, {(off <= 45).mean():.0%} within 45°".replace("%", " %"),
        holds=bool(np.median(off) < low),
        interval=f"orientations shuffled: median {low:.0f} to {high:.0f}°",
        why=f"{int(exciting.sum())} exciting kernels, their middles half a neuron or more from the "
        f"kernel's, of {len(facing)} curves into {len(units)} circle detectors of {layer}; all are "
        "found by stimuli.",
    )
    chosen = units[int(exciting.sum(1).argmax())]
    one = expanded_weights(study.network, curves["unit"].tolist(), chosen)
    names = [*curves["unit"], chosen]
    yield Plate(
        "circle",
        kernel_grid(one, study.thumbnails(names)),
        "The kernels from curve detectors, by orientation, into the circle detector that most of "
        f"them excite beside its middle, {chosen}.",
    )
