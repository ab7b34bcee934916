"""The published weights and factors, and how factors are drawn."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from visioncircuits.figures import Figure
from visioncircuits.stimuli import StimulusSet, frequency_pattern, named
from visioncircuits.thread import Plate, Row, Study, paper, part
from visioncircuits.thread.tiles import FILE as TILE_FILE
from visioncircuits.thread.tiles import read_tiles

SHOWN = (136, 108, 132, 88, 110, 180)
"""The units of the figures, in their order."""

SYMMETRY: Mapping[str, Sequence[str]] = {
    "conv2d2": ("-0.995", "-0.998", "-0.998", "-0.994", "-0.998", "-0.987"),
    "conv2d1": ("-0.979", "-0.987", "-0.990", "-0.945", "-0.989", "-0.975"),
}
ORANGE_BLUE = LinearSegmentedColormap.from_list(
    "excites", ("#08519c", "#6baed6", "#ffffff", "#fdae6b", "#d94801")
)
CLUSTERS = (119, 102, 123, 90), (89, 163, 98, 188)
CLUSTERED = paper(
    "conv2d2 feeds the detectors from two clusters: high frequencies excite where low ones inhibit",
    "two clusters: 119, 102, 123, 90 and 89, 163, 98, 188",
)
SYMMETRIC = {
    layer: paper(
        f"the two factors' maps from {layer} are close to each other's negative, by correlation",
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


def factor_maps(maps: Mapping[str, np.ndarray], names: Sequence[str]) -> Figure:
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


def crossing(frequencies: np.ndarray, high: np.ndarray, low: np.ndarray) -> float:
    """Return the frequency where one response rises above the other; NaN without one."""
    apart = high - low
    above = np.flatnonzero((apart[1:] > 0) & (apart[:-1] <= 0)) + 1
    if not len(above):
        return float("nan")
    pair = slice(above[0] - 1, above[0] + 1)
    return float(np.exp(np.interp(0, apart[pair], np.log(frequencies[pair]))))


def factor_responses(
    frequencies: np.ndarray, maps: Mapping[str, np.ndarray], tile: float
) -> Figure:
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
