"""Equivariant circuits of a network."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import torch

from visioncircuits.comparison import rotation
from visioncircuits.comparison.symmetry import centroids, placement
from visioncircuits.stimuli import StimulusSet, circle
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import NEGATIVE, SHUFFLED, Unavailable
from visioncircuits.thread.intervals import middle, null
from visioncircuits.tuning import circular, measure
from visioncircuits.tuning.circles import circle_detectors
from visioncircuits.weights import expanded_weights, kernel_grid

QUARTERS = here(
    "curve to curve, kernels turn with the curves: kernels of pairs at one angle, turned onto one "
    "another, are alike",
    "aligned .52 to .85",
)
SIZES = here(
    "circle detectors are larger from layer to layer, beyond what other units of the layers are",
    "conv2d2:146, mixed3b:346, 323, mixed4a:402",
    stand_ins=(SHUFFLED,),
)
ROUND = here(
    "circles in mixed4a are made of curves that each lie where they face",
    "within 15° (mixed4a:402)",
)


@part(QUARTERS, SIZES, ROUND, stand_ins=(*NEGATIVE, "handwritten circles"))
def circuits_here(study: Study) -> Iterator[Row | Plate]:
    """Equivariant circuits in this network.

    Curve detectors and what they prefer are found by stimuli alone, so that weights are
    independent evidence. That early curves excite those of their orientation, and inhibit opposed
    ones, is tested in Curve Circuits.
    """
    network = study.network
    early, late = (study.detectors("curve", layer) for layer in ("mixed3a", "mixed3b"))
    weights = expanded_weights(network, early["unit"].tolist(), late["unit"].tolist())
    kernels = weights.weight.double().numpy()
    sources, targets = (table["orientation"].to_numpy(float) for table in (early, late))
    rng = study.rng("quarters")
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
    """Compare the preferred radius of circle detectors over layers with that of other units.

    Radii go with the receptive field, so that any unit's grows from layer to layer.
    """
    network, found = study.network, {}
    for layer in map(study.layer, ("conv2d2", "mixed3a", "mixed3b", "mixed4a")):
        table = circle_detectors(network, layer)
        if (count := int(table["detector"].sum())) < 3:
            continue
        field = float(min(*network.layer(layer).receptive_field, network.size))
        stimuli = StimulusSet(
            circle, {"radius": np.linspace(0.06, 0.45, 14) * field}, {"width": 3.0}
        )
        responses = measure(network, layer, stimuli)
        best = responses.idxmax("radius").values.astype(float)
        round_ = table["detector"].to_numpy(bool)
        driven = responses.max("radius").values > 0
        found[layer] = best[round_], best[driven & ~round_], count
    if len(found) < 3:
        return SIZES.untestable("circle detectors were found in fewer than three layers")

    def growth(radii: Sequence[np.ndarray]) -> float:
        medians = [float(np.log2(np.median(each))) for each in radii]
        return float(np.polyfit(np.arange(len(medians)), medians, 1)[0])

    rng = study.rng("sizes")
    own = growth([best for best, _, _ in found.values()])
    low, high = middle([
        growth([rng.choice(others, count, replace=False) for _, others, count in found.values()])
        for _ in range(1000)
    ])  # fmt: skip
    return SIZES.found(
        f"{2**own:.2f} times a layer: "
        + ", ".join(
            f"{layer} {np.median(best):.0f} px ({count})"
            for layer, (best, _, count) in found.items()
        ),
        holds=own > high,
        interval=f"as many other units {2**low:.2f} to {2**high:.2f} times",
        why="Median of the radius that activates them most, of circles from .06 to .45 of a "
        "neuron's receptive field (number of detectors). Holds where it grows more than that of "
        "other units that circles activate, of the same layers.",
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
        holds=bool(np.median(off) <= 45 and np.median(off) < low),
        interval=f"orientations shuffled: median {low:.0f} to {high:.0f}°",
        why=f"{int(exciting.sum())} exciting kernels, their middles half a neuron or more from the "
        f"kernel's, of {len(facing)} curves into {len(units)} circle detectors of {layer}; all are "
        "found by stimuli. Holds up to a median of 45° and below the interval.",
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
