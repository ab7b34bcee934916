"""Seven arguments for one curve unit."""

from collections.abc import Iterator

import numpy as np
import torch
import xarray as xr
from PIL import Image
from scipy.stats import binomtest

from visioncircuits import networks
from visioncircuits.examples.roc import auc
from visioncircuits.stimuli import StimulusSet, curve, line
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.zoom_in.subject import SHEET, Subject
from visioncircuits.thread.claims import NEGATIVE
from visioncircuits.thread.intervals import interval, middle, null
from visioncircuits.thread.photographs import strongest
from visioncircuits.thread.seven_arguments import seven_arguments as all_seven
from visioncircuits.thread.seven_arguments_panel import seven_arguments_panel
from visioncircuits.thread.units import number, numbers
from visioncircuits.tuning import (
    align,
    angular_distance,
    circle_detectors,
    measure,
    orientation_tuning,
    preferred_value,
    rotated_pictures,
)
from visioncircuits.weights import expanded_weights

POPS = here("its feature visualization activates it more than any photograph", "")
BENT = here("photographs that activate it most contain curves of its orientation", "")
ALONE = here("synthetic curves of its orientation activate it, opposed ones do not", "")
WIDE = here("curve detectors respond to a radius of around 60 pixels", "60 px")
ROUND = here("curve detectors together span all orientations", "all")
CROSSED = here("curve detectors are slightly excited by lines perpendicular to the curve", "")
TWO_COLORS = here("curve detectors prefer different colors on the two sides of the curve", "")
TAKE_OVER = here("as its photographs turn, siblings activate in the order of orientation", "")
MADE = here(
    "it is excited by early curves of its orientation and inhibited by opposed ones",
    "4 and 4 of 8 kernels",
)
USED = here("the units it excites in the next layer respond to curves and circles", "")
BY_HAND = here("a detector whose weights were set by hand responds as it does", "")
SEVEN = (POPS, BENT, ALONE, WIDE, ROUND, CROSSED, TWO_COLORS, TAKE_OVER, MADE, USED, BY_HAND)
HANDWRITTEN = 15.0 * np.arange(24)
"""Orientations of the handwritten detectors, in degrees."""


@part(*SEVEN, stand_ins=(*NEGATIVE, "handwritten curves"))
def seven_arguments(study: Study) -> Iterator[Row | Plate]:
    """Seven arguments for one curve unit.

    The curve detector that responds most to curves: feature visualization, dataset examples,
    synthetic curves, joint tuning, what it is made of, what it is used for, and the same set by
    hand. The article's claims about the family are tested on all its units.
    """
    table = study.detectors("curve", "mixed3b")
    names, angles = table["unit"].tolist(), table["orientation"].to_numpy(float)
    at = int(table["peak"].to_numpy(float).argmax())
    responses = measure(study.network, names, SHEET).clip(min=0)
    subject = Subject(study, names, angles, at, responses, study.rng("seven arguments"))
    picture = study.picture(subject.name)
    layer = study.layer("mixed3b")
    unit = number(subject.name)
    crops, centers = strongest(study, layer, unit, most=9)
    highest = float(study.examples().layers[layer].tops.values[unit, 0])
    hand = networks.load("handwritten:curves")
    yield visualized(subject, picture, highest)
    yield exemplified(subject, measure(hand, CURVES, rotated_pictures(crops, centers, step=360)))
    yield from synthetic(subject)
    yield from detailed(subject)
    rotations = measure(study.network, names, rotated_pictures(crops, centers, step=15)).clip(min=0)
    together = align(rotations)
    yield joint(subject, together, len(crops))
    yield made_of(subject)
    yield used_for(subject)
    nearest = int(angular_distance(HANDWRITTEN, subject.angle).argmin())
    model = measure(hand, CURVES[nearest], SHEET).clip(min=0)[0]
    by_hand = model.transpose("orientation", "radius").values
    alike = float(np.corrcoef(subject.own.ravel(), by_hand.ravel())[0, 1])
    yield BY_HAND.found(
        f"correlation {alike:.2f} over orientation and radius",
        holds=alike >= 0.7,
        why=f"{CURVES[nearest]} of the handwritten circuit. Holds from 0.7.",
    )
    yield Plate(
        "seven-arguments",
        seven_arguments_panel(
            all_seven(
                study.network,
                subject.name,
                study.photographs(study.of(1000, quick=100)),
                family=names,
                stimuli=SHEET,
                steps=study.of(128, quick=24),
                seed=study.seed,
            )
        ),
        f"{subject.name}, by seven arguments. d: mean responses of the unit, thick, and of all "
        "siblings to the turning photographs. e: what excites it most (red), and inhibits it most "
        "(blue). f: what it excites most. g: the handwritten detector most like it.",
    )


