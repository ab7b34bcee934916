"""An atlas of a layer: sampled, laid out, averaged in cells, and attributed to classes."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from visioncircuits import __version__, datasets, fingerprint
from visioncircuits.atlas import storage
from visioncircuits.atlas.attributing import OF_EACH, Classes, asked, attributed
from visioncircuits.atlas.behind import contents
from visioncircuits.atlas.cells import LEAST, SIDES, check_grids, grids
from visioncircuits.atlas.layout import Layout, check_layout, described, lay_out
from visioncircuits.atlas.records import Atlas, Grid, SampledActivations
from visioncircuits.atlas.sampling import BATCH, drawn, sample
from visioncircuits.attribution.slopes import RelaxedGradient, Slope
from visioncircuits.datasets import Photographs, Source
from visioncircuits.networks import Network

_FOUND = ("dependence", "neighbors", "skipped")
"""What of a record is found, not planned."""


def atlas(
    network: Network,
    layer: str,
    photographs: Source,
    *,
    per_photograph: int = 1,
    edge: int = 1,
    layout: str | Layout = "umap",
    sides: Sequence[int] = SIDES,
    least: int = LEAST,
    classes: Classes = "all",
    slope: Slope | None = None,
    of_each: int | None = OF_EACH,
    batch: int = BATCH,
    seed: int = 0,
    folder: str | Path | None = None,
    progress: bool = False,
) -> Atlas:
    """Lay out what a layer represents: an activation atlas.

    Activations at random positions of photographs are laid out in the plane, neighbors next to each
    other, and averaged in the cells of grids. `icons` renders each cell. Source: Carter et al.,
    "Activation Atlas" (2019).

    The article takes one position of each of a million photographs. Several of one photograph are
    alike, so that more of them fill the atlas without adding to what it covers: the record's
    `dependence` has, for each grid, the effective number of photographs in the median cell, and
    the share of cells that have fewer than 2, which are of one photograph for the most part.

    Parameters
    ----------
    network, layer, photographs, per_photograph, edge, batch
        As for `sample`.
    layout
        As for `lay_out`.
    sides, least
        As for `grids`.
    classes, slope, of_each
        As for `attributed`; `classes=()` for no attribution.
    seed
        Of the positions, the layout, and the samples that are attributed.
    folder
        Where the atlas is saved; where the same one is already, it is read.
    progress
        Whether to show bars.

    Raises
    ------
    InputError
        As these functions, and for a folder with another atlas.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(4, 3, 224, 224)
    >>> atlas(network, "mixed4c", pictures, per_photograph=100, layout="pca", sides=[2, 4],
    ...       classes=["beer glass"])
    Atlas(untrained bvlc_googlenet mixed4c: 400 of 4 photographs; 2 × 2, 4 × 4; 1 class)
    """
    given, slope = datasets.photographs(photographs), slope or RelaxedGradient()
    drawn(network, layer, 1, per_photograph=per_photograph, edge=edge, seed=seed)  # a check
    record = planned(
        network, layer, per_photograph=per_photograph, edge=edge, layout=layout, sides=sides,
        least=least, classes=classes, slope=slope, of_each=of_each, seed=seed,
    )  # fmt: skip
    record["photographs"] = contents(given)
    if folder is not None and (found := made_already(record, Path(folder), given)) is not None:
        return found
    sampled = sample(
        network, layer, given, per_photograph=per_photograph, edge=edge, batch=batch, seed=seed,
        progress=progress,
    )  # fmt: skip
    points = lay_out(sampled.values, layout, seed=seed)
    return finished(
        network, sampled, points, given, record, slope=slope, folder=folder, progress=progress
    )


def planned(
    network: Network,
    layer: str,
    *,
    per_photograph: int,
    edge: int,
    layout: str | Layout,
    sides: Sequence[int],
    least: int,
    classes: Classes,
    slope: Slope,
    of_each: int | None,
    seed: int,
) -> dict[str, Any]:
    """Check what can be checked before there are samples, and return an atlas' record.

    Raises
    ------
    InputError
        As `atlas`.
    """
    check_layout(layout)
    check_grids(sides, least)
    record = {
        "visioncircuits": __version__,
        "code": fingerprint.code(),
        "torch": torch.__version__,
        "device": network.device.type,
        "network": network.record(),
        "size": network.size,
        "layer": network.layer(layer).name,
        "per_photograph": per_photograph,
        "edge": edge,
        "layout": described(layout),
        "sides": sorted(set(sides)),
        "least": least,
        "classes": asked(network, layer, classes, slope=slope, of_each=of_each),
        "slope": slope.name,
        "of_each": of_each,
        "seed": seed,
    }
    plain: dict[str, Any] = json.loads(json.dumps(record))
    return plain


def finished(
    network: Network,
    samples: SampledActivations,
    points: Float32[np.ndarray, "samples 2"],
    photographs: Photographs,
    record: Mapping[str, Any],
    *,
    slope: Slope,
    folder: str | Path | None,
    progress: bool,
) -> Atlas:
    """Average samples that are laid out, attribute classes as a record plans it, and save."""
    averaged = grids(points, samples.values, sides=record["sides"], least=record["least"])
    names: tuple[str, ...] = ()
    if record["classes"]:
        averaged, names = attributed(
            network, samples, averaged, photographs, classes=record["classes"], slope=slope,
            of_each=record["of_each"], seed=record["seed"], progress=progress,
        )  # fmt: skip
    found = {
        "skipped": list(samples.skipped),
        "dependence": [dependence(grid, samples) for grid in averaged],
    }
    made = Atlas(samples, points, averaged, names, {**record, **found})
    if folder is not None:
        storage.save(made, folder)
    return made


def made_already(record: Mapping[str, Any], folder: Path, photographs: Photographs) -> Atlas | None:
    """Return the atlas of this record in a folder, or None where there is none.

    The digest of photographs is of whatever order, but positions are drawn by place.

    Raises
    ------
    InputError
        Where there is another one.
    """
    found = storage.found(folder)
    if found is None:
        return None
    same = {name: value for name, value in found.record.items() if name not in _FOUND} == record
    if same and found.samples.names == photographs.names:
        return found
    raise storage.other(folder)


def dependence(grid: Grid, samples: SampledActivations) -> dict[str, float]:
    """Return how many photographs are behind a grid's cells, as plain data.

    Examples
    --------
    >>> grid = Grid(1, np.array([[0, 0]]), np.array([4]), np.zeros((1, 2), np.float32),
    ...             np.zeros((1, 0), np.float32), np.zeros(4, np.int64))
    >>> drawn = SampledActivations("toy", "conv", np.zeros((4, 2), np.float32),
    ...     np.array([0, 0, 1, 1]), np.zeros((4, 2), np.int64), (3, 3), ("cat.jpg", "dog.jpg"))
    >>> dependence(grid, drawn)
    {'side': 1, 'samples in the median cell': 4.0, 'photographs in it': 2.0,
    'of one photograph': 0.0}
    """
    effective = grid.photographs(samples)
    return {
        "side": grid.side,
        "samples in the median cell": float(np.median(grid.counts)),
        "photographs in it": round(float(np.median(effective)), 2),
        "of one photograph": round(float(np.mean(effective < 2)), 4),
    }
