"""Splitting a polysemantic unit into parts, one for each kind of example.

Dreyer et al., "PURE" (2024), replace a polysemantic neuron by virtual neurons, each of which
activates where the attributions to the layer below are nearest to its cluster's. Here the choice is
gradual, so that a sum of two units splits into these two. At every position a part's share of the
unit's pre-activation is how much of the contributions its parent accounts for:

1. A parent is what drives the unit in one cluster of its examples: the mean contributions `d_k` of
   the layer below, scaled so that those that excite add up to 1.
2. At a position with contributions `c`, the parents are fitted to them, `c ≈ Σ_k α_k d_k`, by least
   squares, and what is negative is set to 0. As contributions are activation times gradient, `α_k`
   is a directional derivative: by how much the pre-activation grows as each activation of the layer
   below grows in proportion to an entry of the pseudo-inverse of `d`.
3. Part k is `relu(z) α_k / Σ α − relu(−z) / parts` of the pre-activation `z`: what excites is
   divided by the parents, what inhibits equally.

Parts therefore add up to the pre-activation, and their rectified values to the activation.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import __version__, datasets
from visioncircuits.datasets import Photographs, Source
from visioncircuits.dictionaries.clustering import DRAWS, Clusters, clusters
from visioncircuits.dictionaries.drivers import TOP, Drivers, drivers, pre_activation
from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Network, Unit

_STEP = 2.0**-10
"""Relative growth of an activation, at most, by which derivatives are taken."""

_DRIVERS = 3
"""Units of the layer below that the table names for each part."""

Parts = Float[Tensor, "batch parts rows columns"]


@dataclass(frozen=True, eq=False)
class Split:
    """A unit, its kinds of examples, and what of the layer below drives it in each.

    A notebook shows `split_panel`.

    Attributes
    ----------
    network
        Of the unit.
    drivers
        The unit's examples, with what drives it in each.
    clusters
        Which examples are of one kind; one cluster where the unit is whole.
    parents
        For each cluster, the largest first, the direction in the layer below that drives the unit:
        the mean contributions, of length 1.
    fit : Tensor, (parts, units)
        From contributions to how much of them each parent accounts for.
    photographs
        In which the examples are.
    record
        How it was made, as plain data.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> found = split(untrained("bvlc_googlenet"), "mixed3b:200", torch.rand(3, 3, 224, 224))
    >>> found
    Split(mixed3b:200 is whole: 3 examples, p = 1)
    """

    network: Network
    drivers: Drivers
    clusters: Clusters
    parents: tuple[Direction, ...]
    fit: Float[Tensor, "parts units"]
    photographs: Photographs
    record: dict[str, Any]

    @property
    def unit(self) -> Unit:
        """The unit that was split."""
        return self.drivers.unit

    def __len__(self) -> int:
        return len(self.parents)

    def __repr__(self) -> str:
        sizes = " + ".join(map(str, self.clusters.sizes))
        kinds = f"has {len(self)} parts" if len(self) > 1 else "is whole"
        return f"Split({self.unit} {kinds}: {sizes} examples, p = {self.clusters.p:.2g})"

    def values(self, pictures: Float[Tensor, "batch channels height width"]) -> Parts:
        """Compute the parts' pre-activations on pictures; they add up to the unit's.

        Raises
        ------
        InputError
            For pictures that the network cannot take.
        """
        plain, below = self.network.unchanged(), self.drivers.below
        maps = plain.activations(pictures, [below])[below]
        values = pre_activation(plain, self.unit, pictures, below, maps)
        shares = shares_of(plain, self.unit, below, self.fit, pictures, maps, values)
        return divided(values, shares)

    def table(self) -> pd.DataFrame:
        """Return a row a part: examples, its share of them and of others, strongest drivers.

        `own` is the mean share that the part has of its own examples' contributions, `other` of
        those of the other parts' examples; `drivers` are the units of the layer below that add most
        in its own.
        """
        account = (self.drivers.contributions @ self.fit.T).clamp_min(0)
        shares = account / account.sum(1, keepdim=True).clamp_min(1e-12)
        rows = []
        for part, size in enumerate(self.clusters.sizes):
            own = self.clusters.labels == part
            strongest = torch.tensor(self.parents[part].weights).topk(_DRIVERS)
            rows.append(
                {
                    "part": part,
                    "examples": size,
                    "own": float(shares[own, part].mean()),
                    "other": float(shares[~own, part].mean()) if len(self) > 1 else float("nan"),
                    "drivers": [f"{self.drivers.below}:{unit}" for unit in strongest.indices],
                }
            )
        return pd.DataFrame(rows).set_index("part")

    def _repr_png_(self) -> bytes:
        from visioncircuits.dictionaries.split_panel import split_panel

        return split_panel(self)._repr_png_()


def split(
    network: Network,
    unit: str | Unit,
    photographs: Source,
    *,
    below: str | None = None,
    top: int = TOP,
    draws: int = DRAWS,
    seed: int = 0,
    progress: bool = False,
) -> Split:
    """Take a polysemantic unit apart into the things that activate it.

    Parameters
    ----------
    network
        Any network.
    unit
        Of a layer with positions, behind the first.
    photographs
        Any, a hundred or more.
    below
        The layer below, of which the parents are directions; by default the last main layer before
        the unit's.
    top
        How many of the unit's strongest examples are compared, one a photograph.
    draws, seed
        As in `clusters`, whose rule decides how many parts there are.
    progress
        Whether to show a bar.

    Returns
    -------
    Split
        With one part where the unit is whole.

    Raises
    ------
    InputError
        As `drivers`, and for a unit that no photograph activates.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(3, 3, 224, 224)
    >>> found = split(network, "mixed3b:200", pictures)
    >>> before = network.activations(pictures, ["mixed3b_pre_relu"])["mixed3b_pre_relu"][:, 200]
    >>> torch.allclose(found.values(pictures).sum(1), before)
    True
    """
    given = datasets.photographs(photographs, labels="none")
    (found,) = drivers(network, unit, given, below=below, top=top, progress=progress)
    if not found.names:
        raise InputError(f"no photograph activates {unit}; give it more, or choose another unit")
    return parted(network, found, given, draws=draws, seed=seed)


def parted(
    network: Network, found: Drivers, photographs: Photographs, *, draws: int = DRAWS, seed: int = 0
) -> Split:
    """Split as `split` does, given what drives the unit."""
    kinds = clusters(found.contributions, draws=draws, seed=seed)
    means = torch.stack(
        [found.contributions[kinds.labels == number].mean(0) for number in range(len(kinds))]
    )
    profiles = means / means.clamp_min(0).sum(1, keepdim=True).clamp_min(1e-12)
    fit = torch.linalg.pinv(profiles.double().T).float()
    parents = tuple(
        Direction(found.below, mean / mean.norm(), name=f"{found.unit} part {number}")
        for number, mean in enumerate(means)
    )
    record = {
        "visioncircuits": __version__,
        "torch": torch.__version__,
        "device": network.device.type,
        "network": network.record(),
        "unit": found.unit.record(),
        "photographs": photographs.digest(),
        "examples": len(found.names),
        "draws": draws,
        "seed": seed,
    }
    return Split(network, found, kinds, parents, fit, photographs, record)


def shares_of(
    network: Network,
    unit: Unit,
    below: str,
    fit: Float[Tensor, "parts units"],
    pictures: Float[Tensor, "batch channels height width"],
    maps: Float[Tensor, "batch units rows2 columns2"],
    before: Float[Tensor, "batch rows columns"],
) -> Parts:
    """Compute each part's share of what excites the unit, where the layer below has values.

    Shares add up to 1 at every position; where no parent accounts for anything they are equal. The
    unit's pre-activation is `before`.
    """
    accounted = []
    for row in fit.to(maps):
        step = _STEP / row.abs().max().clamp_min(1e-12)
        grown = maps * (1 + step * row[:, None, None])
        after = pre_activation(network, unit, pictures, below, grown)
        accounted.append(((after - before) / step).clamp_min(0))
    each = torch.stack(accounted, 1)
    total = each.sum(1, keepdim=True)
    return torch.where(total > 0, each / total.clamp_min(1e-12), 1 / len(fit))


def divided(values: Float[Tensor, "batch rows columns"], shares: Parts) -> Parts:
    """Divide what excites by shares, and what inhibits equally."""
    each = values[:, None]
    return each.clamp_min(0) * shares + each.clamp_max(0) / shares.shape[1]
