"""Naturally Occurring Equivariance (Olah et al., 2020): units that are one another, transformed."""

import json
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import torch
import xarray as xr
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from visioncircuits import pictures
from visioncircuits.comparison import odds
from visioncircuits.comparison.equivariance import (
    Transformation,
    hue_rotation,
    orbits,
    partners,
    reflection,
    rotation,
)
from visioncircuits.comparison.symmetry import (
    centroids,
    correlation,
    mirrored,
    placement,
    rotated_template,
    sums_by_angle,
)
from visioncircuits.stimuli import StimulusSet, circle
from visioncircuits.thread import (
    Article,
    Claim,
    Plate,
    Row,
    Study,
    Unavailable,
    here,
    inception,
    interval,
    middle,
    null,
    number,
    paper,
    part,
)
from visioncircuits.thread.tiles import FILE, matched, read_tiles
from visioncircuits.tuning import circular, measure
from visioncircuits.tuning.circles import circle_detectors
from visioncircuits.weights import expanded_weights, kernel_grid, strongest_inputs

Array = np.ndarray

CIRCLE = paper(
    "a circle (mixed4a:402) is made of curves that each lie where they face: angle between the two",
    "-5, 0, -4, 15, -3, -4, -6, 4°",
)
EVOLUTE = paper(
    "evolutes are made of curves that lie opposite to where they face",
    "mixed4a:408 180 ± 35°, mixed3b:373 180 ± 45°",
)
SMALL = paper("a small circle (mixed3a:175) is made of tiny curves in the same way", "shown")
SUMS = paper(
    "curve to curve, mean sum of kernels by the angle between orientations",
    "0-30° +2.33, 30-60° +1.81, 60-90° +.26, 90-120° +.22, 120-150° -1.10, 150-180° -2.86",
)
TURNED = paper(
    "curve to curve, a kernel turned by quarters is another curve's: correlation at its own turn",
    "aligned .52, .59, .85; opposed .67, .61, .91",
)
TRANSPOSED = paper(
    "color contrast to center-surround: mixed3a:76 and 119 have one weight pattern, transposed",
    "literally the same",
)
FACTORS = paper(
    "two factors make high-low frequency detectors of all orientations by turned kernels",
    "mixed3a:136, 112, 106, 110",
)
CROSSED = paper(
    "black-and-white detectors make center-surrounds of opposite kind (mixed3b:208, 285)",
    "opposite kernels",
)
DIVERGING = paper(
    "lines make a circle (conv2d2:146) and a divergence (137) by opposite kernels",
    "opposite kernels",
)
MIRRORED = paper(
    "human and animal: mixed4d:427 and 429 are made of the same units by mirrored kernels",
    "mixed4c:333, 450, 253, 445, 409, 462",
)
LISTED = paper(
    "the units that are shown as one another turned belong to one family of the taxonomy",
    "high-low 8, lines 4 and 4, color center-surround 6",
)
GROUPS: Mapping[str, tuple[str, Sequence[int]]] = {
    "High-Low Frequency": ("mixed3a", (136, 153, 112, 132, 106, 186, 110, 117)),
    "Lines": ("mixed3a", (154, 69, 101, 134)),
    "Line": ("conv2d2", (9, 97, 145, 3)),
    "Color Center-Surround": ("mixed3b", (271, 109, 26, 448, 89, 87)),
}


@part(CIRCLE, EVOLUTE, SMALL, SUMS, TURNED, TRANSPOSED, FACTORS, CROSSED, DIVERGING, MIRRORED,
      LISTED)  # fmt: skip
def published_circuits(study: Study) -> Iterator[Row]:
    """The published circuits.

    Kernels were read off the article's figures. What is equivariant has kernels that are one
    another's, transformed as the units are.
    """
    table = json.loads(study.published("curve_preferred_orientations.json").read_text("utf-8"))
    facing = {
        layer: {int(unit): float(peak["argmax_deg"]) for unit, peak in units.items()}
        for layer, units in table["units"].items()
    }
    yield from published_circles(study, facing)
    yield from published_curves(study, facing)
    yield from published_contrasts(study)
    yield from published_mirrors(study)


Facing = Mapping[str, Mapping[int, float]]
"""Preferred orientation by layer and unit."""


