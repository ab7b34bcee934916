"""Time activation atlases: dreamlens' and this library's, on torchvision's GoogLeNet.

Both get the same module with random parameters, the same sampled activations, and the same
directions, one a cell; they render icons of equal size with equal steps, in one process, one
attempt each, and take turns. Each lays the samples out by UMAP with its own defaults. Prints JSON:
seconds of each stage (medians over the rounds, after one that warms up) and the ratios.

Needs the `atlas` and `peers` extras.
"""

import argparse
import copy
import json
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torchvision.models import googlenet

import results
from visioncircuits.atlas import Atlas, SampledActivations, icons, lay_out, sample, whitening
from visioncircuits.atlas.cells import grids
from visioncircuits.networks import Preprocessing, wrap

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from dreamlens.layout import aligned_umap
    from dreamlens.render import render_icons

LAYER = "inception4c"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=4000, help="activations that are laid out")
    parser.add_argument("--cells", type=int, default=16, help="icons")
    parser.add_argument("--size", type=int, default=80, help="of an icon, in pixels")
    parser.add_argument("--steps", type=int, default=32, help="of its optimization")
    parser.add_argument("--batch", type=int, default=16, help="icons at once")
    parser.add_argument("--rounds", type=int, default=3)
    results.option(parser)
    options = parser.parse_args()

    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of how torchvision initializes it
        module = googlenet(weights=None, aux_logits=False, init_weights=False).eval()
    theirs, ours = copy.deepcopy(module), wrap(module, Preprocessing(), name="googlenet", size=224)
    each = 40
    pictures = torch.rand(options.samples // each, 3, 224, 224)
    drawn = sample(ours, LAYER, pictures, per_photograph=each)
    made = _of_cells(drawn, options.cells)
    whitened = whitening(drawn.values)

    def their_icons() -> None:
        means = made.grids[0].means
        for first in range(0, len(means), options.batch):
            render_icons(
                means[first : first + options.batch], theirs, LAYER, size=options.size,
                n_steps=options.steps, S=whitened, num_attempts=1,
            )  # fmt: skip

    def our_icons() -> None:
        icons(ours, made, size=options.size, steps=options.steps, batch=options.batch)

    calls: dict[str, Callable[[], object]] = {
        "dreamlens layout": lambda: aligned_umap(drawn.values),
        "layout": lambda: lay_out(drawn.values),
        "dreamlens icons": their_icons,
        "icons": our_icons,
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(options.rounds + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # UMAP's, of how many threads it uses
                call()
            times[name].append(time.perf_counter() - start)
    seconds = {name: round(statistics.median(found[1:]), 2) for name, found in times.items()}
    report: dict[str, Any] = {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        **vars(options),
        "json": None,
        "seconds": seconds,
        "ratio": {
            name: round(seconds[f"dreamlens {name}"] / seconds[name], 2)
            for name in ("layout", "icons")
        },
    }
    report["ratio"]["together"] = round(
        (seconds["dreamlens layout"] + seconds["dreamlens icons"])
        / (seconds["layout"] + seconds["icons"]),
        2,
    )
    print(json.dumps(report, indent=1))
    results.write(options.json, rows(report))


def rows(report: dict[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    stages = {
        "layout": f"{report['samples']:,} samples laid out",
        "icons": f"{report['cells']} icons, {report['size']} px, {report['steps']} steps",
    }
    return [
        {
            "stage": text,
            "dreamlens, s": report["seconds"][f"dreamlens {name}"],
            "visioncircuits, s": report["seconds"][name],
            "ratio": report["ratio"][name],
        }
        for name, text in stages.items()
    ]


def _of_cells(drawn: SampledActivations, cells: int) -> Atlas:
    """Make an atlas of so many cells, in a row, of equally many samples."""
    side = cells
    x = (np.arange(len(drawn)) + 0.5) / len(drawn)
    points = np.stack([x, np.full(len(drawn), 0.5 / side)], 1).astype(np.float32)
    return Atlas(drawn, points, grids(points, drawn.values, sides=[side], least=1), (), {})


if __name__ == "__main__":
    main()
