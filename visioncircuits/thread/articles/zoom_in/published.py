"""The published kernels."""

import json
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from visioncircuits.comparison import mirrored
from visioncircuits.figures import Figure
from visioncircuits.thread import Plate, Row, Study, paper, part
from visioncircuits.thread.tiles import FILE as TILES
from visioncircuits.thread.tiles import Tile, read_tiles
from visioncircuits.weights import signed_colors

ROWS = {
    237: "windows excite at the top and inhibit at the bottom",
    491: "the car body excites, especially at the bottom",
    373: "wheels excite at the bottom and inhibit at the top",
}
SUMS = {
    237: "3.94, 4.01, 0.56, -1.97, -1.54",
    491: "0.64, 0.24, 0.98, 2.46, 3.98",
    373: "-1.15, -1.44, 0.76, 2.86, 3.98",
}
CAR = {
    unit: paper(f"car circuit: {text} (mixed4b:{unit}, rows)", SUMS[unit])
    for unit, text in ROWS.items()
}
EXCITED = paper(
    "curve detectors are excited by earlier ones of similar orientation",
    "147→379, 81→385, 145→342, 71→330",
)
INHIBITED = paper(
    "curve detectors are inhibited by earlier ones of the opposing orientation",
    "145→379, 71→385, 147→342, 81→330",
)
HEADS = paper(
    "dog circuit: the kernel from heads to necks facing left (308→443) is the mirror image of that "
    "facing right (222→429)",
    "mirrored",
)
CASES = paper(
    "dog circuit: the kernels of both cases into one unit (308, 222 and 234, 235 → 418) are mirror "
    "images",
    "0.98 and 0.96",
)


@part(EXCITED, INHIBITED, *CAR.values(), HEADS, CASES)
def published_circuits(study: Study) -> Iterator[Row | Plate]:
    """The published kernels.

    Decoded from the article's pictures.
    """
    path = study.published(TILES)
    for claim, figure, sign in (
        (EXCITED, "ZoomIn CurveOrientationsA", 1),
        (INHIBITED, "ZoomIn CurveOrientationsB", -1),
    ):
        tiles = read_tiles(path, figure)
        sums = {f"{tile.unit}→{tile.output}": tile.kernel.sum() for tile in tiles}
        yield claim.found(
            ", ".join(f"{name} {value:+.1f}" for name, value in sums.items()),
            holds=len(sums) == 4 and all(sign * value > 0 for value in sums.values()),
            why="Sums of the kernels; holds where all four have the sign.",
        )
    cars = {int(tile.unit): tile for tile in read_tiles(path, "ZoomIn CarCircuit")}
    for unit, claim in CAR.items():
        found = ", ".join(f"{value:.2f}" for value in cars[unit].kernel.sum(1))
        yield claim.found(found, holds=found == claim.published)
    yield Plate("car-kernels", kernels_drawn(list(cars.values())), "The published car circuit.")
    heads = read_tiles(path, "ZoomIn OrientedDogHeads")
    # two pictures of the right-facing kernel overlap; both are marked as doubtful
    right = np.array([tile.kernel for tile in doubtful(study, "ZoomIn OrientedDogHeads")])
    alike = [mirrored(heads[0].kernel, kernel) for kernel in right]
    yield HEADS.found(
        f"mirrored correlation {max(alike):.2f}",
        holds=max(alike) >= 0.9,
        why=f"Two pictures lie over one another in the figure; the other gives {min(alike):.2f}. "
        "Holds from 0.9.",
    )
    yield CASES.unavailable("the kernels into mixed4b:418 are not among the published files")


def doubtful(study: Study, figure: str) -> list[Tile]:
    """Read the kernels of a figure that are marked as doubtful."""
    return [
        Tile(figure, tile["src_layer"], tile["dst_layer"], tile["src_unit"], tile["dst_unit"],
             np.array(tile["values"], float))
        for tile in json.loads(study.published(TILES).read_text("utf-8"))
        if tile["figure"] == figure and tile["note"]
    ]  # fmt: skip


def kernels_drawn(tiles: Sequence[Tile]) -> Figure:
    """Draw published kernels side by side, each with its own scale."""
    figure = Figure(figsize=(2.1 * len(tiles), 2.4), layout="constrained")
    grid = np.atleast_1d(figure.subplots(1, len(tiles)))
    for axes, tile in zip(grid, tiles, strict=True):
        scale = float(np.abs(tile.kernel).max())
        axes.imshow(signed_colors(torch.from_numpy(tile.kernel), scale))
        axes.set_title(f"{tile.source}:{tile.unit} → {tile.target}:{tile.output}", fontsize=7.5)
        axes.set_xlabel(f"±{scale:.2g}", fontsize=8)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


CARS = (407, 436, 468, 511, 555, 569, 609, 627, 654, 656, 661, 675, 705, 717, 734, 751, 757, 779,
        817, 864, 867, 874)  # fmt: skip
"""ImageNet's classes of cars, buses and trucks, from 0."""

DOGS = range(151, 269)
"""ImageNet's breeds of dogs."""
