"""The network that a worker computes with."""

from functools import cache
from pathlib import Path

from visioncircuits import networks
from visioncircuits.networks import Network


@cache
def loaded(name: str, checkpoint: Path | None, device: str = "cpu") -> Network:
    """Load a network, once in a process."""
    return networks.load(name, checkpoint=checkpoint, device=device)
