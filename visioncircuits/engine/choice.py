"""Choosing an engine by its name."""

from visioncircuits import errors
from visioncircuits.engine.cluster import cluster
from visioncircuits.engine.devices import gpus
from visioncircuits.engine.local import local
from visioncircuits.engine.work import Engine
from visioncircuits.errors import InputError

KINDS = ("local", "ray")


def choose(
    kind: str = "local",
    *,
    workers: int | None = None,
    address: str | None = None,
    device: str = "cpu",
) -> Engine:
    """Return an engine.

    Parameters
    ----------
    kind
        `local` for processes of this machine, `ray` for a cluster.
    workers
        How many. By default one per core on the CPU, one per GPU with `cuda`, one on any other
        device, or as many as the cluster can run.
    address
        Of the cluster; see `cluster`.
    device
        That the work computes on. With `cuda` the workers use one GPU each, and share them evenly
        where there are more workers than GPUs; with `cuda:1` all use that one.

    Raises
    ------
    InputError
        For an unknown kind, an address with `local`, a GPU by number with `ray`, or a cluster that
        cannot be reached.

    Examples
    --------
    >>> choose("local", workers=2)
    Local(workers=2, threads=1, gpus=())
    """
    if kind == "ray":
        if device.startswith("cuda:"):
            raise InputError(f"a cluster gives each worker its GPU: choose cuda, not {device}")
        return cluster(address, workers=workers, gpus=int(device == "cuda"))
    if kind != "local":
        raise errors.unknown("engine", kind, KINDS)
    if address is not None:
        raise InputError(f"the engine local has no address; for {address} choose the engine ray")
    devices = gpus() if device == "cuda" else ()
    usual = None if device == "cpu" else max(len(devices), 1)
    return local(workers=workers or usual, gpus=devices)
