"""The published radial tuning curves."""

import json
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import xarray as xr
from jaxtyping import Float

from visioncircuits.thread import Plate, Row, Study, paper, part
from visioncircuits.thread.claims import Claim
from visioncircuits.thread.study import ORIENTATIONS
from visioncircuits.tuning import circular, radial_panel
from visioncircuits.tuning.plots import beside

LAYERS = ("conv2d2", "mixed3a", "mixed3b", "mixed4a")
TUNING, MAPS = "curve_radial_tuning.npz", "curve_heatmaps_sigma.npz"
PEAKS: Mapping[str, Mapping[int, float]] = {
    "conv2d2": {32: 300.5, 171: 319, 111: 358.5, 80: 5.5, 140: 30.5, 180: 55, 39: 92, 130: 139,
                63: 181, 182: 226, 117: 253},
    "mixed3a": {81: 326.5, 104: 350.5, 92: 11, 145: 41, 95: 78.5, 163: 87, 171: 174, 71: 137,
                147: 222.5, 189: 267.5, 137: 273.5},
    "mixed3b": {342: 22.5, 388: 66.5, 324: 91.5, 340: 110, 330: 145, 349: 181, 379: 243,
                406: 268.5, 385: 290, 343: 358},
}  # fmt: skip
HEIGHTS = {342: 555.3, 388: 646.9, 324: 663.7, 340: 674.8, 330: 538.4, 349: 830.0, 379: 668.7,
           406: 654.4, 385: 561.4, 343: 773.7}  # fmt: skip
WIDTHS = {342: 66.5, 388: 50.5, 324: 28.5, 340: 48.5, 330: 68.5, 349: 39.5, 379: 54.5, 406: 32.5,
          385: 52, 343: 40}  # fmt: skip
ECHOES = {342: 0.02, 388: 0.03, 324: 0, 340: 0.01, 330: 0.01, 349: 0, 379: 0.01, 406: 0,
          385: 0.01, 343: 0}  # fmt: skip
TEN = paper("the ten units of mixed3b prefer the printed orientations", "22.5° to 358°")
EARLIER = paper(
    "11 units of mixed3a and 11 of conv2d2 prefer the printed orientations", "5.5° to 358.5°"
)
LATER = paper("the radial data has fourteen units of mixed4a; the page has 12", "14")
HIGHEST = paper(
    "the ten radial tuning curves have the printed heights, in activation", "538.4 to 830.0"
)
WIDE = paper(
    "the ten radial tuning curves have the printed widths at half height", "28.5° to 68.5°"
)
ECHO = paper(
    "the ten radial tuning curves have the printed echoes, within 30° of the opposite orientation, "
    "over the peak",
    "0 to .03",
)
ECHOES_BEFORE = paper(
    "earlier curves echo: mixed3a, conv2d2 (“weakly activate on the opposite side”)",
    ".04 to .53, .19 to .88",
)
GAPS = paper("neighbors of the ten leave large gaps after 181°, 290° and 22.5°", "62°, 68°, 44°")
MARKS = paper(
    "joint tuning orders nine units as the synthetic curves of the heat maps do", "within 15°"
)


