"""Do edges make a better circuit than units?

The curve detector mixed3b:413 of BVLC, from conv2d2 on, after its normalization and pool
(maxpool1, whose units are conv2d2's), through mixed3a. Edges are scored by attribution patching and
divided among the layers as `circuits.budgeted` does. They are compared with the units that
`attribution.discover` ranks first, at equal numbers of edges: a circuit of units keeps every edge
among its units, and the circuit of edges has as many. Units of both layers are taken in one order,
by their share of the variance; or, as the stronger alternative, in the split between the layers
that explains most on the photographs that chose the edges. Windows of photographs around the
detector's strongest position; every second one chooses, the others evaluate. Prints JSON.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

import results
from visioncircuits import attribution, circuits, datasets, networks
from visioncircuits.circuits.keeping import Keeper
from visioncircuits.circuits.selection import drawn
from visioncircuits.interventions.ablation import ABLATIONS
from visioncircuits.networks import Network

TARGET, PLACES = "mixed3b:413", ["maxpool1", "mixed3a"]

STRIDE = 8
"""Pixels between positions of mixed3b."""

UNITS = (6, 12, 24, 48, 96, 160, 240)
"""Units of both layers that a circuit of units keeps."""

SPLITS = (2, 4, 8, 16, 32, 64, 128, 192)
"""Units of mixed3a that a split gives."""


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--most", type=int, default=60, help="evenly spaced over the folder")
    parser.add_argument("--window", type=int, default=80, help="pixels")
    parser.add_argument("--draws", type=int, default=3, help="random circuits of each size")
    results.option(parser)
    options = parser.parse_args()

    network = networks.load("bvlc_googlenet")
    every = datasets.photographs(options.photographs)
    places = np.linspace(0, len(every) - 1, min(len(every), options.most)).round().astype(int)
    windows = windowed(network, every.part(places.tolist()), options.window)
    network.size = options.window
    found = circuits.candidates(network, TARGET, PLACES)
    chosen_on = circuits.measured(found, windows[::2])
    held_out = circuits.measured(found, windows[1::2], means=chosen_on.means)
    scores = circuits.score(chosen_on, at="everywhere")
    ranked = [attribution.discover(network, place, TARGET, windows, draws=1) for place in PLACES]
    orders = [[str(part) for part in each.attribution["part"].values] for each in ranked]
    shares = {
        str(part): float(share)
        for each in ranked
        for part, share in zip(each.attribution["part"].values, each.attribution, strict=True)
    }
    merged = sorted(shares, key=lambda unit: -shares[unit])
    trying, testing = Keeper(chosen_on), Keeper(held_out)
    report = []
    for units in UNITS:
        together = of_units(found, merged[:units])
        count = int(together.sum())
        if not count:
            continue
        splits = [
            of_units(found, [*orders[0][: max(count // late - 1, 0)], *orders[1][:late]])
            for late in SPLITS
            if late <= count
        ]
        best = max(splits, key=lambda each: trying.kept(each, "mean").of("explained"))
        budget = circuits.budgeted(chosen_on, scores, count, measure="explained")
        of_edges = found.choice(budget.edges)
        random = [
            drawn(found, of_edges, np.random.default_rng(seed)) for seed in range(options.draws)
        ]
        row: dict[str, results.Cell] = {"edges": count, "units": units}
        for ablation in ABLATIONS:
            kinds = {"edges": of_edges, "units": together, "units, best split": best}
            kept = {name: testing.kept(each, ablation) for name, each in kinds.items()}
            chance = [testing.kept(each, ablation) for each in random]
            for measure in ("explained", "faithfulness"):
                for name, each in kept.items():
                    bounds = each.bounds(measure)
                    row[f"{measure}, {ablation}: {name}"] = (
                        "{:.2f} ({:.2f} to {:.2f})".format(*bounds)
                    ).replace("-", "−")
                mean = float(np.mean([each.of(measure) for each in chance]))
                row[f"{measure}, {ablation}: random"] = f"{mean:.2f}".replace("-", "−")
        report.append(row)
        print(json.dumps(row, indent=1, ensure_ascii=False), flush=True)
    results.write(options.json, report)


def windowed(network: Network, photographs: datasets.Photographs, side: int) -> torch.Tensor:
    """Cut a window out of each photograph around the target's strongest position."""
    layer, unit = TARGET.split(":")
    found = []
    for pictures in photographs.batches(network.size, 20):
        units = {network.before_rectifier(layer): torch.tensor([int(unit)])}
        (maps,) = network.unit_activations(pictures, units).values()
        most = network.size - side
        for picture, strength in zip(pictures, maps[:, 0], strict=True):
            row, column = divmod(int(strength.argmax()), strength.shape[1])
            top, left = (
                min(max(STRIDE * at + STRIDE // 2 - side // 2, 0), most) for at in (row, column)
            )
            found.append(picture[:, top : top + side, left : left + side])
    return torch.stack(found)


def of_units(found: circuits.Candidates, units: Sequence[str]) -> np.ndarray:
    """Return every edge among some units, and from them to the target."""
    kept = {*units, TARGET}
    chosen = np.array([edge.source in kept and edge.target in kept for edge in found.edges])
    return np.asarray(found.live(chosen))


if __name__ == "__main__":
    main()
