"""Where the activations come from that a dictionary is trained on."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError


@runtime_checkable
class Source(Protocol):
    """Gives the activations of any training step, so that training resumes at any.

    `train` takes a tensor too. A store on disk is one, and so is a network with photographs.

    Examples
    --------
    >>> isinstance(Held(torch.rand(10, 3)), Source)
    True
    """

    @property
    def units(self) -> int:
        """How many the layer has."""

    def batch(self, step: int, *, size: int, seed: int) -> Float[Tensor, "size units"]:
        """Return the activations of a step: the same for the same step, size and seed."""


@dataclass(frozen=True, eq=False)
class Held:
    """Activations in memory, in a new random order each time that all were drawn.

    Examples
    --------
    >>> source = Held(torch.arange(4.0)[:, None])
    >>> epoch = torch.cat([source.batch(step, size=2, seed=0) for step in range(2)])
    >>> epoch.flatten().sort().values
    tensor([0., 1., 2., 3.])
    """

    activations: Float[Tensor, "samples units"]

    @property
    def units(self) -> int:
        """How many the layer has."""
        return self.activations.shape[1]

    def batch(self, step: int, *, size: int, seed: int) -> Float[Tensor, "size units"]:
        """Return the next `size` samples of the order, which ends anywhere in a batch."""
        samples = len(self.activations)
        places = torch.arange(step * size, (step + 1) * size)
        drawn = torch.empty_like(places)
        for epoch in range(int(places[0]) // samples, int(places[-1]) // samples + 1):
            within = places // samples == epoch
            drawn[within] = _order(samples, seed, epoch)[places[within] % samples]
        return self.activations[drawn.to(self.activations.device)]


def _order(samples: int, seed: int, epoch: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    return torch.randperm(samples, generator=generator)


def checked(activations: Float[Tensor, "samples units"]) -> Float[Tensor, "samples units"]:
    """Return activations that a dictionary can be found in.

    Raises
    ------
    InputError
        If a number is not finite, or all samples are the same.
    """
    if not activations.isfinite().all():
        raise InputError("activations have numbers that are not finite; no dictionary fits them")
    if not (activations != activations[:1]).any():
        raise InputError("all activations are the same; pass those of several photographs")
    return activations
