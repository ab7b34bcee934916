"""Time `collect` against the bare truncated forward pass over the same photographs.

Both read the photographs from disk, decoding on threads while the network computes, and pass them
in equal batches; `collect` also keeps examples, histograms and moments of every unit. They run
side by side: `collect` is one pass over all photographs, and whenever it has seen some more, the
bare pass sees as many. Prints JSON: the pictures a second of each, and the ratio, by the clock and
by the time that processors worked, decoding too (other programs do not disturb that one).
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

import results
from visioncircuits.datasets import Photograph, Photographs, photographs
from visioncircuits.examples import collect
from visioncircuits.examples.collect import BATCH
from visioncircuits.networks import Network, load, untrained

LAYERS = ("mixed3a", "mixed3b", "mixed4a")
CLOCKS = ("by the clock", "by processor time")
TURN = 8 * BATCH
"""Photographs that each sees before the other's turn."""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("images", type=Path, help="a folder of photographs")
    parser.add_argument("--network", default="bvlc_googlenet")
    parser.add_argument("--untrained", action="store_true", help="with random parameters")
    parser.add_argument("--layers", nargs="+", default=LAYERS)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--threads", type=int, default=1)
    results.option(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    source = untrained if options.untrained else load
    network = source(options.network).to(options.device).computing_in(options.precision)
    shown = cut(photographs(options.images), 0, options.pictures)
    list(network.layers)  # describing them is no part of either
    bare(network, options.layers, cut(shown, 0, BATCH))
    seconds = turns(network, options.layers, shown)
    report: dict[str, Any] = {
        "torch": torch.__version__,
        "device": options.device,
        "precision": options.precision,
        "threads": options.threads,
        "network": network.name,
        "layers": options.layers,
        "pictures": len(shown),
    }
    for place, clock in enumerate(CLOCKS):
        ours, theirs = seconds["collect"][place], seconds["bare"][place]
        report[clock] = {
            "collect_per_s": round(len(shown) / ours, 2),
            "bare_per_s": round(len(shown) / theirs, 2),
            "ratio": round(theirs / ours, 3),
        }
    print(json.dumps(report, indent=1))
    results.write(options.json, rows(report), device=options.device)


def rows(report: dict[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    return [
        {"measured": clock, "speed over the bare forward pass": round(report[clock]["ratio"], 2)}
        for clock in CLOCKS
    ]


def turns(network: Network, layers: list[str], shown: Photographs) -> dict[str, list[float]]:
    """Let the two take turns; give the seconds of each, by the clock and by the processor."""
    ours, theirs = Stopwatch(), Stopwatch()

    def given() -> Iterator[Photograph]:
        """Give `collect` its photographs; before each part, let the bare pass see it."""
        for start in range(0, len(shown), TURN):
            part = cut(shown, start, TURN)
            ours.stop()
            theirs.start()
            bare(network, layers, part)
            theirs.stop()
            ours.start()
            yield from part.at(network.size)

    ours.start()
    collect(network, layers, given())
    ours.stop()
    return {"collect": ours.seconds, "bare": theirs.seconds}


class Stopwatch:
    """Seconds by the clock and by the processor, of what runs between starts and stops."""

    def __init__(self) -> None:
        self.seconds = [0.0, 0.0]

    def start(self) -> None:
        """Run."""
        self.began = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        """Stand."""
        for place, now in enumerate((time.perf_counter(), time.process_time())):
            self.seconds[place] += now - self.began[place]


def cut(shown: Photographs, start: int, count: int) -> Photographs:
    """Return some of the photographs."""
    return shown.part(range(start, min(start + count, len(shown))))


def bare(network: Network, layers: list[str], shown: Photographs) -> None:
    """Pass photographs through the network as far as the layers, and keep nothing."""
    names = [network.before_rectifier(layer) for layer in layers]
    waiting = []
    with torch.inference_mode():
        for photograph in shown.at(network.size):
            waiting.append(photograph.pixels)
            if len(waiting) == BATCH:
                network.activations(torch.stack(waiting), names)
                waiting = []
        if waiting:
            network.activations(torch.stack(waiting), names)


if __name__ == "__main__":
    main()
