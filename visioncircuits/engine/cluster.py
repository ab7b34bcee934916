"""Work on a Ray cluster, such as the machines of a laboratory or of a cloud."""

import logging
import os
import pickle
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from visioncircuits.engine.work import (
    ATTEMPTS,
    Failure,
    Item,
    Outcomes,
    Result,
    attempt,
    call_pickled,
    settled,
)
from visioncircuits.errors import InputError

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no usage statistics are sent
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the default of the next version of Ray
}

_PATIENCE = 10.0
"""Seconds in which a cluster must respond. Ray itself waits two minutes and ends the process."""


@dataclass(frozen=True)
class Cluster:
    """An engine on a Ray cluster; made by `cluster`."""

    address: str | None
    workers: int | None
    threads: int
    gpus: float

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """See `Engine.map`."""
        if items:
            yield from settled(self._spread(function, items), total=len(items))

    def _spread(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Outcomes[Result]:
        import ray
        from ray import cloudpickle

        with self._connected():
            # Ray replaces workers that die, and repeats their task
            task = ray.remote(num_cpus=self.threads, num_gpus=self.gpus, max_retries=ATTEMPTS - 1)(
                _serve
            )
            waiting = deque(range(len(items)))
            most = self.workers or len(items)
            underway: dict[Any, int] = {}
            try:
                while waiting or underway:
                    while waiting and len(underway) < most:
                        index = waiting.popleft()
                        # by value where it is defined in a script or a notebook
                        packed = cloudpickle.dumps(  # type: ignore[no-untyped-call,unused-ignore]
                            (function, items[index])
                        )
                        underway[task.remote(packed, self.threads)] = index
                    for done in ray.wait(list(underway))[0]:
                        yield underway.pop(done), _received(done)
            finally:
                for unfinished in underway:
                    ray.cancel(unfinished, force=True)

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Connect to the cluster meanwhile, or to a new one on this machine."""
        import ray

        if ray.is_initialized():  # by the caller, who also ends it
            yield
            return
        options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
        if self.address is None:
            os.environ.update(_QUIET)
            import torch

            workers = self.workers or torch.get_num_threads()
            options |= {"num_cpus": workers * self.threads, "include_dashboard": False}
        try:
            ray.init(address=self.address or "local", **options)
        except (ConnectionError, ValueError, RuntimeError) as error:
            first = str(error).partition("\n")[0]
            raise InputError(f"Ray cannot be used at {self.address}: {first}") from error
        try:
            yield
        finally:
            ray.shutdown()


def _serve(task: bytes, threads: int) -> Any:
    import torch

    torch.set_num_threads(threads)
    return attempt(call_pickled, task)


def _received(done: Any) -> Any:
    import ray

    try:
        outcome = ray.get(done)
    except ray.exceptions.WorkerCrashedError:
        return Failure(f"its worker was killed, {ATTEMPTS} times")
    except ray.exceptions.RayError as error:
        return Failure(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")
    return pickle.loads(outcome) if isinstance(outcome, bytes) else outcome


def cluster(
    address: str | None = None,
    *,
    workers: int | None = None,
    threads: int = 1,
    gpus: float = 0,
) -> Cluster:
    """Work on a Ray cluster, of the extra `visioncircuits[ray]`.

    All machines need the same versions of Python, Ray and this package, and at the same paths the
    files that the work reads and the folder that it is stored in: results do not pass through the
    driver.

    Parameters
    ----------
    address
        Of the cluster's head, as `ray start --head` prints it: `host:port`; `auto` finds the
        cluster of this machine. By default one is started on this machine and ended afterwards.
    workers
        The maximum number of items that are computed at once; by default as many as the cluster
        can run, or on this machine one per core.
    threads
        Torch threads, and cores, of each worker.
    gpus
        Of each worker, which uses no others. With a fraction, several workers share one.

    Raises
    ------
    InputError
        Where Ray is not installed or there is no cluster at that address.

    Examples
    --------
    >>> cluster("nowhere")
    Traceback (most recent call last):
    visioncircuits.errors.InputError: nowhere is not an address of a cluster; use host:port or auto
    """
    try:
        import ray  # noqa: F401
    except ImportError:
        raise InputError(
            "Ray is not installed; install visioncircuits[ray], or work on this machine with the "
            "engine local"
        ) from None
    for name, value in [("workers", workers), ("threads", threads)]:
        if value is not None and value < 1:
            raise InputError(f"{name} must be 1 or more, not {value}")
    if address not in (None, "auto"):
        _reach(address)
    return Cluster(address, workers, threads, gpus)


def _reach(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise InputError(f"{address} is not an address of a cluster; use host:port or auto")
    try:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()
    except OSError as error:
        raise InputError(
            f"no Ray cluster responds at {address} ({error}); start one with `ray start --head`"
        ) from error
