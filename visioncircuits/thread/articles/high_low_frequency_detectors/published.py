"""The published responses, and the use of the published detectors."""

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
import xarray as xr
from jaxtyping import Float

from visioncircuits.comparison.symmetry import correlation
from visioncircuits.stimuli import StimulusSet, named
from visioncircuits.thread import Plate, Row, Study, paper, part
from visioncircuits.thread.tiles import FILE as TILE_FILE
from visioncircuits.thread.tiles import read_tiles
from visioncircuits.tuning import boundary_maps, circular, orientation_tuning

DIRECTIONS: Mapping[int, float] = {110: 360, 180: 62, 136: 91, 108: 163, 132: 219, 88: 284}
"""Where six units of mixed3a have the high frequency, in degrees."""

FAMILY = (110, 180, 153, 106, 112, 186, 132, 136, 117, 113, 108, 70, 86, 88, 160)
BOUNDARIES = (130, 150, 314, 246, 365, 318, 146, 276, 345, 167,
              159, 206, 151, 264, 368, 288, 376, 281, 295, 372)  # fmt: skip
"""What the family feeds most in mixed3b, strongest first."""

COUNTED = paper("the family has fifteen units, 6 % of mixed3a", "15, 6 %")
DIRECTED = paper(
    "six units prefer the printed directions, from low to high frequency",
    ", ".join(f"{unit}: {angle:g}°" for unit, angle in DIRECTIONS.items()),
)
HALF = paper("about half of a unit's map is zero", "47 to 51 %")
SCALED = paper(
    "activations are normalized across all units of the figure",
    "one scale (text); each map reaches .996 (figure)",
)
WHOLE = paper(
    "orientations run once around: figure 2 has 2π right, its slider's label 0 to π wrong",
    "0 to 2π",
)
PICTURED = paper(
    "the stimuli of figures 2 and 3 follow a formula", "rms at most .007 from the pictures"
)


@part(COUNTED, DIRECTED, HALF, SCALED, WHOLE, PICTURED)
def published_responses(study: Study) -> Iterator[Row | Plate]:
    """The published responses.

    Responses of six detectors to boundaries between a low and a high frequency, of all directions,
    from one frequency on both sides to ten times as many cycles on one side as on the other. The
    preferred direction is the circular mean of the tuning, which is too broad for its peak to be
    informative.
    """
    units = study.taxonomy().layers["mixed3a"]["High-Low Frequency"]
    share = int(100 * len(units) / 256 + 0.5)
    yield COUNTED.found(
        f"{len(units)}, {share} %",
        holds=sorted(units) == sorted(FAMILY) and share == 6,
        why="Against the units listed in the article; figure 1 shows 14 of them, 160 is absent.",
    )
    stimuli = named("high-low")
    with np.load(study.published("hilo_synthetic_responses_fig3.npz")) as arrays:
        maps = np.stack([arrays[f"mixed3a_{unit}"].T for unit in DIRECTIONS])
    axes = {name: list(values) for name, values in stimuli.axes.items()}
    names = [f"mixed3a:{unit}" for unit in DIRECTIONS]
    responses = xr.DataArray(maps, coords={"unit": names, **axes}, dims=("unit", *axes))
    tuned = orientation_tuning(responses)
    off = circular.angular_distance(tuned["mean"].values, np.array([*DIRECTIONS.values()]))
    peaks = circular.angular_distance(tuned["orientation"].values, np.array([*DIRECTIONS.values()]))
    yield DIRECTED.found(
        f"{int((off <= 0.5).sum())} of {len(off)} within .5°",
        holds=bool((off <= 0.5).all()),
        why=f"Circular means; the tuning's peaks are up to {peaks.max():.0f}° away from them.",
    )
    zero, dark = (maps == 0).mean((1, 2)), (maps < 1.5 / 255).mean((1, 2))
    yield HALF.found(
        f"{100 * dark.min():.0f} to {100 * dark.max():.0f} %",
        holds=(round(100 * dark.min()), round(100 * dark.max())) == (47, 51),
        why="Cells of the two darkest colors, as colors are read to a step or so; of the "
        f"darkest alone {100 * zero.min():.0f} to {100 * zero.max():.0f} %.",
    )
    highest = maps.max((1, 2))
    yield SCALED.found(
        f"maxima {highest.min():.3f} to {highest.max():.3f}",
        holds=bool(highest.min() < 0.9 * highest.max()),
        why="Each map reaches the same maximum, so that each has a scale of its own.",
    )
    opposed = [np.corrcoef(each.ravel(), np.roll(each, 180, 0).ravel())[0, 1] for each in maps]
    yield WHOLE.found(
        f"correlation {min(opposed):.2f} to {max(opposed):.2f}",
        holds=max(opposed) < 0,
        why="Of each map with itself half a turn on; orientations to π would make it 1.",
    )
    yield formula_row(stimuli)
    yield Plate(
        "published-responses",
        boundary_maps(responses, stimuli),
        "Figure 3 from its own numbers: six detectors' responses over the direction of the "
        "boundary, from low to high frequency, clockwise from the right, and the ratio of the two.",
    )


