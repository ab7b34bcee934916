"""High-Low Frequency Detectors (Schubert et al., 2021): one texture fine, the other coarse."""

import json
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from scipy.stats import hypergeom
from torch import Tensor
from torch.nn.functional import avg_pool2d

from visioncircuits.comparison.symmetry import correlation
from visioncircuits.examples.crops import crop
from visioncircuits.hypotheses import find
from visioncircuits.networks import Network, untrained
from visioncircuits.pictures import read
from visioncircuits.stimuli import StimulusSet, color_contrast, edge, frequency_pattern, named
from visioncircuits.stimuli import high_low as boundary
from visioncircuits.thread import (
    Article,
    Claim,
    Plate,
    Row,
    Study,
    Unavailable,
    here,
    inception,
    numbers,
    paper,
    part,
)
from visioncircuits.thread.tiles import FILE as TILE_FILE
from visioncircuits.thread.tiles import matched, read_tiles
from visioncircuits.tuning import boundary_maps, circular, measure, orientation_tuning
from visioncircuits.weights import (
    Factors,
    expanded_weights,
    factor_grid,
    kernel_grid,
    main_layers,
    one_sided_nmf,
)

Array = np.ndarray

DIRECTIONS: Mapping[int, float] = {110: 360, 180: 62, 136: 91, 108: 163, 132: 219, 88: 284}
"""Where six units of mixed3a have the high frequency, in degrees."""

SHOWN = (136, 108, 132, 88, 110, 180)
"""The units of the figures, in their order."""

FAMILY = (110, 180, 153, 106, 112, 186, 132, 136, 117, 113, 108, 70, 86, 88, 160)
BOUNDARIES = (130, 150, 314, 246, 365, 318, 146, 276, 345, 167,
              159, 206, 151, 264, 368, 288, 376, 281, 295, 372)  # fmt: skip
"""What the family feeds most in mixed3b, strongest first."""

SYMMETRY: Mapping[str, Sequence[str]] = {
    "conv2d2": ("-0.995", "-0.998", "-0.998", "-0.994", "-0.998", "-0.987"),
    "conv2d1": ("-0.979", "-0.987", "-0.990", "-0.945", "-0.989", "-0.975"),
}
CONTENTS: Mapping[str, Mapping[str, Mapping[int, float]]] = {
    "conv2d2": {
        "high": {119: 0.929, 102: 0.731, 123: 0.661, 90: 0.593, 173: 0.550},
        "low": {89: 0.442, 163: 0.410, 98: 0.376, 188: 0.362, 158: 0.340},
    },
    "conv2d1": {
        "high": {30: 0.857, 41: 0.814, 55: 0.641, 51: 0.531, 16: 0.521},
        "low": {4: 0.493, 46: 0.480, 1: 0.448, 33: 0.433, 29: 0.418},
    },
}
ORANGE_BLUE = LinearSegmentedColormap.from_list(
    "excites", ("#08519c", "#6baed6", "#ffffff", "#fdae6b", "#d94801")
)
CLUSTERS = (119, 102, 123, 90), (89, 163, 98, 188)

