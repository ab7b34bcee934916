"""Count the pictures a second that a device makes, shows and reads, in several precisions.

Made: feature visualizations, each of so many steps. Shown: stimuli, drawn and responded to. Read:
photographs that examples are collected of, here noise in memory, so that no disk is measured.
The network has random parameters. Prints JSON: for each precision and task pictures a second, the
median over rounds, and the most memory that the device held.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

import results
from visioncircuits.datasets import Photographs, photographs
from visioncircuits.examples import collect
from visioncircuits.featurevis import render_all
from visioncircuits.networks import Network, untrained
from visioncircuits.networks.precision import PRECISIONS
from visioncircuits.stimuli import StimulusSet, curve
from visioncircuits.tuning import measure


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--network", default="bvlc_googlenet")
    parser.add_argument("--layer", default="mixed4c")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, …")
    parser.add_argument("--precisions", nargs="+", default=["float32"], choices=[*PRECISIONS])
    parser.add_argument("--pictures", type=int, default=16, help="made in a round")
    parser.add_argument("--batch", type=int, default=16, help="made at once")
    parser.add_argument("--steps", type=int, default=16, help="of each picture that is made")
    parser.add_argument("--stimuli", type=int, default=96, help="shown in a round")
    parser.add_argument("--photographs", type=int, default=64, help="read in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    results.option(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    network = untrained(options.network).to(options.device)
    noise = torch.rand(options.photographs, 3, network.size, network.size)
    read = photographs(noise, labels="none")
    turns = [360 * place / options.stimuli for place in range(options.stimuli)]
    shown = StimulusSet(curve, {"orientation": turns}, {"radius": 60.0, "width": 2.0})
    report: dict[str, Any] = {
        "torch": torch.__version__,
        "device": options.device,
        "threads": options.threads,
        "layer": options.layer,
        "steps": options.steps,
    }
    for precision in options.precisions:
        report[precision] = rates(network.computing_in(precision), shown, read, options)
    print(json.dumps(report, indent=1))
    results.write(options.json, rows(report), device=options.device)


def rows(report: dict[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    units = {"visualizations": f"visualizations of {report['steps']} steps"}
    return [
        {
            "task": units.get(task, task),
            "precision": precision,
            "pictures a second": float(f"{measured['per_second']:.3g}"),
            "GPU memory, GB": measured["gigabytes"],
        }
        for precision in PRECISIONS
        for task, measured in report.get(precision, {}).items()
    ]


def rates(
    network: Network, shown: StimulusSet, read: Photographs, options: argparse.Namespace
) -> dict[str, Any]:
    """Measure every task in the network's precision."""
    layer, units = options.layer, network.layer(options.layer).units
    chosen = [f"{layer}:{i * units // options.pictures}" for i in range(options.pictures)]
    tasks: dict[str, tuple[int, Callable[[], object]]] = {
        "visualizations": (
            len(chosen),
            lambda: list(render_all(network, chosen, steps=options.steps, batch=options.batch)),
        ),
        "stimuli": (len(shown), partial(measure, network, layer, shown)),
        "photographs": (len(read), partial(collect, network, [layer], read)),
    }
    found = {}
    for name, (count, task) in tasks.items():
        forget_peak(options.device)
        seconds = [timed(task, options.device) for _ in range(options.rounds + 1)][1:]  # warm
        found[name] = {
            "per_second": count / statistics.median(seconds),
            "gigabytes": peak_gigabytes(options.device),
        }
    return found


def timed(task: Callable[[], object], device: str) -> float:
    """Time a task in seconds, until the device has finished."""
    start = time.perf_counter()
    task()
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def forget_peak(device: str) -> None:
    """Begin to measure peak memory anew."""
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)


def peak_gigabytes(device: str) -> float | None:
    """Give the most memory that tensors held on a GPU since `forget_peak`."""
    if not device.startswith("cuda"):
        return None
    return round(torch.cuda.max_memory_allocated(device) / 1e9, 2)


if __name__ == "__main__":
    main()
