"""Work in this process, or on processes of this machine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from visioncircuits.engine import processes
from visioncircuits.engine.work import Item, Outcomes, Result, attempt, settled
from visioncircuits.errors import InputError


@dataclass(frozen=True)
class Local:
    """An engine on this machine; made by `local`."""

    workers: int
    threads: int
    gpus: tuple[str, ...] = ()

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """See `Engine.map`."""
        workers = min(self.workers, len(items))
        if workers > 1:
            outcomes = processes.spread(
                function, items, workers=workers, threads=self.threads, gpus=self.gpus
            )
        else:
            outcomes = _here(function, items, threads=self.threads)
        yield from settled(outcomes, total=len(items))


def _here(
    function: Callable[[Item], Result], items: Sequence[Item], *, threads: int
) -> Outcomes[Result]:
    import torch

    for index, item in enumerate(items):
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            outcome = attempt(function, item)
        finally:
            torch.set_num_threads(before)
        yield index, outcome


def local(*, workers: int | None = None, threads: int = 1, gpus: Sequence[str] = ()) -> Local:
    """Work on the cores of this machine.

    By default one torch thread a worker, whatever their number: two processes of one thread are
    nearly twice as fast as one of two threads (a second thread makes a batch's convolutions 1.2
    times as fast), and a sum split over threads may round differently, whereas here the number of
    workers does not change a byte.

    Parameters
    ----------
    workers
        How many processes; with 1 all work is done in this process. By default as many as torch
        would use threads, one per core.
    threads
        Torch threads of each worker.
    gpus
        Each worker uses one of these, as its `cuda`: names as in `CUDA_VISIBLE_DEVICES`. A single
        worker is this process and uses the GPUs of this process.

    Raises
    ------
    InputError
        For fewer than one worker or thread.

    Examples
    --------
    >>> sorted(local(workers=1).map(abs, [-3, 4]))
    [(0, 3), (1, 4)]
    """
    for name, value in [("workers", workers), ("threads", threads)]:
        if value is not None and value < 1:
            raise InputError(f"{name} must be 1 or more, not {value}")
    if workers is None:
        import torch  # for the number of cores; not before the checks, as it takes long

        workers = torch.get_num_threads()
    return Local(workers, threads, tuple(gpus))
