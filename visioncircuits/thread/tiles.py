"""Published kernels between named units, and their correlation with a network's own."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from visioncircuits.comparison.symmetry import correlation
from visioncircuits.networks import Network
from visioncircuits.thread.claims import Claim, Row
from visioncircuits.weights import expanded_weights

FILE = "weight_tiles.json"

SWAPPED = {70: 86, 86: 70}
"""Sources whose kernels into mixed3b:345 are under each other's name in Early Vision."""

POOLED = {
    ("conv2d2", "mixed3a"): "maxpool1",
    ("conv2d2", "mixed3b"): "maxpool1",
    ("mixed3b", "mixed4a"): "maxpool4",
}
"""Where a max pool lies between two layers: published kernels are from what comes out of it."""


@dataclass(frozen=True, eq=False)
class Tile:
    """A published kernel; its scale differs from figure to figure.

    Attributes
    ----------
    figure
        The article and the figure, such as "HighLow Fig5".
    source, target
        The layers.
    unit, output
        The number of the source's unit, or the name of a factor; the number of the target's.
    kernel
        As in `ExpandedWeights`, a cross-correlation; zero around a smaller kernel.
    """

    figure: str
    source: str
    target: str
    unit: int | str
    output: int
    kernel: Float[np.ndarray, "height width"]


def read_tiles(path: Path, figure: str) -> list[Tile]:
    """Read the kernels of a figure, without those that are marked as doubtful.

    Parameters
    ----------
    path
        Of the published file, `FILE`.
    figure
        What the figures' names begin with.

    Examples
    --------
    >>> path = study.published(FILE)  # doctest: +SKIP
    >>> len(read_tiles(path, "HighLow Fig5"))  # doctest: +SKIP
    24
    """
    found = []
    for stored in json.loads(path.read_text("utf-8")):
        if not stored["figure"].startswith(figure) or stored["note"]:
            continue
        unit = stored["src_unit"]
        if stored["figure"] == "EarlyVision Boundary":
            unit = SWAPPED.get(unit, unit)
        ends = stored["src_layer"], stored["dst_layer"], unit, stored["dst_unit"]
        found.append(Tile(stored["figure"], *ends, np.array(stored["values"], float)))
    return found


def likeness(network: Network, tile: Tile) -> float:
    """Correlate a published kernel with a network's own between units of the same numbers.

    Kernels of two sizes are centered on each other, with zeros around the smaller.
    """
    source = POOLED.get((tile.source, tile.target), tile.source)
    ends = f"{source}:{tile.unit}", f"{tile.target}:{tile.output}"
    own = expanded_weights(network, *ends).weight[0, 0].double().numpy()
    most = np.maximum(own.shape, tile.kernel.shape)
    return correlation(*(_middle(kernel, most) for kernel in (own, tile.kernel)))


def matched(claim: Claim, network: Network, tiles: Iterable[Tile], *, least: float = 0.99) -> Row:
    """Test whether published kernels are a network's own.

    Parameters
    ----------
    claim
        That they are.
    network
        Google's.
    tiles
        The published kernels.
    least
        Correlation from which on a kernel is the same.
    """
    alike = [likeness(network, tile) for tile in tiles]
    return claim.found(
        f"{sum(value >= least for value in alike)} of {len(alike)}, lowest "
        f"{min(alike):.{3 if least < 0.999 else 4}f}",
        holds=min(alike) >= least,
        why="Correlation with the published kernel; holds where all are "
        f"{str(least).removeprefix('0')} or more.",
    )


def _middle(kernel: np.ndarray, shape: np.ndarray) -> np.ndarray:
    more = shape - kernel.shape
    return np.pad(kernel, [(int(n) // 2, int(n) - int(n) // 2) for n in more])
