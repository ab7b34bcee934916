"""Do independent sides of a unit agree on what drives it?

Photographs, synthetic stimuli, optimized pictures and weights are independent ways to look at a
unit, of the seven arguments of "Curve Detectors" (Cammarata et al., 2020). Each shows what drives
the unit from the layer below, as `drivers` measures it, or as its weights state it. Of a unit that
detects one thing all should show the same; of a polysemantic unit one side may show one of its
things, and another a mixture.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from visioncircuits.datasets import Source
from visioncircuits.dictionaries.drivers import drivers
from visioncircuits.dictionaries.monosemanticity import embeddings
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Unit
from visioncircuits.weights import expanded_weights

WEIGHTS = "weights"
"""Name of the side that needs no pictures."""


@dataclass(frozen=True, eq=False)
class Sides:
    """What drives a unit from the layer below, as seen from several sides.

    Attributes
    ----------
    unit
        The unit.
    below
        The layer below.
    profiles : Mapping of str to Tensor, (examples, units)
        For each side, what each unit of the layer below adds, in each of its examples.

    Examples
    --------
    A unit that two sides show as driven by the same, and a third by something else in one example
    of two:

    >>> one, two = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    >>> found = Sides(Unit("mixed3b", 0), "mixed3a", {"a": one, "b": 2 * one, "c": two})
    >>> found
    Sides(mixed3b:0 from mixed3a: a, b, c agree by 0.67)
    >>> float(found.table().loc["a", "c"])
    0.5
    """

    unit: Unit
    below: str
    profiles: Mapping[str, Float[Tensor, "examples units"]]

    @property
    def agreement(self) -> float:
        """Mean cosine of what drives the unit, over all pairs of sides.

        The cosine of two sides, of n and m examples, is the mean over pairs of these,
        ``Σᵢⱼ cos(sᵢ, tⱼ) / nm``. 1 where all agree; NaN for fewer than two sides.
        """
        cosines = self.table().to_numpy()
        pairs = cosines[np.triu_indices(len(cosines), 1)]
        return float(np.nanmean(pairs)) if np.isfinite(pairs).any() else float("nan")

    def table(self) -> pd.DataFrame:
        """Return the mean cosine of each pair of sides.

        On the diagonal is that of pairs of different examples of one side; NaN where there is none.
        """
        names = list(self.profiles)
        scaled = [functional.normalize(each.double(), dim=1) for each in self.profiles.values()]
        sums = torch.stack([each.sum(0) for each in scaled])
        counts = torch.tensor([float(len(each)) for each in scaled])
        own = torch.stack([each.square().sum() for each in scaled])
        pairs = torch.outer(counts, counts) - counts.diag()
        cosines = torch.where(pairs > 0, (sums @ sums.T - own.diag()) / pairs, torch.nan)
        return pd.DataFrame(cosines.numpy(), index=names, columns=names)

    def __repr__(self) -> str:
        names = ", ".join(self.profiles)
        return f"Sides({self.unit} from {self.below}: {names} agree by {self.agreement:.2f})"


def sides(
    network: Network,
    unit: str | Unit,
    pictures: Mapping[str, Source],
    *,
    below: str | None = None,
    top: int = 16,
    progress: bool = False,
) -> Sides:
    """Measure what drives a unit from several sides: kinds of pictures, and its weights.

    Parameters
    ----------
    network
        Any network.
    unit
        Of a layer with positions, behind the first.
    pictures
        By the name of the side: photographs, synthetic stimuli, pictures optimized for the unit.
        The first also states how active the layer below is.
    below
        The layer below; by default the last main layer before the unit's.
    top
        How many pictures of each side, those that activate the unit most.
    progress
        Whether to show bars.

    Returns
    -------
    Sides
        With "weights" as one side more: the unit's expanded weights, summed over positions, times
        the mean activation of each unit of the layer below. A side whose pictures do not activate
        the unit is left out.

    Raises
    ------
    InputError
        As `drivers` and `expanded_weights`, without pictures, and for a side called "weights".

    Notes
    -----
    Ours. It needs no judge and no other network, but it counts as agreement that all sides show the
    same mixture, and as disagreement that stimuli reach a part of what drives the unit alone.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> noise = {"noise": torch.rand(3, 3, 224, 224), "gray": torch.full((1, 3, 224, 224), 0.5)}
    >>> list(sides(network, "mixed3b:200", noise).profiles)
    ['noise', 'gray', 'weights']
    """
    if not pictures or WEIGHTS in pictures:
        raise InputError('give pictures by the name of their side, none of which is "weights"')
    profiles: dict[str, Tensor] = {}
    for name, given in pictures.items():
        (found,) = drivers(network, unit, given, below=below, top=top, progress=progress)
        if found.names:
            profiles[name] = found.contributions
        unit, below = found.unit, found.below
    assert isinstance(unit, Unit)
    assert below is not None
    usual = embeddings(network, below, next(iter(pictures.values())), progress=progress).mean(0)
    profiles[WEIGHTS] = from_weights(network, unit, below, usual)
    return Sides(unit, below, profiles)


def from_weights(
    network: Network, unit: Unit, below: str, usual: Float[Tensor, " units"]
) -> Float[Tensor, "1 units"]:
    """Return what weights state: theirs, summed over positions, times how active units usually are.

    Cheaper for many units than `sides`, as what is usual is measured once for a layer.
    """
    weights = expanded_weights(network, below, unit).weight
    profile: Tensor = (weights.sum((0, 2, 3)) * usual)[None]
    return profile
