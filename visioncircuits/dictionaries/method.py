"""What the methods of sparse autoencoders share: parameters, reconstruction, constraint."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from visioncircuits.dictionaries.rules import Largest, Rule, in_use
from visioncircuits.errors import InputError

Values = Float[Tensor, "samples atoms"]
Parameters = dict[str, Tensor]
"""`decoder` and `encoder` (`(atoms, units)`; no encoder where it is tied), `bias`, `offset`."""


class Coded(NamedTuple):
    """What a method makes of projections in training.

    Attributes
    ----------
    reconstruction
        Without the offset.
    used
        Which blocks have a code in any of the samples.
    penalty
        For each sample; 0 where the method has none.
    """

    reconstruction: Float[Tensor, "samples units"]
    used: Bool[Tensor, " blocks"]
    penalty: Float[Tensor, " samples"] | float


class Method(ABC):
    """A sparse autoencoder: `train` fits it.

    Projections are ``encoder (y − offset) + bias`` of normalized activations y, codes z are a rule
    of these, and the reconstruction is ``decoderᵀ z + offset``, with atoms of length 1. A subclass
    is a frozen dataclass of numbers.

    Attributes
    ----------
    block_size
        Atoms that are in use together or not at all.
    tied
        Whether the encoder is the decoder.

    Examples
    --------
    >>> from visioncircuits.dictionaries import TopK
    >>> isinstance(TopK(32), Method)
    True
    """

    block_size = 1
    tied = False

    @abstractmethod
    def coded(self, projections: Values, parameters: Parameters) -> Coded:
        """Return what the codes of a batch give."""

    @abstractmethod
    def rule(self, parameters: Parameters, projections: Values) -> Rule:
        """Return how a trained dictionary makes codes of projections, of which it gets a sample."""

    def largest(self, projections: Values, count: int) -> Values:
        """Return the codes of at most `count` blocks, for the loss of dead ones."""
        return Largest(count)(projections)

    def check(self, atoms: int) -> None:
        """Refuse a number of atoms that the method cannot have.

        Raises
        ------
        InputError
            If it is no multiple of the block size, or there are fewer blocks than are in use.
        """
        k = getattr(self, "k", 1)
        if atoms % self.block_size or atoms < k * self.block_size:
            raise InputError(
                f"{self} needs a multiple of {self.block_size} atoms, {k * self.block_size} or "
                f"more, not {atoms}"
            )

    def start(self, units: int, atoms: int, generator: torch.Generator) -> Parameters:
        """Draw the parameters with which training starts; the encoder is the decoder's copy."""
        drawn = {"decoder": torch.randn(atoms, units, generator=generator)}
        self.constrain(drawn)
        if not self.tied:
            drawn |= {"encoder": drawn["decoder"].clone(), "bias": torch.zeros(atoms)}
        return drawn

    def constrain(self, parameters: Parameters) -> None:
        """Give atoms length 1 again after a step."""
        functional.normalize(parameters["decoder"], dim=1, out=parameters["decoder"])

    def project(self, activations: Float[Tensor, "samples units"], given: Parameters) -> Values:
        """Return the projections of normalized activations."""
        encoder = given["decoder" if self.tied else "encoder"]
        # the offset enters by the bias: no gradient through the activations is computed for it
        bias = -(encoder @ given["offset"])
        return functional.linear(activations, encoder, bias + given.get("bias", 0))

    def record(self) -> Mapping[str, Any]:
        """Return the method as JSON can hold it."""
        return {"name": type(self).__name__, **asdict(self)}  # type: ignore[call-overload]


def dense(codes: Values, parameters: Parameters, penalty: Any, block_size: int = 1) -> Coded:
    """Return what codes give that are as many as atoms."""
    used = in_use(codes.detach(), block_size).any(0)
    return Coded(codes @ parameters["decoder"], used, penalty)


def gathered(
    places: Tensor, values: Tensor, parameters: Parameters, *, starts: Tensor | None = None
) -> Coded:
    """Return what the few codes of each sample give, without multiplying the zeros.

    Parameters
    ----------
    places
        Of the atoms, `(samples, k)`; or of all samples in one row.
    values
        The codes, of the same shape.
    starts
        In one row, where each sample's begin.
    """
    decoder = parameters["decoder"]
    total = functional.embedding_bag(places, decoder, starts, mode="sum", per_sample_weights=values)
    used = torch.zeros(len(decoder), dtype=torch.bool, device=decoder.device)
    used[places[values > 0]] = True
    return Coded(total, used, 0.0)
