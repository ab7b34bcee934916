"""Time feature visualization: lucent's `render_vis`, dreamlens, and this library.

Each pair gets the same parameters and the same units, and takes turns in one process: lucent on
its own InceptionV1, several pictures at once; dreamlens on torchvision's GoogLeNet, one unit.
Prints JSON: milliseconds per image and step (medians over the rounds) and their ratio, at an equal
network input and at each one's defaults; the memory that each adds, in a process of its own; and
the share of our time that the bare truncated convolutions, forward and gradient to their input,
take when torch runs them alone.

Needs the `peers` extra.
"""

import argparse
import json
import multiprocessing
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

import results
from visioncircuits.featurevis import Settings, objectives, render_all
from visioncircuits.networks import TENSORFLOW, Network, untrained
from visioncircuits.networks.conversion import renamed
from visioncircuits.networks.inceptionv1 import VARIANTS, inceptionv1
from visioncircuits.networks.memory import freed_memory_kept

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dreamlens
    import lucent.optvis.objectives
    import lucent.optvis.param
    import lucent.optvis.render
    from lucent.modelzoo.inceptionv1.InceptionV1 import InceptionV1


SIDES = (224, 128)
INCEPTION3B = "inception3b"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--layers", nargs="*", default=["mixed3b", "mixed4c"])
    parser.add_argument("--batch", type=int, default=16, help="pictures at once, beside lucent")
    parser.add_argument("--steps", type=int, default=16, help="steps a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    results.option(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    report: dict[str, Any] = {
        "torch": torch.__version__,
        "device": options.device,
        "threads": torch.get_num_threads(),
        "batch": options.batch,
    }
    pairs: list[Pair] = [Lucent(layer, options.batch, options) for layer in options.layers]
    for pair in (*pairs, Dreamlens(INCEPTION3B, 1, options)):
        report[pair.layer] = bench(pair)
        print(json.dumps({pair.layer: report[pair.layer]}), flush=True)
    print(json.dumps(report, indent=1))
    results.write(options.json, rows(report), device=options.device)


