"""Compare activations on photographs in half precision with those in float32.

Prints JSON. For each precision and layer: the relative error of pre-activations (of all units, by
norms), the median unit's correlation with float32 over all positions, the share of each unit's top
examples that are the same photographs, the largest change of a unit's firing rate; and how long
the pass takes beside that in float32. The same of the feature visualization of some units of the
last layer, and what their pictures reach, in float32, beside those rendered in float32.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import results
from visioncircuits.datasets import photographs
from visioncircuits.examples import Examples, collect
from visioncircuits.featurevis import Settings, objectives, render_all
from visioncircuits.networks import Network, load

LAYERS = ("mixed3a", "mixed3b", "mixed4a")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("images", type=Path)
    parser.add_argument("--network", default="bvlc_googlenet")
    parser.add_argument("--layers", nargs="+", default=LAYERS)
    parser.add_argument("--precisions", nargs="+", default=["bfloat16"])
    parser.add_argument("--pictures", type=int, default=96)
    parser.add_argument("--top", type=int, default=8)
    parser.add_argument("--units", type=int, default=16, help="that are visualized")
    parser.add_argument("--steps", type=int, default=128)
    parser.add_argument("--device", default="cpu")
    results.option(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)

    network = load(options.network, device=options.device)
    everything = photographs(options.images)
    step = max(1, len(everything) // options.pictures)
    chosen = range(0, len(everything), step)[: options.pictures]
    pictures = everything.part(chosen).pictures(network.size)
    found, exact, seconds = passed(network, pictures, options.layers, options.top)
    drawn, drawing_s = rendered(network, network, options)
    report: dict[str, Any] = {
        "torch": torch.__version__,
        "device": options.device,
        "network": network.name,
        "pictures": len(pictures),
        "top": options.top,
    }
    for precision in options.precisions:
        coarse = network.computing_in(precision)
        rough = passed(coarse, pictures, options.layers, options.top)
        reached, took = rendered(coarse, network, options)
        report[precision] = {
            "time": round(rough[2] / seconds, 2),
            "rendering_time": round(took / drawing_s, 2),
            "rendering_reaches": round(float((reached / drawn).median()), 3),
            **{
                layer: compare(found, rough[0], exact[layer], rough[1][layer], layer)
                for layer in options.layers
            },
        }
    print(json.dumps(report, indent=1))
    results.write(options.json, rows(report), device=options.device)


def rows(report: dict[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table: of each precision the worst layer."""
    found: list[dict[str, results.Cell]] = []
    for precision, values in report.items():
        if isinstance(values, dict):
            layers = [each for each in values.values() if isinstance(each, dict)]
            change = 100 * max(each["relative_error"] for each in layers)
            shared = 100 * min(each["tops_shared"] for each in layers)
            found.append(
                {
                    "precision": precision,
                    "change of activations": f"{change:.2g} %",
                    f"strongest {report['top']} examples shared": f"{shared:.0f} %",
                    "time of the pass over float32's": round(values["time"], 2),
                    "time of rendering over float32's": round(values["rendering_time"], 2),
                    "activation by rendered pictures over float32's, median": round(
                        values["rendering_reaches"], 2
                    ),
                }
            )
    return found


def passed(
    network: Network, pictures: Tensor, layers: list[str], top: int
) -> tuple[Examples, dict[str, Tensor], float]:
    """Give the examples in pictures, the pre-activations of 32 of them, and the seconds taken."""
    start = time.perf_counter()
    found = collect(network, layers, pictures, top=top)
    seconds = time.perf_counter() - start
    names = {layer: network.before_rectifier(layer) for layer in layers}
    with torch.inference_mode():
        values = network.activations(pictures[:32], list(names.values()))
    return found, {layer: values[name].cpu() for layer, name in names.items()}, seconds


def rendered(network: Network, exact: Network, options: argparse.Namespace) -> tuple[Tensor, float]:
    """Visualize units spread over the last layer; give what each reaches, and the seconds taken."""
    layer = options.layers[-1]
    step = network.layer(layer).units // options.units
    wanted = [objectives.unit(f"{layer}:{step * place}") for place in range(options.units)]
    start = time.perf_counter()
    drawn = list(render_all(network, wanted, settings=Settings(steps=options.steps), batch=4))
    seconds = time.perf_counter() - start
    pictures = torch.stack([each.picture for each in drawn])
    with torch.inference_mode():
        values = exact.activations(pictures, [layer])[layer].amax((2, 3))
    own = values[range(options.units), [step * place for place in range(options.units)]]
    return own.cpu(), seconds


def compare(
    one: Examples, two: Examples, exact: Tensor, rough: Tensor, layer: str
) -> dict[str, float]:
    """Compare a layer in two precisions."""
    ours, theirs = one.layers[layer], two.layers[layer]
    shared = [
        len(np.intersect1d(*pair)) / len(pair[0])
        for pair in zip(ours.tops.pictures, theirs.tops.pictures, strict=True)
    ]
    flat, other = (values.transpose(0, 1).flatten(1).double() for values in (exact, rough))
    centered = [values - values.mean(1, keepdim=True) for values in (flat, other)]
    correlations = torch.nn.functional.cosine_similarity(*centered, dim=1)
    return {
        "relative_error": float(f"{(other - flat).norm() / flat.norm():.3g}"),
        "correlation_median": round(float(correlations.median()), 6),
        "correlation_least": round(float(correlations.min()), 6),
        "tops_shared": round(float(np.mean(shared)), 4),
        "firing_rate_change_most": float(
            f"{np.abs(ours.moments.firing - theirs.moments.firing).max():.3g}"
        ),
    }


if __name__ == "__main__":
    main()
