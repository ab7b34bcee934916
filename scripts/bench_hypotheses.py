"""Time all ready hypotheses over a layer: one `find` after another, and `find_each`.

The second shows the stimuli that hypotheses share once. Both take turns in one process, and it is
checked that they give the same verdicts. Prints JSON: median seconds of each, and of the processor,
which other programs change less; and their ratio.
"""

import argparse
import json
import statistics
import time
from typing import Any

import torch

import results
from visioncircuits.hypotheses import applicable, find, find_each
from visioncircuits.networks import untrained


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", default="bvlc_googlenet", help="parameters are random")
    parser.add_argument("--layer", default="mixed3b")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    results.option(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    network, layer = untrained(options.network), options.layer
    tested = applicable(network, layer)
    find(network, layer, tested[-1])  # warms up
    times: dict[str, list[float]] = {"one_after_another": [], "together": []}
    processor: dict[str, list[float]] = {name: [] for name in times}
    for _ in range(options.rounds):
        start, used = time.perf_counter(), time.process_time()
        alone = {each.name: find(network, layer, each) for each in tested}
        times["one_after_another"].append(time.perf_counter() - start)
        processor["one_after_another"].append(time.process_time() - used)
        start, used = time.perf_counter(), time.process_time()
        together = find_each(network, layer, tested)
        times["together"].append(time.perf_counter() - start)
        processor["together"].append(time.process_time() - used)
        for name, found in together.items():
            verdicts = zip(found.verdicts, alone[name].verdicts, strict=True)
            assert all(ours.status == theirs.status for ours, theirs in verdicts), name
    seconds = {name: statistics.median(values) for name, values in times.items()}
    report: dict[str, Any] = {
        "torch": torch.__version__,
        "threads": options.threads,
        "network": options.network,
        "layer": layer,
        "units": network.layer(layer).units,
        "hypotheses": len(tested),
        **{f"{name}_s": round(value, 1) for name, value in seconds.items()},
        **{
            f"{name}_processor_s": round(statistics.median(values), 1)
            for name, values in processor.items()
        },
        "ratio": round(seconds["one_after_another"] / seconds["together"], 2),
    }
    print(json.dumps(report, indent=1))
    results.write(options.json, rows(report))


def rows(report: dict[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    return [
        {
            "hypotheses": f"{report['hypotheses']} over the {report['units']} units of "
            + str(report["layer"]),
            "one after another, s": report["one_after_another_s"],
            "together, s": report["together_s"],
            "ratio": report["ratio"],
        }
    ]


if __name__ == "__main__":
    main()
