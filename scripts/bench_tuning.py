"""Time `measure` against the bare truncated forward pass on the same pictures.

Measuring also draws every stimulus and labels the responses, and computes what one neuron of each
unit depends on. The bare pass computes the whole layer; it gets its pictures drawn, in the same
batches. The two take turns, and it is checked that they give the same responses. Prints JSON:
median seconds of each, and of the processor, which other programs change less; the median ratio of
the rounds, and the largest difference.
"""

import argparse
import json
import statistics
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor

import results
from visioncircuits.networks import Network, untrained
from visioncircuits.stimuli import StimulusSet, named
from visioncircuits.tuning import measure, placement
from visioncircuits.tuning.responses import BATCH

NAMES = {"mixed3b": "curves", "mixed3a": "high-low"}
CASES = {
    "mixed3b": named("curves"),
    "mixed3a": named("high-low").isel(orientation=slice(0, None, 10), ratio=slice(0, None, 4)),
}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", default="bvlc_googlenet", help="parameters are random")
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    results.option(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    network = untrained(options.network)
    report: dict[str, Any] = {
        "torch": torch.__version__,
        "threads": options.threads,
        "network": options.network,
        "batch": options.batch,
    }
    for layer, stimuli in CASES.items():
        report[layer] = compare(network, layer, stimuli, options.batch, options.rounds)
    print(json.dumps(report, indent=1))
    results.write(options.json, rows(report))


def rows(report: dict[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    return [
        {
            "layer": layer,
            "stimuli": name,
            "time over the bare forward pass": round(report[layer]["ratio"], 2),
        }
        for layer, name in NAMES.items()
    ]


def compare(
    network: Network, layer: str, stimuli: StimulusSet, batch: int, rounds: int
) -> dict[str, Any]:
    """Let the two take turns."""
    asked = placement(network, layer)
    place = {
        name: float(str(stimuli.fixed.get(name, 0.0))) + shift
        for name, shift in zip("yx", asked.shift, strict=True)
    }
    drawn = stimuli.fix(size=asked.size, **place)
    pictures = [stimulus.picture for _, stimulus in drawn.batches(batch)]
    ours, bare, processor = [], [], []
    for index in range(rounds + 1):
        start, used = time.perf_counter(), time.process_time()
        measured = measure(network, layer, stimuli, batch=batch)
        middle, spent = time.perf_counter(), time.process_time()
        passed = [forward(network, layer, part) for part in pictures]
        if index:  # the first round warms up
            ours.append(middle - start)
            bare.append(time.perf_counter() - middle)
            processor.append((spent - used, time.process_time() - spent))
    row, column = asked.position
    responses = np.concatenate([part[:, :, row, column].numpy() for part in passed])
    found = measured.transpose(*stimuli.dims, "unit").values.reshape(responses.shape)
    return {
        "stimuli": repr(stimuli),
        "picture": list(asked.size),
        "measure_s": round(statistics.median(ours), 4),
        "forward_s": round(statistics.median(bare), 4),
        "measure_processor_s": round(statistics.median(own for own, _ in processor), 4),
        "forward_processor_s": round(statistics.median(other for _, other in processor), 4),
        "ratio": round(statistics.median(np.divide(ours, bare).tolist()), 3),
        "largest_difference": float(np.abs(found - responses).max()),
    }


def forward(network: Network, layer: str, pictures: Tensor) -> Tensor:
    """Pass pictures through the network as far as a layer."""
    with torch.inference_mode():
        return network.activations(pictures, [layer])[layer]


if __name__ == "__main__":
    main()
