"""Does feature visualization drive units harder than photographs do, and than lucent does?

For a panel of units spread over a network's depth: the activation that the rendered picture
reaches, beside the most that any of a folder of photographs does; and, at the same number of steps
and the same network input size, the mean activation that lucent's `render_vis` reaches on the same
network object. Writes a table as TSV, and prints a summary as JSON.

Needs the `lucent` extra.
"""

import argparse
import csv
import json
import statistics
import sys
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

import results
from visioncircuits.featurevis import Settings, objectives, render_all
from visioncircuits.networks import Network, Unit, load
from visioncircuits.progress import bar

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import lucent.optvis.objectives
    import lucent.optvis.param
    import lucent.optvis.render

MODULES = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
LAYERS = ("conv2d0", "conv2d1", "conv2d2", *(f"mixed{name}" for name in MODULES))


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", default="bvlc_googlenet")
    parser.add_argument("--images", type=Path, required=True, help="a folder of photographs")
    parser.add_argument("--out", type=Path, required=True, help="the table, TSV")
    parser.add_argument("--units", type=int, default=4, help="how many a layer")
    parser.add_argument("--steps", type=int, default=256)
    parser.add_argument("--lucent-steps", type=int, default=64, help="for the comparison")
    results.option(parser)
    options = parser.parse_args()

    network = load(options.network)
    panel = [
        Unit(layer, (2 * i + 1) * network.layer(layer).units // (2 * options.units))
        for layer in LAYERS
        for i in range(options.units)
    ]
    photographs = best_photographs(network, panel, options.images)
    ours, theirs = against_lucent(network, panel, options.lucent_steps)
    rendered = list(render_all(network, panel, progress=True))
    table = [
        {
            "unit": str(unit),
            "rendered": round(picture.activation, 3),
            "best photograph": round(photographs[unit], 3),
            "ratio": round(picture.activation / photographs[unit], 3)
            if photographs[unit]
            else float("inf"),
            "mean, ours": round(ours[unit], 3),
            "mean, lucent": round(theirs[unit], 3),
        }
        for unit, picture in zip(panel, rendered, strict=True)
    ]
    with options.out.open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0], delimiter="\t")
        writer.writeheader()
        writer.writerows(table)
    found = summary(table)
    json.dump(found, sys.stdout, indent=1)
    print()
    results.write(options.json, rows(found))


def summary(table: list[dict[str, float]]) -> dict[str, float]:
    """Give the headline figures: counts of units, and medians."""
    gains = [row["mean, ours"] / row["mean, lucent"] for row in table if row["mean, lucent"] > 0]
    return {
        "units": len(table),
        "above every photograph": sum(row["ratio"] > 1 for row in table),
        "ratio to the best photograph": statistics.median(row["ratio"] for row in table),
        "ratio to lucent's mean": statistics.median(gains),
        "no lower than lucent": sum(row["mean, ours"] >= row["mean, lucent"] for row in table),
    }


def rows(found: dict[str, float]) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    figures: dict[str, results.Cell] = {
        "units activated more by their rendered picture than by any photograph": (
            f"{found['above every photograph']} of {found['units']}"
        ),
        "activation by the rendered picture over the best photograph's, median": round(
            found["ratio to the best photograph"], 1
        ),
        "mean activation over that of lucent's `render_vis`, median": round(
            found["ratio to lucent's mean"], 1
        ),
        "units with a mean no lower than lucent's": (
            f"{found['no lower than lucent']} of {found['units']}"
        ),
    }
    return [{"measure": measure, "found": value} for measure, value in figures.items()]


def crops(folder: Path) -> Iterator[Tensor]:
    """Read photographs, scaled to 224 px and cut to their middle square, 25 at once."""
    batch = []
    for path in sorted(folder.glob("*.JPEG")):
        image = Image.open(path).convert("RGB")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        square = image.resize((224, 224), box=(left, top, left + side, top + side))
        batch.append(torch.tensor(np.asarray(square)).permute(2, 0, 1) / 255)
        if len(batch) == 25:
            yield torch.stack(batch)
            batch = []
    if batch:
        yield torch.stack(batch)


@torch.inference_mode()
def best_photographs(network: Network, panel: list[Unit], folder: Path) -> dict[Unit, float]:
    """Find the most that any position of any photograph drives each unit to."""
    layers = list(dict.fromkeys(unit.layer for unit in panel))
    best = dict.fromkeys(panel, 0.0)
    total = len(list(folder.glob("*.JPEG")))
    with bar("photographs", total) as advance:
        for pictures in crops(folder):
            found = network.activations(pictures, layers)
            for unit in panel:
                best[unit] = max(best[unit], found[unit.layer][:, unit.index].max().item())
            advance(len(pictures))
    return best


class Preprocessed(nn.Module):
    """The same network object as lucent takes it: a module that wants pictures in [0, 1]."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.preprocessing = network.preprocessing
        self.graph = network.module

    def forward(self, pictures: Tensor) -> Tensor:
        """Run the whole network, as lucent does."""
        return self.graph(self.preprocessing(pictures))


def against_lucent(
    network: Network, panel: list[Unit], steps: int
) -> tuple[dict[Unit, float], dict[Unit, float]]:
    """Give each unit's mean activation on our picture and on lucent's, 128 px and so many steps."""
    ours, theirs = {}, {}
    layers = list(dict.fromkeys(unit.layer for unit in panel))
    with bar("lucent beside us", len(layers)) as advance:
        for layer in layers:
            units = [unit for unit in panel if unit.layer == layer]
            goals = [objectives.unit(unit) for unit in units]
            drawn = render_all(network, goals, settings=Settings(size=128, steps=steps))
            for unit, picture in zip(units, drawn, strict=True):
                ours[unit] = picture.score
            wanted = lucent.optvis.objectives.Objective.sum(
                [
                    lucent.optvis.objectives.channel(f"graph_{layer}", unit.index, batch=i)
                    for i, unit in enumerate(units)
                ]
            )
            np.random.seed(0)
            torch.manual_seed(0)
            (pictures,) = lucent.optvis.render.render_vis(
                Preprocessed(network),
                wanted,
                partial(lucent.optvis.param.image, 128, batch=len(units)),
                thresholds=(steps,),
                progress=False,
                show_image=False,
                preprocess=False,
                fixed_image_size=128,
            )
            with torch.no_grad():
                shown = torch.from_numpy(pictures).permute(0, 3, 1, 2)
                found = network.activations(shown, [layer])[layer]
            for i, unit in enumerate(units):
                theirs[unit] = found[i, unit.index].mean().item()
            advance(1)
    return ours, theirs


if __name__ == "__main__":
    main()