@part(TEN, EARLIER, LATER, HIGHEST, WIDE, ECHO, ECHOES_BEFORE, GAPS, MARKS)
def published_tuning(study: Study) -> Iterator[Row | Plate]:
    """The published radial tuning curves.

    Positive activations to synthetic curves, averaged over curvature, are a curve over orientation,
    wrapped around a circle. Angles run clockwise from the right, from the center of curvature to
    the apex.
    """
    with np.load(study.published(TUNING)) as stored:
        curves = {
            layer: dict(
                zip(stored[f"{layer}_units"].tolist(), stored[f"{layer}_resp"], strict=True)
            )
            for layer in LAYERS
        }
    yield Plate(
        "published-banner",
        beside(
            [
                radial_panel(
                    xr.DataArray(
                        np.stack(list(found.values()))[:, ::8],
                        dims=("unit", "orientation"),
                        coords={
                            "unit": [f"{layer}:{u}" for u in found],
                            "orientation": np.arange(90) * 4.0,
                        },
                    ),
                    title=layer,
                )
                for layer, found in curves.items()
            ]
        ),
        "Radial tuning curves of conv2d2, mixed3a, mixed3b and mixed4a, from the published data. "
        "A blob's hue is the orientation of its peak; 0° is to the right, and angles run "
        "clockwise.",
    )
    same = {
        layer: [found.argmax() / 2 == PEAKS[layer][unit] for unit, found in curves[layer].items()]
        for layer in PEAKS
    }
    bins = "The highest of 720 half-degree bins; holds where all are those printed."
    yield counted(TEN, same["mixed3b"], bins)
    yield counted(EARLIER, same["mixed3a"] + same["conv2d2"], bins)
    count = len(curves["mixed4a"])
    yield LATER.found(str(count), holds=count == 14)
    yield from published_shapes(curves)
    yield from published_spread(study, curves["mixed3b"])


Published = Mapping[str, Mapping[int, Float[np.ndarray, "720"]]]
"""Radial tuning curves by layer and unit."""


def counted(claim: Claim, alike: Sequence[bool], why: str) -> Row:
    """Make the row of a claim that holds if all are alike."""
    return claim.found(f"{sum(alike)} of {len(alike)}", holds=all(alike), why=why)


def published_shapes(curves: Published) -> Iterator[Row]:
    """Test the height, the width and the echo of the published curves."""
    ten = curves["mixed3b"]
    heights = [round(float(found.max()), 1) == HEIGHTS[unit] for unit, found in ten.items()]
    yield counted(HIGHEST, heights, "To the printed digit.")
    wide = {unit: float((found >= found.max() / 2).sum() / 2) for unit, found in ten.items()}
    yield counted(
        WIDE,
        [abs(wide[unit] - WIDTHS[unit]) <= 0.5 for unit in ten],
        "Half-degree bins at or above half the height, to one bin.",
    )
    echoes = {
        layer: dict(zip(found, circular.echo(np.stack(list(found.values()))), strict=True))
        for layer, found in curves.items()
    }
    yield counted(
        ECHO, [round(float(echoes["mixed3b"][u]), 2) == ECHOES[u] for u in ten], "To two digits."
    )
    ends = [(min(echoes[layer].values()), max(echoes[layer].values())) for layer in LAYERS[1::-1]]
    found = ", ".join(f"{low:.2f} to {high:.2f}".replace("0.", ".") for low, high in ends)
    yield ECHOES_BEFORE.found(found, holds=found == ECHOES_BEFORE.published)


def published_spread(study: Study, ten: Mapping[int, Float[np.ndarray, "720"]]) -> Iterator[Row]:
    """Test how the preferred orientations of the ten are spread."""
    peaks = sorted(PEAKS["mixed3b"].values())
    gaps = dict(zip(peaks, np.diff(peaks, append=peaks[0] + 360), strict=True))
    found = ", ".join(f"{gaps[after]:.0f}°" for after in (181, 290, 22.5))
    yield GAPS.found(
        found,
        holds=found == GAPS.published,
        why="No other gap is as large as the smallest of these: "
        f"{sorted(gaps.values())[-4]:.0f}° is next.",
    )
    content = json.loads(study.published(ORIENTATIONS).read_text("utf-8"))
    marks = {int(unit): mark for unit, mark in content["joint_tuning_marks_deg_fig_tuning"].items()}
    off = [
        float(
            circular.angular_distance(np.array(ten[unit].argmax() / 2 - 180), np.array(float(mark)))
        )
        for unit, mark in marks.items()
    ]
    yield MARKS.found(
        f"{len(off)} units, at most {max(off):.1f}° off",
        holds=max(off) <= 15.5,
        why="Marks were read off the figure by eye, to a degree; heat maps count orientations from "
        "the apex to the center, 180° from the radial curves'.",
    )
