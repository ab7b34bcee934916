"""The most polysemantic units of some layers, as a page that a person can judge.

Units are drawn at random from each layer, split by `dictionaries.split`'s rule, and ranked by how
little their kinds have in common: the largest cosine between two parents. Each of the first has a
row of examples for each part, and the picture of its parent.
"""

import argparse
import html
import itertools
import random
from pathlib import Path

import torch

import results
from visioncircuits import datasets, dictionaries, files, networks
from visioncircuits.dictionaries.splitting import Split, parted

HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Polysemantic units</title>
<style>
body { max-width: 80rem; margin: 2rem auto; padding: 0 1rem; font: 15px/1.5 sans-serif }
h2 { font-size: 1rem; margin: 2rem 0 .25rem; font-weight: 600 } img { max-width: 100% }
</style>
<h1>Polysemantic units</h1>
<p>Units whose strongest examples fall into kinds by what drives them from the layer below, those
first whose kinds have least in common. A row is a kind: the picture of its parent, examples with
the activations above them, and the units below that drive it most.</p>
"""

LAYERS = ("mixed4a", "mixed4b", "mixed4c", "mixed4d", "mixed4e", "mixed5a")


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("photographs", type=Path)
    parser.add_argument("out", type=Path, help="a folder")
    parser.add_argument("--network", default="bvlc_googlenet")
    parser.add_argument("--layers", nargs="+", default=LAYERS)
    parser.add_argument("--units", type=int, default=60, help="drawn from each layer")
    parser.add_argument("--pictures", type=int, default=200, help="photographs, evenly drawn")
    parser.add_argument("--top", type=int, default=12, help="units on the page")
    parser.add_argument("--steps", type=int, default=96, help="of each part's picture")
    results.option(parser)
    options = parser.parse_args()
    network = networks.load(options.network)
    every = datasets.photographs(options.photographs, labels="none")
    step = max(len(every) // options.pictures, 1)
    some = every.part(range(0, len(every), step))
    drawn = random.Random(0)
    splits = []
    for layer in options.layers:
        count = network.layer(layer).units
        units = sorted(drawn.sample(range(count), min(options.units, count)))
        chosen = [f"{layer}:{unit}" for unit in units]
        found = dictionaries.drivers(network, chosen, some, progress=True)
        each = [parted(network, one, some) for one in found if one.names]
        splits += [split for split in each if len(split) > 1]
        print(f"{layer}: {sum(len(one) > 1 for one in each)} of {len(each)} units have parts")
    splits.sort(key=likeness)
    results.write(options.json, [row(split) for split in splits[: options.top]])
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for split in splits[: options.top]:
        name = f"{split.unit.layer}-{split.unit.index}.png"
        pictures = dictionaries.render_parents(split, steps=options.steps)
        dictionaries.split_panel(split, pictures).save(options.out / name, dpi=110)
        text = f"{split.unit}, likeness of parents {likeness(split):.2f}"
        rows.append(f'<h2>{html.escape(text)}</h2><img src="{name}" alt="{html.escape(text)}">')
        print(text)
    files.write(options.out / "index.html", (HEAD + "\n".join(rows)).encode())
    print(options.out / "index.html")


def row(split: Split) -> dict[str, results.Cell]:
    """Return what the page's table has of a unit."""
    return {
        "unit": str(split.unit),
        "examples of each kind": " + ".join(map(str, split.clusters.sizes)),
        "parents' likeness": round(likeness(split), 2),
    }


def likeness(split: Split) -> float:
    """Return the largest cosine between two parents."""
    parents = [torch.tensor(parent.weights) for parent in split.parents]
    return max(float(one @ other) for one, other in itertools.combinations(parents, 2))


if __name__ == "__main__":
    main()
