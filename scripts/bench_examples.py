"""Time `collect` against the module's own forward pass over the same photographs.

The module is called as it is, and stopped after the last of the layers. Both read the photographs
from disk, decoding on threads while the network computes, and pass them in equal batches; `collect`
also keeps examples, histograms and moments of every unit. They run side by side: `collect` is one
pass over all photographs, and whenever it has seen some more, the module sees as many. Prints JSON:
the pictures a second of each, and the ratio, by the clock and by the time that processors worked,
decoding too (other programs do not disturb that one).
"""

import argparse
import contextlib
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
from visioncircuits.networks.precision import computing

LAYERS = {
    "bvlc_googlenet": ["mixed3a", "mixed3b", "mixed4a"],
    "torchvision:googlenet": ["inception3a", "inception3b", "inception4a"],
    "torchvision:resnet50": ["layer2", "layer3"],
}
CLOCKS = ("by the clock", "by processor time")
TURN = 8 * BATCH
"""Photographs that each sees before the other's turn."""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("images", type=Path, help="a folder of photographs")
    parser.add_argument("--networks", nargs="+", default=[*LAYERS], choices=LAYERS)
    parser.add_argument("--untrained", action="store_true", help="with random parameters")
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--threads", type=int, default=1)
    results.option(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    source = untrained if options.untrained else load
    shown = cut(photographs(options.images), 0, options.pictures)
    report: dict[str, Any] = {
        "torch": torch.__version__,
        "device": options.device,
        "precision": options.precision,
        "threads": options.threads,
        "pictures": len(shown),
    }
    for name in options.networks:
        network = source(name).to(options.device).computing_in(options.precision)
        layers = LAYERS[name]
        list(network.layers)  # describing them is no part of either
        bare(network, layers, cut(shown, 0, BATCH))
        seconds = turns(network, layers, shown)
        report[name] = {"layers": layers}
        for place, clock in enumerate(CLOCKS):
            ours, theirs = seconds["collect"][place], seconds["bare"][place]
            report[name][clock] = {
                "collect_per_s": round(len(shown) / ours, 2),
                "bare_per_s": round(len(shown) / theirs, 2),
                "ratio": round(theirs / ours, 3),
            }
        print(json.dumps({name: report[name]}), flush=True)
    print(json.dumps(report, indent=1))
    results.write(options.json, rows(report), device=options.device)


def rows(report: dict[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    return [
        {
            "network": name,
            "layers": ", ".join(found["layers"]),
            "measured": clock,
            "speed over the module's forward pass": round(found[clock]["ratio"], 2),
        }
        for name, found in report.items()
        if isinstance(found, dict)
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


class Reached(Exception):
    """All layers were computed."""


def bare(network: Network, layers: list[str], shown: Photographs) -> None:
    """Pass photographs through the module as far as the layers, and keep nothing."""
    waiting = []
    missing: set[str] = set()

    def seen(name: str) -> None:
        missing.discard(name)
        if not missing:
            raise Reached

    def settle() -> None:
        missing.update(layers)
        pictures = torch.stack(waiting).to(network.device)
        waiting.clear()
        with contextlib.suppress(Reached), computing(network.precision, network.device):
            network.module(network.preprocessing(pictures))

    handles = [
        network.module.get_submodule(name).register_forward_hook(lambda *_, name=name: seen(name))
        for name in layers
    ]
    with torch.inference_mode():
        for photograph in shown.at(network.size):
            waiting.append(photograph.pixels)
            if len(waiting) == BATCH:
                settle()
        if waiting:
            settle()
    for handle in handles:
        handle.remove()


if __name__ == "__main__":
    main()
