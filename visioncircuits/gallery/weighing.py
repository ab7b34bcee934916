"""What a worker tells of units' weights: numbers, and one picture of all kernels a unit."""

import json
from dataclasses import asdict, replace
from io import BytesIO
from math import ceil
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from visioncircuits.engine import Work
from visioncircuits.errors import InputError
from visioncircuits.gallery.contents import Connected, Connections, Factor, slug
from visioncircuits.gallery.drawing import loaded
from visioncircuits.networks import Network, Unit, parse
from visioncircuits.weights import (
    Connection,
    ExpandedWeights,
    Linearization,
    expanded_weights,
    one_sided_nmf,
    signed_colors,
    strongest_inputs,
    strongest_outputs,
    surroundings,
)

FAR = 12
"""How many connections are told of with layers that are not neighbours."""

LARGEST = 32
"""How many squares a tile has on a side, at most; of larger kernels they are means."""

MEMBERS = 5
"""How many units are told of a factor."""


def weigh(work: Work, *, checkpoint: Path | None = None, device: str = "cpu") -> dict[str, bytes]:
    """Tell of the weights of a piece of work's units.

    Parameters
    ----------
    work
        As `plan.weighings` describes it.
    checkpoint, device
        Where the network's parameters are, if not where they are looked for, and where to
        compute.

    Returns
    -------
    dict
        File name to content: for each unit its numbers as JSON, and a lossless WebP of kernels.
    """
    network = loaded(work["network"]["name"], checkpoint, device)
    units = work["features"]
    options = work["weights"]
    about = surroundings(network, parse(units[0]).layer)
    before = [*about.before, "input"]
    sheets = {unit: _Sheet() for unit in units}
    inputs: dict[str, list[Connections]] = {unit: [] for unit in units}
    outputs: dict[str, list[Connections]] = {unit: [] for unit in units}
    for layer in before if options["layers"] == "all" else before[: options["layers"]]:
        top = min(options["connections"], options["connections"] if layer == before[0] else FAR)
        found = _expanded(network, layer, units)
        for unit in units:
            told = _inputs(found, unit, layer, sheets[unit], top, options["factors"])
            inputs[unit].append(told)
    for layer in about.after[:1]:
        found = _expanded(network, units, layer)
        for unit in units:
            outputs[unit].append(_outputs(found, unit, layer, sheets[unit], options["connections"]))
    files = {}
    for unit in units:
        data = {
            "feature": unit,
            "size": sheets[unit].size,
            "inputs": [asdict(told) for told in inputs[unit]],
            "outputs": [asdict(told) for told in outputs[unit]],
            "record": {
                "network": work["network"],
                "version": work["version"],
                "linearization": Linearization().record(),
            },
        }
        files[f"{stem(unit)}.json"] = json.dumps(data, separators=(",", ":")).encode()
        files[f"{stem(unit)}.webp"] = sheets[unit].webp()
    return files


def stem(feature: str) -> str:
    """Name the files of a unit's weights.

    Examples
    --------
    >>> stem("mixed3b:413")
    'mixed3b-413-weights'
    """
    unit = parse(feature)
    assert isinstance(unit, Unit)
    return f"{slug(unit.layer)}-{unit.index}-weights"


class _Sheet:
    """A picture of tiles, a row below another."""

    def __init__(self) -> None:
        self.rows: list[UInt8[np.ndarray, "height width 3"]] = []

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        height = sum(len(row) for row in self.rows)
        return height, max((row.shape[1] for row in self.rows), default=0)

    def add(self, tiles: Float[Tensor, "tiles height width"], scale: float) -> int:
        """Draw tiles side by side; give the row at which they begin."""
        top = self.size[0]
        self.rows.append(np.concatenate(list(signed_colors(tiles, scale)), axis=1))
        return top

    def webp(self) -> bytes:
        """Give the picture as a file, without loss."""
        height, width = self.size
        whole = np.full((max(height, 1), max(width, 1), 3), 255, np.uint8)
        top = 0
        for row in self.rows:
            whole[top : top + len(row), : row.shape[1]] = row
            top += len(row)
        buffer = BytesIO()
        Image.fromarray(whole).save(buffer, "WEBP", lossless=True)
        return buffer.getvalue()


