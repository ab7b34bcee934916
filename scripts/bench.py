"""Run every benchmark, and write one table of what they measured on this machine.

Each `bench_*.py` runs in a process of its own, one after another, and writes its result file; what
it prints is kept beside these. A benchmark that fails, or whose peer is not installed, is listed as
such, and the others run. The exit code is 1 where one failed. `--short` takes a few minutes: its
figures show that all runs, and are too noisy to compare.
"""

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from visioncircuits import files

HERE = Path(__file__).resolve().parent
NEED_PHOTOGRAPHS = ("bench_examples", "bench_precision")
SHORT = {
    "bench_atlas": "--samples 400 --steps 4 --rounds 1",
    "bench_device": "--pictures 4 --steps 4 --stimuli 32 --photographs 16 --rounds 1",
    "bench_dictionaries": "--steps 20 --rounds 1",
    "bench_examples": "--untrained --pictures 128",
    "bench_expanded": "--units 8 --rounds 1",
    "bench_gallery": "--units 128",
    "bench_hypotheses": "--layer conv2d2 --rounds 1",
    "bench_joining": "--shards 16 --units 500",
    "bench_precision": "--pictures 32 --units 4 --steps 16",
    "bench_render": "--layers mixed3b --batch 4 --steps 4 --rounds 1",
    "bench_stimuli": "--rounds 2",
    "bench_tuning": "--rounds 1",
    "bench_units": "--rounds 1",
}
FLAGS = {"avx2": "AVX2", "avx512f": "AVX-512", "amx_tile": "AMX", "amx_bf16": "AMX bfloat16"}

MISSING = re.compile(r"ModuleNotFoundError: No module named '(?!visioncircuits)(.+)'")

Record = Mapping[str, Any]


def main() -> None:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="such as bench_render; all if none is named")
    parser.add_argument("--short", action="store_true", help="with quick settings")
    parser.add_argument("--photographs", type=Path, metavar="FOLDER", help="which some need")
    parser.add_argument("--out", type=Path, default=Path("site/bench"))
    options = parser.parse_args()
    scripts = [HERE / f"{name}.py" for name in options.names] or sorted(HERE.glob("bench_*.py"))
    for script in scripts:
        if not script.exists():
            parser.error(f"there is no benchmark {script.stem}")
    records = run(scripts, options.out, short=options.short, photographs=options.photographs)
    write(options.out, machine(), records)
    print(f"{options.out / 'bench.md'}")
    sys.exit(any("failed" in record for record in records))


def run(
    scripts: Sequence[Path], out: Path, *, short: bool = False, photographs: Path | None = None
) -> list[Record]:
    """Run scripts one after another; return what each measured, or why it did not."""
    out.mkdir(parents=True, exist_ok=True)
    records = []
    for place, script in enumerate(scripts, 1):
        print(f"[{place}/{len(scripts)}] {script.stem} …", end=" ", flush=True)
        began = time.perf_counter()
        found = measured(script, out, short=short, photographs=photographs)
        seconds = round(time.perf_counter() - began, 1)
        records.append({"benchmark": script.stem, "seconds": seconds, **found})
        why = "".join(f", {key}: {found[key]}" for key in UNMEASURED & found.keys())
        print(f"{seconds:.0f} s{why}")
    return records


UNMEASURED = {"failed", "skipped"}


def measured(script: Path, out: Path, *, short: bool, photographs: Path | None) -> Record:
    """Run a script; return its result file, or why there is none."""
    result, log = out / f"{script.stem}.json", out / f"{script.stem}.log"
    result.unlink(missing_ok=True)
    command = [sys.executable, str(script), "--json", str(result)]
    if script.stem in NEED_PHOTOGRAPHS:
        if photographs is None:
            return {"skipped": "it needs photographs"}
        command.insert(2, str(photographs))
    if short:
        command += SHORT.get(script.stem, "").split()
    with log.open("w") as output:
        code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT).returncode
    last = (log.read_text("utf-8").splitlines() or [""])[-1]
    if missing := MISSING.fullmatch(last):
        return {"skipped": f"{missing[1]} is not installed"}
    if code or not result.exists():
        return {"failed": last or f"exit code {code}"}
    return dict(json.loads(result.read_text("utf-8")))


def machine() -> dict[str, Any]:
    """Describe this machine as far as figures depend on it."""
    import torch

    listed = Path("/proc/cpuinfo")
    text = listed.read_text() if listed.exists() else ""
    names = re.findall(r"^model name\s*: (.+)$", text, re.MULTILINE)
    flags = set(re.findall(r"\w+", "".join(re.findall(r"^flags.*$", text, re.MULTILINE)[:1])))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "instructions": ", ".join(name for flag, name in FLAGS.items() if flag in flags),
        "cores": cores,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def write(out: Path, machine: Mapping[str, Any], records: Sequence[Record]) -> None:
    """Write `bench.json` and, as a table, `bench.md`."""
    files.write_json(out / "bench.json", {"machine": machine, "benchmarks": records}, indent=1)
    described = [f"- {name}: {value or 'none known'}" for name, value in machine.items()]
    lines = ["benchmark", "what", "measured", "value"], ["---", "---", "---", "--:"]
    table = [f"| {' | '.join(line)} |" for line in (*lines, *cells(records))]
    text = "\n".join(["# Benchmarks", "", *described, "", *table, ""])
    files.write(out / "bench.md", text.encode())


def cells(records: Iterable[Record]) -> Iterable[list[str]]:
    """Give the lines of the table: one for each value of each row, which its first texts name."""
    for record in records:
        name = str(record["benchmark"])
        for why in UNMEASURED & record.keys():
            yield [name, why, str(record[why]).replace("|", "/"), ""]
        for row in record.get("rows", ()):
            what = list(takewhile(lambda value: isinstance(value, str), row.values()))
            for column, value in list(row.items())[len(what) :]:
                if value is not None:
                    shown = value if isinstance(value, str) else f"{value:,}"
                    yield [name, ", ".join(what), column, shown]


if __name__ == "__main__":
    main()
