"""Path contributions: along which units a neuron's value reached it, and how much of it.

On one picture a network of convolutions, rectifiers and max pools is a sum over paths: each is a
product of weights along it and the activation that it starts from, wherever every gate on the way
was open and every pool took that value.

A path is followed, kept apart and added up by the same few records, so the module has some 380
lines.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise
from pathlib import Path

import pandas as pd
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Feature, Features, Network, Selection, Unit
from visioncircuits.networks.graph import INPUT
from visioncircuits.weights import contextual_weights, storage
from visioncircuits.weights.composition import GIB, backwards
from visioncircuits.weights.kernels import Kernel
from visioncircuits.weights.linearization import LOCAL
from visioncircuits.weights.operations import Concatenation, Unary
from visioncircuits.weights.selection import select
from visioncircuits.weights.tracing import Step, Trace, trace

MOST = 2**24
"""How many paths are kept apart at most."""

TURN = 256
"""How many paths are followed to the source at once."""

_KIND = "paths"

_READ = "paths"
"""The step that stands for the paths followed so far."""


@dataclass(frozen=True, eq=False)
class Paths:
    """What one neuron's value was made of on one picture, path by path.

    A notebook shows the strongest.

    Attributes
    ----------
    target
        The neuron's feature.
    contributions
        In activation, by unit of the source, of each stop, in this order; the axes are called as
        the layers. Positions are added up.
    beside
        What came from each unit of the source along other paths: past a stop, or through units of
        it that were not asked for.
    constant
        What came from no unit of the source, but from biases on the way.
    position
        Row and column of the neuron.
    activation
        Its value: the sum of all of this.
    directions
        Those among the target and the source, with their weights.

    Examples
    --------
    >>> from visioncircuits.attribution import path_contributions
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> (paths,) = path_contributions(network, "conv2d0", "conv2d2:9", picture, through="conv2d1")
    >>> ((units, contribution),) = paths.strongest(1)
    >>> [unit.partition(":")[0] for unit in units]
    ['conv2d0', 'conv2d1']
    """

    target: str
    contributions: xr.DataArray
    beside: xr.DataArray
    constant: float
    position: tuple[int, int]
    activation: float
    directions: tuple[Direction, ...] = ()

    def __repr__(self) -> str:
        layers = " → ".join([*map(str, self.contributions.dims), self.target])
        return f"Paths({layers}, neuron {self.position}, activation {self.activation:.4g})"

    def _repr_html_(self) -> str:
        return f"{escape(repr(self))}{self.table().to_html(border=0, index=False)}"

    def table(self, count: int = 12) -> pd.DataFrame:
        """Return the paths that contributed most, for or against: a unit of each layer a row."""
        rows = [(*units, value) for units, value in self.strongest(count)]
        return pd.DataFrame(rows, columns=[*map(str, self.contributions.dims), "contribution"])

    def save(self, path: str | Path) -> Path:
        """Save as .npz or .nc (netCDF).

        Raises
        ------
        InputError
            For another suffix, or if the file cannot be written.
        """
        attributes = {
            "kind": _KIND,
            "target": self.target,
            "constant": self.constant,
            "position": json.dumps(self.position),
            "activation": self.activation,
            "directions": json.dumps([direction.record() for direction in self.directions]),
        }
        arrays = {"contributions": self.contributions, "beside": self.beside}
        return storage.write(xr.Dataset(arrays, attrs=attributes), path)

    @classmethod
    def load(cls, path: str | Path) -> "Paths":
        """Load saved paths.

        Raises
        ------
        InputError
            If the file is missing, damaged, or has other content.
        """
        dataset = storage.read(path, _KIND)
        row, column = json.loads(dataset.attrs["position"])
        return cls(
            target=dataset.attrs["target"],
            contributions=dataset["contributions"],
            beside=dataset["beside"],
            constant=float(dataset.attrs["constant"]),
            position=(row, column),
            directions=tuple(Direction(**each) for each in json.loads(dataset.attrs["directions"])),
            activation=float(dataset.attrs["activation"]),
        )

    def strongest(self, count: int) -> list[tuple[tuple[str, ...], float]]:
        """List the paths that contributed most, for or against, the strongest first.

        Returns
        -------
        list
            The units along each, and what it contributed.
        """
        every = torch.tensor(self.contributions.values)
        order = every.flatten().abs().argsort(descending=True, stable=True)[:count]
        found = []
        for place in zip(*torch.unravel_index(order, every.shape), strict=True):
            path = self.contributions[tuple(int(index) for index in place)]
            found.append((tuple(str(unit.item()) for unit in path.coords.values()), path.item()))
        return found


@torch.no_grad()
def path_contributions(
    network: Network,
    source: str,
    target: str | Feature,
    pictures: Float[Tensor, "batch channels height width"],
    *,
    through: Features | Sequence[Features],
    position: tuple[int, int] | None = None,
) -> tuple[Paths, ...]:
    """Decompose the activation of a feature on each picture by the paths that lead to it.

    Rectifiers count as the gates that they were, max pools as what they passed on, and local
    response normalizations as their gain ("Visualizing Weights", Voss et al., 2021), so that the
    paths, what came beside them and the constant add up to the activation.

    Parameters
    ----------
    source
        A layer, or `"input"`.
    target
        A feature of a later layer.
    pictures
        Float32 in [0, 1], `(batch, 3, height, width)`.
    through
        Where paths are kept apart: a layer between, for each of its units; some of its units; or
        several such stops, from source to target. The branches of a concatenation are stops too.
        Each path takes some milliseconds.
    position
        Row and column of the neuron; where the feature is strongest in each picture if not given.

    Returns
    -------
    tuple of Paths
        One a picture.

    Raises
    ------
    InputError
        For layers in the wrong order, stops that are directions, more than 16.8 million paths, and
        as `contextual_weights`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> (found,) = path_contributions(
    ...     network, "mixed3a", "mixed4a:9", picture, through="mixed3b"
    ... )
    >>> dict(found.contributions.sizes)
    {'mixed3a': 256, 'mixed3b': 480}
    """
    stops = [select(network, stop) for stop in _listed(through)]
    begin, end = select(network, source), select(network, [target])
    for stop in stops:
        if not all(isinstance(feature, Unit) for feature in stop.features):
            raise InputError(f"paths lead through units; {stop.features[0]} is a direction")
    count = math.prod(len(part) for part in (begin, *stops))
    if count > MOST:
        raise InputError(
            f"that are {count} paths, and {MOST} can be kept apart; name some units of a stop "
            "instead of the layer"
        )
    layers = [begin.layer, *(stop.layer for stop in stops), end.layer]
    found = []
    for picture in pictures[:, None]:
        watched = trace(network, layers, LOCAL, pictures=picture, averaged=False, borders=True)
        _check_order(watched, [begin, *stops, end])
        (flow,) = contextual_weights(network, source, end.features[0], picture, position=position)
        outputs, neuron = end, ((0, 0), flow.position)
        for stop in reversed(stops):
            read = backwards(watched, stop, outputs, neuron=neuron, memory=GIB)
            watched, outputs = _followed(watched, stop, read)
            neuron = (0, 0), (0, 0)
        values = picture if source == INPUT else network.activations(picture, [source])[source]
        each = _ends(watched, begin, outputs, values[0].to(network.device)).cpu()
        contributions = xr.DataArray(
            each.reshape(*(len(stop) for stop in reversed(stops)), len(begin)).cpu().numpy(),
            dims=layers[-2::-1],
            coords={part.layer: [str(unit) for unit in part.features] for part in (begin, *stops)},
            name="contribution",
        ).transpose(*layers[:-1])
        beside = xr.DataArray(
            (flow.contributions - each.sum(0)).cpu().numpy(),
            dims=source,
            coords={source: contributions[source]},
        )
        name = str(end.features[0])
        found.append(
            Paths(
                target=name,
                contributions=contributions,
                beside=beside,
                constant=flow.constant,
                position=flow.position,
                activation=flow.activation,
                directions=begin.directions + end.directions,
            )
        )
    return tuple(found)


def branch_contributions(network: Network, layer: str, contributions: xr.DataArray) -> xr.DataArray:
    """Add up paths by the branch of a stop that they lead through.

    Parameters
    ----------
    layer
        A concatenation among the stops.
    contributions
        As `Paths` holds them, with all units of the layer.

    Raises
    ------
    InputError
        Where the layer has no branches, or is no stop, or not all of its units are.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> (paths,) = path_contributions(
    ...     network, "conv2d2", "mixed3b:9", picture, through="mixed3a"
    ... )
    >>> dict(branch_contributions(network, "mixed3a", paths.contributions).sizes)
    {'conv2d2': 192, 'mixed3a': 4}
    """
    spans = network.branches(layer)
    if not spans:
        raise InputError(f"{layer} has no branches; paths can be added up by those of mixed layers")
    if contributions.sizes.get(layer) != network.layer(layer).units:
        raise InputError(f"these paths lead through some units of {layer} only; take the layer")
    parts = [contributions.isel({layer: list(span)}).sum(layer) for span in spans.values()]
    return xr.concat(parts, xr.Variable(layer, list(spans))).transpose(*contributions.dims)


def _listed(through: Features | Sequence[Features]) -> list[Features]:
    """Distinguish several stops from several units of one."""
    if isinstance(through, str | Feature):
        return [through]
    units = all(isinstance(stop, Feature) or ":" in stop for stop in through)
    return [list(through)] if units else list(through)  # type: ignore[arg-type]


def _check_order(watched: Trace, parts: Sequence[Selection]) -> None:
    for before, after in pairwise(parts):
        begin, end = watched.layers[before.layer], watched.layers[after.layer]
        if begin == end or not _reaches(watched, begin, end, after.vectors):
            missing = after.features[0] if after is parts[-1] else after.layer
            raise InputError(
                f"no path leads from {before.layer} to {missing}; name stops from source to target"
            )


def _reaches(watched: Trace, begin: int, at: int, vectors: Float[Tensor, "rows units"]) -> bool:
    """Check whether a layer feeds features, which may lie in another branch."""
    step = watched.steps[at]
    if at != begin and isinstance(step.operation, Concatenation):
        parts = zip(step.inputs, torch.split(vectors, list(step.operation.widths), 1), strict=True)
        return any(bool(v.any()) and _reaches(watched, begin, n, v) for n, v in parts)
    return bool(watched.between(begin, at))


def _ends(
    watched: Trace, begin: Selection, paths: Selection, values: Float[Tensor, "units rows columns"]
) -> Float[Tensor, "paths units"]:
    """Compute what each unit of the source fed into each path, some paths at a time."""
    found = []
    for first in range(0, len(paths), TURN):
        turn = slice(first, first + TURN)
        some = replace(paths, features=paths.features[turn], vectors=paths.vectors[turn])
        kernel = backwards(watched, begin, some, neuron=((0, 0), (0, 0)), memory=GIB)
        (top, left), (height, width) = kernel.offset, kernel.size
        met = values[:, top : top + height, left : left + width]
        found.append(torch.einsum("piyx,iyx->pi", kernel.weight, met))
    return torch.cat(found)


@dataclass(frozen=True)
class _Read(Unary):
    """One neuron's map from a layer, taken apart by units: each has a row to itself.

    Attributes
    ----------
    kernel
        `(rows, units, height, width)`, to one neuron.
    places
        Where its units are among the layer's.
    width
        How many units the layer has.
    """

    kernel: Kernel
    places: list[int]
    width: int

    def before(self, kernel: Kernel) -> Kernel:
        rows = kernel.weight[:, :, 0, 0].reshape(-1, *self.kernel.weight.shape[:2])
        part = torch.einsum("nru,ruyx->nuyx", rows, self.kernel.weight)
        weight = part.new_zeros(len(part), self.width, *self.kernel.size)
        weight[:, self.places] = part
        return Kernel(weight, (0, 0), self.kernel.offset)


def _followed(watched: Trace, stop: Selection, read: Kernel) -> tuple[Trace, Selection]:
    """Add a step whose channels are the paths followed as far as a stop."""
    places = [unit.index for unit in stop.features if isinstance(unit, Unit)]
    count = len(read.weight) * len(stop)
    step = Step(
        _READ,
        _Read(read, places, watched.steps[watched.layers[stop.layer]].shape[0]),
        (watched.layers[stop.layer],),
        (count, 1, 1),
    )
    longer = Trace([*watched.steps, step], {**watched.layers, _READ: len(watched.steps)})
    every = torch.eye(count, device=read.weight.device)
    return longer, Selection(_READ, tuple(Unit(_READ, row) for row in range(count)), every, True)