def _expanded(
    network: Network, source: str | list[str], target: str | list[str]
) -> ExpandedWeights | str:
    """Compute weights, or say why that cannot be done: no reason to do without all others."""
    try:
        return expanded_weights(network, source, target)
    except InputError as error:
        return str(error)


def _inputs(
    found: ExpandedWeights | str, unit: str, layer: str, sheet: _Sheet, top: int, factors: int
) -> Connections:
    if isinstance(found, str):
        return Connections(layer, untold=found)
    row = found.row(unit)
    own = replace(found, weight=_cut(found.weight[[row]]), outputs=(found.outputs[row],))
    told = _connections(layer, own, sheet, strongest_inputs(own, top=top), inwards=True)
    small = max(told.kernel) <= LARGEST
    if not (factors and told.units and small and len(own.inputs) > 3):
        return told
    size = told.kernel[0] * told.kernel[1]
    groups = one_sided_nmf(own, min(factors, len(own.inputs), 2 * size))
    maps = groups.spatial.weight[0]
    scale = float(maps.abs().max())
    return replace(
        told,
        factors=tuple(
            Factor(tuple((u.index, _rounded(weight)) for u, weight in groups.units(at, MEMBERS)))
            for at in range(len(maps))
        ),
        factors_top=sheet.add(maps, scale),
        factors_scale=_rounded(scale),
        explained=_rounded(groups.explained),
    )


def _outputs(
    found: ExpandedWeights | str, unit: str, layer: str, sheet: _Sheet, top: int
) -> Connections:
    if isinstance(found, str):
        return Connections(layer, untold=found)
    column = found.column(unit)
    own = replace(found, weight=_cut(found.weight[:, [column]]), inputs=(found.inputs[column],))
    return _connections(layer, own, sheet, strongest_outputs(own, top=top), inwards=False)


def _cut(weight: Float[Tensor, "out in height width"]) -> Float[Tensor, "out in h w"]:
    """Cut off what is zero in all kernels: they are as large as the largest of their layer."""
    used = weight.ne(0).any(0).any(0)
    for dim in (0, 1):
        at = used.any(1 - dim).nonzero().flatten().tolist()
        first, last = (at[0], at[-1]) if at else (0, 0)
        weight = weight.narrow(2 + dim, first, last + 1 - first)
    return weight


def _connections(
    layer: str,
    own: ExpandedWeights,
    sheet: _Sheet,
    strongest: tuple[Connection, ...],
    *,
    inwards: bool,
) -> Connections:
    strongest = tuple(connection for connection in strongest if connection.norm)
    if not strongest:
        return Connections(layer, untold=f"All weights between it and {layer} are zero.")
    kernels = torch.stack([connection.kernel for connection in strongest])
    height, width = kernels.shape[1:]
    mean_of = ceil(max(height, width) / LARGEST)
    tiles = F.avg_pool2d(kernels, mean_of, ceil_mode=True) if mean_of > 1 else kernels
    scale = float(tiles.abs().max())
    others = [connection.source if inwards else connection.target for connection in strongest]
    return Connections(
        layer=layer,
        norm=_rounded(float(own.weight.norm())),
        kernel=(height, width),
        mean_of=mean_of,
        tile=(tiles.shape[1], tiles.shape[2]),
        top=sheet.add(tiles, scale),
        scale=_rounded(scale),
        units=tuple(
            Connected(other.index, _rounded(c.norm), _rounded(c.positive), _rounded(c.negative))
            for other, c in zip(others, strongest, strict=True)
            if isinstance(other, Unit)
        ),
    )


def _rounded(value: float) -> float:
    """Keep four digits: what a page shows, in as few bytes."""
    return float(f"{value:.4g}")
