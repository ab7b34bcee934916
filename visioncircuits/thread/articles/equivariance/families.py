"""Families of units that are one another, transformed."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import torch
import xarray as xr
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from visioncircuits import pictures
from visioncircuits.comparison import (
    Transformation,
    hue_rotation,
    orbits,
    partners,
    reflection,
    rotation,
)
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import SHUFFLED, Claim, Unavailable
from visioncircuits.thread.intervals import middle
from visioncircuits.tuning import circular

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
        stand_ins=(SHUFFLED,),
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
            yield orientations(study, HIGH_LOWS_TURN, found, "high-low", layer)
            yield from turning(study, found, pairs)
            curves = found
    yield orientations(study, CURVES_TURN, curves, "curve", "mixed3a", only=180)


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
    *,
    only: float | None = None,
) -> Row:
    """Test by stimuli whether a family's best partners are turned as far."""
    try:
        table = study.detectors(family, layer)
    except Unavailable as missing:
        return claim.untestable(str(missing))
    angles = dict(zip(table["unit"], table["orientation"].astype(float), strict=True))
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
