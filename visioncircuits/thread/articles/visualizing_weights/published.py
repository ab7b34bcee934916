"""The published weights."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.signal import convolve2d

from visioncircuits.comparison.symmetry import correlation, sums_by_angle
from visioncircuits.figures import Figure
from visioncircuits.networks import Unit
from visioncircuits.thread import Plate, Row, Study, paper, part
from visioncircuits.thread.tiles import FILE, read_tiles
from visioncircuits.tuning import angular_distance
from visioncircuits.weights import ExpandedWeights, kernel_grid, signed_colors

ALIGNED = paper(
    "figure 4: an early curve excites a later one of its orientation, and inhibits one opposed",
    "mixed3b:342 from 145, 81 and 147",
)
BANDS = paper(
    "figure 5: among eight by eight curves, kernels are positive along the diagonal and negative "
    "along the band of opposed orientations",
    "0-30° +2.33, 30-60° +1.81, 60-90° +.26, 90-120° +.22, 120-150° -1.10, 150-180° -2.86",
)
SURROUND = paper(
    "figure 9: black-and-white detectors inhibit mixed3b:208 in the center and excite it around",
    "from 208, 210, 197, 214, 223",
)
STRONG = paper(
    "figure 12: conv2d2:89 is strong in 110 and 112, and weak in 345 that both feed",
    "max .92 and .38, expanded -.17 to +.24",
)
CANCELED = paper("figure 12: the paths through 110 and 112 cancel", "it cancels")


@part(ALIGNED, BANDS, SURROUND, STRONG, CANCELED)
def published_weights(study: Study) -> Iterator[Row | Plate]:
    """The published weights.

    Kernels were read off the article's figures. A kernel shows where a unit of the layer before
    excites (red) and inhibits (blue). The two factors of figures 7 and 8 are in High-Low Frequency
    Detectors.
    """
    yield from published_curves(study)
    path = study.published(FILE)
    ninth = {tile.unit: tile.kernel for tile in read_tiles(path, "VisualizingWeights Fig9")}
    centers = {unit: kernel[2, 2] for unit, kernel in ninth.items()}
    rings = {unit: around(kernel) for unit, kernel in ninth.items()}
    yield SURROUND.found(
        ", ".join(f"{unit} {centers[unit]:+.2f} / {rings[unit]:+.2f}" for unit in ninth),
        holds=all(centers[unit] < rings[unit] and rings[unit] > 0 for unit in ninth),
        why="Weight in the middle / mean of the eight around it; holds where all are positive "
        "around, and more so than in the middle.",
    )
    yield from published_paths(path)


def published_curves(study: Study) -> Iterator[Row | Plate]:
    """Test the kernels from curves to curves."""
    path = study.published(FILE)
    early, late = (study.orientations()[layer] for layer in ("mixed3a", "mixed3b"))
    fourth = {tile.unit: tile.kernel for tile in read_tiles(path, "VisualizingWeights Fig4")}
    ends = {unit: float(angular_distance(early[int(unit)], late[342])) for unit in fourth}
    order = sorted(fourth, key=lambda unit: ends[unit])
    sums = [float(fourth[unit].sum()) for unit in order]
    yield ALIGNED.found(
        ", ".join(f"{unit} ({ends[unit]:.0f}° away) {total:+.2f}"
                  for unit, total in zip(order, sums, strict=True)),
        holds=sums == sorted(sums, reverse=True) and sums[0] > 0 > sums[-1],
        why="Sums of the kernels, by the angle between the orientations, which stimuli gave.",
    )  # fmt: skip
    with np.load(study.published("curves_3a_to_3b_fig5_weights.npz")) as arrays:
        kernels = arrays["weights"].astype(float)
        rows, columns = arrays["rows3b"].tolist(), arrays["cols3a"].tolist()
    targets = np.array([late[unit] for unit in rows])
    sources = np.array([early[unit] for unit in columns])
    means = sums_by_angle(kernels, targets, sources)["sum"].to_numpy()
    published = ["+2.33", "+1.81", "+0.26", "+0.22", "-1.10", "-2.86"]
    yield BANDS.found(
        ", ".join(f"{value:+.2f}" for value in means),
        holds=[f"{value:+.2f}" for value in means] == published,
        interval=f"correlation of sum and cosine {cosine(kernels, targets, sources):.2f}",
        why="Mean sums of 64 kernels by the angle between orientations.",
    )
    yield Plate(
        "published-curves",
        kernel_grid(labeled(kernels, rows, columns, targets, sources)),
        "Figure 5 from its own numbers: curves of mixed3a (across) to curves of mixed3b (down), "
        "both by orientation.",
    )


def published_paths(path: Path) -> Iterator[Row | Plate]:
    """Test the paths of figure 12."""
    twelfth = {
        (tile.unit, tile.output): tile.kernel
        for tile in read_tiles(path, "VisualizingWeights Fig12")
    }
    first, second, expanded = (twelfth[89, output] for output in (110, 112, 345))
    measured = first.max(), second.max(), expanded.min(), expanded.max()
    yield STRONG.found(
        f"max {measured[0]:.2f} and {measured[1]:.2f}, expanded {measured[2]:+.2f} to "
        f"{measured[3]:+.2f}",
        holds=[f"{value:.2f}" for value in measured] == ["0.92", "0.38", "-0.17", "0.24"],
        why="Read off the figure.",
    )
    through = [convolve2d(twelfth[89, unit], twelfth[unit, 345]) for unit in (110, 112)]
    alike, whole = correlation(*through), np.linalg.norm(sum(through))
    yield CANCELED.found(
        f"correlation {alike:.2f}; {whole:.2f} of {sum(map(np.linalg.norm, through)):.2f} is left",
        holds=alike < -0.9,
        why="Each path's kernel is the convolution of its two; their correlation, and the norm of "
        "their sum against the sum of norms. Holds below -.9.",
    )
    yield Plate(
        "published-cancellation",
        paths([*through, expanded], ["through 110", "through 112", "expanded, published"]),
        "Figure 12 from its own numbers: conv2d2:89 to mixed3b:345 by either path, and as "
        "published over all paths, each over its own largest weight.",
    )


def around(kernel: np.ndarray) -> float:
    """Average the eight weights around the middle one."""
    middle_of = kernel.shape[0] // 2
    ring = kernel[middle_of - 1 : middle_of + 2, middle_of - 1 : middle_of + 2].copy()
    return float((ring.sum() - ring[1, 1]) / 8)


def cosine(kernels: np.ndarray, targets: np.ndarray, sources: np.ndarray) -> float:
    """Correlate the kernels' sums with the cosine of the angle between orientations."""
    return correlation(kernels.sum((2, 3)), np.cos(np.radians(targets[:, None] - sources)))


def labeled(
    kernels: np.ndarray,
    rows: Sequence[int],
    columns: Sequence[int],
    targets: np.ndarray,
    sources: np.ndarray,
) -> ExpandedWeights:
    """Return published kernels as expanded weights, units by orientation."""
    down, across = np.argsort(targets), np.argsort(sources)
    return ExpandedWeights(
        torch.tensor(kernels[np.ix_(down, across)], dtype=torch.float32),
        tuple(Unit("mixed3a", columns[place]) for place in across),
        tuple(Unit("mixed3b", rows[place]) for place in down),
        (1, 1),
        (-2, -2),
        {},
    )


def paths(kernels: Sequence[np.ndarray], titles: Sequence[str]) -> Figure:
    """Draw kernels side by side, each over its own largest weight."""
    figure = Figure(figsize=(1.6 * len(kernels), 1.85), layout="constrained")
    for axes, kernel, title in zip(figure.subplots(1, len(kernels)), kernels, titles, strict=True):
        axes.imshow(signed_colors(kernel, float(np.abs(kernel).max())))
        axes.set(xticks=[], yticks=[])
        axes.set_title(f"{title}\nmax {np.abs(kernel).max():.2f}", fontsize=7)
    return figure
