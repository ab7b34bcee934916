"""The published line tuning and heat maps."""

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import zoom

from visioncircuits.thread import Plate, Row, Study, paper, part
from visioncircuits.tuning.circular import width

LINES = (227, 0, 75, 146, 69, 169, 57, 154, 27, 134, 150, 240)
"""The twelve simple lines of mixed3a that the article's code lists; its text counts eleven."""

WIDE = paper("lines of mixed3a tolerate edges that are off by about 10 to 45 degrees", "10 to 45°")
ALIKE = paper(
    "the hand-set curve detectors respond to curves as the trained ones do", "“identical” by eye"
)
RECOVERED = paper(
    "hand-set curve detectors bring back more than half of the accuracy that removal costs",
    "88.6 %, 86.3 % removed, 87.6 % with them; 46 and 20 photographs of 2,000",
)
ECHOES = paper(
    "detectors echo at 180 degrees without inhibition: median echo original, of early curves only, "
    "of their positive weights only",
    ".01, .00, .24",
)


@part(WIDE, ALIKE, RECOVERED, ECHOES)
def published_figures(study: Study) -> Iterator[Row | Plate]:
    """The article's own data.

    Line tuning of all units of mixed3a, and the heat maps of the trained and of the hand-set
    curve detectors, as the article drew them.
    """
    yield RECOVERED.found(
        f"{(87.6 - 86.3) / (88.6 - 86.3):.0%}; {(88.6 - 86.3) * 20:.0f} and "
        f"{(88.6 - 87.6) * 20:.0f} photographs",
        holds=(87.6 - 86.3) / (88.6 - 86.3) > 0.5,
        why="From the printed percentages.",
    )
    yield ECHOES.unavailable("the three files of this figure are not among the published data")
    with np.load(study.published("mixed3a_line_tuning_256x360.npz")) as data:
        lines = data["resp"][list(LINES)].astype(float)
    half = width(lines.clip(0), period=180.0) / 2
    yield WIDE.found(
        f"{half.min():.0f} to {half.max():.0f}°, median {np.median(half):.0f}°",
        holds=bool((half >= 10).all() and (half <= 45).all()),
        why=f"Half of the width at half height of the {len(LINES)} simple lines.",
    )
    with np.load(study.published("curve_heatmaps_sigma.npz")) as data:
        trained, written = data["aann_natural"], data["aann_artificial"]
    alike = np.array([
        np.corrcoef(resized(trained[row]).ravel(), resized(written[row]).ravel())[0, 1]
        for row in range(len(trained))
    ])  # fmt: skip
    others = np.array([
        np.corrcoef(resized(trained[row]).ravel(), resized(written[other]).ravel())[0, 1]
        for row in range(len(trained)) for other in range(len(written)) if other != row
    ])  # fmt: skip
    yield ALIKE.found(
        f"r = {np.median(alike):.2f} in the median, {alike.min():.2f} to {alike.max():.2f}",
        holds=bool(alike.min() > np.quantile(others, 0.975)),
        interval=f"with another's map {np.quantile(others, 0.025):.2f} to "
        f"{np.quantile(others, 0.975):.2f}",
        why="Correlation of the two published maps of each detector; holds where every one is "
        "above what the maps of other detectors give.",
    )


def resized(values: np.ndarray) -> np.ndarray:
    """Bring a published heat map to one size."""
    found: np.ndarray = zoom(
        values.astype(float), (28 / values.shape[0], 360 / values.shape[1]), order=1
    )
    return found
