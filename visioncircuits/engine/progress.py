"""How far a long job is, and how long it will still take."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_EVERY = 20.0
"""Seconds between lines where there is no terminal to draw a bar on."""


@contextmanager
def progress(
    label: str, total: int, *, shown: bool = True, console: Console | None = None
) -> Iterator[Callable[[int], None]]:
    """Show a bar with an estimate on stderr, or now and then a line where that is no terminal.

    Yields
    ------
    Callable
        To be told how much more is done.
    """
    console = console or Console(stderr=True, quiet=not shown)
    if console.is_terminal:
        with _bar(console) as bar:
            task = bar.add_task(label, total=total)
            yield lambda more: bar.advance(task, more)
    else:
        yield _lines(console, label, total)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        speed_estimate_period=1800,  # one piece of work may take a minute
    )


def _lines(console: Console, label: str, total: int) -> Callable[[int], None]:
    start = said = time.monotonic()
    done = 0

    def advance(more: int) -> None:
        nonlocal done, said
        done += more
        now = time.monotonic()
        if done and (now - said >= _EVERY or done == total):
            said = now
            left = (now - start) / done * (total - done)
            console.print(f"{label}: {done} of {total}, {left / 60:.1f} minutes left")

    return advance
