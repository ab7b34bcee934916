"""Time expanded weights: composed as kernels, and by the loop of backward passes of its peers.

The loop is what Captum's `optim` branch does: one backward pass a unit through the network made
linear. Both run on the same network in one process, take turns, and give the same numbers, which
is checked. Prints JSON: seconds of each (the best of the rounds), their ratio, and peak memory.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable
from typing import Any

import torch

import results
from visioncircuits.networks import Network, untrained
from visioncircuits.weights import (
    ExpandedWeights,
    expanded_weights,
    expanded_weights_by_autograd,
)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", default="bvlc_googlenet", help="parameters are random")
    parser.add_argument("--target", default="mixed3b")
    parser.add_argument("--sources", nargs="+", default=["mixed3a", "conv2d0"])
    parser.add_argument("--units", type=int, default=48, help="how many the loop is timed on")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    results.option(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    network = untrained(options.network)
    report: dict[str, Any] = {
        "torch": torch.__version__,
        "threads": options.threads,
        "network": options.network,
        "target": options.target,
    }
    for source in options.sources:
        report[source] = compare(network, source, options.target, options.units, options.rounds)
    print(json.dumps(report, indent=1))
    results.write(options.json, rows(report))


def rows(report: dict[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    return [
        {
            "from": source,
            "to": report["target"],
            "kernels": " × ".join(map(str, found["shape"][:2])),
            "seconds": round(found["kernels_s"], 2),
            "a backward pass a unit takes": f"{found['ratio']:.0f} times as long",
            "peak memory so far, GiB": round(found["peak_memory_so_far_gib"], 2),
        }
        for source, found in report.items()
        if isinstance(found, dict)
    ]


def compare(network: Network, source: str, target: str, units: int, rounds: int) -> dict[str, Any]:
    """Time both on all units of the target; the loop on evenly spaced ones, and scaled up."""
    count = network.layer(target).units
    some = range(0, count, max(count // units, 1))
    names = [f"{target}:{unit}" for unit in some]
    ours, theirs = [], []
    for _ in range(rounds):
        seconds, weights = timed(lambda: expanded_weights(network, source, target))
        ours.append(seconds)
        seconds, loop = timed(lambda: expanded_weights_by_autograd(network, source, names))
        theirs.append(seconds * count / len(some))
    return {
        "shape": list(weights.weight.shape),
        "kernels_s": min(ours),
        "autograd_loop_s": min(theirs),
        "ratio": min(theirs) / min(ours),
        "largest_difference": difference(weights, loop, some),
        "peak_memory_so_far_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def timed(compute: Callable[[], ExpandedWeights]) -> tuple[float, ExpandedWeights]:
    """Give seconds and result."""
    start = time.perf_counter()
    result = compute()
    return time.perf_counter() - start, result


def difference(weights: ExpandedWeights, loop: ExpandedWeights, units: range) -> float:
    """Compare the two, as a fraction of the largest weight; kernels are cut at the map's border."""
    position = loop.record["position"]
    top, left = (
        begin - stride * place - offset
        for begin, stride, place, offset in zip(
            loop.offset, weights.stride, position, weights.offset, strict=True
        )
    )
    height, width = loop.weight.shape[2:]
    ours = weights.weight[list(units), :, top : top + height, left : left + width]
    return float((ours - loop.weight).abs().max() / loop.weight.abs().max())


if __name__ == "__main__":
    main()
