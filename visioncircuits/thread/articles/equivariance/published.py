"""The published circuits."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from visioncircuits.comparison.symmetry import (
    correlation,
    mirrored,
    placement,
    rotated_template,
)
from visioncircuits.thread import Row, Study, paper, part
from visioncircuits.thread.intervals import null
from visioncircuits.thread.tiles import FILE, read_tiles

CIRCLE = paper(
    "a circle (mixed4a:402) is made of curves that each lie where they face",
    "-5, 0, -4, 15, -3, -4, -6, 4°",
)
EVOLUTE = paper(
    "evolutes are made of curves that lie opposite to where they face",
    "mixed4a:408 180 ± 35°, mixed3b:373 180 ± 45°",
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
    "a factor makes high-low frequency detectors of all orientations by turned kernels",
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


@part(CIRCLE, EVOLUTE, TURNED, TRANSPOSED, FACTORS, CROSSED, DIVERGING, MIRRORED,
      LISTED)  # fmt: skip
def published_circuits(study: Study) -> Iterator[Row]:
    """The published circuits.

    Kernels were read off the article's figures. What is equivariant has kernels that are one
    another's, transformed as the units are. The sums of kernels by the angle between two curves
    are in Visualizing Weights, the small circle in An Overview of Early Vision.
    """
    yield from published_circles(study)
    yield from published_curves(study)
    yield from published_contrasts(study)
    yield from published_mirrors(study)


def published_circles(study: Study) -> Iterator[Row]:
    """Test where curves lie in circles and evolutes."""
    facing = study.orientations()
    tiles = read_tiles(study.published(FILE), "Equivariance circle/evolute")

    def of(layer: str, output: int) -> tuple[np.ndarray, Float[np.ndarray, " tiles"]]:
        into = [tile for tile in tiles if (tile.target, tile.output) == (layer, output)]
        angles = np.array([facing[tile.source][int(tile.unit)] for tile in into])
        return np.stack([tile.kernel for tile in into]), angles

    kernels, angles = of("mixed4a", 402)
    away = placement(kernels, angles)
    low, high = null(
        lambda drawn: float(np.median(np.abs(placement(kernels, drawn)))),
        angles,
        study.rng("circle"),
    )
    found = float(np.median(np.abs(away)))
    yield CIRCLE.found(
        f"median {found:.0f}°, at most {np.abs(away).max():.0f}° from where they face",
        holds=found <= 45 and found < low,
        interval=f"orientations exchanged: median {low:.0f}° to {high:.0f}°",
        why="Direction of the middle of what excites, less the source's orientation, of "
        f"{len(away)} kernels. Holds up to a median of 45° and below the interval.",
    )
    off = {
        unit: 180 - np.abs(placement(*of(*unit))) for unit in (("mixed4a", 408), ("mixed3b", 373))
    }
    yield EVOLUTE.found(
        ", ".join(f"{layer}:{unit} 180 ± {off[layer, unit].max():.0f}°" for layer, unit in off),
        holds=off["mixed4a", 408].max() <= 35 and off["mixed3b", 373].max() <= 45,
        why="Eight kernels each.",
    )


def published_curves(study: Study) -> Iterator[Row]:
    """Test the kernels from curves to curves."""
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
    yield FACTORS.found(
        f"directions {', '.join(f'{angle:.0f}°' for angle in angles)}",
        holds=bool(np.abs(steps - 90).max() <= 15),
        why="Direction in which the high-frequency factor excites; holds where the four are a "
        "quarter turn apart within 15°. That the other factor is its negative is in High-Low "
        "Frequency Detectors.",
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
    families = study.taxonomy().layers
    inside = {
        name: len({*families[layer][name]} & {*units}) for name, (layer, units) in GROUPS.items()
    }
    yield LISTED.found(
        ", ".join(f"{name} {count} of {len(GROUPS[name][1])}" for name, count in inside.items()),
        holds=all(count == len(GROUPS[name][1]) for name, count in inside.items()),
        why="Looked up in the taxonomy of Early Vision.",
    )


def kernels_of(
    study: Study, figure: str, *, source: str = ""
) -> dict[tuple[int | str, int], Float[np.ndarray, "height width"]]:
    """Return the kernels of a figure of the article, by source and target."""
    tiles = read_tiles(study.published(FILE), f"Equivariance {figure}")
    return {
        (tile.unit, tile.output): tile.kernel for tile in tiles if tile.source.startswith(source)
    }


def leaning(kernel: Float[np.ndarray, "height width"]) -> float:
    """Compute the direction in which a kernel rises, in degrees clockwise from the right."""
    height, width = kernel.shape
    y, x = np.mgrid[:height, :width]
    down, right = (kernel * (y - (height - 1) / 2)).sum(), (kernel * (x - (width - 1) / 2)).sum()
    return float(np.degrees(np.arctan2(down, right)) % 360)
