"""What is a correlation of two networks' units worth?

Matches BVLC's mixed3b, and its curve detectors, with SqueezeNet's features.7, and both with
networks that learned nothing: SqueezeNet with shuffled weights and Gabor energies, beside
mismatched photographs. Prints JSON: of each null its median correlation, and the median difference
beyond it with its 95 % interval over units; last, the same with SqueezeNet given another
preprocessing than it was trained with.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import results
from visioncircuits import comparison, datasets, hypotheses, networks
from visioncircuits.comparison import Matches
from visioncircuits.datasets import Photographs
from visioncircuits.networks import CAFFE, IMAGENET, Network
from visioncircuits.stimuli import named

LAYERS = "mixed3b", "features.7"


def main() -> None:
    """Match."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("photographs", type=Path, help="whose names begin with ImageNet's ids")
    parser.add_argument("--most", type=int, default=100, help="evenly spaced over the folder")
    results.option(parser)
    options = parser.parse_args()

    every = datasets.photographs(options.photographs)
    places = np.linspace(0, len(every) - 1, min(len(every), options.most)).round().astype(int)
    shown = every.part(places.tolist())
    bvlc = networks.load("bvlc_googlenet")
    squeezenet = networks.load("torchvision:squeezenet1_1")
    edges = [named("edges")]
    found = comparison.match_nulls(bvlc, LAYERS[0], squeezenet, LAYERS[1], shown, stimuli=edges)
    curves = [str(unit) for unit in hypotheses.find(bvlc, LAYERS[0], "curve")["unit"]]
    report = rows(found, f"all of BVLC's {LAYERS[0]}", len(shown))
    report += rows(found.sel(unit=curves), "its curve detectors", len(shown))
    other = CAFFE if squeezenet.preprocessing == IMAGENET else IMAGENET
    fed = replace(squeezenet, preprocessing=other, name="squeezenet1_1 fed another's input")
    wrong = comparison.match(bvlc, LAYERS[0], fed, LAYERS[1], shown, stimuli=edges)
    right = f"top-1 {accuracy(fed, shown):.0%}, not {accuracy(squeezenet, shown):.0%}"
    report += rows(wrong, f"all, SqueezeNet with another preprocessing, {right}", len(shown))
    print(json.dumps(report, indent=1))
    results.write(options.json, report)


def rows(found: Matches, units: str, photographs: int) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    return [
        {
            "units": f"{units} ({found.sizes['unit']})",
            "photographs": photographs,
            "median correlation": _median(found),
            "null": str(null),
            "its median": round(float(row["null"]), 2),
            "beyond it (95 % interval)": "{:+.2f} ({:+.2f} to {:+.2f})".format(
                *row[["beyond", "low", "high"]]
            ),
        }
        for null, row in comparison.beyond_nulls(found).iterrows()
    ]


def _median(found: Matches) -> float:
    return round(float(found["photographs"].max("other").median()), 2)


@torch.inference_mode()
def accuracy(network: Network, photographs: Photographs) -> float:
    """Give the share of photographs whose class is the network's first."""
    labels: Sequence[int] = photographs.labels_in(network)
    found = [network(each).argmax(1) for each in photographs.batches(network.size, 20)]
    return round(float((torch.cat(found) == torch.tensor(labels)).double().mean()), 2)


if __name__ == "__main__":
    main()