CURVES = [f"mixed3b:{unit}" for unit in range(24)]
"""The handwritten detectors."""


def visualized(subject: Subject, picture: Image.Image, highest: float) -> Row:
    """Compare the activation by the feature visualization with the highest photograph's."""
    network, layer = subject.study.network, subject.study.layer("mixed3b")
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        maps = network.activations(pixels.float(), [layer])[layer]
    reached = float(maps[0, number(subject.name)].max())
    return POPS.found(
        f"{reached:.0f}, {reached / highest:.1f} times the highest photograph's",
        holds=reached > highest,
        why=f"{subject.name}; activation anywhere in the picture.",
    )


def exemplified(subject: Subject, responses: xr.DataArray) -> Row:
    """Compare the orientations of curves in the strongest photographs with the unit's."""
    orientations = HANDWRITTEN[responses.values[:, :, 0].argmax(0)]
    off = angular_distance(orientations, subject.angle)
    return BENT.found(
        f"{(off <= 30).sum()} of {len(off)} within 30°, median {np.median(off):.0f}°",
        holds=bool(binomtest(int((off <= 30).sum()), len(off), 1 / 6, "greater").pvalue < 0.05),
        interval="one in six by chance",
        why="The strongest photographs of the unit; the orientation to which the handwritten curve "
        "circuit responds most at the same place. Holds where P is below 5%.",
    )


def synthetic(subject: Subject) -> Iterator[Row]:
    """Test tuning to orientation and to radius."""
    along = subject.own.mean(1)
    apart = angular_distance(np.arange(0, 360, 10.0), subject.angle)
    echo = float(along[apart >= 150].max() / along.max())
    best = float(apart[along.argmax()])
    yield ALONE.found(
        f"peak {best:.0f}° from its orientation, opposed {echo:.2f} of the peak",
        holds=best <= 15 and echo <= 0.1,
        why="The published sheet, which did not find the unit: thin black curves of seven radii. "
        "Holds up to 15° and a tenth.",
    )
    radii = preferred_value(subject.responses, "radius").values
    low, high = interval(radii, subject.rng)
    yield WIDE.found(
        f"median {np.nanmedian(radii):.0f} px",
        holds=bool(45 <= np.nanmedian(radii) <= 80),
        interval=f"{low:.0f} to {high:.0f} px",
        why=f"{len(subject.names)} detectors; holds from 45 to 80 pixels.",
    )
    ordered = np.sort(subject.angles)
    gap = float(np.diff([*ordered, ordered[0] + 360]).max())
    yield ROUND.found(f"largest gap {gap:.0f}°", holds=gap <= 90, why="Holds up to 90°.")