def rows(report: dict[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    found: list[dict[str, results.Cell]] = []
    for layer, values in report.items():
        if not isinstance(values, dict):
            continue
        for case, ms in values["ms_per_image_step"].items():
            side = values["side"][case]
            megabytes = values["megabytes_per_image"][case]
            found.append(
                {
                    "beside": values["beside"],
                    "layer": layer,
                    "network input": case,
                    "its ms": round(ms["theirs"], 1),
                    "visioncircuits, ms": round(ms["ours"], 1),
                    "ratio": round(ms["theirs"] / ms["ours"], 1),
                    "bare convolutions, share of ours": f"{100 * ms['bare'] / ms['ours']:.0f} %",
                    "its MB": round(megabytes["theirs"]),
                    "visioncircuits, MB": round(megabytes["ours"]),
                }
            )
            assert side in SIDES
    return found


@dataclass
class Pair:
    """Another library and this one, on the same network.

    Attributes
    ----------
    layer
        Whose units are visualized.
    batch
        Pictures at once.
    options
        Of the command line.
    """

    layer: str
    batch: int
    options: argparse.Namespace

    name = ""

    @cached_property
    def network(self) -> Network:
        """The network, for this library."""
        raise NotImplementedError

    @property
    def cases(self) -> dict[str, int]:
        """What is compared, and the side of our pictures."""
        raise NotImplementedError

    def theirs(self, case: str, steps: int) -> None:
        """Let the other library take some steps."""
        raise NotImplementedError

    def their_steps(self) -> int:
        """Give its steps a round."""
        return int(self.options.steps)

    @cached_property
    def units(self) -> list[int]:
        """Spread over the layer."""
        width = self.network.layer(self.layer).units
        return [i * width // self.batch for i in range(self.batch)]

    def ours(self, case: str, steps: int) -> None:
        """Take some steps with this library."""
        wanted = [objectives.unit(f"{self.layer}:{unit}") for unit in self.units]
        # Rectifiers are redirected for a sixteenth of the steps, as in the default's 256.
        settings = Settings(size=self.cases[case], steps=steps, redirected_relu_steps=steps // 16)
        list(render_all(self.network, wanted, settings=settings, batch=self.batch))


class Lucent(Pair):
    """lucent's `render_vis` on its own InceptionV1."""

    name = "lucent"

    @cached_property
    def module(self) -> Any:
        torch.manual_seed(0)
        return InceptionV1().eval().to(self.options.device)

    @cached_property
    def network(self) -> Network:
        module = inceptionv1(VARIANTS["inceptionv1"])
        parameters = {
            name: value.detach().cpu() for name, value in self.module.state_dict().items()
        }
        module.load_state_dict(renamed(parameters, Path("lucent")))
        return Network(module, TENSORFLOW, name="inceptionv1").to(self.options.device)

    @property
    def cases(self) -> dict[str, int]:
        return {"224 px for both": 224, "each at its default (ours 128 px)": 128}

    def their_steps(self) -> int:
        return max(int(self.options.steps) // 4, 1)  # its steps are long

    def theirs(self, case: str, steps: int) -> None:
        wanted = lucent.optvis.objectives.Objective.sum(
            [
                lucent.optvis.objectives.channel(self.layer, unit, batch=index)
                for index, unit in enumerate(self.units)
            ]
        )
        size = self.cases[case]
        lucent.optvis.render.render_vis(
            self.module,
            wanted,
            lambda: lucent.optvis.param.image(size, batch=self.batch),
            thresholds=(steps,),
            progress=False,
            show_image=False,
            fixed_image_size=224,  # what it scales its default of 128 to as well
        )


class Dreamlens(Pair):
    """dreamlens on torchvision's GoogLeNet."""

    name = "dreamlens"

    @cached_property
    def network(self) -> Network:
        torch.manual_seed(0)
        return untrained("torchvision:googlenet").to(self.options.device)

    @property
    def cases(self) -> dict[str, int]:
        return {f"{side} px for both": side for side in SIDES}

    def theirs(self, case: str, steps: int) -> None:
        size = self.cases[case]
        dreamlens.FeatureVisualizer(self.network.module, quiet=True).maximize_channel(
            self.network.module.get_submodule(self.layer),
            self.units[0],
            config=dreamlens.RenderConfig(width=size, height=size, steps=steps),
        )


def bench(pair: Pair) -> dict[str, Any]:
    """Compare the two."""
    device, rounds = pair.options.device, pair.options.rounds
    steps = {"theirs": pair.their_steps(), "ours": pair.options.steps}
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds + 1):  # the first warms up
        for case, side in pair.cases.items():
            for who, count in steps.items():
                seconds = timed(partial(getattr(pair, who), case, count), device)
                times.setdefault((case, who), []).append(seconds / count)
            seconds = bare_convolutions(pair, side)
            times.setdefault((case, "bare"), []).append(seconds)
    ms = {
        key: round(1000 * statistics.median(values[1:]) / pair.batch, 2)
        for key, values in times.items()
    }
    return {
        "beside": pair.name,
        "side": pair.cases,
        "ms_per_image_step": {
            case: {who: ms[case, who] for who in ("theirs", "ours", "bare")} for case in pair.cases
        },
        "megabytes_per_image": {
            case: {who: round(apart(pair, who, case) / pair.batch, 1) for who in steps}
            for case in pair.cases
        },
    }


def apart(pair: Pair, who: str, case: str) -> float:
    """Measure, in a process of its own, the most memory that a call adds, in megabytes."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        made = (type(pair), pair.layer, pair.batch, pair.options)
        return float(pool.apply(added_megabytes, (*made, who, case)))


def added_megabytes(
    kind: type[Pair], layer: str, batch: int, options: argparse.Namespace, who: str, case: str
) -> float:
    """Measure the most memory that a second call adds, in megabytes."""
    torch.set_num_threads(options.threads)
    pair = kind(layer, batch, options)
    getattr(pair, who)(case, 1)  # follows the network, once for all
    with freed_memory_kept():
        pass  # returns what was freed to the system
    if options.device != "cpu":
        before = torch.cuda.memory_allocated() / 1e6
    else:
        before = resident_megabytes("VmRSS")
    forget_peak(options.device)
    getattr(pair, who)(case, 2)
    return peak_megabytes(options.device) - before


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


def bare_convolutions(pair: Pair, side: int) -> float:
    """Time the convolutions of one step alone, forward and gradient to the input, in seconds."""
    network, device = pair.network, pair.options.device
    pictures = torch.rand(pair.batch, 3, side, side, device=network.device)
    with Convolutions() as watch, torch.no_grad():
        network.unit_activations(pictures, {pair.layer: torch.tensor(pair.units)})
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
            total += statistics.median(timed(once, device) for _ in range(3))
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
    return resident_megabytes("VmHWM")


def resident_megabytes(kind: str) -> float:
    """Give the memory of this process, now (`VmRSS`) or at most (`VmHWM`)."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(kind))
    return int(line.split()[1]) / 1e3


if __name__ == "__main__":
    main()