def published_circles(study: Study, facing: Facing) -> Iterator[Row]:
    """Test where curves lie in circles and evolutes."""
    tiles = read_tiles(study.published(FILE), "Equivariance circle/evolute")

    def placed(layer: str, output: int) -> Float[Array, " tiles"]:
        into = [tile for tile in tiles if (tile.target, tile.output) == (layer, output)]
        angles = np.array([facing[tile.source][int(tile.unit)] for tile in into])
        return placement(np.stack([tile.kernel for tile in into]), angles)

    around = sorted(round(float(angle)) for angle in placed("mixed4a", 402))
    yield CIRCLE.found(
        ", ".join(map(str, around)) + "°",
        holds=around == sorted((-5, 0, -4, 15, -3, -4, -6, 4)),
        why="Direction of the middle of what excites, less the source's orientation; in order.",
    )
    off = {unit: 180 - np.abs(placed(*unit)) for unit in (("mixed4a", 408), ("mixed3b", 373))}
    yield EVOLUTE.found(
        ", ".join(f"{layer}:{unit} 180 ± {off[layer, unit].max():.0f}°" for layer, unit in off),
        holds=off["mixed4a", 408].max() <= 35 and off["mixed3b", 373].max() <= 45,
        why="Eight kernels each.",
    )
    small = np.abs(placed("mixed3a", 175))
    yield SMALL.found(
        f"at most {small.max():.0f}°, median {np.median(small):.0f}°",
        holds=bool(small.max() < 90),
        why="Eight kernels; chance gives a median of 90°. Holds where all are below that.",
    )


def published_curves(study: Study, facing: Facing) -> Iterator[Row]:
    """Test the kernels from curves to curves."""
    with np.load(study.published("curves_3a_to_3b_fig5_weights.npz")) as arrays:
        targets = np.array([facing["mixed3b"][unit] for unit in arrays["rows3b"].tolist()])
        sources = np.array([facing["mixed3a"][unit] for unit in arrays["cols3a"].tolist()])
        means = sums_by_angle(arrays["weights"].astype(float), targets, sources)["sum"]
    found = [f"{value:+.2f}" for value in means]
    yield SUMS.found(
        ", ".join(found),
        holds=found == ["+2.33", "+1.81", "+0.26", "+0.22", "-1.10", "-2.86"],
        why="64 kernels.",
    )
    matrix = kernels_of(study, "curve-circuit matrix")
    turned = {
        name: rotated_template(matrix[pairs[0]], np.stack([matrix[pair] for pair in pairs]))
        for name, pairs in {
            "aligned": ((147, 379), (81, 385), (145, 342), (71, 330)),
            "opposed": ((145, 379), (71, 385), (147, 342), (81, 330)),
        }.items()
    }
    right = {name: table[range(1, 4), range(1, 4)].round(2) for name, table in turned.items()}
    yield TURNED.found(
        "; ".join(
            f"{name} {', '.join(f'{v:.2f}' for v in values)}" for name, values in right.items()
        ),
        holds=all((table.argmax(1) == range(4)).all() for table in turned.values())
        and right["aligned"].tolist() == [0.52, 0.59, 0.85]
        and right["opposed"].tolist() == [0.67, 0.61, 0.91],
        why="Holds where each is best at its own turn, and as printed.",
    )


def published_contrasts(study: Study) -> Iterator[Row]:
    """Test the kernels from color contrast, from the two factors, and into opposite units."""
    contrast = kernels_of(study, "contrast->center")
    exchanged = [correlation(contrast[one, 76], contrast[other, 119])
                 for one, other in ((172, 56), (56, 172), (36, 169), (169, 36))]  # fmt: skip
    own = [correlation(contrast[unit, 76], contrast[unit, 119]) for unit in (172, 36, 56, 169)]
    yield TRANSPOSED.found(
        f"from the opposite contrast {min(exchanged):.2f} to {max(exchanged):.2f}, from the same "
        f"{min(own):.2f} to {max(own):.2f}",
        holds=min(exchanged) > 0.9 and max(own) < -0.9,
        why="Correlations of kernels into 76 with those into 119, opposite hues (172 and 56, 36 "
        "and 169) exchanged. Holds above .9.",
    )
    high_low = kernels_of(study, "high-low (NMF factor->3a)")
    angles = np.sort([leaning(high_low["HF", unit]) for unit in (136, 112, 106, 110)])
    steps = np.diff([*angles, angles[0] + 360])
    opposite = [correlation(high_low["HF", u], high_low["LF", u]) for u in (136, 112, 106, 110)]
    yield FACTORS.found(
        f"directions {', '.join(f'{angle:.0f}°' for angle in angles)}; high against low at most "
        f"{max(opposite):.2f}",
        holds=bool(np.abs(steps - 90).max() <= 15) and max(opposite) < -0.9,
        why="Direction in which the high-frequency factor excites; holds where the four are a "
        "quarter turn apart within 15°, and the other factor opposed below -.9.",
    )
    for claim, figure, ends, sources_ in (
        (CROSSED, "BW-color", (208, 285), (208, 210, 197, 214)),
        (DIVERGING, "line->circle/divergence", (146, 137), (30, 55, 51)),
    ):
        pairs = kernels_of(study, figure, source="mixed3a" if claim is CROSSED else "conv2d1")
        alike = {unit: correlation(*(pairs[unit, end] for end in ends)) for unit in sources_}
        yield claim.found(
            ", ".join(f"{unit} {value:.2f}" for unit, value in alike.items()),
            holds=max(alike.values()) < 0,
            why="Correlation of a source's two kernels; holds where all are negative.",
        )


