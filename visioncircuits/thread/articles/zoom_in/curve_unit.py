"""Seven arguments for one curve unit."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from PIL import Image

from visioncircuits import networks
from visioncircuits.stimuli import StimulusSet, curve, line, named
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import NEGATIVE
from visioncircuits.thread.intervals import interval, null
from visioncircuits.thread.seven_arguments import seven_arguments as all_seven
from visioncircuits.thread.seven_arguments_panel import seven_arguments_panel
from visioncircuits.thread.units import numbers
from visioncircuits.tuning import angular_distance, measure, rotated_pictures

VISUALIZED = here(
    "feature visualizations of curve detectors show curves of the orientations that stimuli find",
    "shown in pictures",
)
CROSSED = here("curve detectors are slightly excited by lines perpendicular to the curve", "")
TWO_COLORS = here("curve detectors prefer different colors on the two sides of the curve", "")
HANDWRITTEN = 15.0 * np.arange(24)
"""Orientations of the handwritten detectors, in degrees."""
BY_HAND = [f"mixed3b:{unit}" for unit in range(24)]
"""The handwritten detectors."""
SHEET = named("curves").vary(
    orientation=range(0, 360, 10), radius=np.geomspace(25.7, 290, 7).tolist()
)


@part(VISUALIZED, CROSSED, TWO_COLORS, stand_ins=(*NEGATIVE, "handwritten curves"))
def seven_arguments(study: Study) -> Iterator[Row | Plate]:
    """Seven arguments for one curve unit.

    The curve detector that responds most to curves: feature visualization, dataset examples,
    synthetic curves, joint tuning, what it is made of, what it is used for, and the same set by
    hand. Most of what the article claims here is tested where a later article measures it on the
    whole family: radius, orientations, photographs and joint tuning in Curve Detectors; early
    curves that excite and inhibit, the units that curves excite, and the circuit by hand in Curve
    Circuits. The rest is tested here, on all detectors.
    """
    table = study.detectors("curve", "mixed3b")
    names, angles = table["unit"].tolist(), table["orientation"].to_numpy(float)
    subject = names[int(table["peak"].to_numpy(float).argmax())]
    yield visualized(study, names, angles)
    peaks = measure(study.network, names, SHEET).clip(min=0).max(("orientation", "radius"))
    yield crossed(study, names, angles, peaks)
    yield two_colors(study, names)
    yield Plate(
        "seven-arguments",
        seven_arguments_panel(
            all_seven(
                study.network,
                subject,
                study.photographs(study.of(1000, quick=100)),
                family=names,
                stimuli=SHEET,
                steps=study.of(128, quick=24),
                seed=study.seed,
            )
        ),
        f"{subject}, by seven arguments. d: mean responses of the unit, thick, and of all "
        "siblings to the turning photographs. e: what excites it most (red), and inhibits it most "
        "(blue). f: what it excites most. g: the handwritten detector most like it.",
    )


def visualized(study: Study, names: Sequence[str], angles: Float[np.ndarray, " units"]) -> Row:
    """Compare the orientations of curves in the feature visualizations with the units'."""
    drawn = [_pixels(picture) for picture in study.pictures(names)]
    hand = networks.load("handwritten:curves", device=study.network.device)
    responses = measure(hand, BY_HAND, rotated_pictures(drawn, step=360))
    shown = HANDWRITTEN[responses.values[:, :, 0].argmax(0)]

    def off(orientations: np.ndarray) -> float:
        return float(np.median(angular_distance(shown, orientations)))

    low, high = null(off, angles, study.rng("visualized"))
    within = int((angular_distance(shown, angles) <= 30).sum())
    return VISUALIZED.found(
        f"median {off(angles):.0f}°, {within} of {len(names)} within 30°",
        holds=off(angles) <= 30 and off(angles) < low,
        interval=f"detectors exchanged: {low:.0f}° to {high:.0f}°",
        why="From the detector's orientation to that of the handwritten curve detector which the "
        "middle of its feature visualization activates most. Holds where the median is within 30° "
        "and below the interval.",
    )


def _pixels(picture: Image.Image) -> Float[torch.Tensor, "3 side side"]:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255


def crossed(
    study: Study, names: Sequence[str], angles: Float[np.ndarray, " units"], peaks: xr.DataArray
) -> Row:
    """Test responses to perpendicular lines."""
    network, layer = study.network, study.layer("mixed3b")
    before = [f"{network.before_rectifier(layer)}:{unit}" for unit in numbers(names)]
    lines = measure(network, before, StimulusSet(line, {"orientation": range(0, 180, 15)})).values
    turn = angular_distance(np.arange(0, 180, 15.0)[None], angles[:, None], period=180)
    across = np.where(turn <= 15, lines, np.nan)
    oblique = np.where((turn > 30) & (turn <= 60), lines, np.nan)
    strongest = np.where(peaks > 0, peaks, np.nan)  # other units may respond to no curve
    more = (np.nanmean(across, 1) - np.nanmean(oblique, 1)) / strongest
    low, high = interval(more, study.rng("crossed"))
    return CROSSED.found(
        f"{np.median(more):+.2f} of the strongest response to a curve",
        holds=low > 0,
        interval=f"{low:+.2f} to {high:+.2f}",
        why="Lines within 15° of perpendicular to the curve's middle, against oblique ones (30° to "
        "60° from it), before the rectifier. Holds where the interval is above 0.",
    )


def two_colors(study: Study, names: Sequence[str]) -> Row:
    """Test responses to curves with colors on the two sides, exchanged."""
    hues = {"ink": "#bf2020", "ground": "#20bfbf"}, {"ink": "#20bfbf", "ground": "#bf2020"}
    sides = StimulusSet(curve, {"orientation": range(0, 360, 15), "radius": (40.0, 60.0, 90.0)})
    one, other = (
        measure(study.network, names, sides.fix(width=0.0, fill=1.0, **pair))
        .max(("orientation", "radius")).values
        for pair in hues
    )  # fmt: skip
    ratio = np.maximum(one, other) / np.minimum(one, other).clip(1e-9)
    return TWO_COLORS.found(
        f"median {np.median(ratio):.2f} times, {(ratio >= 1.2).sum()} of {len(ratio)} from 1.2",
        holds=bool((ratio >= 1.2).mean() > 0.5),
        why="Filled curves, red within cyan against cyan within red: the stronger response over "
        "the weaker. Holds where it is 1.2 or more in most units.",
    )
