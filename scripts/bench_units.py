"""Time one unit's gradient: the module run whole with a hook, and this library.

Both run torchvision's networks with the same random parameters, and take turns in one process.
Prints JSON: milliseconds a call (medians over the rounds) and their ratio.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

import results
from visioncircuits.networks import Network, untrained
from visioncircuits.networks.memory import freed_memory_kept

LAYERS = {"torchvision:resnet50": "layer2", "torchvision:squeezenet1_1": "features.7"}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--batch", type=int, default=4, help="pictures at once")
    parser.add_argument("--size", type=int, default=128, help="their side in pixels")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    results.option(parser)
    options = parser.parse_args()

    report: dict[str, Any] = {"torch": torch.__version__, "device": options.device}
    for name, layer in LAYERS.items():
        network = untrained(name).to(options.device)
        pictures = torch.rand(options.batch, 3, options.size, options.size, device=options.device)
        calls = {"whole": whole(network, layer), "unit": unit(network, layer)}
        gradients = {kind: call(pictures) for kind, call in calls.items()}  # the first warms up
        torch.testing.assert_close(gradients["unit"], gradients["whole"], rtol=1e-3, atol=1e-6)
        times: dict[str, list[float]] = {kind: [] for kind in calls}
        with freed_memory_kept():
            for _ in range(options.rounds):
                for kind, call in calls.items():
                    times[kind].append(timed(call, pictures))
        ms = {kind: 1000 * statistics.median(values) for kind, values in times.items()}
        report[name] = {
            "layer": layer,
            **{kind: round(value, 1) for kind, value in ms.items()},
            "ratio": round(ms["whole"] / ms["unit"], 2),
        }
    print(json.dumps(report, indent=1))
    results.write(options.json, rows(report), device=options.device)


def rows(report: dict[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    return [
        {
            "network": name,
            "layer": found["layer"],
            "whole, ms": found["whole"],
            "one unit, ms": found["unit"],
            "ratio": round(found["ratio"], 1),
        }
        for name, found in report.items()
        if isinstance(found, dict)
    ]


def whole(network: Network, layer: str) -> Callable[[Tensor], Tensor]:
    """Run all of the module, as a tool that lives by hooks does."""

    def gradient(pictures: Tensor) -> Tensor:
        found: list[Tensor] = []
        handle = network.module.get_submodule(layer).register_forward_hook(
            lambda _module, _args, value: found.append(value)
        )
        pictures = pictures.clone().requires_grad_()
        network.module(network.preprocessing(pictures))
        handle.remove()
        return torch.autograd.grad(found[0][:, 0].mean(), pictures)[0]

    return gradient


def unit(network: Network, layer: str) -> Callable[[Tensor], Tensor]:
    """Run what one unit needs."""
    first = torch.tensor([0])

    def gradient(pictures: Tensor) -> Tensor:
        pictures = pictures.clone().requires_grad_()
        values = network.unit_activations(pictures, {layer: first})[layer]
        return torch.autograd.grad(values.mean(), pictures)[0]

    return gradient


def timed(call: Callable[[Tensor], Tensor], pictures: Tensor) -> float:
    """Time a call in seconds."""
    start = time.perf_counter()
    call(pictures)
    if pictures.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