def detailed(subject: Subject) -> Iterator[Row]:
    """Test responses to perpendicular lines and to colors on the two sides."""
    network, layer = subject.study.network, subject.study.layer("mixed3b")
    before = [f"{network.before_rectifier(layer)}:{unit}" for unit in numbers(subject.names)]
    lines = measure(network, before, StimulusSet(line, {"orientation": range(0, 180, 15)})).values
    turn = angular_distance(2 * np.arange(0, 180, 15.0)[None], 2 * subject.angles[:, None]) / 2
    across = np.where(turn <= 15, lines, np.nan)
    oblique = np.where((turn > 30) & (turn <= 60), lines, np.nan)
    peaks = subject.responses.max(("orientation", "radius")).values
    more = (np.nanmean(across, 1) - np.nanmean(oblique, 1)) / peaks
    low, high = interval(more, subject.rng)
    yield CROSSED.found(
        f"{np.median(more):+.2f} of the strongest response to a curve",
        holds=low > 0,
        interval=f"{low:+.2f} to {high:+.2f}",
        why="Lines within 15° of perpendicular to the curve's middle, against oblique ones (30° to "
        "60° from it), before the rectifier. Holds where the interval is above 0.",
    )
    hues = {"ink": "#bf2020", "ground": "#20bfbf"}, {"ink": "#20bfbf", "ground": "#bf2020"}
    sides = StimulusSet(curve, {"orientation": range(0, 360, 15), "radius": (40.0, 60.0, 90.0)})
    one, other = (
        measure(network, subject.names, sides.fix(width=0.0, fill=1.0, **pair))
        .max(("orientation", "radius")).values
        for pair in hues
    )  # fmt: skip
    ratio = np.maximum(one, other) / np.minimum(one, other).clip(1e-9)
    yield TWO_COLORS.found(
        f"median {np.median(ratio):.2f} times, {(ratio >= 1.2).sum()} of {len(ratio)} from 1.2",
        holds=bool((ratio >= 1.2).mean() > 0.5),
        why="Filled curves, red within cyan against cyan within red: the stronger response over "
        "the weaker. Holds where it is 1.2 or more in most units.",
    )


def joint(subject: Subject, together: xr.DataArray, photographs: int) -> Row:
    """Test whether siblings peak on turning photographs where synthetic curves predict."""
    peaks = orientation_tuning(together)["orientation"].values
    shift, angles = peaks[subject.at] - subject.angle, subject.angles
    rest = [at for at in range(len(angles)) if at != subject.at and np.isfinite(peaks[at])]

    def off(angles: np.ndarray) -> float:
        return float(np.median(angular_distance(peaks[rest] - shift, angles)))

    low, high = null(off, angles[rest], subject.rng)
    return TAKE_OVER.found(
        f"median {off(angles[rest]):.0f}° from their peaks on synthetic curves",
        holds=off(angles[rest]) < low,
        interval=f"{low:.0f}° to {high:.0f}° with exchanged siblings",
        why=f"{photographs} photographs. Holds below the interval.",
    )


def made_of(subject: Subject) -> Row:
    """Test the kernels from early curves."""
    early = subject.study.detectors("curve", "mixed3a")
    units = early["unit"].tolist()
    weights = expanded_weights(subject.study.network, units, subject.name)
    sums = weights.weight.sum((2, 3))[0].cpu().numpy()
    opposed = angular_distance(early["orientation"].to_numpy(float), subject.angle)
    near, far = sums[opposed <= 45], sums[opposed >= 135]
    return MADE.found(
        f"{(near > 0).sum()} of {len(near)} within 45° excite, {(far < 0).sum()} of {len(far)} "
        "beyond 135° inhibit",
        holds=bool(len(near) and len(far) and near.mean() > 0 > far.mean()),
        why="Sums of the kernels. Holds where their means have these signs.",
    )


def used_for(subject: Subject) -> Row:
    """Test the responses of the units that it excites most."""
    network, after = subject.study.network, subject.study.layer("mixed4a")
    outputs = expanded_weights(network, subject.name, after)
    sums = outputs.weight.sum((2, 3))[:, 0].cpu().numpy()
    rounds = circle_detectors(network, after)
    responses = rounds[["circle", "curve"]].max(axis=1).to_numpy(float)

    def score(units: np.ndarray) -> float:
        return float(auc(responses[units][:, None], np.delete(responses, units)[:, None])[0])

    top, rng = np.argsort(-sums)[:20], subject.rng
    low, high = middle([
        score(rng.choice(len(responses), 20, replace=False)) for _ in range(500)
    ])  # fmt: skip
    return USED.found(
        f"{score(top):.0%} of pairs",
        holds=score(top) > high,
        interval=f"{low:.0%} to {high:.0%} of 20 units at random",
        why=f"How often one of the 20 units of {after} that it excites most responds more to "
        "circles and curves than another unit of the layer. Holds above the interval.",
    )
