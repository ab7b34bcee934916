"""From atlases to sheets of a page: icons of all grids in one queue, crops, and features shown."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image

from visioncircuits.atlas import Atlas, along, typical
from visioncircuits.atlas.behind import patch, reader
from visioncircuits.atlas.icons import SIZE, STEPS, cell_icons
from visioncircuits.datasets import Source
from visioncircuits.engine import Engine
from visioncircuits.examples.crops import seen
from visioncircuits.networks import Feature, Network, parse
from visioncircuits.networks.obtaining import Obtain
from visioncircuits.site.atlas import Sheet
from visioncircuits.site.atlas_cells import CROP, Crops

BEHIND = 6
"""Crops of each cell, each of another photograph."""

PIXELS = 96
"""Of a crop, in the network's picture; the center of a receptive field counts most."""


def sheet(
    obtain: Obtain,
    name: str,
    atlas: Atlas,
    photographs: Source,
    *,
    work: Path,
    features: Sequence[str | Feature] = (),
    size: int = SIZE,
    steps: int = STEPS,
    batch: int = 16,
    seed: int = 0,
    engine: Engine | None = None,
    progress: bool = False,
) -> Sheet:
    """Render all of an atlas' cells, and return what a page shows of it.

    Parameters
    ----------
    obtain
        Returns the network, on every worker.
    name
        The sheet's.
    atlas, photographs
        The atlas, and what it was made of.
    work
        The folder of finished icons: interrupted, the same call goes on where it was.
    features
        Of the atlas' layer, to be shown on it; others are left out.
    size, steps, batch, seed, engine, progress
        As for `icons`.
    """
    icons = []
    for grid in atlas.grids:
        pixels = cell_icons(
            obtain, atlas, side=grid.side, folder=work, size=size, steps=steps, batch=batch,
            seed=seed, engine=engine, progress=progress,
        )  # fmt: skip
        icons.append({cell: Image.fromarray(each) for cell, each in enumerate(pixels)})
    marks = {
        str(feature): along(atlas, feature)
        for feature in map(parse, features)
        if feature.layer == atlas.samples.layer
    }
    return Sheet(name, atlas, icons, crops(obtain(), atlas, photographs), marks)


def crops(network: Network, atlas: Atlas, photographs: Source) -> Crops:
    """Return the function that cuts what is behind a cell out of the photographs."""
    read = reader(network, atlas, photographs)
    pixels = min(PIXELS, network.size)

    def behind(index: int, cell: int) -> list[Image.Image]:
        found = typical(atlas.samples, atlas.grids[index], cell, top=BEHIND)
        cut = (patch(network, atlas.samples, read, sample, pixels) for sample in found.tolist())
        return [
            _shown(network, each).resize((CROP, CROP), Image.Resampling.LANCZOS) for each in cut
        ]

    return behind


def _shown(network: Network, pixels: UInt8[np.ndarray, "channels side side"]) -> Image.Image:
    colors = seen(network, torch.from_numpy(np.ascontiguousarray(pixels)).float() / 255)
    return Image.fromarray((colors.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy())


def named(atlases: Sequence[Atlas]) -> Mapping[str, Atlas]:
    """Name the sheets of aligned atlases: by layer, and by network where there are several."""
    several = len({each.samples.network for each in atlases}) > 1
    return {
        f"{each.samples.network} {each.samples.layer}" if several else each.samples.layer: each
        for each in atlases
    }