COUNTED = paper("the family has fifteen units, 6 % of mixed3a", "15, 6 %")
DIRECTED = paper(
    "directions that six units prefer, from low to high frequency",
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
    families = json.loads(study.published("families_early_vision.json").read_text("utf-8"))
    units = units_of(families, "mixed3a", "High-Low Frequency")
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


def units_of(families: Mapping[str, dict], layer: str, name: str) -> list[int]:
    """List the units of a family of the published taxonomy."""
    return next(family["units"] for family in families[layer]["families"] if name in family["name"])


def formula(turn: float, ratio: float) -> Float[Array, "60 60"]:
    """Evaluate the formula that was fitted to the published stimuli, pixel by pixel."""
    x, y = np.meshgrid(*[(np.arange(60) - 30) / 60] * 2)
    angle = np.radians(turn)
    u, v = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    low, high = (
        np.cos(2 * np.pi * k * u) * np.cos(2 * np.pi * k * v)
        for k in (4 * ratio ** (-2 / 3), 4 * ratio ** (2 / 3))
    )
    weight = np.clip(0.5 + u / 0.1, 0, 1)
    return 0.375 * (1 + (1 - weight) * low + weight * high)


CLUSTERED = paper(
    "conv2d2 feeds the detectors from two clusters: high frequencies excite where low ones inhibit",
    "two clusters: 119, 102, 123, 90 and 89, 163, 98, 188",
)
SYMMETRIC = {
    layer: paper(
        f"the two factors' maps from {layer} are close to each other's negative, correlations",
        ", ".join(f"{unit} {value}" for unit, value in zip(SHOWN, values, strict=True)),
    )
    for layer, values in SYMMETRY.items()
}


@part(CLUSTERED, *SYMMETRIC.values())
def published_weights(study: Study) -> Iterator[Row | Plate]:
    """The published weights.

    A one-sided factorization of the weights into all fifteen detectors gives two groups of
    inputs, for high and for low frequencies, and for each detector a map of where either excites
    (orange) and inhibits (blue).
    """
    tiles = {
        (tile.output, tile.unit): tile.kernel.ravel()
        for tile in read_tiles(study.published(TILE_FILE), "HighLow Fig5")
    }
    order = [unit for cluster in CLUSTERS for unit in cluster]
    alike = np.stack([
        np.corrcoef([tiles[target, source] for source in order]) for target in (110, 136, 112)
    ])  # fmt: skip
    within, across = alike[:, :4, :4], alike[:, :4, 4:]
    inside = np.concatenate([within.ravel(), alike[:, 4:, 4:].ravel()])
    yield CLUSTERED.found(
        f"within a cluster at least {inside.min():.2f}, across at most {across.max():.2f}",
        holds=bool(inside.min() > 0 > across.max()),
        why="Correlations of the kernels of figure 5 into 110, 136 and 112; holds where all are "
        "positive within a cluster and negative across.",
    )
    with np.load(study.published("hilo_nmf_spatial_factors_fig9.npz")) as arrays:
        maps = {
            layer: np.stack(
                [[arrays[f"mixed3a_{unit}__{layer}__{factor}"] for factor in ("HF", "LF")]
                 for unit in SHOWN]
            )
            for layer in SYMMETRIC
        }  # fmt: skip
    for layer, claim in SYMMETRIC.items():
        found = [f"{np.corrcoef(*pair.reshape(2, -1))[0, 1]:.3f}" for pair in maps[layer]]
        yield claim.found(
            f"{', '.join(found)}",
            holds=found == [*SYMMETRY[layer]],
            why="Recomputed from the maps of figure 9, units in the same order.",
        )
    yield Plate(
        "published-factors",
        factor_maps(maps, [str(unit) for unit in SHOWN]),
        "Figure 9 from its own numbers: where the two factors excite and inhibit each detector, "
        "every map over its own largest weight.",
    )


def factor_maps(maps: Mapping[str, Array], names: Sequence[str]) -> Figure:
    """Draw where two factors excite (orange) and inhibit (blue), a column a detector."""
    figure = Figure(figsize=(0.8 + 0.66 * len(names), 0.66 * 2 * len(maps) + 0.3))
    grid = figure.subplots(2 * len(maps), len(names), squeeze=False)
    figure.subplots_adjust(left=0.9 / figure.get_figwidth(), right=0.995, bottom=0.01, top=0.93,
                           wspace=0.08, hspace=0.08)  # fmt: skip
    for block, (layer, arrays) in enumerate(maps.items()):
        for row, factor in enumerate(("high", "low")):
            for column, pair in enumerate(arrays):
                axes = grid[2 * block + row, column]
                most = np.abs(pair[row]).max() or 1.0
                axes.imshow(pair[row], cmap=ORANGE_BLUE, vmin=-most, vmax=most)
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set(color="#c9ccd1", linewidth=0.5)
            label = f"{layer}\n{factor}"
            grid[2 * block + row, 0].set_ylabel(
                label, fontsize=7, rotation=0, ha="right", va="center"
            )
    for column, name in enumerate(names):
        grid[0, column].set_title(name, fontsize=8, pad=3)
    return figure


RISING = paper("the high-frequency factor's response rises with frequency", "4 to 200")
FALLING = paper(
    "the low-frequency factor's response falls, from a peak at low frequencies",
    "220 to 19, peak 246 at row 10",
)
CROSSING = paper("the two factors' responses cross at 5.5 cycles a tile", "about 5.5")
DRAWN = paper(
    "the stimuli of figures 7 and 8 follow a formula", "rms at most .009 from the pictures"
)


@part(RISING, FALLING, CROSSING, DRAWN)
def published_factors(study: Study) -> Iterator[Row | Plate]:
    """The published factors' responses.

    Each factor's response to patterns of one frequency, from 1 to 10 cycles a tile.
    """
    stimuli = named("frequency-patterns")
    frequencies = np.array(stimuli.axes["frequency"], float)
    with np.load(study.published("hf_lf_factor_responses_fig7.npz")) as arrays:
        maps = {"high": arrays["hf"], "low": arrays["lf"]}
    high, low = (maps[name].mean(1) for name in ("high", "low"))
    yield RISING.found(
        f"{high[0]:.0f} to {high[-1]:.0f}",
        holds=(round(high[0]), round(high[-1])) == (4, 200),
        why="Averaged over orientation, 8 bits.",
    )
    yield FALLING.found(
        f"{low[0]:.0f} to {low[-1]:.0f}, peak {int(low.max())} at row {low.argmax()}",
        holds=(round(low[0]), round(low[-1]), int(low.max()), int(low.argmax()))
        == (220, 19, 246, 10),
        why="Averaged over orientation, 8 bits.",
    )
    at = crossing(frequencies, high, low)
    yield CROSSING.found(
        f"{at:.2f}", holds=round(at, 1) == 5.5, why="Linear in the logarithm of the frequency."
    )
    x, y = np.meshgrid(*[(np.arange(40) - 20) / 40] * 2)
    off = []
    for place in range(0, len(stimuli), 97):
        column, row = np.unravel_index(place, stimuli.shape)
        turn, k = np.radians(stimuli.axes["orientation"][column]), frequencies[row]
        u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        written = 0.5 + 0.3 * (np.cos(2 * np.pi * k * u) + np.cos(2 * np.pi * k * v))
        off.append(stimuli.draw([place]).picture[0, 0].numpy() - written.clip(0, 1))
    away = float(np.sqrt(np.square(off).mean()))
    yield DRAWN.found(
        f"rms {away:.4f}",
        holds=away <= 0.009,
        why="The library's stimuli against the fitted formula; the pictures are not available.",
    )
    yield Plate(
        "published-factor-responses",
        factor_responses(frequencies, {name: each / 255 for name, each in maps.items()}, 40),
        "Figures 7 and 8 from their own numbers: responses of the two factors to patterns of "
        "one frequency, by frequency and orientation (0 to 45°), and averaged over orientation.",
    )


def crossing(frequencies: Array, high: Array, low: Array) -> float:
    """Return the frequency where one response rises above the other; NaN without one."""
    apart = high - low
    above = np.flatnonzero((apart[1:] > 0) & (apart[:-1] <= 0)) + 1
    if not len(above):
        return float("nan")
    pair = slice(above[0] - 1, above[0] + 1)
    return float(np.exp(np.interp(0, apart[pair], np.log(frequencies[pair]))))


def factor_responses(frequencies: Array, maps: Mapping[str, Array], tile: float) -> Figure:
    """Draw two factors' responses: a map each, their averages, and the patterns below."""
    figure = Figure(figsize=(6.4, 4.0))
    top = figure.add_gridspec(1, 2, left=0.1, right=0.95, top=0.93, bottom=0.7, wspace=0.12)
    colors = {"high": "#c2185b", "low": "#311b5e"}
    axes = figure.add_axes((0.1, 0.2, 0.85, 0.42))
    for place, (name, responses) in enumerate(maps.items()):
        panel = figure.add_subplot(top[place])
        panel.imshow(responses.T, aspect="auto", cmap="viridis", vmin=0, vmax=1)
        panel.set(xticks=[], yticks=[])
        panel.set_title(f"{name}-frequency factor", fontsize=8)
        if not place:
            panel.set_ylabel("orientation", fontsize=7)
        axes.plot(
            frequencies, responses.mean(1), color=colors[name], lw=2, label=f"{name} frequency"
        )
    axes.set_xscale("log")
    axes.set_xlim(frequencies[0], frequencies[-1])
    ticks = np.geomspace(frequencies[0], frequencies[-1], 9)
    axes.set_xticks(ticks, [f"{tick:.1f}" for tick in ticks], fontsize=7)
    axes.minorticks_off()
    axes.set_ylim(0)
    axes.tick_params(axis="y", labelsize=7)
    axes.set_ylabel("response", fontsize=8)
    axes.legend(frameon=False, fontsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    drawn = StimulusSet(
        frequency_pattern, {"frequency": ticks.tolist()}, {"tile": float(tile), "size": round(tile)}
    ).draw()
    for place, picture in enumerate(drawn.picture[:, 0].numpy()):
        small = figure.add_axes((0.1 + 0.85 * place / 8 - 0.04, 0.01, 0.08, 0.12))
        small.imshow(picture, cmap="gray", vmin=0, vmax=1)
        small.axis("off")
    return figure


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
    families = json.loads(study.published("families_early_vision.json").read_text("utf-8"))
    home = {
        unit: family["name"]
        for family in families["mixed3b"]["families"]
        for unit in family["units"]
        if "Boundary" in family["name"] and unit in BOUNDARIES
    }
    counts = Counter(home.values())
    every = sum(
        len(family["units"])
        for family in families["mixed3b"]["families"]
        if "Boundary" in family["name"]
    )
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


HERE = here("there is a family of high-low frequency detectors", "15, 6 %")
DEPTH = here(
    "they occur at a third of a network's depth, in other architectures too (AlexNet, InceptionV4, "
    "ResNetV2-50)",
    "29 to 33 %",
)
AROUND = here("together they cover all directions", "largest gap of six units 76°")
BROAD = here("a detector responds to half of all boundaries", "47 to 51 % are zero")
SIDED = here(
    "in photographs that excite a detector most, the fine texture is on the side that it prefers",
    "examples are shown",
)


@part(HERE, DEPTH, AROUND, BROAD, SIDED)
def responses_here(study: Study) -> Iterator[Row | Plate]:
    """The family in this network.

    Units count as detectors if they pass the library's test: they respond to one half of all
    directions, prefer two frequencies to one, do so for other phases and sizes, and no edge, line
    or single texture activates them two thirds as much.
    """
    network, layer = study.network, study.layer("mixed3a")
    found = study.detectors("high-low", "mixed3a")
    names, total = found["unit"].tolist(), network.layer(layer).units
    blank = 0
    if not study.quick:
        blank = len(find(untrained(network.name, seed=study.seed), "high-low", layer))
    yield HERE.found(
        f"{len(names)}, {len(names) / total:.0%} of {layer}".replace("%", " %"),
        holds=len(names) > blank,
        interval="" if study.quick else f"untrained network: {blank}",
        why="The test holds its error rate over the layer to 5 %. Holds where they are more than "
        "in the untrained network, which a quick run leaves out.",
    )
    main = main_layers(network)
    depth = (main.index(layer) + 1) / len(main)
    yield DEPTH.found(
        f"{layer}: {main.index(layer) + 1} of {len(main)}, {100 * depth:.0f} %",
        holds=0.25 <= depth <= 0.4,
        why="The layer in which they were found, by main layers; within 25 to 40 %. The other "
        "networks' own units are not available.",
    )
    field = float(max(network.layer(layer).receptive_field))
    stimuli = named("high-low").fix(tile=field, size=round(field))
    step = study.of(5, quick=15)
    stimuli = stimuli.isel(
        orientation=slice(0, None, step), ratio=slice(0, None, 2 * step // 5 + 1)
    )
    responses = measure(network, names, stimuli)
    directions = orientation_tuning(responses)["mean"].values
    yield from spread(study, directions, responses)
    order = np.argsort(directions)
    thumbnails = study.thumbnails(names)
    yield Plate(
        "responses",
        boundary_maps(responses.isel(unit=order), stimuli, thumbnails),
        f"Figure 3 from {network.name}: {len(names)} detectors of {layer}, by direction, each over "
        "its own strongest response.",
    )
    yield sided(study, SIDED, names, directions)


def spread(study: Study, directions: Array, responses: xr.DataArray) -> Iterator[Row]:
    """Test how directions are spread, and how much of a map is zero."""
    gap = circular.largest_gap(directions)
    rng = study.rng("directions")
    chance = [circular.largest_gap(rng.uniform(0, 360, len(directions))) for _ in range(2000)]
    yield AROUND.found(
        f"largest gap {gap:.0f}°",
        holds=gap < 90,
        interval=f"as many at random: median {np.median(chance):.0f}°, "
        f"95 % below {np.quantile(chance, 0.95):.0f}°",
        why="Circular means; holds below 90°.",
    )
    zero = (responses.values <= 0).mean((1, 2))
    drawn = [np.median(rng.choice(zero, len(zero))) for _ in range(2000)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    yield BROAD.found(
        f"median {100 * np.median(zero):.0f} % are zero, units {100 * zero.min():.0f} to "
        f"{100 * zero.max():.0f} %",
        holds=low <= 0.51 and high >= 0.47,
        interval=f"{100 * low:.0f} to {100 * high:.0f} % for the median",
        why="Same stimuli, in proportion to the receptive field; holds where the median's interval "
        "reaches into the published range.",
    )


def sided(study: Study, claim: Claim, names: Sequence[str], directions: Array) -> Row:
    """Test on which side of a detector's strongest examples the fine texture is."""
    network, layer = study.network, study.layer("mixed3a")
    examples = study.examples(["conv2d2", "mixed3a", "mixed3b", "mixed4a"])
    tops, units = examples.layers[layer].tops, numbers(names)
    assert study.images is not None
    leanings = []
    for unit in units:
        places = [
            fine_side(crop(network.layer(layer), pixels, (int(row), int(column))))
            for picture, (row, column) in zip(
                tops.pictures[unit][:9], tops.positions[unit][:9], strict=True
            )
            if picture >= 0
            for pixels in [read(study.images / examples.names[int(picture)], network.size)]
        ]
        leanings.append(np.mean(places))
    leaning = np.array(leanings)
    cosines = np.cos(np.angle(leaning) - np.radians(directions))
    rng = study.rng("sides")
    apart = np.cos(np.angle(leaning) - np.radians(directions)[rng.permuted(
        np.tile(np.arange(len(names)), (2000, 1)), axis=1)]).mean(1)  # fmt: skip
    low, high = np.quantile(apart, (0.025, 0.975))
    return claim.found(
        f"{int((cosines > 0).sum())} of {len(names)} detectors, mean cosine {cosines.mean():.2f}",
        holds=bool(cosines.mean() > high),
        interval=f"directions shuffled: {low:.2f} to {high:.2f}",
        why=f"Nine strongest of {examples.seen} photographs each; the middle of the contrast "
        "between neighboring pixels over the contrast of what is coarser, against the preferred "
        "direction of boundaries. Holds above 95 % of shuffles.",
    )


def fine_side(picture: Float[Tensor, "3 side side"]) -> complex:
    """Compute the offset of fine texture from a picture's middle, right + i down, in sides."""
    gray = picture.mean(0, keepdim=True)[None]
    coarse = avg_pool2d(gray, 5, 1, 2, count_include_pad=False)
    fine, rough = (
        avg_pool2d((one - other).square(), 9, 1, 4, count_include_pad=False).sqrt()[0, 0]
        for one, other in ((gray, coarse), (coarse, avg_pool2d(coarse, 15, 1, 7)))
    )
    share = (fine / (fine + rough + 0.02)).double().numpy()
    share -= share.mean()
    places = np.linspace(-0.5, 0.5, len(share))
    return complex((share * places).sum(), (share * places[:, None]).sum()) / share.size


OPPOSED = {
    layer: here(
        f"two factors of the weights from {layer} make the family, their maps each other's "
        "negative: median correlation",
        f"{np.median([float(value) for value in values]):.3f}",
    )
    for layer, values in SYMMETRY.items()
}
TUNED = {
    layer: here(
        f"one factor from {layer} prefers a higher frequency than the other",
        "one rises, the other falls; crossing at 5.5 cycles in 40 px"
        if layer == "conv2d2"
        else "shown for conv2d2 alone",
    )
    for layer in SYMMETRY
}


@part(*OPPOSED.values(), *TUNED.values())
def weights_here(study: Study) -> Iterator[Row | Plate]:
    """What the family is made of.

    The weights into all detectors, expanded from two layers, are factorized as in the article.
    Chance is as many units of the same branches, treated likewise.
    """
    network = study.network
    names = study.detectors("high-low", "mixed3a").sort_values("mean")["unit"].tolist()
    maps = {}
    for name in OPPOSED:
        maps[name] = yield from factored(study, name, names)
    yield Plate(
        "factor-maps",
        factor_maps(maps, [str(unit) for unit in numbers(names)]),
        f"Figure 9 from {network.name}, every map over its own largest weight; detectors by "
        "direction.",
    )


def factored(
    study: Study, name: str, names: Sequence[str]
) -> Generator[Row | Plate, None, Float[Array, "units 2 height width"]]:
    """Test the two factors of the weights from a layer into units; return the factors' maps."""
    network = study.network
    layer = study.layer("maxpool1" if name == "conv2d2" else name)
    found = factors(network, layer, names)
    others = [
        factors(network, layer, study.siblings(names, draw))
        for draw in range(study.of(20, quick=5))
    ]
    correlations = found.opposition()
    chance = np.array([np.median(other.opposition()) for other in others])
    yield OPPOSED[name].found(
        f"{np.median(correlations):.3f}, from {correlations.min():.3f} to {correlations.max():.3f}",
        holds=bool(np.median(correlations) <= -0.9 and np.median(correlations) < chance.min()),
        interval=f"siblings: {chance.min():.2f} to {chance.max():.2f} in {len(chance)} draws",
        why=f"{len(names)} detectors from {layer}, {found.explained:.0%} of the squared weight "
        "explained; holds at -.9 or below, and below all draws.",
    )
    frequencies, responses = frequency_responses(network, found)
    means = responses.mean(1)
    middles = [preferred(frequencies, curve) for curve in means]
    high = int(np.argmax(middles))
    ratio = middles[high] / middles[1 - high]
    ratios = []
    for other in others:
        theirs = frequency_responses(network, other)[1].mean(1)
        pair = [preferred(frequencies, curve) for curve in theirs]
        ratios.append(max(pair) / min(pair))
    scaled = responses / responses.max()
    at = crossing(frequencies, *(means[[high, 1 - high]] / means.max()))
    yield TUNED[name].found(
        f"{middles[high]:.1f} and {middles[1 - high]:.1f} cycles in 40 px, ratio {ratio:.2f}; "
        + (f"they cross at {at:.1f}" if at == at else "they do not cross"),
        holds=ratio > max(ratios),
        interval=f"siblings: ratios {min(ratios):.2f} to {max(ratios):.2f}",
        why="Middles of the responses, averaged over orientation, in the logarithm of the "
        "frequency; holds where their ratio is above all draws.",
    )
    yield Plate(
        f"factor-responses-{name}",
        factor_responses(frequencies, {"high": scaled[high].T, "low": scaled[1 - high].T}, 40),
        f"Figures 7 and 8 from {network.name}: the two factors of {layer}, over the strongest "
        "response of either.",
    )
    if name == "conv2d2":
        units = [str(unit) for factor in (0, 1) for unit, _ in found.units(factor, 4)]
        thumbnails = study.thumbnails([*units, *names])
        yield Plate(
            "factors",
            factor_grid(found, thumbnails),
            f"The factors of {layer}: their strongest units, and where they excite (red) and "
            "inhibit (blue) each detector.",
        )
    return np.asarray(found.spatial.weight.numpy()[:, [high, 1 - high]])


def factors(network: Network, layer: str, names: Sequence[str]) -> Factors:
    """Factorize the weights from a layer into units in two."""
    return one_sided_nmf(expanded_weights(network, layer, names), 2)


def frequency_responses(
    network: Network, found: Factors
) -> tuple[Array, Float[Array, "2 turn frequency"]]:
    """Measure two factors' responses to patterns of one frequency."""
    stimuli = named("frequency-patterns").isel(orientation=slice(0, None, 10))
    field = min(network.layer(found.spatial.source).receptive_field)
    responses = measure(network, found.directions, stimuli.fix(size=min(field, 40)))
    values = responses.clip(min=0).transpose("unit", "orientation", "frequency").values
    return np.array(stimuli.axes["frequency"], float), values


def preferred(frequencies: Array, curve: Array) -> float:
    """Compute the mean of log frequency, weighted by the response above its least."""
    above = curve - curve.min()
    return float(np.exp((above * np.log(frequencies)).sum() / max(above.sum(), 1e-9)))


USED = here(
    "of the 20 units of mixed3b that the family feeds most, many detect boundaries", "8 of 20"
)
EITHER = here(
    "some of them have the same kernel from detectors of opposite directions",
    "mixed3b:345: .82 to .99",
)


@part(USED, EITHER)
def downstream_here(study: Study) -> Iterator[Row | Plate]:
    """What the family is used for.

    In place of the article's reading of feature visualizations, a unit counts as a boundary
    detector where three kinds of boundary (high to low frequency, dark to light, one hue to its
    opposite) each drive it at least a third as far as the strongest of them, all three on one
    axis within 30°, and one frequency alone half as far at most.
    """
    network, later = study.network, study.layer("mixed3b")
    table = study.detectors("high-low", "mixed3a")
    names, directions = table["unit"].tolist(), table["mean"].to_numpy(float)
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
    apart = np.abs((directions[:, None] - directions + 180) % 360 - 180)
    pairs = np.argwhere(np.triu(apart >= 135))
    yield from either(study, names, kernels.numpy(), pairs, most, strength)


def boundary_units(study: Study, layer: str) -> Bool[Array, " units"]:
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
        found = measure(network, layer, stimuli).clip(min=0)
        found = found.max([d for d in found.dims if d not in ("unit", "orientation")])
        half = found.transpose("unit", "orientation").values.reshape(len(found["unit"]), 2, -1)
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
    driven = strengths.min(0) >= strengths.max(0) / 3
    return np.all(agree, 0) & driven & (strengths.max(0) > 0) & (texture <= strengths.max(0) / 2)


def either(
    study: Study, names: Sequence[str], kernels: Array, pairs: Array, most: Array, strength: Array
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


def opposite_kernels(kernels: Float[Array, "out in y x"], pairs: Array) -> Float[Array, " out"]:
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


FACTORS = {
    layer: inception(
        f"the factors' strongest units of {layer}, with their weights",
        "; ".join(
            f"{factor}: " + ", ".join(f"{unit} {weight}" for unit, weight in units.items())
            for factor, units in contents.items()
        ),
    )
    for layer, contents in CONTENTS.items()
}
TILES = inception(
    "the kernels of figure 5, from pooled conv2d2 into 110, 136 and 112", "24 kernels"
)
TURNS = inception(
    "six detectors prefer the published directions",
    ", ".join(f"{unit}: {angle:g}°" for unit, angle in DIRECTIONS.items()),
)
MEMBERS = inception("the library's test finds the fifteen published units", "15")
STRONGEST = inception(
    "the 20 units of mixed3b that the fifteen feed most", ", ".join(map(str, BOUNDARIES))
)
SAME = inception(
    "kernels into mixed3b:345 are alike from detectors of any direction, correlation with 110's",
    "112 .99, 132 .94, 117 .99, 108 .99, 70 .98, 86 .97, 186 .82",
)
COUNTER = inception(
    "not all weights follow the two factors: conv2d2:181 into mixed3a:70 is a counterexample",
    "shown, no number",
)


@part(*FACTORS.values(), TILES, TURNS, MEMBERS, STRONGEST, SAME, COUNTER)
def in_google_s_network(study: Study) -> Iterator[Row]:
    """The published units, in Google's network."""
    network = study.inceptionv1()
    names = [f"mixed3a:{unit}" for unit in FAMILY]
    found = yield from google_factors(network, names)
    tiles = read_tiles(study.published(TILE_FILE), "HighLow Fig5")
    yield matched(TILES, network, tiles, least=0.999)
    stimuli = named("high-low").isel(orientation=slice(0, None, 10), ratio=slice(0, None, 5))
    units = [f"mixed3a:{unit}" for unit in DIRECTIONS]
    means = orientation_tuning(measure(network, units, stimuli))["mean"].values
    off = circular.angular_distance(means, np.array([*DIRECTIONS.values()]))
    yield TURNS.found(
        f"at most {np.max(off):.0f}° away",
        holds=bool((off <= 15).all()),
        why="Circular means; holds within 15°, for the size of the published stimuli is not known.",
    )
    table = find(network, "high-low", "mixed3a", seed=study.seed)
    inside = {*numbers(table["unit"])}
    yield MEMBERS.found(
        f"{len(inside & {*FAMILY})} of 15, and {len(inside - {*FAMILY})} others",
        holds=len(inside & {*FAMILY}) >= 12 and len(inside - {*FAMILY}) <= 5,
        why="Holds at twelve or more, with five others at most.",
    )
    kernels = expanded_weights(network, names, "mixed3b").weight.double()
    most = np.argsort(-kernels.square().sum((1, 2, 3)).numpy())[:20]
    shared_units = {int(unit) for unit in most} & {*BOUNDARIES}
    yield STRONGEST.found(
        f"{len(shared_units)} of 20",
        holds=len(shared_units) == 20,
        why="L2 norm over all fifteen detectors.",
    )
    into = dict(zip(FAMILY, kernels[345].numpy(), strict=True))
    published = {112: 0.99, 132: 0.94, 117: 0.99, 108: 0.99, 70: 0.98, 86: 0.97, 186: 0.82}
    same = {unit: correlation(into[unit], into[110]) for unit in published}
    yield SAME.found(
        ", ".join(f"{unit} {value:.2f}" for unit, value in same.items()),
        holds=all(abs(same[unit] - value) <= 0.02 for unit, value in published.items()),
        why="Within .02, as well as pictures are read.",
    )
    odd = expanded_weights(network, "maxpool1:181", "mixed3a:70").weight[0, 0].numpy()
    maps = found["conv2d2"].spatial.weight[FAMILY.index(70)].numpy()
    fit = max(abs(correlation(each, odd)) for each in maps)
    yield COUNTER.found(
        f"correlation with either factor's map at most {fit:.2f}",
        holds=fit < 0.5,
        why="Holds where the kernel is like neither, below .5.",
    )


def google_factors(
    network: Network, names: Sequence[str]
) -> Generator[Row, None, dict[str, Factors]]:
    """Compare the factors' strongest units with the published ones; return the factors."""
    found = {
        layer: factors(network, {"conv2d2": "maxpool1"}.get(layer, layer), names)
        for layer in CONTENTS
    }
    for layer, contents in CONTENTS.items():
        listed = [{u.index: w for u, w in found[layer].units(at)} for at in (0, 1)]
        listed.sort(key=lambda units: -len(units.keys() & contents["high"].keys()))
        shared = [len(units.keys() & contents[f].keys())
                  for f, units in zip(("high", "low"), listed, strict=True)]  # fmt: skip
        yield FACTORS[layer].found(
            "; ".join(
                f"{factor}: " + ", ".join(f"{unit} {weight:.3f}" for unit, weight in units.items())
                for factor, units in zip(("high", "low"), listed, strict=True)
            ),
            holds=min(shared) >= 4,
            why="Weights of length 1 in all, the published on a scale of their own; holds where "
            "four of the five units of each are the published ones.",
        )
    return found


ARTICLE = Article(
    "High-Low Frequency Detectors",
    "Schubert, Voss, Cammarata, Goh, Olah, 2021",
    "https://distill.pub/2020/circuits/frequency-edges/",
    "A family of early units answers to a boundary between a fine and a coarse texture, built from "
    "detectors of either frequency, and used to find the boundaries of things.",
    (
        published_responses,
        published_weights,
        published_factors,
        published_downstream,
        responses_here,
        weights_here,
        downstream_here,
        in_google_s_network,
    ),
)