def formula_row(stimuli: StimulusSet) -> Row:
    """Compare the library's stimuli with the formula fitted to the published ones."""
    sample = range(0, len(stimuli), 997)
    drawn = stimuli.draw(sample).picture[:, 0].numpy()
    indices = np.unravel_index(np.array(sample), stimuli.shape)
    values = [
        np.array(axis, float)[at] for axis, at in zip(stimuli.axes.values(), indices, strict=True)
    ]
    written = np.stack([formula(*each) for each in zip(*values, strict=True)])
    away = float(np.sqrt(np.square(drawn - written).mean()))
    return PICTURED.found(
        f"rms {away:.4f}",
        holds=away <= 0.007,
        why=f"{len(sample)} of the library's stimuli against the fitted formula, as the "
        "published pictures are not available.",
    )


def formula(turn: float, ratio: float) -> Float[np.ndarray, "60 60"]:
    """Evaluate the formula that was fitted to the published stimuli, pixel by pixel."""
    x, y = np.meshgrid(*[(np.arange(60) - 30) / 60] * 2)
    angle = np.radians(turn)
    u, v = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    low, high = (
        np.cos(2 * np.pi * k * u) * np.cos(2 * np.pi * k * v)
        for k in (4 * ratio ** (-2 / 3), 4 * ratio ** (2 / 3))
    )
    weight = np.clip(0.5 + u / 0.1, 0, 1)
    found: np.ndarray = 0.375 * (1 + (1 - weight) * low + weight * high)
    return found


FED = paper(
    "of the 20 units of mixed3b that the family feeds most, eight detect boundaries",
    "8: Boundary 345, 151, 368, 376; Double Boundary 314, 318; Boundary Misc 130, 246",
)
BLIND = paper(
    "mixed3b:345 has one and the same kernel from detectors of any direction: correlation with "
    "110's",
    "112 .99, 132 .94, 117 .99, 108 .99, 70 .98, 86 .97, 186 .82",
)


@part(FED, BLIND)
def published_downstream(study: Study) -> Iterator[Row]:
    """What the published detectors are used for.

    Boundary detectors are invariant to the side of the fine texture: their kernels from detectors
    of opposite directions are the same.
    """
    families = study.taxonomy().layers["mixed3b"]
    boundaries = {name: units for name, units in families.items() if "Boundary" in name}
    home = {
        unit: name for name, units in boundaries.items() for unit in units if unit in BOUNDARIES
    }
    counts = Counter(home.values())
    every = sum(map(len, boundaries.values()))
    yield FED.found(
        f"{len(home)}: " + ", ".join(f"{name} {count}" for name, count in counts.items()),
        holds=sorted(home) == sorted((345, 151, 368, 376, 314, 318, 130, 246)),
        interval=f"chance gives {20 * every / 480:.1f}",
        why="The listed units, looked up in the taxonomy of Early Vision.",
    )
    tiles = {
        tile.unit: tile.kernel
        for tile in read_tiles(study.published(TILE_FILE), "EarlyVision Boundary")
    }
    published = {112: 0.99, 117: 0.99, 70: 0.98, 86: 0.97}
    found = {unit: correlation(tiles[110], tiles[unit]) for unit in published}
    yield BLIND.found(
        ", ".join(f"{unit} {value:.2f}" for unit, value in found.items()),
        holds=all(round(found[unit], 2) == value for unit, value in published.items()),
        why="Early Vision's kernels, the swapped 70 and 86 corrected; those from 132, 108 and "
        "186 are not in the file.",
    )
