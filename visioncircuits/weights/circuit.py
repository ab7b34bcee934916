"""Circuits: a feature with its strongest inputs and outputs, several levels deep."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, Network
from visioncircuits.weights import storage
from visioncircuits.weights.backbone import surroundings
from visioncircuits.weights.expanded import ExpandedWeights
from visioncircuits.weights.expansion import expanded_weights
from visioncircuits.weights.linearization import Linearization
from visioncircuits.weights.selection import select

_KIND = "a circuit"


@dataclass(frozen=True, eq=False)
class Level:
    """The connections between two adjacent columns of a circuit.

    Attributes
    ----------
    weights
        Between all features of the two.
    share
        Each connection's share of the squared weight: before the circuit's feature, of all weights
        from the layer into its output; after it, of all weights from its input to the layer.
    drawn
        Which of the connections belong to the circuit.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import circuit
    >>> (level,) = circuit(untrained("bvlc_googlenet"), "mixed3a:7", inputs=1, most=3).levels
    >>> level.weights.source, level.share.shape
    ('conv2d2', torch.Size([1, 3]))
    """

    weights: ExpandedWeights
    share: Float[Tensor, "out in"]
    drawn: Bool[Tensor, "out in"]

    def __repr__(self) -> str:
        return f"Level({self.weights.line}, {int(self.drawn.sum())} connections)"


@dataclass(frozen=True, eq=False)
class Circuit:
    """Features of several layers and the strongest connections between them.

    A notebook shows the diagram; `circuit_diagram` draws it with pictures of the features.

    Attributes
    ----------
    feature
        The feature of interest.
    levels
        From the earliest layer to the latest; the outputs of each are the inputs of the next.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import circuit
    >>> circuit(untrained("bvlc_googlenet"), "mixed3b:330", inputs=2, most=3, share=1)
    Circuit(mixed3b:330: 3 of conv2d2 → 3 of mixed3a → 1 of mixed3b, 12 connections)
    """

    feature: Feature
    levels: tuple[Level, ...]

    def __repr__(self) -> str:
        columns = " → ".join(f"{len(column)} of {column[0].layer}" for column in self.columns)
        connections = sum(int(level.drawn.sum()) for level in self.levels)
        return f"Circuit({self.feature}: {columns}, {connections} connections)"

    def _repr_svg_(self) -> str:
        from visioncircuits.weights.diagram import circuit_diagram

        return circuit_diagram(self)

    @property
    def columns(self) -> tuple[tuple[Feature, ...], ...]:
        """The features by layer, the earliest layer first."""
        return (self.levels[0].weights.inputs, *(level.weights.outputs for level in self.levels))

    @property
    def features(self) -> tuple[Feature, ...]:
        """All features."""
        return tuple(feature for column in self.columns for feature in column)

    def save(self, path: str | Path) -> Path:
        """Save the arrays as .npz or .nc.

        Raises
        ------
        InputError
            For another suffix, or if the file cannot be written.
        """
        arrays: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
        about = []
        for at, level in enumerate(self.levels):
            pair = (f"column {at + 1}", f"column {at}")
            arrays[f"weight {at}"] = (
                (*pair, f"y {at}", f"x {at}"),
                level.weights.weight.cpu().numpy(),
            )
            arrays[f"share {at}"] = (pair, level.share.cpu().numpy())
            arrays[f"drawn {at}"] = (pair, level.drawn.cpu().numpy())
            weights = level.weights
            about.append([weights.stride, weights.offset, weights.record])
        columns = enumerate(self.columns)
        names = {f"column {at}": [str(feature) for feature in column] for at, column in columns}
        attributes = {
            "kind": _KIND,
            "feature": storage.features_to_json((self.feature,)),
            "columns": json.dumps([storage.features_to_json(c) for c in self.columns]),
            "stages": json.dumps(about),
        }
        return storage.write(xr.Dataset(arrays, names, attributes), path)

    @classmethod
    def load(cls, path: str | Path) -> "Circuit":
        """Load a saved circuit.

        Raises
        ------
        InputError
            If the file is missing, damaged, or has other content.
        """
        dataset = storage.read(path, _KIND)
        columns = [storage.features_from_json(c) for c in json.loads(dataset.attrs["columns"])]
        levels = []
        for at, (stride, offset, record) in enumerate(json.loads(dataset.attrs["stages"])):
            weight, share, drawn = (
                torch.tensor(dataset[f"{name} {at}"].values)
                for name in ("weight", "share", "drawn")
            )
            weights = ExpandedWeights(
                weight, columns[at], columns[at + 1], tuple(stride), tuple(offset), record
            )
            levels.append(Level(weights, share, drawn.bool()))
        (feature,) = storage.features_from_json(dataset.attrs["feature"])
        return cls(feature, tuple(levels))


def circuit(
    network: Network,
    feature: str | Feature,
    *,
    inputs: int = 2,
    outputs: int = 0,
    share: float = 0.8,
    most: int = 8,
    linearization: Linearization | None = None,
) -> Circuit:
    """Follow a feature's strongest connections through the main layers before and after it.

    A level's candidates are the features with the largest shares of the squared weight of the
    previous level, whose features are weighted by their own shares. For each of those, the fewest
    connections are drawn that sum to `share` of its weight to the candidates; candidates without
    connections are dropped.

    Parameters
    ----------
    inputs, outputs
        Number of levels before the feature, and after it.
    share
        Of the squared weight, above 0 and up to 1.
    most
        Number of candidates in a level.
    linearization
        As in `expanded_weights`.

    Raises
    ------
    InputError
        If there are fewer levels, a share or a number is out of range, or all weights of a level
        are zero.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> found = circuit(untrained("bvlc_googlenet"), "mixed3b:330", inputs=2, most=3)
    >>> [column[0].layer for column in found.columns], [len(column) for column in found.columns]
    (['conv2d2', 'mixed3a', 'mixed3b'], [3, 3, 1])
    """
    chosen = select(network, [feature])
    about = surroundings(network, chosen.layer)
    for side, count, there in (("before", inputs, about.before), ("after", outputs, about.after)):
        if not 0 <= count <= len(there):
            raise InputError(
                f"{chosen.layer} has {len(there)} layers {side} it "
                f"({', '.join(there) or 'none'}), not {count}"
            )
    if not inputs + outputs or not 0 < share <= 1 or most < 1:
        raise InputError(
            "a circuit needs a level of inputs or outputs, a share above 0 and up to 1, and at "
            f"least one feature a level; not {inputs}, {outputs}, {share:g} and {most}"
        )
    levels: list[Level] = []
    column, counts = chosen.features, torch.ones(1)
    for layer in about.before[:inputs]:
        weights = expanded_weights(network, layer, column, linearization=linearization)
        shares = _shares(weights, dim=1)
        at, drawn, counts = _strongest(shares, counts, layer, share=share, most=most)
        column = tuple(weights.inputs[place] for place in at)
        weights = replace(weights, weight=weights.weight[:, at].cpu(), inputs=column)
        levels.insert(0, Level(weights, shares[:, at], drawn))
    column, counts = chosen.features, torch.ones(1)
    for layer in about.after[:outputs]:
        weights = expanded_weights(network, column, layer, linearization=linearization)
        shares = _shares(weights, dim=0)
        at, drawn, counts = _strongest(shares.T, counts, layer, share=share, most=most)
        column = tuple(weights.outputs[place] for place in at)
        weights = replace(weights, weight=weights.weight[at].cpu(), outputs=column)
        levels.append(Level(weights, shares[at], drawn.T))
    return Circuit(chosen.features[0], tuple(levels))


def _shares(weights: ExpandedWeights, dim: int) -> Float[Tensor, "out in"]:
    squares = weights.weight.square().sum((2, 3)).cpu()
    return squares / squares.sum(dim, keepdim=True).clamp(min=1e-30)


def _strongest(
    shares: Float[Tensor, "known others"],
    counts: Float[Tensor, " known"],
    layer: str,
    *,
    share: float,
    most: int,
) -> tuple[list[int], Bool[Tensor, "known chosen"], Float[Tensor, " chosen"]]:
    """Choose the others with the largest weighted shares, and their connections."""
    carried = counts @ shares
    if not carried.any():
        raise InputError(f"no weight connects the circuit with {layer}: all are zero")
    candidates = carried.argsort(descending=True, stable=True)[:most]
    drawn = torch.stack([_fewest(own, share * own.sum()) for own in shares[:, candidates]])
    at = candidates[drawn.any(0)]
    return at.tolist(), drawn[:, drawn.any(0)], carried[at]


def _fewest(values: Float[Tensor, " values"], total: Float[Tensor, ""]) -> Bool[Tensor, " values"]:
    """Mark the fewest largest values whose sum reaches `total`."""
    order = values.argsort(descending=True, stable=True)
    reached = values[order].cumsum(0) - values[order]
    marked = torch.zeros_like(values, dtype=torch.bool)
    marked[order] = reached < total
    return marked
