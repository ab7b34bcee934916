"""A feature's strongest connections with one layer, their factors, and the picture of kernels."""

from dataclasses import dataclass, replace
from io import BytesIO
from math import ceil

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.gallery.evidence.kind import rounded
from visioncircuits.networks import Feature, Features, Network, Unit
from visioncircuits.weights import (
    Connection,
    ExpandedWeights,
    expanded_weights,
    one_sided_nmf,
    signed_colors,
    strongest_inputs,
    strongest_outputs,
)

LARGEST = 32
"""The longest side of a tile in pixels; pixels of larger kernels are means of several weights."""

MEMBERS = 5
"""Units that are shown of a factor."""


@dataclass(frozen=True)
class Connected:
    """A unit of another layer, and the weights that connect it.

    Attributes
    ----------
    norm, positive, negative
        L2 norms of the kernel, of its positive and of its negative part.
    """

    index: int
    norm: float
    positive: float
    negative: float


@dataclass(frozen=True)
class Factor:
    """Inputs with one spatial map in common: the strongest, with their weights in the factor."""

    units: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Connections:
    """A feature's strongest connections with one layer.

    Attributes
    ----------
    layer
        The other one's name; "input" is the picture.
    reason
        Why there are no weights, where there are none.
    norm
        L2 norm of all the feature's weights to or from the layer.
    kernel
        Height and width of its kernels, in neurons of the earlier layer.
    mean_of
        The side, in weights, of the square whose mean one pixel of a tile is.
    tile
        Height and width of the tiles in the feature's picture of kernels, in pixels.
    top, factors_top
        The rows of that picture at which the connections' tiles begin, and the factors'.
    scale, factors_scale
        The weight that is drawn in the deepest color.
    units
        Strongest first, as the tiles from left to right.
    explained
        The share of the squared weight that the factors carry.
    atoms
        Whether they are with a dictionary's atoms, whose numbers indices are then, instead of with
        units.
    """

    layer: str
    reason: str = ""
    norm: float = 0.0
    kernel: tuple[int, int] = (0, 0)
    mean_of: int = 1
    tile: tuple[int, int] = (0, 0)
    top: int = 0
    scale: float = 0.0
    units: tuple[Connected, ...] = ()
    factors: tuple[Factor, ...] = ()
    factors_top: int = 0
    factors_scale: float = 0.0
    explained: float = 0.0
    atoms: bool = False

    @property
    def shown(self) -> set[int]:
        """The units that a page shows: those connected, and members of factors."""
        members = (unit for factor in self.factors for unit, _ in factor.units)
        return {*(unit.index for unit in self.units), *members}

    @property
    def share(self) -> float:
        """The share of the squared weight that the connections shown carry."""
        return sum(unit.norm**2 for unit in self.units) / self.norm**2 if self.norm else 0.0


class Sheet:
    """A picture of tiles, a row below another."""

    def __init__(self) -> None:
        self.rows: list[UInt8[np.ndarray, "height width 3"]] = []

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        height = sum(len(row) for row in self.rows)
        return height, max((row.shape[1] for row in self.rows), default=0)

    def add(self, tiles: Float[Tensor, "tiles height width"], scale: float) -> int:
        """Draw tiles side by side; return the row at which they begin."""
        top = self.size[0]
        self.rows.append(np.concatenate(list(signed_colors(tiles, scale)), axis=1))
        return top

    def webp(self) -> bytes:
        """Encode the picture without loss."""
        height, width = self.size
        whole = np.full((max(height, 1), max(width, 1), 3), 255, np.uint8)
        top = 0
        for row in self.rows:
            whole[top : top + len(row), : row.shape[1]] = row
            top += len(row)
        buffer = BytesIO()
        Image.fromarray(whole).save(buffer, "WEBP", lossless=True)
        return buffer.getvalue()


def expanded(network: Network, source: Features, target: Features) -> ExpandedWeights | str:
    """Compute weights, or return why that is impossible: other layers may still have some."""
    try:
        return expanded_weights(network, source, target)
    except InputError as error:
        return str(error)


