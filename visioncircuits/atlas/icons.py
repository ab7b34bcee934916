"""The picture of each cell: what drives a layer in the direction of the cell's average."""

import base64
import io
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from visioncircuits import engine as engines
from visioncircuits import fingerprint
from visioncircuits.atlas.records import Atlas, Grid
from visioncircuits.engine import Engine, Store, Work
from visioncircuits.errors import InputError
from visioncircuits.examples.survey import workforce_for
from visioncircuits.featurevis import Settings, Transforms, objectives, render_all
from visioncircuits.networks import Direction, Network
from visioncircuits.networks.obtaining import Obtain, checked, obtaining
from visioncircuits.numbers import real, whole
from visioncircuits.progress import bar

SIZE, STEPS = 80, 128
"""Of an icon, in pixels, and of its optimization, as in lucid."""

POWER = 4
"""Of the cosine, as in the article's code."""

RIDGE = 0.03
"""Added to every unit's mean square before whitening, as a share of their mean: a unit that is
never active has none, and of few photographs the least ones are chance."""

TRANSFORMS = Transforms(jitter=14, scale=0.15, rotation=15, unrotated=0.1)
"""About as large as those of lucid's atlases, which are several in a row."""

Icons = UInt8[np.ndarray, "cells size size 3"]

_FILE = "icons.npy"


def whitening(values: Float32[np.ndarray, "samples units"]) -> Float32[np.ndarray, "units units"]:
    """Return the inverse of the second moment of activations, uncentered as in the article's code.

    A direction times it is large where the direction differs from what is common.

    Examples
    --------
    >>> whitening(np.array([[2, 0], [0, 1]], np.float32)).diagonal().round(1).sum()
    np.float32(2.4)
    """
    moment = values.T.astype(np.float64) @ values / len(values)
    ridge = RIDGE * np.trace(moment) / len(moment)
    moment += (ridge or 1.0) * np.eye(len(moment))  # of a layer that is never active too
    return np.linalg.inv(moment).astype(np.float32)


def icons(
    network: str | Network,
    atlas: Atlas,
    *,
    side: int | None = None,
    folder: str | Path | None = None,
    size: int = SIZE,
    steps: int = STEPS,
    cosine_power: float = POWER,
    batch: int = 16,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    device: str | None = None,
    engine: Engine | None = None,
    progress: bool = False,
) -> Icons:
    """Render the cells of a grid: what drives the layer in the direction of each average.

    The direction is whitened, `S · mean` with S of `whitening`; maximized is the middle position's
    dot product with it, times their cosine to a power. Source: Carter et al., "Activation Atlas"
    (2019). Max pools have the gradient of average pools, which leaves fewer of the patterns that
    strided operations cause in small pictures.

    Interrupted at whatever moment, the same call goes on where it was, with the same bytes in the
    end: batches are cut once, and depend on nothing else.

    Parameters
    ----------
    network
        That the atlas is of: a name, as for `networks.load`, which every worker loads itself; or a
        network, which only this process can work with.
    atlas
        Whose cells.
    side
        Of the grid; by default the finest.
    folder
        Where finished batches are kept; by default nowhere.
    size, steps
        Of each icon, and of its optimization.
    cosine_power
        With 0, the dot product alone counts.
    batch
        Icons at once. On a GPU more are faster.
    seed
        Of the optimization.
    checkpoint, device
        As for `networks.load`.
    engine
        Which workers render; by default one a core, or this process where the network was given as
        an object.
    progress
        Whether to show a bar.

    Returns
    -------
    uint8, (cells, size, size, 3)
        In the order of the grid's cells.

    Raises
    ------
    InputError
        For another network than the atlas', an unknown grid, or a number out of range.
    WorkFailed
        Where batches failed; all others are finished.

    Examples
    --------
    >>> from visioncircuits.atlas import atlas as make
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(4, 3, 224, 224)
    >>> made = make(network, "mixed4c", pictures, per_photograph=9, layout="pca", sides=[2],
    ...             least=1, classes=())
    >>> icons(network, made, size=32, steps=1).shape
    (4, 32, 32, 3)
    """
    obtain = obtaining(network, checkpoint=checkpoint, device=device)
    return cell_icons(
        obtain, atlas, side=side, folder=folder, size=size, steps=steps, cosine_power=cosine_power,
        batch=batch, seed=seed, engine=engine, progress=progress,
    )  # fmt: skip


def cell_icons(
    obtain: Obtain,
    atlas: Atlas,
    *,
    side: int | None = None,
    folder: str | Path | None = None,
    size: int = SIZE,
    steps: int = STEPS,
    cosine_power: float = POWER,
    batch: int = 16,
    seed: int = 0,
    engine: Engine | None = None,
    progress: bool = False,
) -> Icons:
    """Render as `icons`, as a step of a longer job that has its way to obtain the network."""
    whole("batch", batch, least=1)
    real("cosine_power", cosine_power, least=0)
    loaded, grid = obtain(), atlas.grid(side)
    if loaded.name != atlas.samples.network:
        raise InputError(f"the atlas is of {atlas.samples.network}, not of {loaded.name}")
    settings = Settings(
        size=size, steps=steps, seed=seed, transforms=TRANSFORMS, averaged_pools=True
    )
    workforce = workforce_for(obtain, engine)
    vectors = grid.means @ whitening(atlas.samples.values)
    shared: dict[str, Any] = {
        "what": "icons of an atlas",
        "code": fingerprint.code(),
        "torch": torch.__version__,
        "device": loaded.device.type,
        "network": loaded.record(),
        "layer": atlas.samples.layer,
        "settings": settings.record(),
        "cosine_power": cosine_power,
    }
    works = [
        {
            **shared,
            "names": [_name(grid, cell) for cell in range(first, min(first + batch, len(grid)))],
            "directions": base64.b64encode(vectors[first : first + batch].tobytes()).decode(),
        }
        for first in range(0, len(grid), batch)
    ]
    with (
        tempfile.TemporaryDirectory() as scratch,
        bar("icons", len(grid), visible=progress) as advance,
    ):
        store = Store(Path(folder or scratch) / "icons")
        done = {engines.digest(work) for work in store.finished()}
        advance(sum(len(work["names"]) for work in works if engines.digest(work) in done))
        engines.complete(
            store,
            partial(_rendered, obtain=obtain),
            works,
            engine=workforce,
            advance=lambda work: advance(len(work["names"])),
        )
        return np.concatenate([np.load(store.path(work) / _FILE) for work in works])


def _name(grid: Grid, cell: int) -> str:
    row, column = grid.cells[cell].tolist()
    return f"{row}-{column} of {grid.side}"


def _rendered(work: Work, *, obtain: Obtain) -> Mapping[str, bytes]:
    """Render a batch, on a worker."""
    network = checked(obtain(), work["network"])
    vectors = np.frombuffer(base64.b64decode(work["directions"]), np.float32)
    wanted = [
        objectives.direction(
            Direction(work["layer"], vector, name=name),
            cosine_power=work["cosine_power"],
            middle=True,
        )
        for name, vector in zip(work["names"], vectors.reshape(len(work["names"]), -1), strict=True)
    ]
    settings = Settings.from_record(work["settings"])
    drawn = render_all(network, wanted, settings=settings, batch=len(wanted))
    pixels = np.stack([np.asarray(each.image().convert("RGB")) for each in drawn])
    content = io.BytesIO()
    np.save(content, pixels)
    return {_FILE: content.getvalue()}
