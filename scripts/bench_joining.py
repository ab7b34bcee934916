"""Time the joining of the parts of a pass over photographs: by one process, and in a tree.

The parts are synthetic: a shard's statistics of so many units, as a pass over ImageNet leaves them
(histograms, examples, a full sample of neurons). `--distinct` of them are made, and linked until
there are enough, so that their names and reading them from disk cost less than they would. One
process joins all, one after another; then workers join them in a tree. Each way runs in processes
of its own. Prints JSON: seconds by the clock and of all processors, and the highest memory of the
driver and of a worker; and whether both made the same bytes.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

import results
from visioncircuits import engine
from visioncircuits.engine import Store, Work
from visioncircuits.examples import exact, sampling, sketch
from visioncircuits.examples.moments import Moments
from visioncircuits.examples.record import Examples, LayerExamples
from visioncircuits.examples.sampling import Sample
from visioncircuits.examples.survey import EXAMPLES, join_pieces
from visioncircuits.examples.tops import Places

POSITIONS, SIDE, TOP = 784, 28, 24
RECORD: dict[str, Any] = {"layers": {"layer": "layer"}, "directions": {}, "top": TOP}
WAYS = {"by one process": 1, "in a tree": 0}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--shards", type=int, default=128)
    parser.add_argument("--units", type=int, default=10_000)
    parser.add_argument("--pictures", type=int, default=10_000, help="of a shard")
    parser.add_argument("--distinct", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    results.option(parser)
    options = parser.parse_args()
    works: list[Work] = [{"shard": place} for place in range(options.shards)]
    report: dict[str, Any] = vars(options) | {"json": None}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report["megabytes_a_shard"] = apart(make, folder, works, options)
        for way, workers in WAYS.items():
            # one process joins all at once
            arity = options.shards if workers else engine.tree.ARITY
            report[way] = apart(join, folder, works, workers or options.workers, arity)
    report["the same bytes"] = len({report[way].pop("sha256") for way in WAYS}) == 1
    print(json.dumps(report, indent=1))
    results.write(options.json, rows(report))


def rows(report: Mapping[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    joined = f"{report['shards']} parts of {report['units']:,} units"
    ways = {"by one process": "by one process", "in a tree": f"by {report['workers']} workers"}
    return [
        {
            "joined": joined,
            "how": label,
            "seconds": round(report[way]["seconds"]),
            "processor seconds": round(report[way]["processor_s"]),
            "driver, GB": round(report[way]["driver_gb"], 2),
            "each worker, GB": round(report[way]["worker_gb"], 2),
        }
        for way, label in ways.items()
    ]


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def make(folder: Path, works: Sequence[Work], options: argparse.Namespace) -> float:
    """Make the parts; return the megabytes of one."""
    store = Store(folder / "parts")
    for place, work in enumerate(works):
        store.add(work, {})
        path = store.path(work) / EXAMPLES
        if place < options.distinct:
            path.write_bytes(part(place, options.units, options.pictures).packed())
        else:
            os.link(store.path(works[place % options.distinct]) / EXAMPLES, path)
    return float(path.stat().st_size / 1e6)


def part(number: int, units: int, pictures: int) -> Examples:
    """Make the statistics of units with normally distributed pre-activations."""
    random = np.random.default_rng(number)
    values = sketch.middles()
    expected = np.exp(-(((values + 3) / 4) ** 2) / 2) / 10 * np.diff(sketch.edges())
    expected *= POSITIONS * pictures
    used = np.flatnonzero(expected > 0.5)
    counts = np.zeros((units, sketch.BINS), np.int64)
    drawn = random.normal(expected[used], np.sqrt(expected[used]), (units, len(used)))
    counts[:, used] = drawn.clip(0)
    count = POSITIONS * pictures
    moments = Moments(
        count,
        exact.exact(random.normal(-3, 1, (1, units)) * count, 2),
        exact.exact(random.uniform(25, 30, (1, units)) * count, 3),
        counts[:, sketch.BINS // 2 + 1 :].sum(1),
    )
    first = number * pictures

    def places(mean: float) -> Places:
        strength = np.sort(random.normal(mean, 3, (units, TOP)).astype(np.float32), 1)
        return Places(
            np.ascontiguousarray(strength[:, :: -1 if mean > 0 else 1]),
            first + random.integers(0, pictures, (units, TOP)),
            random.integers(0, SIDE, (units, TOP, 2)),
        )

    parts = np.unique(sampling.part(values[used].astype(np.float32)))
    keys = np.repeat(np.arange(units)[:, None] * sampling.PARTS + parts, sampling.KEPT)
    numbers = np.sort(random.integers(0, 2**50, (len(keys) // sampling.KEPT, sampling.KEPT)), 1)
    sample = Sample(
        keys,
        numbers.ravel().astype(np.uint64),
        random.normal(-3, 4, len(keys)).astype(np.float32),
        first + random.integers(0, pictures, len(keys)),
        random.integers(0, SIDE, (len(keys), 2)),
    )
    layer = LayerExamples(places(20.0), places(-20.0), sample, counts, moments, {})
    names = {each: f"n01440764/n01440764_{each}.JPEG" for each in range(first, first + pictures)}
    return Examples({"layer": layer}, names, pictures, (), RECORD)


def join(folder: Path, works: Sequence[Work], workers: int, arity: int) -> dict[str, Any]:
    """Join the parts, as the driver; return what it took."""
    store, log = Store(folder / "parts"), folder / "log"
    log.mkdir()
    began, worked = time.perf_counter(), time.process_time()
    workforce = engine.local(workers=workers)
    root = engine.join(store, partial(noted, log=log), works, engine=workforce, arity=arity)
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    notes = [json.loads(path.read_text()) for path in log.iterdir()]
    others = [note for note in notes if note["process"] != os.getpid()]
    found = {
        "seconds": seconds,
        "processor_s": worked + sum(note["processor_s"] for note in others),
        "driver_gb": peak_gb(),
        "worker_gb": max((note["peak_gb"] for note in others), default=0.0),
        "sha256": sha256((root / EXAMPLES).read_bytes()).hexdigest(),
    }
    shutil.rmtree(root)
    shutil.rmtree(log)
    return found


def noted(folders: Sequence[Path], *, log: Path) -> dict[str, bytes]:
    """Join some, and note what this process took."""
    began = time.process_time()
    found = join_pieces(folders, record=RECORD)
    note = {
        "process": os.getpid(),
        "processor_s": time.process_time() - began,
        "peak_gb": peak_gb(),
    }
    (log / f"{folders[0].name}-{len(folders)}.json").write_text(json.dumps(note))
    return found


def peak_gb() -> float:
    """Return the most memory that this process has held (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e9


if __name__ == "__main__":
    main()
