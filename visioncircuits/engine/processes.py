"""Workers: processes that compute one item at a time, and are replaced when they die."""

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

from visioncircuits import own_files
from visioncircuits.engine import devices
from visioncircuits.engine.work import (
    ATTEMPTS,
    Failure,
    Item,
    Outcomes,
    Result,
    attempt,
    call_pickled,
)
from visioncircuits.errors import InputError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Death:
    """The outcome of a worker whose process has ended."""

    how: str


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Any
    slot: int
    ready: bool = False
    index: int | None = None

    def send(self, index: int, task: bytes) -> None:
        self.index = index
        with contextlib.suppress(BrokenPipeError):  # it has died: `receive` returns that
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

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _start(slot: int, threads: int, gpus: Sequence[str]) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    environment = devices.own(slot, gpus)
    process = context.Process(
        target=_serve, args=(theirs, threads, environment, own_files.imported()), daemon=True
    )
    process.start()
    theirs.close()  # so that the pipe ends when the worker does
    return _Worker(process, ours, slot)


def _serve(
    pipe: Any, threads: int, environment: Mapping[str, str], files: Mapping[str, str]
) -> None:
    """Run tasks until the driver ends."""
    os.environ.update(environment)  # before CUDA is initialized
    own_files.importable(files)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver handles ctrl-C
    threading.Thread(target=_follow_driver, daemon=True).start()
    import torch

    torch.set_num_threads(threads)
    outcome: Any = "ready"
    while True:
        pipe.send_bytes(outcome if isinstance(outcome, bytes) else pickle.dumps(outcome))
        outcome = attempt(call_pickled, pipe.recv_bytes())


def _follow_driver() -> None:
    """End with the driver, even during a task and however the driver ended."""
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
    """Yield `(index, outcome)` for every item, as workers finish.

    A worker that dies during an item is replaced and the item is repeated.

    Raises
    ------
    InputError
        Where a worker cannot start.
    """
    waiting = deque(range(len(items)))
    deaths: Counter[int] = Counter()
    unfinished = len(items)
    workers_by_pipe = {
        worker.pipe: worker for worker in [_start(slot, threads, gpus) for slot in range(workers)]
    }
    try:
        while unfinished:
            for pipe in wait(list(workers_by_pipe)):
                worker = workers_by_pipe[pipe]
                index, outcome = worker.index, worker.receive()
                if isinstance(outcome, _Death):
                    if not worker.ready:
                        raise InputError(
                            f"a worker {outcome.how} before it could start; a script must call "
                            "this under `if __name__ == '__main__':`, or ask for workers=1"
                        )
                    workers_by_pipe.pop(pipe).end()
                    if index is not None:
                        deaths[index] += 1
                        if deaths[index] < ATTEMPTS:
                            log.warning("a worker %s; its item is repeated", outcome.how)
                            waiting.appendleft(index)
                            index = None
                        outcome = Failure(f"its worker {outcome.how}, {ATTEMPTS} times")
                    if waiting:
                        worker = _start(worker.slot, threads, gpus)
                        workers_by_pipe[worker.pipe] = worker
                elif waiting:
                    following = waiting.popleft()
                    worker.send(following, pickle.dumps((function, items[following])))
                else:
                    worker.index = None
                if index is not None:
                    unfinished -= 1
                    yield index, outcome
    finally:
        for worker in workers_by_pipe.values():
            worker.end()
