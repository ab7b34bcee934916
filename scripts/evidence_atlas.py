"""Do patches that an atlas suggests change predictions more than others?

An atlas of a layer is attributed to all classes. For classes drawn at random, patches are cut from
what is behind the cells that lead to them most, and from cells drawn at random, and pasted on
photographs that the network takes for something else. Also counts the neighbors that a joint layout
of two layers keeps. Prints JSON. Takes minutes.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np

import results
from visioncircuits import atlas, datasets, networks
from visioncircuits.interventions.intervals import ends, resamples


def main() -> None:
    """Make the atlases, paste the patches."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--network", default="bvlc_googlenet")
    parser.add_argument("--layers", nargs=2, default=["mixed4d", "mixed5a"])
    parser.add_argument("--per-photograph", type=int, default=16, help="positions")
    parser.add_argument("--side", type=int, default=12, help="of the grid")
    parser.add_argument("--layout", default="umap")
    parser.add_argument("--classes", type=int, default=20, help="drawn at random")
    parser.add_argument("--patches", type=int, default=3, help="of each class")
    parser.add_argument("--others", type=int, default=3, help="of cells drawn at random")
    parser.add_argument("--attacked", type=int, default=60, help="photographs, evenly drawn")
    parser.add_argument("--share", type=float, default=0.35, help="of the side that a patch covers")
    results.option(parser)
    options = parser.parse_args()
    network = networks.load(options.network)
    given = datasets.photographs(options.photographs)
    some = given.part(range(0, len(given), max(len(given) // options.attacked, 1)))
    made = atlas.aligned(
        [(network, layer) for layer in options.layers], given, layout=options.layout,
        per_photograph=options.per_photograph, sides=[options.side], least=5, progress=True,
    )  # fmt: skip
    rows: list[dict[str, results.Cell]] = []
    for each in made:
        near = each.record["neighbors"]
        rows.append(
            {
                "layer": each.samples.layer,
                "what": "of the 20 nearest in the layer, in the plane: together, alone, by chance",
                "share": f"{near['together']:.3f}, {near['alone']:.3f}, {near['chance']:.3f}",
                "95 % interval": None,
            }
        )
    drawn = random.Random(0)
    targets = drawn.sample(made[0].classes, options.classes)
    for each in made:
        shares = np.stack([
            attacked(network, each, given, some, target, drawn, options) for target in targets
        ])  # fmt: skip
        for place, what in enumerate(("change", "become the class")):
            for kind, of_kind in (("suggested", 0), ("others", 1)):
                values = shares[:, place, of_kind]
                rows.append(_row(each.samples.layer, f"predictions that {what}: {kind}", values))
            difference = shares[:, place, 0] - shares[:, place, 1]
            rows.append(
                _row(each.samples.layer, f"predictions that {what}: difference", difference)
            )
    print(json.dumps(rows, indent=1))
    results.write(options.json, rows)


def attacked(
    network: networks.Network,
    made: atlas.Atlas,
    given: datasets.Photographs,
    some: datasets.Photographs,
    target: str,
    drawn: random.Random,
    options: argparse.Namespace,
) -> np.ndarray:
    """Return the shares of predictions that change and that become a class, for either kind."""
    cells = atlas.suggested(made, target, top=options.patches)
    rest = [cell for cell in range(len(made.grid())) if cell not in cells]
    others = np.array(drawn.sample(rest, min(options.others, len(rest))))
    patches, controls = (
        atlas.cell_patches(network, made, given, which) for which in (cells, others)
    )
    found = atlas.attack(network, some, patches, controls, target=target, share=options.share)
    return np.array([
        [found.changed.mean(), found.control_changed.mean()],
        [found.became.mean(), found.control_became.mean()],
    ])  # fmt: skip


def _row(layer: str, what: str, values: np.ndarray) -> dict[str, results.Cell]:
    """Average over classes, with the interval of a bootstrap over them, if they differ."""
    low, high = ends(values @ resamples(len(values), seed=0))
    return {
        "layer": layer,
        "what": what,
        "share": f"{values.mean():.3f}",
        "95 % interval": f"{low:.3f} … {high:.3f}" if np.ptp(values) else None,
    }


if __name__ == "__main__":
    main()