def published_mirrors(study: Study) -> Iterator[Row]:
    """Test the mirrored kernels, and the families of units that are one another transformed."""
    human = kernels_of(study, "human-animal")
    mirror = {unit: mirrored(human[unit, 427], human[unit, 429])
              for unit in (333, 450, 253, 445, 409, 462)}  # fmt: skip
    straight = [correlation(human[unit, 427], human[unit, 429]) for unit in mirror]
    yield MIRRORED.found(
        ", ".join(f"{unit} {value:.2f}" for unit, value in mirror.items()),
        holds=min(mirror.values()) > 0.9,
        interval=f"not mirrored: {min(straight):.2f} to {max(straight):.2f}",
        why="Correlation of the one kernel with the other mirrored; holds above .9.",
    )
    families = json.loads(study.published("families_early_vision.json").read_text("utf-8"))
    inside = {
        name: sum(
            unit in family["units"]
            for family in families[layer]["families"]
            if family["name"] == name or (name == "High-Low Frequency" and name in family["name"])
            for unit in units
        )
        for name, (layer, units) in GROUPS.items()
    }
    yield LISTED.found(
        ", ".join(f"{name} {count} of {len(GROUPS[name][1])}" for name, count in inside.items()),
        holds=all(count == len(GROUPS[name][1]) for name, count in inside.items()),
        why="Looked up in the taxonomy of Early Vision.",
    )


def kernels_of(
    study: Study, figure: str, *, source: str = ""
) -> dict[tuple[int | str, int], Float[Array, "height width"]]:
    """Return the kernels of a figure of the article, by source and target."""
    tiles = read_tiles(study.published(FILE), f"Equivariance {figure}")
    return {
        (tile.unit, tile.output): tile.kernel for tile in tiles if tile.source.startswith(source)
    }


def leaning(kernel: Float[Array, "height width"]) -> float:
    """Compute the direction in which a kernel rises, in degrees clockwise from the right."""
    height, width = kernel.shape
    y, x = np.mgrid[:height, :width]
    down, right = (kernel * (y - (height - 1) / 2)).sum(), (kernel * (x - (width - 1) / 2)).sum()
    return float(np.degrees(np.arctan2(down, right)) % 360)


CHANGES: Mapping[str, tuple[str, str, Sequence[Transformation]]] = {
    "turned": ("maxpool1", "mixed3a", [rotation(angle) for angle in (90, 180, 270)]),
    "mirrored": ("mixed3a", "mixed3b", [reflection()]),
    "recolored": ("mixed3a", "mixed3b", [hue_rotation(angle) for angle in (120, 180, 240)]),
    "contrasts recolored": (
        "conv2d1",
        "conv2d2",
        [hue_rotation(angle) for angle in (120, 180, 240)],
    ),
}
EXAMPLES = {
    "turned": "curves, lines, high-low frequency detectors",
    "mirrored": "mixed3b:347, 327; mixed4a:222, 308; mixed4d:429, 427",
    "recolored": "mixed3b: 271, 109, 26, 448, 89, 87",
    "contrasts recolored": "32 units of conv2d2",
}
FAMILIES = {
    how: here(
        f"units of {layer} come as one another, {how}: families by tuning and by weights",
        EXAMPLES[how],
    )
    for how, (_, layer, _) in CHANGES.items()
}
CURVES_TURN = here(
    "a curve detector's partner a half turn on has the opposite orientation", "shown"
)
HIGH_LOWS_TURN = here(
    "a high-low frequency detector's partners after turns prefer the direction turned as far",
    "shown for eight",
)


