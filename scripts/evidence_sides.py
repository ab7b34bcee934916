"""Do the sides of units that `split` divides agree less than those of units that stay whole?

Units are drawn at random from layers and split. Of those that have parts, and of as many that have
not, the agreement of photographs, optimized pictures and weights is measured, as by
`dictionaries.sides`, and compared by a rank test. Prints JSON. Takes minutes.
"""

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from scipy.stats import mannwhitneyu

import results
from visioncircuits import datasets, dictionaries, featurevis, networks
from visioncircuits.dictionaries.sides import from_weights
from visioncircuits.dictionaries.splitting import Split, parted
from visioncircuits.networks import Network


def main() -> None:
    """Draw, split, measure and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--network", default="bvlc_googlenet")
    parser.add_argument("--layers", nargs="+", default=["mixed4d", "mixed4e"])
    parser.add_argument("--units", type=int, default=60, help="drawn from each layer")
    parser.add_argument("--pictures", type=int, default=200, help="photographs, evenly drawn")
    parser.add_argument("--most", type=int, default=10, help="units of either kind")
    parser.add_argument("--steps", type=int, default=64, help="of each optimized picture")
    results.option(parser)
    options = parser.parse_args()
    network = networks.load(options.network)
    every = datasets.photographs(options.photographs, labels="none")
    some = every.part(range(0, len(every), max(len(every) // options.pictures, 1)))
    drawn = random.Random(0)
    splits = []
    for layer in options.layers:
        units = drawn.sample(range(network.layer(layer).units), options.units)
        found = dictionaries.drivers(network, [f"{layer}:{unit}" for unit in units], some)
        splits += [parted(network, one, some) for one in found if one.names]
    divided = [split for split in splits if len(split) > 1][: options.most]
    whole = [split for split in splits if len(split) == 1][: len(divided)]
    report = compared(network, divided, whole, some, steps=options.steps)
    print(json.dumps(report, indent=1))
    results.write(options.json, report)


def compared(
    network: Network,
    divided: Sequence[Split],
    whole: Sequence[Split],
    some: datasets.Photographs,
    *,
    steps: int,
) -> list[dict[str, results.Cell]]:
    """Return a row for either kind of unit, and the rank test in the first."""
    layers = {split.drivers.below for split in (*divided, *whole)}
    usual = {layer: dictionaries.embeddings(network, layer, some).mean(0) for layer in layers}
    agreements = [
        [_agreement(network, one, usual[one.drivers.below], steps) for one in each]
        for each in (divided, whole)
    ]
    less = float(mannwhitneyu(*agreements, alternative="less").pvalue)
    return [
        {
            "units": kind,
            "count": len(each),
            "median agreement": round(float(torch.tensor(each).median()), 2),
            "lowest": round(min(each), 2),
            "highest": round(max(each), 2),
            "p that it is less by chance": round(less, 3) if kind == "split" else None,
        }
        for kind, each in zip(("split", "whole"), agreements, strict=True)
    ]


def _agreement(network: Network, split: Split, usual: torch.Tensor, steps: int) -> float:
    unit, below = split.unit, split.drivers.below
    objective = featurevis.objectives.diverse(unit, 2)
    shown = featurevis.render_all(network, objective, steps=steps)
    optimized = torch.stack([torch.as_tensor(each.picture) for each in shown])
    (found,) = dictionaries.drivers(network, unit, optimized, below=below)
    profiles = {
        "photographs": split.drivers.contributions[:16],
        "optimized": found.contributions,
        "weights": from_weights(network, unit, below, usual),
    }
    return dictionaries.Sides(unit, below, profiles).agreement


if __name__ == "__main__":
    main()
