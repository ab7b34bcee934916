"""Donors: what takes the place of a family of units, chosen beforehand or fitted to the family."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from visioncircuits.interventions.controls import units_of
from visioncircuits.networks import Features, Network
from visioncircuits.networks.grids import onto

Maps = Float[Tensor, "batch units rows columns"]

Sources = Float[Tensor, "batch sources rows columns"]

Kernels = Float[Tensor, "units sources width width"]

AT_ONCE = 10
"""Photographs whose neighborhoods are in memory at once."""


@dataclass(frozen=True)
class Donor:
    """Units that take the place of a family.

    Attributes
    ----------
    network
        That they are computed in, from the pixels.
    features
        One unit for each of the family, in the family's order, before the layer's rectifier: what
        is passed on is decided anew, see `score_transplant`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> donor = Donor(untrained("bvlc_googlenet"), ["mixed3a_pre_relu:7", "mixed3a_pre_relu:9"])
    >>> donor.layer, donor.units
    ('mixed3a_pre_relu', [7, 9])
    """

    network: Network
    features: Features

    @property
    def layer(self) -> str:
        """Their layer."""
        return units_of(self.network, self.features)[0]

    @property
    def units(self) -> list[int]:
        """Their indices in the layer."""
        return units_of(self.network, self.features)[1]

    def record(self) -> dict[str, Any]:
        """Describe it as plain data, for provenance."""
        return {"network": self.network.record(), "layer": self.layer, "units": self.units}


@dataclass(frozen=True)
class Ridge:
    """Sums of a layer's units, fitted to a family by ridge regression on photographs.

    Photographs that it is scored on are not those that it is fitted on; see `score_transplant`.

    Attributes
    ----------
    network, layer
        What is summed.
    width
        Of the neighborhood that it is summed over, in positions; odd.
    penalty
        On the squared weights of units scaled to a variance of 1, over the number of positions.

    Examples
    --------
    >>> from visioncircuits.handwritten import gabors
    >>> Ridge(gabors(wavelengths=(10.0,)), "energies", width=3).record()["width"]
    3
    """

    network: Network
    layer: str
    width: int = 1
    penalty: float = 0.1

    def fit(self, sources: Sources, family: Maps) -> Kernels:
        """Fit the weights of each unit of a family, without the constant.

        Parameters
        ----------
        sources
            The layer's values on some photographs.
        family
            The units' values before their rectifier, at the same places.
        """
        mean, spread = (
            each.repeat_interleave(self.width**2)
            for each in (sources.mean((0, 2, 3)), sources.std((0, 2, 3)).clamp(min=1e-12))
        )
        wanted = family - family.mean((0, 2, 3), keepdim=True)
        total = mean.new_zeros(len(mean))
        gram, product = (mean.new_zeros(len(mean), size) for size in (len(mean), wanted.shape[1]))
        for start in range(0, len(sources), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            rows = functional.unfold(_bordered(sources[some], self.width), self.width)
            rows = (rows.transpose(0, 1).flatten(1) - mean[:, None]) / spread[:, None]
            total += rows.sum(1)
            gram += rows @ rows.T
            product += rows @ wanted[some].transpose(0, 1).flatten(1).T
        count = wanted[:, 0].numel()
        gram = gram / count - torch.outer(total, total) / count**2
        gram.diagonal().add_(self.penalty)
        weights = torch.linalg.solve(gram, product)
        kernels: Tensor = (weights / count / spread[:, None]).T
        return kernels.reshape(wanted.shape[1], -1, self.width, self.width)

    def record(self) -> dict[str, Any]:
        """Describe it as plain data, for provenance."""
        return {
            "network": self.network.record(),
            "layer": self.layer,
            "width": self.width,
            "penalty": self.penalty,
        }


@dataclass(frozen=True)
class Nearest:
    """Units of a layer, each the one whose activations correlate most with one unit of a family.

    Like `Ridge` they are chosen on other photographs than those that they are scored on.

    Attributes
    ----------
    network, layer
        Which units are chosen from.
    but
        Indices of units that are not, such as the family itself.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> siblings = Nearest(untrained("bvlc_googlenet"), "mixed3b_pre_relu", but=(413, 408))
    >>> values = torch.rand(2, 480, 4, 4)
    >>> siblings.fit(values, 3 - values[:, [7]]).argmax().item() == 7  # it correlates at -1
    False
    """

    network: Network
    layer: str
    but: tuple[int, ...] = ()

    def fit(self, sources: Sources, family: Maps) -> Kernels:
        """Return 1 for each unit's nearest and 0 for all others, as kernels of one position."""
        units, others = (
            functional.normalize(rows - rows.mean(1, keepdim=True))
            for rows in (maps.relu().transpose(0, 1).flatten(1) for maps in (family, sources))
        )
        alike = units @ others.T
        alike[:, list(self.but)] = -np.inf
        chosen = functional.one_hot(alike.argmax(1), len(others))
        kernels: Tensor = chosen.to(sources)[:, :, None, None]
        return kernels

    def record(self) -> dict[str, Any]:
        """Describe it as plain data, for provenance."""
        return {"network": self.network.record(), "layer": self.layer, "but": list(self.but)}


Fitted = Ridge | Nearest


def sources(
    donors: Mapping[str, Donor | Fitted],
    network: Network,
    layers: Sequence[str],
    pictures: Float[Tensor, "batch channels height width"],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Compute a family's layers whole, and what donors are made of, each network run once.

    That is, by name and at the positions of the first of the layers, the units of a `Donor`, and
    the whole layer of the others; all on the network's device.
    """
    needed = {id(network.module): (network, set(layers))}
    for donor in donors.values():
        needed.setdefault(id(donor.network.module), (donor.network, set()))[1].add(donor.layer)
    found = {
        key: each.activations(pictures, sorted(names)) for key, (each, names) in needed.items()
    }
    maps = {}
    for name, donor in donors.items():
        here = donor.network.layer_at(donor.layer, network.size)
        values = found[id(donor.network.module)][donor.layer].to(network.device)
        if isinstance(donor, Donor):
            values = values[:, donor.units]
        maps[name] = onto(values, here, network.layer(layers[0]))
    return {name: found[id(network.module)][name] for name in layers}, maps


def combined(sources: Sources, kernels: Kernels) -> Maps:
    """Sum a layer's units with fitted kernels, at the same positions."""
    return functional.conv2d(_bordered(sources, kernels.shape[-1]), kernels)


def _bordered(maps: Sources, width: int) -> Float[Tensor, "batch sources _ _"]:
    """Repeat the outermost values, so that as many neighborhoods as positions are whole."""
    return functional.pad(maps, [width // 2] * 4, mode="replicate")