@part(*FAMILIES.values(), CURVES_TURN, HIGH_LOWS_TURN)
def families_here(study: Study) -> Iterator[Row | Plate]:
    """Families in this network.

    A unit's best match responds to transformed photographs as the unit does to the originals, and
    its kernels are the unit's, transformed. The lower of the two correlations counts. Two units are
    partners if neither has a better match, and it is above .3 and above all of shuffled photographs
    and kernels.
    """
    for how, (source, layer, changes) in CHANGES.items():
        ends = study.layer(source), study.layer(layer)
        patches = cut(study, max(study.network.layer(ends[1]).receptive_field))
        found = partners(
            study.network, *ends, patches, changes, seed=study.seed, shuffles=study.of(20, quick=3)
        )
        families = orbits(found)
        moved = families[families["transformation"] != "identity"]
        pairs = moved[moved["unit"] != moved["family"]]
        itself = moved[moved["unit"] == moved["family"]]["family"].nunique()
        sure = int((np.minimum(found["tuning"], found["weights"]) > found["chance"]).sum())
        total = found["unit"].size
        yield FAMILIES[how].found(
            f"{pairs['family'].nunique()} families, {len(pairs)} partners among {total} units; "
            f"{itself} units are their own",
            holds=len(pairs) >= 3,
            interval=f"highest by chance {float(found['chance'].max()):.2f}; {sure} of "
            f"{found['tuning'].size} best matches are above it",
            why=f"{', '.join(change.name for change in changes)}; {len(patches)} photographs, "
            f"kernels from {ends[0]}. Holds at three partners that are other units.",
        )
        if how == "turned":
            yield orientations(study, HIGH_LOWS_TURN, found, "high-low", layer, "mean")
            yield from turning(study, found, pairs)
            curves = found
    yield orientations(study, CURVES_TURN, curves, "curve", "mixed3a", "orientation", only=180)


def cut(study: Study, side: int) -> Float[Tensor, "pictures 3 side side"]:
    """Cut patches of a size from photographs, at random."""
    rng, size = study.rng("patches"), study.network.size
    side = min(side, size)
    patches = []
    for path in study.photographs(study.of(400, quick=100)):
        y, x = rng.integers(0, size - side + 1, 2)
        patches.append(pictures.read(path, size)[:, y : y + side, x : x + side])
    return torch.stack(patches)


def orientations(
    study: Study,
    claim: Claim,
    found: xr.Dataset,
    family: str,
    layer: str,
    column: str,
    *,
    only: float | None = None,
) -> Row:
    """Test by stimuli whether a family's best partners are turned as far."""
    try:
        table = study.detectors(family, layer)
    except Unavailable as missing:
        return claim.untestable(str(missing))
    angles = dict(zip(table["unit"], table[column].astype(float), strict=True))
    off, drawn, rng = [], [], study.rng(f"turns of {family}")
    inside = 0
    for name in found["transformation"].values:
        turn = float(str(name).rpartition(" ")[2])
        if only is not None and turn != only:
            continue
        for unit, angle in angles.items():
            best = int(found["partner"].sel(transformation=name, unit=unit))
            other = str(found["unit"].values[best])
            drawn.append([abs_angle(each, angle + turn) for each in angles.values()])
            if other in angles:
                inside += 1
                off.append(abs_angle(angles[other], angle + turn))
    if len(off) < 3:
        return claim.untestable(f"{inside} best partners are {family} detectors; three are needed")
    chance = [np.median([rng.choice(each) for each in drawn][: len(off)]) for _ in range(1000)]
    low, high = middle(chance)
    total = len(drawn)
    return claim.found(
        f"{inside} of {total} best partners are of the family; median {np.median(off):.0f}° off",
        holds=bool(np.median(off) < low),
        interval=f"any of the family: {low:.0f} to {high:.0f}° off; of the family at random "
        f"{total * len(angles) / found['unit'].size:.1f}",
        why=f"{len(angles)} {family} detectors of {layer}, directions by stimuli; best partners "
        "by photographs and weights, whether sure or not.",
    )


def abs_angle(one: float, other: float) -> float:
    """Compute the angle between two directions, from 0 to 180 degrees."""
    return float(circular.angular_distance(np.array(one), np.array(other % 360)))


