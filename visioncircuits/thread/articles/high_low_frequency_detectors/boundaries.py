"""The outputs of the family in a network: boundary detectors."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import hypergeom

from visioncircuits.stimuli import StimulusSet, color_contrast, edge, frequency_pattern
from visioncircuits.stimuli import high_low as boundary
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import Unavailable
from visioncircuits.tuning import circular, measure
from visioncircuits.weights import expanded_weights, kernel_grid

USED = here(
    "of the 20 units of mixed3b that the family feeds most, many detect boundaries", "8 of 20"
)
EITHER = here(
    "some units of mixed3b have the same kernel from high-low frequency detectors of opposite "
    "directions",
    "mixed3b:345: .82 to .99",
)


@part(USED, EITHER)
def downstream_here(study: Study) -> Iterator[Row | Plate]:
    """What the family is used for.

    In place of the article's reading of feature visualizations, a unit counts as a boundary
    detector where three kinds of boundary (high to low frequency, dark to light, one hue to its
    opposite) each activate it at least a third as much as the strongest of them, all three on one
    axis within 30°, and one frequency alone half as far at most.
    """
    network, later = study.network, study.layer("mixed3b")
    table = study.detectors("high-low", "mixed3a")
    names, directions = table["unit"].tolist(), table["orientation"].to_numpy(float)
    kernels = expanded_weights(network, names, later).weight.double()
    strength = kernels.square().sum((1, 2, 3)).numpy()
    most = np.argsort(-strength)[:20]
    inside = boundary_units(study, later)
    count, every = int(inside[most].sum()), int(inside.sum())
    p = float(hypergeom.sf(count - 1, len(inside), every, len(most)))
    yield USED.found(
        f"{count} of {len(most)}",
        holds=p <= 0.05,
        interval=f"chance {len(most) * every / len(inside):.1f}, P = {p:.1g}",
        why=f"By L2 norm over all detectors; {every} of {len(inside)} units of {later} are "
        "boundary detectors by the criterion above. Holds at P of .05 or less.",
    )
    apart = circular.angular_distance(directions[:, None], directions)
    pairs = np.argwhere(np.triu(apart >= 135))
    yield from either(study, names, kernels.numpy(), pairs, most, strength)


def boundary_units(study: Study, layer: str) -> Bool[np.ndarray, " units"]:
    """Test which units of a layer detect boundaries of three kinds."""
    network = study.network
    tile = float(max(network.layer(study.layer("mixed3a")).receptive_field))
    around = range(0, 360, study.of(15, quick=30))
    kinds = (
        StimulusSet(boundary, {"orientation": around, "ratio": (4.0, 8.0)}, {"tile": tile}),
        StimulusSet(edge, {"orientation": around}),
        StimulusSet(color_contrast, {"orientation": around, "hue": range(0, 180, 60)}),
    )
    peaks, axes = [], []
    for stimuli in kinds:
        responses = measure(network, layer, stimuli).clip(min=0)
        others = [d for d in responses.dims if d not in ("unit", "orientation")]
        over = responses.max(others).transpose("unit", "orientation")
        half = over.values.reshape(len(over), 2, -1)
        folded = half.max(1)
        peaks.append(folded.max(1))
        axes.append(circular.mean_angle(folded - folded.min(1, keepdims=True), period=180))
    patterns = StimulusSet(
        frequency_pattern,
        {"orientation": (0, 15, 30), "frequency": (1, 2, 3, 4, 6, 8, 12)},
        {"tile": tile},
    )
    texture = measure(network, layer, patterns).max(("orientation", "frequency")).values
    strengths, turns = np.array(peaks), np.array(axes)
    agree = [
        circular.angular_distance(turns[one], turns[other], period=180) <= 30
        for one, other in ((0, 1), (0, 2), (1, 2))
    ]
    strong = strengths.min(0) >= strengths.max(0) / 3
    found: np.ndarray = (
        np.all(agree, 0) & strong & (strengths.max(0) > 0) & (texture <= strengths.max(0) / 2)
    )
    return found


def either(
    study: Study,
    names: Sequence[str],
    kernels: np.ndarray,
    pairs: np.ndarray,
    most: np.ndarray,
    strength: np.ndarray,
) -> Iterator[Row | Plate]:
    """Compare kernels from detectors of opposite directions."""
    if not len(pairs):
        raise Unavailable("no two detectors of opposite directions")
    network, later = study.network, study.layer("mixed3b")
    alike = opposite_kernels(kernels[most], pairs)
    if not alike.any():
        raise Unavailable(f"all kernels into a unit of {later} are multiples of one")
    best = int(alike.argmax())
    others = []
    for draw in range(study.of(50, quick=20)):
        siblings = study.siblings(names, draw)
        theirs = expanded_weights(network, siblings, later).weight.double()
        strongest = np.argsort(-theirs.square().sum((1, 2, 3)).numpy())[:20]
        others.append(opposite_kernels(theirs.numpy()[strongest], pairs).max())
    unit = f"{later}:{most[best]}"
    yield EITHER.found(
        f"{unit}: median {alike[best]:.2f}",
        holds=bool(alike[best] >= 0.8 and alike[best] > np.quantile(others, 0.95)),
        interval=f"siblings in place of detectors: 95 % below {np.quantile(others, 0.95):.2f}",
        why=f"Median correlation of kernels over {len(pairs)} pairs at least 135° apart, the best "
        "of the 20 units; holds at .8 or more and above 95 % of draws.",
    )
    weights = expanded_weights(network, names, unit)
    thumbnails = study.thumbnails([*names, unit])
    yield Plate(
        "either-side",
        kernel_grid(weights, thumbnails),
        f"The kernels from all detectors, by direction, into {unit}.",
    )


def opposite_kernels(
    kernels: Float[np.ndarray, "out in y x"], pairs: np.ndarray
) -> Float[np.ndarray, " out"]:
    """Correlate the kernels of pairs of inputs into each output: the median over pairs.

    Where all kernels into an output are multiples of one, as through a 1 × 1 convolution, the
    correlation is uninformative and counts as 0.
    """
    flat = kernels.reshape(*kernels.shape[:2], -1)
    varied = np.linalg.svd(flat, compute_uv=False)
    flat = flat - flat.mean(2, keepdims=True)
    flat = flat / np.linalg.norm(flat, axis=2, keepdims=True).clip(1e-30)
    first, second = (flat[:, column] for column in pairs.T)
    alike = np.median((first * second).sum(2), 1)
    return np.asarray(np.where(varied[:, 1] > 1e-4 * varied[:, 0], alike, 0.0))