def along_atoms(
    found: ExpandedWeights | str, atoms: Float[Tensor, "atoms units"], *, inwards: bool
) -> ExpandedWeights | str:
    """Return weights from, or to, a dictionary's atoms, by those of all units of their layer.

    From an atom: of a code of 1. To an atom: of the dot product with it. Features are written as
    units; their indices are the atoms' numbers.
    """
    if isinstance(found, str):
        return found
    along = atoms.to(found.weight)
    if inwards:
        layer = found.inputs[0].layer
        weight = torch.einsum("oiyx,ai->oayx", found.weight, along)
        return replace(found, weight=weight, inputs=_numbered(layer, len(atoms)))
    layer = found.outputs[0].layer
    weight = torch.einsum("oiyx,ao->aiyx", found.weight, along)
    return replace(found, weight=weight, outputs=_numbered(layer, len(atoms)))


def _numbered(layer: str, count: int) -> tuple[Unit, ...]:
    return tuple(Unit(layer, number) for number in range(count))


def inputs(
    found: ExpandedWeights | str, feature: Feature, layer: str, sheet: Sheet, top: int, factors: int
) -> Connections:
    """Find the strongest inputs from a layer and their factors, and draw them on a sheet."""
    if isinstance(found, str):
        return Connections(layer, reason=found)
    row = found.row(feature)
    own = replace(found, weight=_cut(found.weight[[row]]), outputs=(found.outputs[row],))
    connections = _connections(layer, own, sheet, strongest_inputs(own, top=top), inwards=True)
    small = max(connections.kernel) <= LARGEST
    if not (factors and connections.units and small and len(own.inputs) > 3):
        return connections
    size = connections.kernel[0] * connections.kernel[1]
    groups = one_sided_nmf(own, min(factors, len(own.inputs), 2 * size))
    maps = groups.spatial.weight[0]
    scale = float(maps.abs().max())
    return replace(
        connections,
        factors=tuple(
            Factor(tuple((u.index, rounded(weight)) for u, weight in groups.units(at, MEMBERS)))
            for at in range(len(maps))
        ),
        factors_top=sheet.add(maps, scale),
        factors_scale=rounded(scale),
        explained=rounded(groups.explained),
    )


def outputs(
    found: ExpandedWeights | str, feature: Feature, layer: str, sheet: Sheet, top: int
) -> Connections:
    """Find the strongest outputs to a layer, and draw them on a sheet."""
    if isinstance(found, str):
        return Connections(layer, reason=found)
    column = found.column(feature)
    own = replace(found, weight=_cut(found.weight[:, [column]]), inputs=(found.inputs[column],))
    return _connections(layer, own, sheet, strongest_outputs(own, top=top), inwards=False)


def _cut(weight: Float[Tensor, "out in height width"]) -> Float[Tensor, "out in h w"]:
    """Cut off margins that are zero in all kernels, which are as large as their layer's largest."""
    used = weight.ne(0).any(0).any(0)
    for dim in (0, 1):
        at = used.any(1 - dim).nonzero().flatten().tolist()
        first, last = (at[0], at[-1]) if at else (0, 0)
        weight = weight.narrow(2 + dim, first, last + 1 - first)
    return weight


def _connections(
    layer: str,
    own: ExpandedWeights,
    sheet: Sheet,
    strongest: tuple[Connection, ...],
    *,
    inwards: bool,
) -> Connections:
    strongest = tuple(connection for connection in strongest if connection.norm)
    if not strongest:
        return Connections(layer, reason=f"All weights between it and {layer} are zero.")
    kernels = torch.stack([connection.kernel for connection in strongest])
    height, width = kernels.shape[1:]
    mean_of = ceil(max(height, width) / LARGEST)
    tiles = F.avg_pool2d(kernels, mean_of, ceil_mode=True) if mean_of > 1 else kernels
    scale = float(tiles.abs().max())
    others = [connection.source if inwards else connection.target for connection in strongest]
    return Connections(
        layer=layer,
        norm=rounded(float(own.weight.norm())),
        kernel=(height, width),
        mean_of=mean_of,
        tile=(tiles.shape[1], tiles.shape[2]),
        top=sheet.add(tiles, scale),
        scale=rounded(scale),
        units=tuple(
            Connected(other.index, rounded(c.norm), rounded(c.positive), rounded(c.negative))
            for other, c in zip(others, strongest, strict=True)
            if isinstance(other, Unit)
        ),
    )