def turning(study: Study, found: xr.Dataset, pairs: pd.DataFrame) -> Iterator[Plate]:
    """Draw the surest families: each unit beside its partners."""
    if not len(pairs):
        return
    strength = pairs.assign(sure=np.minimum(pairs["tuning"], pairs["weights"]))
    best = strength.groupby("family")["sure"].sum().sort_values(ascending=False).index[:6]
    names = [str(name) for name in found["transformation"].values]
    rows = []
    for family in best:
        mine = pairs[pairs["family"] == family].set_index("transformation")["unit"].to_dict()
        rows.append([str(family), *(mine.get(name, "") for name in names)])
    units = sorted({unit for row in rows for unit in row if unit})
    drawn = study.thumbnails(units)
    side = 96
    sheet = Image.new("RGB", ((side + 6) * len(rows[0]) - 6, (side + 6) * len(rows) - 6), "white")
    for y, row in enumerate(rows):
        for x, unit in enumerate(row):
            if unit:
                small = drawn[unit].resize((side, side), Image.Resampling.LANCZOS)
                sheet.paste(small, (x * (side + 6), y * (side + 6)))
    listed = "; ".join(", ".join(unit or "none" for unit in row) for row in rows)
    yield Plate(
        "turned",
        sheet,
        "The surest families, a row each: a unit, and its partners after "
        f"{', '.join(names)}. Units: {listed}.",
    )


RULE = here(
    "curve to curve, kernels follow the angle between orientations: aligned ones excite",
    "mean sums from +2.33 to -2.86",
)
QUARTERS = here(
    "curve to curve, kernels turn with the curves: kernels of pairs at one angle, turned onto one "
    "another, are alike",
    "aligned .52 to .85",
)
SIZES = here(
    "circle detectors come in several sizes, larger from layer to layer",
    "conv2d2:146, mixed3b:346, 323, mixed4a:402",
)
ROUND = here("circles are made of curves that each lie where they face", "within 15° (mixed4a:402)")


@part(RULE, QUARTERS, SIZES, ROUND)
def circuits_here(study: Study) -> Iterator[Row | Plate]:
    """Equivariant circuits in this network.

    Curve detectors and what they prefer are found by stimuli alone, so that weights are
    independent evidence.
    """
    network = study.network
    early, late = (study.detectors("curve", layer) for layer in ("mixed3a", "mixed3b"))
    weights = expanded_weights(network, early["unit"].tolist(), late["unit"].tolist())
    kernels = weights.weight.double().numpy()
    sources, targets = (table["orientation"].to_numpy(float) for table in (early, late))

    def falling(sources: Array) -> float:
        sums = sums_by_angle(kernels, targets, sources, step=60)["sum"]
        return float(sums.iloc[0] - sums.iloc[-1])

    rng = study.rng("rule")
    slope = falling(sources)
    low, high = null(falling, sources, rng)
    by_angle = sums_by_angle(kernels, targets, sources)["sum"]
    yield RULE.found(
        ", ".join(f"{value:+.2f}" for value in by_angle),
        holds=slope > high,
        interval=f"0-60° less 120-180°: {slope:.2f}; shuffled {low:.2f} to {high:.2f}",
        why=f"Mean sums at steps of 30° of {len(sources)} × {len(targets)} kernels.",
    )
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
    """Compare the preferred radius of circle detectors in several layers, in pixels."""
    network, radii, spans, counts = study.network, {}, {}, {}
    for layer in map(study.layer, ("conv2d2", "mixed3a", "mixed3b", "mixed4a")):
        table = circle_detectors(network, layer)
        units = table[table["detector"]]["unit"].tolist()
        if len(units) < 3:
            continue
        field = float(min(*network.layer(layer).receptive_field, network.size))
        stimuli = StimulusSet(
            circle, {"radius": np.linspace(0.06, 0.45, 14) * field}, {"width": 3.0}
        )
        best = measure(network, units, stimuli).idxmax("radius").values.astype(float)
        counts[layer], radii[layer] = len(units), float(np.median(best))
        spans[layer] = interval(best, study.rng(layer))
    if len(radii) < 2:
        return SIZES.untestable("circle detectors were found in fewer than two layers")
    middles = list(radii.values())
    return SIZES.found(
        ", ".join(f"{layer} {radius:.0f} px ({counts[layer]})" for layer, radius in radii.items()),
        holds=len(radii) >= 3 and middles == sorted(set(middles)),
        interval=", ".join(f"{low:.0f} to {high:.0f}" for low, high in spans.values()),
        why="Median of the radius that activates them most, of circles from .06 to .45 of a "
        "neuron's receptive field (number of detectors); holds where it grows over three layers or "
        "more.",
    )


