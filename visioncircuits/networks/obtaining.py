"""How workers obtain the network of a job: each loads it by its name, or it is this process's."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from visioncircuits.errors import InputError
from visioncircuits.networks import catalog, names
from visioncircuits.networks.network import Network

Obtain = Callable[[], Network]
"""Returns the network; pickled for the workers of other processes."""


@dataclass(frozen=True)
class Named:
    """A network that every other process loads once, by its name."""

    name: str
    checkpoint: Path | None
    device: str
    precision: str
    network: Network

    def __call__(self) -> Network:
        return self.network

    def __reduce__(self) -> tuple[Any, ...]:
        return partial, (catalog.loaded, self.name, self.checkpoint, self.device, self.precision)


@dataclass(frozen=True, eq=False)
class Given:
    """A network of this process, which no other can load."""

    network: Network

    def __call__(self) -> Network:
        return self.network

    def __reduce__(self) -> NoReturn:
        raise self.refusal()

    def refusal(self) -> InputError:
        """Return the error for work in other processes."""
        return InputError(
            f"{self.network.name} is an object of this process, and other processes cannot load "
            "it; work in this one (engine.local(workers=1)), or name a function that every worker "
            "calls, as 'my_cnn.py:build'"
        )


def obtaining(
    network: str | Network,
    *,
    checkpoint: str | Path | None = None,
    device: str | None = None,
    precision: str | None = None,
) -> Named | Given:
    """Return how workers obtain a network.

    Parameters
    ----------
    network
        A name, as for `load`, or a network.
    checkpoint, device, precision
        As for `load`. A given network has its own parameters, and stays on its device and in its
        precision where these are not given.

    Raises
    ------
    InputError
        For a checkpoint beside a given network, or what `load` refuses.

    Examples
    --------
    >>> obtaining("handwritten:lines")()
    HandwrittenNetwork('handwritten:lines', mixed3a: 12 line, on cpu)
    """
    if isinstance(network, Network):
        if checkpoint is not None:
            raise InputError(
                f"{network.name} has its parameters; a checkpoint goes with a network's name"
            )
        given = network if device is None else network.to(device)
        return Given(given if precision is None else given.computing_in(precision))
    path = None if checkpoint is None else Path(checkpoint).absolute()
    name, device, precision = names.absolute(network), device or "cpu", precision or "float32"
    loaded = catalog.load(name, checkpoint=path, device=device, precision=precision)
    return Named(name, path, device, precision, loaded)


def checked(network: Network, planned: Mapping[str, Any]) -> Network:
    """Return a worker's network, checked to be the one that its work was planned with.

    Raises
    ------
    InputError
        Where its record is another than the `planned` one.
    """
    own, other = (json.dumps(record, sort_keys=True) for record in (network.record(), planned))
    if own != other:
        raise InputError(
            f"a worker has another checkpoint of {network.name} than the work was planned with, or "
            "other preprocessing; use the same file on all machines, and let a function of your "
            "own return the same network each time"
        )
    return network
