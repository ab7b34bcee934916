"""Measure a gallery of a layer: how long it takes, to resume it too, and how large it is.

Without a network it is of a stub of three layers, the last of `--units` units, with random
parameters and pictures of two steps: all but the rendering is as much work as for a real network.
Prints JSON: processor seconds of a build, in all and of each kind of work, and of the same
command again, when all is finished; bytes a unit of each kind of file; and the size of the layer's
page. Everything runs in this process.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

import results
from visioncircuits import gallery
from visioncircuits.engine.local import Local
from visioncircuits.engine.work import Item, Result
from visioncircuits.networks import Network, Preprocessing, load, wrap

STUB = "a stub network"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--network", default=STUB)
    parser.add_argument("--layer", default="5")
    parser.add_argument("--units", type=int, default=2048, help="the layer's first")
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--size", type=int, default=32, help="of pictures; 0 is the layer's own")
    parser.add_argument("--photographs", type=Path, metavar="FOLDER", help="for examples")
    parser.add_argument("--tuning", nargs="*", default=[], metavar="STIMULI", help="such as curves")
    parser.add_argument("--threads", type=int, default=1)
    results.option(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    network = stub(options.units) if options.network == STUB else load(options.network)
    report = measured(network, options)
    print(json.dumps(report, indent=1))
    results.write(options.json, rows(report))


def rows(report: dict[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    units = f"{report['units']:,} units of {report['network']}"
    sizes = {f"{kind}, KB a unit": size for kind, size in report["kilobytes_a_unit"].items()}
    values = {
        "building, processor seconds": round(report["build_s"]),
        **{
            f"of which {kind}": round(seconds)
            for kind, seconds in report["parts_s"].items()
            if seconds >= 1
        },
        "resuming it when all is finished, processor seconds": round(report["resume_s"], 1),
        **{name: round(size, 1) for name, size in sizes.items()},
        "the layer's page, KB": round(report["layer_page_kilobytes"]),
    }
    return [{"gallery": units, "what": what, "measured": value} for what, value in values.items()]


def stub(units: int) -> Network:
    """Make a network that is quick and has so many units in a layer."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 64, 7, stride=4, padding=3), nn.ReLU()]
    layers += [nn.Conv2d(64, 512, 3, stride=2, padding=1), nn.ReLU()]
    layers += [nn.Conv2d(512, units, 1), nn.ReLU(), nn.Conv2d(units, 256, 1), nn.ReLU()]
    return wrap(nn.Sequential(*layers), Preprocessing(), name=STUB, size=64)


def measured(network: Network, options: argparse.Namespace) -> dict[str, Any]:
    """Build a gallery, twice."""
    size = f"size = {options.size}\n" if options.size else ""
    recipe = (
        f'title = "{options.layer}"\n[quality]\nsteps = {options.steps}\n{size}'
        f"[tuning]\nstimuli = {options.tuning}\n"
        f'[[layers]]\nname = "{options.layer}"\nunits = "0-{options.units - 1}"\n'
    )
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, "recipe.toml"), Path(folder, "site")
        path.write_text(recipe)

        def build() -> Path:
            return gallery.build(
                path, out, network=network, photographs=options.photographs, workers=timed
            )

        timed = Timed(workers=1, threads=options.threads)
        build_s, parts_s = processor_seconds(build), dict(timed.seconds)
        resume_s = processor_seconds(build)
        pages = list((out / "layers" / options.layer).glob("*.html"))
        own = [page.stat().st_size for page in pages if page.name != "index.html"]
        kinds = {
            "page": sum(own),
            "pictures with their records": total(out / "pictures"),
            "weights": total(out / "weights"),
        }
        return {
            "network": network.name,
            "units": len(own),
            "build_s": build_s,
            "parts_s": parts_s,
            "resume_s": resume_s,
            "kilobytes_a_unit": {kind: size / len(own) / 1e3 for kind, size in kinds.items()},
            "layer_page_kilobytes": (out / "layers" / options.layer / "index.html").stat().st_size
            / 1e3,
            "megabytes": total(out) / 1e6,
        }


def processor_seconds(task: Callable[[], object]) -> float:
    """Time what this process works for a task."""
    start = time.process_time()
    task()
    return time.process_time() - start


@dataclass(frozen=True)
class Timed(Local):
    """Work in this process, whose seconds are added up by what the work is."""

    seconds: dict[str, float] = field(default_factory=dict)

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """See `Engine.map`."""

        def timed(item: Item) -> Result:
            start = time.process_time()
            try:
                return function(item)
            finally:
                what = item["what"] if isinstance(item, dict) else "all else"
                spent = time.process_time() - start
                self.seconds[what] = self.seconds.get(what, 0) + spent

        return super().map(timed, items)


def total(folder: Path) -> int:
    """Count the bytes of a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
