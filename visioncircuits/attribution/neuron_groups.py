"""Neuron groups: what a layer's activations at one photograph are made of.

Source: Olah et al., "The Building Blocks of Interpretability" (2018). The record and the two
functions that make it are one idea, documented twice; hence some 330 lines.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from visioncircuits import __version__
from visioncircuits.attribution.attributions import overlay
from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Layer, Network, Unit
from visioncircuits.numbers import real, whole
from visioncircuits.pictures import png
from visioncircuits.weights import storage
from visioncircuits.weights.nmf import factorized

_KIND = "neuron groups"

_PIXELS = 160
"""Side of a map in a notebook."""


@dataclass(frozen=True, eq=False)
class NeuronGroups:
    """A layer's activations at one photograph, as a sum over a few groups.

    A group is a direction, units that are active together, times a map of where they are. A
    notebook shows the maps.

    Attributes
    ----------
    layer
        Its name.
    maps : Tensor, (groups, height, width)
        Not negative, in activation. The strongest group comes first.
    directions
        One a group, of length 1, named by its strongest units. Their weights are negative only
        for units whose activations are.
    explained
        The share of the squared activations that the groups explain.
    converged
        Whether the fit came to its tolerance before its last iteration.
    record
        How they were found, as plain data.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> photograph = torch.rand(1, 3, 64, 64)
    >>> groups = neuron_groups(untrained("bvlc_googlenet"), photograph, "mixed3a", groups=3)
    >>> groups.maps.shape, len(groups.units(0, top=2))
    (torch.Size([3, 8, 8]), 2)
    """

    layer: str
    maps: Float[Tensor, "groups height width"]
    directions: tuple[Direction, ...]
    explained: float
    converged: bool
    record: dict[str, Any]

    def __len__(self) -> int:
        return len(self.directions)

    def __repr__(self) -> str:
        names = ", ".join(direction.name for direction in self.directions)
        return (
            f"NeuronGroups({self.layer}: {names}; {self.explained:.0%} explained, "
            f"{'' if self.converged else 'not '}converged)"
        )

    def _repr_png_(self) -> bytes:
        most = float(self.maps.max()) or 1.0
        drawn = (self.maps / most).mul(255).byte().numpy()
        side = _PIXELS, round(_PIXELS * self.maps.shape[1] / self.maps.shape[2])
        return png(
            *(Image.fromarray(each).resize(side, Image.Resampling.NEAREST) for each in drawn)
        )

    def units(self, group: int, top: int = 5) -> list[tuple[Unit, float]]:
        """List the strongest units of a group with their weights in its direction."""
        weights = np.array(self.directions[group].weights)
        order = np.argsort(-np.abs(weights), kind="stable")[:top]
        return [(Unit(self.layer, int(unit)), float(weights[unit])) for unit in order]

    def total(self) -> Float[Tensor, "units height width"]:
        """Add the groups up: what they explain of the activations."""
        return torch.einsum("ghw,gu->uhw", self.maps, self.vectors())

    def vectors(self) -> Float[Tensor, "groups units"]:
        """Return the directions as rows."""
        return torch.tensor([direction.weights for direction in self.directions]).float()

    def overlay(
        self, photograph: Float[Tensor, "1 channels height width"], group: int, *, scale: int = 1
    ) -> Image.Image:
        """Draw a photograph, and beside it where in it a group is; see `overlay`."""
        return overlay(photograph[0].cpu(), self.maps[group : group + 1], scale=scale)

    def save(self, path: str | Path) -> Path:
        """Save as .npz or .nc (netCDF).

        Raises
        ------
        InputError
            For another suffix, or if the file cannot be written.
        """
        arrays = {
            "maps": (("group", "row", "column"), self.maps.numpy()),
            "weights": (("group", "unit"), np.array([d.weights for d in self.directions])),
        }
        attributes = {
            "kind": _KIND,
            "layer": self.layer,
            "names": json.dumps([direction.name for direction in self.directions]),
            "explained": self.explained,
            "converged": int(self.converged),
            "record": json.dumps(self.record),
        }
        return storage.write(xr.Dataset(arrays, attrs=attributes), path)

    @classmethod
    def load(cls, path: str | Path) -> "NeuronGroups":
        """Load saved groups.

        Raises
        ------
        InputError
            If the file is missing, damaged, or has other content.
        """
        dataset = storage.read(path, _KIND)
        layer, names = dataset.attrs["layer"], json.loads(dataset.attrs["names"])
        rows = zip(dataset["weights"].values, names, strict=True)
        return cls(
            layer,
            torch.tensor(dataset["maps"].values),
            tuple(Direction(layer, row, name=name) for row, name in rows),
            float(dataset.attrs["explained"]),
            bool(dataset.attrs["converged"]),
            json.loads(dataset.attrs["record"]),
        )


def neuron_groups(
    network: Network,
    photograph: Float[Tensor, "batch channels height width"],
    layer: str,
    *,
    groups: int = 6,
    iterations: int = 500,
    tolerance: float = 1e-4,
    seed: int = 0,
) -> NeuronGroups:
    """Group the units of a layer by where in a photograph they are active.

    Activations are factorized by NMF into maps and directions; see `activation_groups`.

    Parameters
    ----------
    network
        Any network.
    photograph
        In [0, 1]; a batch of one.
    layer
        One with positions.
    groups, iterations, tolerance, seed
        As for `activation_groups`.

    Raises
    ------
    InputError
        For several photographs, a layer without positions, and as `activation_groups`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> photograph = torch.rand(1, 3, 64, 64)
    >>> len(neuron_groups(untrained("bvlc_googlenet"), photograph, "mixed3a", groups=4))
    4
    """
    values = activations_at(network, photograph, [layer])[layer]
    found = activation_groups(
        values, layer, groups=groups, iterations=iterations, tolerance=tolerance, seed=seed
    )
    found.record.update({"network": network.record(), "device": network.device.type})
    return found


def activations_at(
    network: Network,
    photograph: Float[Tensor, "batch channels height width"],
    layers: Sequence[str],
) -> dict[str, Tensor]:
    """Return layers' activations at one photograph, each `(units, height, width)`.

    Raises
    ------
    InputError
        For several photographs, and a layer without positions.
    """
    if len(photograph) != 1:
        raise InputError(f"groups are of one photograph, not of {len(photograph)}")
    for layer in layers:
        with_positions(network, layer)
    with torch.no_grad():
        found = network.activations(photograph, layers)
    return {layer: values[0].float().cpu() for layer, values in found.items()}


def with_positions(network: Network, layer: str) -> Layer:
    """Return a layer.

    Raises
    ------
    InputError
        For one without positions.
    """
    found = network.layer(layer)
    if len(found.shape) != 2:
        raise InputError(f"{layer} has no positions; take a layer before the global pooling")
    return found


def activation_groups(
    activations: Float[Tensor, "units height width"],
    layer: str,
    *,
    groups: int = 6,
    iterations: int = 500,
    tolerance: float = 1e-4,
    seed: int = 0,
) -> NeuronGroups:
    """Group units by where their given activations are, by non-negative matrix factorization.

    Starts at the singular vectors (`nndsvd`), as the article's did. Of a layer with activations
    below 0, these are factorized beside the others: excitation and inhibition share the
    non-negative maps, each has its own non-negative directions, and a group's direction is their
    difference (one-sided NMF; see `weights.one_sided_nmf`).

    Parameters
    ----------
    activations
        Of one picture.
    layer
        Its name.
    groups
        How many. A group that the fit leaves without any activation is left out.
    iterations
        The most.
    tolerance
        The fit ends where an iteration moves the factors by this share of what the first moved
        them.
    seed
        For the approximate singular vectors.

    Raises
    ------
    InputError
        For activations that are all zero or not finite, fewer groups than one, or more than there
        are positions or units.

    Examples
    --------
    >>> left, right = torch.zeros(2, 4, 6)
    >>> left[:, :3], right[:, 3:] = 1, 2
    >>> found = activation_groups(torch.stack([left, right, left]), "mixed3a", groups=2)
    >>> [direction.name for direction in found.directions], round(found.explained, 3)
    (['1+0+2', '0+2+1'], 1.0)
    """
    units, height, width = activations.shape
    most = min(units, height * width)
    whole("groups", groups, least=1, most=most)
    whole("iterations", iterations, least=1)
    real("tolerance", tolerance, least=0, open=True)
    values = activations.flatten(1).T.double().cpu().numpy()
    if not np.isfinite(values).all() or not values.any():
        raise InputError(
            f"the activations of {layer} are all zero, or not finite: nothing to group"
        )
    signed = bool((values < 0).any())
    parts = np.hstack([values.clip(min=0), (-values).clip(min=0)]) if signed else values
    maps, rows, _, converged = factorized(
        parts, groups, init="nndsvd", iterations=iterations, tolerance=tolerance, seed=seed
    )
    rows = rows[:, :units] - rows[:, units:] if signed else rows
    lengths = np.linalg.norm(rows, axis=1)
    strengths = np.linalg.norm(maps, axis=0) * lengths
    order = [at for at in np.argsort(-strengths, kind="stable") if strengths[at] > 0]
    maps, rows = (
        (maps * lengths)[:, order],
        (rows / np.where(lengths > 0, lengths, 1)[:, None])[order],
    )
    return NeuronGroups(
        layer,
        torch.tensor(maps.T.reshape(-1, height, width), dtype=torch.float32),
        _named(layer, rows),
        float(1 - np.square(values - maps @ rows).sum() / np.square(values).sum()),
        converged,
        {
            "visioncircuits": __version__,
            "layer": layer,
            "method": "one-sided NMF" if signed else "NMF",
            "groups": groups,
            "iterations": iterations,
            "tolerance": tolerance,
            "seed": seed,
        },
    )


def _named(layer: str, rows: Float[np.ndarray, "groups units"]) -> tuple[Direction, ...]:
    """Name directions by their strongest units, three or as many as make the names differ."""
    names: list[str] = []
    for count in range(3, max(rows.shape[1], 3) + 1):
        names = [_name(row, count) for row in rows]
        if len(set(names)) == len(names):
            break
    return tuple(Direction(layer, row, name=name) for row, name in zip(rows, names, strict=True))


def _name(row: Float[np.ndarray, " units"], count: int) -> str:
    """Join the strongest units by their signs.

    Examples
    --------
    >>> _name(np.array([0.1, -2.0, 3.0, 0.0]), 2)
    '2-1'
    """
    strongest = np.argsort(-np.abs(row), kind="stable")[:count]
    signs = ("-" if row[unit] < 0 else "+" for unit in strongest)
    return "".join(f"{sign}{unit}" for sign, unit in zip(signs, strongest, strict=True)).lstrip("+")
