"""Progress of a long job, with an estimate of the time that is left."""

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

Advance = Callable[[int], object]
"""Is called with how many more are done."""

_EVERY = 20.0
"""Seconds between lines where there is no terminal for a bar."""


@contextmanager
def bar(
    label: str, total: int | None, *, visible: bool = True, console: Console | None = None
) -> Iterator[Advance]:
    """Show a bar with an estimate on stderr, or a line every 20 seconds where that is no terminal.

    Parameters
    ----------
    label
        What is counted, such as "photographs".
    total
        How many there are; None where that is not known.
    visible
        Every function that takes long has an option `progress`, off by default, which is this.
    console
        By default stderr.

    Yields
    ------
    Advance
        To call with how many more are done.

    Examples
    --------
    >>> with bar("photographs", 3, visible=False) as advance:
    ...     for photograph in range(3):
    ...         advance(1)
    """
    console = console or Console(stderr=True, quiet=not visible)
    if console.is_terminal:
        with _bar(console) as drawn:
            task = drawn.add_task(label, total=total)
            yield lambda more: drawn.advance(task, more)
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
        speed_estimate_period=1800,  # an item may take a minute
    )


def _lines(console: Console, label: str, total: int | None) -> Advance:
    start = printed = time.monotonic()
    done = 0

    def advance(more: int) -> None:
        nonlocal done, printed
        done += more
        now = time.monotonic()
        if done and (now - printed >= _EVERY or done == total):
            printed = now
            if total is None:
                console.print(f"{label}: {done}, {(now - start) / 60:.1f} minutes")
            else:
                left = (now - start) / done * (total - done)
                console.print(f"{label}: {done} of {total}, {left / 60:.1f} minutes left")

    return advance


def no_progress(more: int) -> None:
    """Show nothing: what functions call that are a step of a longer one without a bar."""
