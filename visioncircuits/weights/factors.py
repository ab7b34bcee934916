"""One-sided factorization: a few groups of inputs, each with its spatial weights.

Sources: Schubert et al., "High-Low Frequency Detectors" (2021); Voss et al., "Visualizing Weights"
(2021).
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Unit
from visioncircuits.pictures import png
from visioncircuits.weights.expanded import ExpandedWeights
from visioncircuits.weights.nmf import factorized

_SHOWN = 8
"""Factors, and outputs, that a notebook shows."""


@dataclass(frozen=True, eq=False)
class Factors:
    """Weights as a sum over a few factors: a direction in the source times a spatial map.

    A notebook shows the strongest factors; `factor_grid` draws them with pictures of the units.

    Attributes
    ----------
    spatial
        The weights from each factor to each output: `(out, factors, height, width)`, signed. Its
        inputs are the factors, non-negative directions of length 1 in the source, named by their
        three strongest units. The strongest factor comes first.
    explained
        The fraction of the squared weight that the factors explain.
    converged
        Whether the fit came to its tolerance before its last iteration.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import expanded_weights, one_sided_nmf
    >>> weights = expanded_weights(untrained("bvlc_googlenet"), "conv2d2", "mixed3a:99")
    >>> factors = one_sided_nmf(weights, 2)
    >>> len(factors.directions), len(factors.units(0, top=3)), factors.converged
    (2, 3, True)
    """

    spatial: ExpandedWeights
    explained: float
    converged: bool = True

    def __repr__(self) -> str:
        names = ", ".join(direction.name for direction in self.directions)
        return (
            f"Factors({self.spatial.source} → {self.spatial.target}: {names}; "
            f"{self.explained:.0%} explained, {'' if self.converged else 'not '}converged)"
        )

    def _repr_png_(self) -> bytes:
        from visioncircuits.weights.pictures import factor_grid

        rows = self.spatial.weight[:_SHOWN, :_SHOWN]
        few = replace(
            self.spatial,
            weight=rows,
            inputs=self.spatial.inputs[:_SHOWN],
            outputs=self.spatial.outputs[:_SHOWN],
        )
        return png(factor_grid(replace(self, spatial=few)))

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The factors as features."""
        return tuple(f for f in self.spatial.inputs if isinstance(f, Direction))

    def units(self, factor: int, top: int = 5) -> list[tuple[Unit, float]]:
        """List the strongest units of a factor with their weights in it."""
        direction = self.directions[factor]
        order = np.argsort(direction.weights)[::-1][:top]
        return [(Unit(direction.layer, int(at)), direction.weights[at]) for at in order]

    def opposition(self) -> Float[np.ndarray, " out"]:
        """Correlate the two maps of each output: -1 if one is the negative of the other.

        This holds for high-low frequency detectors ("very close to symmetric"), and nearly for
        other units, as one factor fits what the other does not: compare them, and `explained`.

        Raises
        ------
        InputError
            If there are not two factors.
        """
        maps = self.spatial.weight.flatten(2).cpu().double().numpy()
        if maps.shape[1] != 2:
            raise InputError(f"opposition is between two factors, not {maps.shape[1]}")
        return np.array([np.corrcoef(pair)[0, 1] for pair in maps])

    def save(self, path: str | Path) -> Path:
        """Save as .npz or .nc; see `ExpandedWeights.save`."""
        record = self.spatial.record | {"explained": self.explained, "converged": self.converged}
        return replace(self.spatial, record=record).save(path)

    @classmethod
    def load(cls, path: str | Path) -> "Factors":
        """Load saved factors.

        Raises
        ------
        InputError
            If the file is missing, damaged, or has other content.
        """
        spatial = ExpandedWeights.load(path)
        if "explained" not in spatial.record:
            raise InputError(f"{path} contains expanded weights, not factors of them")
        return cls(spatial, spatial.record["explained"], spatial.record.get("converged", False))


def one_sided_nmf(
    weights: ExpandedWeights,
    count: int,
    *,
    tolerance: float = 1e-6,
    iterations: int = 5000,
    seed: int = 0,
) -> Factors:
    """Factorize the weights into one feature, or jointly into a family.

    Excitation and inhibition are factorized separately: they share the non-negative channel
    factors, each has its own non-negative maps, and a factor's map is the difference of the two.
    (Directly signed maps leave two factors free within the plane that they span, and they come out
    nearly the same.)

    Parameters
    ----------
    weights
        From all units of a layer.
    count
        Number of factors.
    tolerance
        The fit ends where an iteration moves the factors by this share of what the first moved
        them (the projected gradient's, as in scikit-learn's `NMF`).
    iterations
        The most.
    seed
        For the approximate singular vectors at which the optimization starts.

    Returns
    -------
    Factors
        With `count` directions; `converged` where the fit came to the tolerance.

    Raises
    ------
    InputError
        For weights that are all zero or not from all units of a layer, for a count below one
        or above the number of units or of weights into each, and for a tolerance of 0 or less or
        no iterations.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import expanded_weights
    >>> weights = expanded_weights(untrained("bvlc_googlenet"), "conv2d2", ["mixed3a:99"])
    >>> one_sided_nmf(weights, 2).spatial.weight.shape
    torch.Size([1, 2, 7, 7])
    """
    _check(weights, count)
    if not tolerance > 0 or iterations < 1:
        raise InputError(
            f"a fit needs a tolerance above 0 and one iteration or more, not {tolerance:g} and "
            f"{iterations}"
        )
    parts = _by_channel(weights.weight)
    channels, factors, _, converged = factorized(
        np.hstack([parts.clip(min=0), (-parts).clip(min=0)]),
        count,
        init="nndsvda",
        iterations=iterations,
        tolerance=tolerance,
        seed=seed,
    )
    exciting, inhibiting = np.hsplit(factors, 2)
    lengths = np.linalg.norm(channels, axis=0)
    channels = channels / np.where(lengths > 0, lengths, 1)
    maps = (exciting - inhibiting) * lengths[:, None]
    order = np.argsort(-np.linalg.norm(maps, axis=1), kind="stable")
    channels, maps = channels[:, order], maps[order]
    out, _, height, width = weights.weight.shape
    spatial = torch.tensor(maps.reshape(count, out, height, width), dtype=torch.float32)
    directions = tuple(_direction(weights.source, column) for column in channels.T)
    return Factors(
        replace(
            weights,
            weight=spatial.transpose(0, 1).contiguous(),
            inputs=directions,
            record=weights.record | {"factors": count, "seed": seed},
        ),
        float(1 - np.square(parts - channels @ maps).sum() / np.square(parts).sum()),
        converged,
    )


def _check(weights: ExpandedWeights, count: int) -> None:
    units = [Unit(weights.source, index) for index in range(len(weights.inputs))]
    if list(weights.inputs) != units:
        raise InputError(f"factors need the weights from all units of {weights.source}, in order")
    out, _, height, width = weights.weight.shape
    most = min(len(units), 2 * out * height * width)
    if not 1 <= count <= most:
        raise InputError(f"these weights allow 1 to {most} factors, not {count}")
    if not weights.weight.any():
        raise InputError("these weights are all zero and cannot be factorized")


def _by_channel(weight: Float[Tensor, "out in height width"]) -> Float[np.ndarray, "in rest"]:
    return weight.transpose(0, 1).flatten(1).cpu().double().numpy()


def _direction(layer: str, column: Float[np.ndarray, " units"]) -> Direction:
    strongest = np.argsort(-column, kind="stable")[:3]
    return Direction(layer, tuple(column.tolist()), name="+".join(map(str, strongest)))
