"""Result files: what a script measured, when, on which machine and by which command.

`docs/figures.py` makes tables of those in `docs/results`, so that pages hold no typed figure.
"""

import argparse
import datetime
import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from visioncircuits import files

Cell = str | float | None


def option(parser: argparse.ArgumentParser) -> None:
    """Add `--json`, which names the file; a name that cannot be written ends the script at once."""
    parser.add_argument(
        "--json", type=_json, metavar="FILE", help="also write the pages' rows to docs/results/…"
    )


def write(
    path: Path | None,
    rows: Sequence[Mapping[str, Cell]],
    *,
    device: str = "cpu",
    machine: str | None = None,
) -> None:
    """Write a result file, if one was asked for.

    Parameters
    ----------
    path
        As `--json` gives it.
    rows
        Of the page's table, rounded as it shows them: the first columns name what was measured.
    device
        Where it ran.
    machine
        What the figures depend on; this machine if not given.
    """
    if path is None:
        return
    script = f"scripts/{Path(sys.argv[0]).name}"
    record = {
        "machine": machine or this_machine(device),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "script": script,
        "command": shlex.join(["python", script, *map(_anywhere, sys.argv[1:])]),
        "rows": [dict(row) for row in rows],
    }
    files.write_json(path, record, indent=1)


def this_machine(device: str) -> str:
    """Name the processor or the GPU, how many cores may be used, and torch's version."""
    if device.startswith("cuda"):
        return f"one {torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} {'core' if cores == 1 else 'cores'} of {name}, torch {torch.__version__}"


def _json(text: str) -> Path:
    if not text.endswith(".json"):
        raise argparse.ArgumentTypeError(f"{text} cannot be written: name it .json")
    return Path(text)


def _anywhere(argument: str) -> str:
    """Leave out where a file lies on this machine."""
    return Path(argument).name if Path(argument).is_absolute() else argument
