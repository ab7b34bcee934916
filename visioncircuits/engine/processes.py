"""Workers: processes that take one item at a time, and are replaced when they die."""

import contextlib
import logging
import multiprocessing
import os
import pickle
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

from visioncircuits.engine import devices
from visioncircuits.engine.work import ATTEMPTS, Failure, Item, Outcomes, Result, attempt, carry_out
from visioncircuits.errors import InputError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Death:
    """What comes from a worker whose process has ended."""

    how: str


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Any
    seat: int
    ready: bool = False
    index: int | None = None

    def give(self, index: int, task: bytes) -> None:
        self.index = index
        with contextlib.suppress(BrokenPipeError):  # it has died: `receive` will say so
            self.pipe.send_bytes(task)

    def receive(self) -> Any:
        try:
            outcome = pickle.loads(self.pipe.recv_bytes())
        except (EOFError, OSError):
            self.process.join()
            code = self.process.exitcode or 0
            killed = f"was killed (signal {-code})"
            return _Death(killed if code < 0 else f"ended with exit code {code}")
        self.ready = True
        return outcome

    def dismiss(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _hire(seat: int, threads: int, gpus: Sequence[str]) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_serve, args=(theirs, threads, devices.own(seat, gpus)), daemon=True
    )
    process.start()
    theirs.close()  # so that the pipe ends when the worker does
    return _Worker(process, ours, seat)


def _serve(pipe: Any, threads: int, environment: Mapping[str, str]) -> None:
    """Carry out tasks until the driver is gone."""
    os.environ.update(environment)  # before CUDA is first asked for anything
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what ctrl-C means
    threading.Thread(target=_follow_driver, daemon=True).start()
    import torch

    torch.set_num_threads(threads)
    outcome: Any = "ready"
    while True:
        pipe.send_bytes(outcome if isinstance(outcome, bytes) else pickle.dumps(outcome))
        outcome = attempt(carry_out, pipe.recv_bytes())


def _follow_driver() -> None:
    """End with the driver, even in mid-work and however it was ended."""
    driver = multiprocessing.parent_process()
    assert driver is not None
    wait([driver.sentinel])
    os._exit(1)


def spread(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int,
    threads: int,
    gpus: Sequence[str] = (),
) -> Outcomes[Result]:
    """Give `(index, outcome)` for every item, as workers finish.

    A worker that dies in mid-work is replaced and its item done again.

    Raises
    ------
    InputError
        Where a worker cannot even start.
    """
    waiting = deque(range(len(items)))
    deaths: Counter[int] = Counter()
    unfinished = len(items)
    crew = {
        worker.pipe: worker for worker in [_hire(seat, threads, gpus) for seat in range(workers)]
    }
    try:
        while unfinished:
            for pipe in wait(list(crew)):
                worker = crew[pipe]
                index, outcome = worker.index, worker.receive()
                if isinstance(outcome, _Death):
                    if not worker.ready:
                        raise InputError(
                            f"a worker {outcome.how} before it could start; a script must call "
                            "this under `if __name__ == '__main__':`, or ask for workers=1"
                        )
                    crew.pop(pipe).dismiss()
                    if index is not None:
                        deaths[index] += 1
                        if deaths[index] < ATTEMPTS:
                            log.warning("a worker %s; its work is done again", outcome.how)
                            waiting.appendleft(index)
                            index = None
                        outcome = Failure(f"its worker {outcome.how}, {ATTEMPTS} times")
                    if waiting:
                        worker = _hire(worker.seat, threads, gpus)
                        crew[worker.pipe] = worker
                elif waiting:
                    following = waiting.popleft()
                    worker.give(following, pickle.dumps((function, items[following])))
                else:
                    worker.index = None
                if index is not None:
                    unfinished -= 1
                    yield index, outcome
    finally:
        for worker in crew.values():
            worker.dismiss()