def turned_likeness(kernels: Array, targets: Array, sources: Array) -> float:
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
        holds=bool(np.median(off) < low),
        interval=f"orientations shuffled: median {low:.0f} to {high:.0f}°",
        why=f"{int(exciting.sum())} exciting kernels, their middles half a neuron or more from the "
        f"kernel's, of {len(facing)} curves into {len(units)} circle detectors of {layer}; all are "
        "found by stimuli.",
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


FIGURES = {
    figure: inception(f"the kernels of the figure {figure}", f"{count} kernels")
    for figure, count in {
        "curve-circuit matrix": 16,
        "circle/evolute": 32,
        "contrast->center": 8,
        "BW-color": 8,
        "line->circle/divergence": 6,
        "human-animal": 12,
    }.items()
}
LINES = inception(
    "color contrast of conv2d2 is among the inputs of lines of mixed3a (154, 101)", "shown"
)
HUES = inception(
    "hue detectors of mixed3b (271, 109, 420, 87, 89, 436) are the inputs of detectors of mixed4a "
    "(128, 35, 123, 174, 122, 180), each of its own hue",
    "shown",
)
GRID = inception(
    "32 color contrast units of conv2d2 are one another with hue and orientation turned",
    "8 × 4 units",
)
FLIPPED = inception(
    "units are one another mirrored", "mixed4a:222, 308; mixed3b:347, 327; mixed4d:429, 427"
)
MODEL = inception(
    "a network half of whose neurons come in 16 rotations can be trained", "no number"
)


@part(*FIGURES.values(), LINES, HUES, GRID, FLIPPED, MODEL)
def in_google_s_network(study: Study) -> Iterator[Row]:
    """The published units, in Google's network."""
    yield MODEL.untestable("it takes training; the article gives no accuracy either")
    network = study.inceptionv1()
    for figure, claim in FIGURES.items():
        tiles = read_tiles(study.published(FILE), f"Equivariance {figure}")
        yield matched(claim, network, (tile for tile in tiles if tile.source in network.layers))
    families = json.loads(study.published("families_early_vision.json").read_text("utf-8"))
    contrast = next(
        set(family["units"])
        for family in families["conv2d2"]["families"]
        if family["name"] == "Color Contrast"
    )
    shares = []
    for unit in (154, 101):
        inputs = strongest_inputs(expanded_weights(network, "maxpool1", f"mixed3a:{unit}"), top=20)
        shares.append(sum(number(each.source) in contrast for each in inputs))
    chances = [odds(share, 20, len(contrast), 192) for share in shares]
    yield LINES.found(
        f"{shares[0]} and {shares[1]} of the 20 strongest inputs",
        holds=max(chances) <= 0.05,
        interval=f"chance {20 * len(contrast) / 192:.1f}, P = {max(chances):.1g}",
        why="Holds where both are more than chance gives, at P of .05 or less.",
    )
    sources = [f"mixed3b:{unit}" for unit in (271, 109, 420, 87, 89, 436)]
    targets = [f"mixed4a:{unit}" for unit in (128, 35, 123, 174, 122, 180)]
    sums = expanded_weights(network, sources, targets).weight.sum((2, 3)).numpy()
    own = int((sums.argmax(1) == range(len(sums))).sum())
    yield HUES.found(
        f"{own} of {len(sums)} are excited most by their own",
        holds=own >= 5,
        why="Sums of kernels, units in the article's order; holds at five of six.",
    )
    yield GRID.untestable("which unit stands where in the figure is not in the published data")
    agree = []
    for source, layer, pair in (
        ("mixed3b", "mixed4a", (222, 308)),
        ("mixed3a", "mixed3b", (347, 327)),
        ("mixed4c", "mixed4d", (429, 427)),
    ):
        patches = cut(study, max(network.layer(layer).receptive_field))
        found = partners(network, source, layer, patches, [reflection()], shuffles=1)
        agree.append(all(
            int(found["partner"].sel(unit=f"{layer}:{one}")[0]) == other
            for one, other in (pair, pair[::-1])
        ))  # fmt: skip
    yield FLIPPED.found(
        f"{sum(agree)} of {len(agree)} pairs",
        holds=all(agree),
        why="Each is the other's best partner by photographs and weights.",
    )


ARTICLE = Article(
    "Naturally Occurring Equivariance in Neural Networks",
    "Olah, Cammarata, Voss, Schubert, Goh, 2020",
    "https://distill.pub/2020/circuits/equivariance/",
    "Many units are one another turned, mirrored, enlarged or recolored, and so are the circuits "
    "that they are made of.",
    (published_circuits, families_here, circuits_here, in_google_s_network),
)
