"""Estimate what work at scale costs, on 1, 8 and 64 GPUs, and what would break first.

Rates come from options. Those that default to a measurement were taken on one core of a two-core
AMD EPYC virtual machine (`bench_examples.py`, `bench_render.py`, `bench_joining.py`, and a survey
of 192 photographs in three parts); those that are assumed are marked in `--help`, first of all how
many such cores a GPU is worth. Prints JSON.

Work is divided evenly; of joining in a tree, each level waits for the one below it.
"""

import argparse
import json
import math

import results
from visioncircuits.engine.tree import ARITY

IMAGENET = 1_281_167
UNITS = 64 + 64 + 192 + 256 + 480 + 508 + 512 + 512 + 528 + 832 + 832 + 1024
"""Of InceptionV1, from conv2d0 to mixed5b."""

BINS = 2561
"""Of the histogram of a unit, eight bytes each."""

SETS = 3
"""Of histograms of all units, that a worker holds at most."""

GPUS = (1, 8, 64)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )

    def rate(name: str, default: float, text: str) -> None:
        parser.add_argument(f"--{name}", type=float, default=default, help=text)

    rate("survey", 30.7, "measured: photographs a second and core, three layers, 1,248 units")
    rate("surveyed", 1248, "measured: of so many units")
    rate("deep", 1.7, "assumed: a pass to mixed5b over one to mixed4a")
    rate("step", 0.021, "derived from two cores: seconds a picture and step, mixed4c")
    rate("decode", 260.0, "measured: photographs decoded a second and core")
    rate("merge", 0.035, "measured: seconds to read and join a part's 1,248 units")
    rate("pack", 0.81, "measured: seconds a join of 1,248 units, to write it and start workers")
    rate("kept", 17.4e6, "measured: bytes kept of a part's 1,248 units, with classes")
    rate("photograph", 110e3, "assumed: bytes of an ImageNet photograph on disk")
    rate("cores", 200.0, "assumed: measured cores that a GPU is worth")
    rate("decoders", 12.0, "assumed: cores beside each GPU, for decoding")
    rate("disk", 2e9, "assumed: bytes a second of the storage that all workers share")
    rate("part", 1000.0, "assumed: photographs of a part, as a tar file holds them")
    rate("steps", 512.0, "steps of each picture")
    rate("pictures", 2.0, "pictures of each unit")
    results.option(parser)
    options = parser.parse_args()
    found = rows(options)
    print(json.dumps(found, indent=1))
    worth = f"one GPU taken to be worth {options.cores:.0f} cores of a two-core AMD EPYC machine"
    results.write(options.json, found, machine=worth)


def rows(options: argparse.Namespace) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    jobs = {
        "a gallery of InceptionV1": gallery(options, 1),
        "a pass over ImageNet's training set": survey(options, 1),
        "a gallery of 100 times the units": gallery(options, 100),
        "a pass for 100 times the units": survey(options, 100),
    }
    names = [f"{gpus} {'GPU' if gpus == 1 else 'GPUs'}" for gpus in GPUS]
    return [
        {"job": job, "what": what} | dict(zip(names, map(rounded, values), strict=True))
        for job, needs in jobs.items()
        for what, values in needs.items()
    ]


def rounded(value: float) -> float:
    """Keep three digits."""
    value = float(f"{value:.3g}")
    return int(value) if value.is_integer() else value


def gallery(options: argparse.Namespace, times: int) -> dict[str, list[float]]:
    """Give what each thing takes, by the number of GPUs."""
    steps = UNITS * times * options.pictures * options.steps
    return {"optimizing, hours": divided(steps * options.step / options.cores)}


def survey(options: argparse.Namespace, times: int) -> dict[str, list[float]]:
    """Give what each thing takes, by the number of GPUs.

    With more units the network grows as they do: so does what computing and keeping them takes.
    """
    share = UNITS * times / options.surveyed
    parts = IMAGENET / options.part
    forward = IMAGENET * times * options.deep / options.survey
    return {
        "computing, hours": divided(forward / options.cores),
        "decoding, hours": divided(IMAGENET / options.decode / options.decoders),
        "reading, hours": shared(IMAGENET * options.photograph / options.disk),
        "joining in a tree, beside the GPUs, hours": [
            joining(options, math.ceil(parts), share, int(gpus * options.decoders)) / 3600
            for gpus in GPUS
        ],
        "writing parts, hours": shared(parts * options.kept * share / options.disk),
        "parts on disk until they are joined, GB": [parts * options.kept * share / 1e9] * len(GPUS),
        "a worker's memory for histograms, GB": [SETS * UNITS * times * BINS * 8 / 1e9] * len(GPUS),
    }


def joining(options: argparse.Namespace, parts: int, share: float, workers: int) -> float:
    """Give the seconds of joining parts, level by level."""
    seconds = 0.0
    while parts > 1:
        each = (min(parts, ARITY) * options.merge + options.pack) * share
        parts = math.ceil(parts / ARITY)
        seconds += math.ceil(parts / workers) * each
    return seconds


def divided(seconds: float) -> list[float]:
    """Give the hours of what all GPUs, or the cores beside them, share out."""
    return [seconds / gpus / 3600 for gpus in GPUS]


def shared(seconds: float) -> list[float]:
    """Give the hours of what does not go faster with more GPUs."""
    return [seconds / 3600] * len(GPUS)


if __name__ == "__main__":
    main()
