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
        How many; by default one per core or GPU, or as many as the cluster can run.
    address
        Of the cluster; see `cluster`.
    device
        With `cuda` each worker uses a GPU of its own.

    Raises
    ------
    InputError
        For an unknown kind, an address with `local`, or a cluster that cannot be reached.

    Examples
    --------
    >>> choose("local", workers=2)
    Local(workers=2, threads=1, gpus=())
    """
    if kind == "ray":
        return cluster(address, workers=workers, gpus=int(device == "cuda"))
    if kind != "local":
        raise errors.unknown("engine", kind, KINDS)
    if address is not None:
        raise InputError(f"the engine local has no address; for {address} choose the engine ray")
    devices = gpus() if device == "cuda" else ()
    return local(workers=workers or len(devices) or None, gpus=devices)
