"""Normalization of activations for a fit, and undoing it in the dictionary that is found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import errors
from visioncircuits.dictionaries.dictionary import Dictionary
from visioncircuits.dictionaries.rules import Rule

KINDS = ("none", "scale", "units")

Activations = Float[Tensor, "samples units"]


@dataclass(frozen=True, eq=False)
class Normalization:
    """The affine map ``(activations − center) / scale``, unit by unit.

    Examples
    --------
    >>> Normalization(torch.tensor([1.0]), torch.tensor([2.0])).applied(torch.tensor([[5.0]]))
    tensor([[2.]])
    """

    center: Float[Tensor, " units"]
    scale: Float[Tensor, " units"]

    @classmethod
    def of(cls, activations: Activations, kind: str, *, centered: bool = True) -> "Normalization":
        """Measure a normalization.

        Parameters
        ----------
        activations
            A sample.
        kind
            "none"; "scale", one number that makes the mean length the root of the number of units;
            or "units", a mean of 0 and a standard deviation of 1 for each (units that are constant
            are only centered).
        centered
            Whether "units" moves the means to 0; without, non-negative activations stay so.

        Raises
        ------
        InputError
            For an unknown kind.
        """
        values = activations.double()
        center, scale = torch.zeros_like(values[0]), torch.ones_like(values[0])
        if kind == "scale":
            scale *= values.norm(dim=1).mean() / values.shape[1] ** 0.5
        elif kind == "units":
            center = values.mean(0) if centered else center
            scale = values.std(0, correction=0)
        elif kind != "none":
            raise errors.unknown("normalization", kind, KINDS)
        constant = scale <= 1e-6 * scale.max()
        return cls(center.float(), torch.where(constant, 1.0, scale).float())

    def applied(self, activations: Activations) -> Activations:
        """Return activations normalized, in float32."""
        return (activations.to(self.center) - self.center) / self.scale

    def undone(
        self,
        layer: str,
        *,
        decoder: Float[Tensor, "atoms units"],
        encoder: Float[Tensor, "atoms units"],
        bias: Float[Tensor, " atoms"],
        offset: Float[Tensor, " units"],
        rule: Rule,
        method: str,
        record: Mapping[str, Any],
    ) -> Dictionary:
        """Return a dictionary in the layer's units from one of normalized activations y.

        Its codes were ``z = rule(encoder (y − offset) + bias)``, its reconstruction
        ``decoderᵀ z + offset``. Computed in float64.

        Examples
        --------
        >>> from visioncircuits.dictionaries import Linear
        >>> eye, zeros = torch.eye(1), torch.zeros(1)
        >>> normalization = Normalization(torch.tensor([1.0]), torch.tensor([2.0]))
        >>> found = normalization.undone("mixed3a", decoder=eye, encoder=eye, bias=zeros,
        ...     offset=zeros, rule=Linear(), method="by hand", record={})
        >>> found.encode(torch.tensor([[5.0]])), found.decode(torch.tensor([[4.0]]))
        (tensor([[4.]]), tensor([[5.]]))
        """
        decoder, encoder, bias, offset, center, scale = (
            each.detach().cpu().double()
            for each in (decoder, encoder, bias, offset, self.center, self.scale)
        )
        directions = decoder * scale
        gain = directions.norm(dim=1)
        return Dictionary(
            layer,
            atoms=(directions / gain.clamp(min=1e-12)[:, None]).float(),
            encoder=(encoder / scale).T.contiguous().float(),
            bias=(bias - encoder @ (offset + center / scale)).float(),
            rule=rule,
            gain=gain.float(),
            center=(offset * scale + center).float(),
            method=method,
            record=record,
        )
