"""Time feature visualization: lucent's `render_vis` on lucent's own InceptionV1, and this library.

Both get the same random parameters and the same units, and take turns in one process. Prints JSON:
milliseconds per image and step (medians over the rounds) and their ratio, at an equal 224 px
network input and at each one's defaults; peak memory; and the share of our time that the bare
truncated convolutions, forward and gradient to their input, take when run alone.

Needs the `lucent` extra.
"""

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

import results
from visioncircuits.featurevis import Settings, objectives, render_all
from visioncircuits.networks import TENSORFLOW, Network
from visioncircuits.networks.conversion import renamed
from visioncircuits.networks.inceptionv1 import VARIANTS, inceptionv1
from visioncircuits.networks.memory import freed_memory_kept

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import lucent.optvis.objectives
    import lucent.optvis.param
    import lucent.optvis.render
    from lucent.modelzoo.inceptionv1.InceptionV1 import InceptionV1


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--layers", nargs="+", default=["mixed3b", "mixed4c"])
    parser.add_argument("--batch", type=int, default=16, help="pictures at once")
    parser.add_argument("--steps", type=int, default=16, help="steps a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    results.option(parser)
    options = parser.parse_args()

    torch.manual_seed(0)
    theirs = InceptionV1().eval().to(options.device)
    module = inceptionv1(VARIANTS["inceptionv1"])
    parameters = {name: value.detach().cpu() for name, value in theirs.state_dict().items()}
    module.load_state_dict(renamed(parameters, Path("lucent")))
    ours = Network(module, TENSORFLOW, name="inceptionv1").to(options.device)

    report: dict[str, Any] = {
        "torch": torch.__version__,
        "device": options.device,
        "threads": torch.get_num_threads(),
        "batch": options.batch,
    }
    for layer in options.layers:
        report[layer] = bench(theirs, ours, layer, options)
    print(json.dumps(report, indent=1))
    results.write(options.json, rows(report), device=options.device)


def rows(report: dict[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    found: list[dict[str, results.Cell]] = []
    for layer, values in report.items():
        if not isinstance(values, dict):
            continue
        for size, theirs, ratio, network_input in (
            (224, "lucent_224", "ratio_at_224", "both with a network input of 224 px"),
            (128, "lucent_default", "ratio_of_defaults", "each at its default (ours 128 px)"),
        ):
            ms = values["ms_per_image_step"]
            found.append(
                {
                    "layer": layer,
                    "input": network_input,
                    "lucent, ms": round(ms[theirs], 1),
                    "visioncircuits, ms": round(ms[f"ours_{size}"], 1),
                    "ratio": round(values[ratio], 1),
                    "share of ours in bare convolutions": (
                        f"{100 * values[f'share_in_convolutions_at_{size}']:.0f} %"
                    ),
                }
            )
    return found


def bench(theirs: Any, ours: Network, layer: str, options: argparse.Namespace) -> dict[str, Any]:
    """Compare the two on units spread over a layer."""
    width = ours.layer(layer).units
    units = [i * width // options.batch for i in range(options.batch)]
    steps = {"lucent": max(options.steps // 4, 1), "ours": options.steps}  # its steps are long

    def lucent_call(size: int) -> None:
        wanted = lucent.optvis.objectives.Objective.sum(
            [lucent.optvis.objectives.channel(layer, u, batch=i) for i, u in enumerate(units)]
        )
        lucent.optvis.render.render_vis(
            theirs,
            wanted,
            lambda: lucent.optvis.param.image(size, batch=options.batch),
            thresholds=(steps["lucent"],),
            progress=False,
            show_image=False,
            fixed_image_size=224,  # what it scales its default of 128 to as well
        )

    def our_call(size: int) -> None:
        wanted = [objectives.unit(f"{layer}:{unit}") for unit in units]
        # Rectifiers are redirected for a sixteenth of the steps, as in the default's 256.
        count = steps["ours"]
        settings = Settings(size=size, steps=count, redirected_relu_steps=count // 16)
        list(render_all(ours, wanted, settings=settings, batch=options.batch))

    calls: dict[str, Callable[[], None]] = {
        "lucent_224": lambda: lucent_call(224),
        "ours_224": lambda: our_call(224),
        "lucent_default": lambda: lucent_call(128),
        "ours_128": lambda: our_call(128),
    }
    times: dict[str, list[float]] = {name: [] for name in [*calls, "bare_224", "bare_128"]}
    peaks: dict[str, float] = {}
    per = 1000 / options.batch
    for _ in range(options.rounds + 1):  # the first warms up
        for name, call in calls.items():
            forget_peak(options.device)
            seconds = timed(call, options.device)
            times[name].append(seconds * per / steps[name.partition("_")[0]])
            peaks[name] = max(peaks.get(name, 0), peak_megabytes(options.device))
        for size in (224, 128):
            seconds = bare_convolutions(ours, layer, units, size, options)
            times[f"bare_{size}"].append(seconds * per)
    ms = {name: statistics.median(values[1:]) for name, values in times.items()}
    return {
        "ms_per_image_step": {name: round(value, 2) for name, value in ms.items()},
        "ratio_at_224": round(ms["lucent_224"] / ms["ours_224"], 2),
        "ratio_of_defaults": round(ms["lucent_default"] / ms["ours_128"], 2),
        "share_in_convolutions_at_224": round(ms["bare_224"] / ms["ours_224"], 3),
        "share_in_convolutions_at_128": round(ms["bare_128"] / ms["ours_128"], 3),
        "ours_images_per_second_of_256_steps_at_128": round(1000 / ms["ours_128"] / 256, 3),
        "peak_megabytes": {name: round(value) for name, value in peaks.items()},
    }


def timed(call: Callable[[], None], device: str) -> float:
    """Time a call in seconds."""
    start = time.perf_counter()
    call()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - start


class Convolutions(TorchDispatchMode):
    """Note the arguments of every convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Any, ...]] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket is torch.ops.aten.convolution:
            self.seen.append(args)
        return func(*args, **(kwargs or {}))


def bare_convolutions(
    network: Network, layer: str, units: list[int], size: int, options: argparse.Namespace
) -> float:
    """Time the convolutions of one step alone, forward and gradient to the input, in seconds."""
    pictures = torch.rand(options.batch, 3, size, size, device=network.device)
    with Convolutions() as watch, torch.no_grad():
        network.unit_activations(pictures, {layer: torch.tensor(units)})
    bands = {b.data_ptr() for name, b in network.module.named_buffers() if name.endswith("band")}
    convolutions = [args for args in watch.seen if args[1].data_ptr() not in bands]
    total = 0.0
    with freed_memory_kept(), torch.no_grad():
        for args in convolutions:
            source, kernel, bias, *how = args
            grad = torch.ops.aten.convolution(source, kernel, bias, *how)

            def once(
                source: Any = source,
                kernel: Any = kernel,
                bias: Any = bias,
                how: Any = how,
                grad: Any = grad,
            ) -> None:
                torch.ops.aten.convolution(source, kernel, bias, *how)
                torch.ops.aten.convolution_backward(
                    grad, source, kernel, None, *how, [True, False, False]
                )

            once()
            total += statistics.median(timed(once, options.device) for _ in range(3))
    return total


def forget_peak(device: str) -> None:
    """Begin to measure peak memory anew."""
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
    else:
        Path("/proc/self/clear_refs").write_text("5")


def peak_megabytes(device: str) -> float:
    """Give the most memory in use since `forget_peak`: the device's, or resident on the CPU."""
    if device != "cpu":
        return torch.cuda.max_memory_allocated() / 1e6
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1e3


if __name__ == "__main__":
    main()
