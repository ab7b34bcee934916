"""Atlases of a class, and of the difference between two."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32

from visioncircuits.atlas.attributing import of_samples
from visioncircuits.atlas.behind import own_photographs
from visioncircuits.atlas.cells import LEAST, check_grids, grids
from visioncircuits.atlas.layout import Layout, check_layout, described, lay_out, scaled, tsne
from visioncircuits.atlas.records import Atlas, SampledActivations
from visioncircuits.attribution.explaining import class_name, class_number
from visioncircuits.attribution.slopes import RelaxedGradient, Slope
from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.networks import Network
from visioncircuits.numbers import whole

SIDES = (5, 10)
"""Of what are fewer samples, fewer cells than of an atlas."""

TOP = 2000
"""Samples of a class that are kept."""


def class_atlas(
    network: Network,
    atlas: Atlas,
    photographs: Source,
    class_: str | int,
    *,
    top: int = TOP,
    layout: str | Layout = "umap",
    sides: Sequence[int] = SIDES,
    least: int = LEAST,
    slope: Slope | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Atlas:
    """Lay out anew the samples of an atlas that support a class most.

    Those are kept whose attribution to the class is largest, and above 0: the article's filter by
    magnitude. Each class costs a backward pass a photograph.

    Parameters
    ----------
    network, photographs
        That the atlas is of.
    atlas
        Whose samples.
    class_
        By name or number.
    top
        How many samples are kept at most.
    layout, sides, least, seed
        As for `atlas`.
    slope
        As for `attributed`.
    progress
        Whether to show a bar.

    Returns
    -------
    Atlas
        Of these samples, with attribution to this class; its icons are rendered as those of every
        atlas.

    Raises
    ------
    InputError
        For another network or other photographs than the atlas', an unknown class, or too few
        samples.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.atlas import atlas as make
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(4, 3, 224, 224)
    >>> made = make(network, "mixed5a", pictures, per_photograph=25, layout="pca", sides=[2],
    ...             classes=())
    >>> class_atlas(network, made, pictures, "beer glass", top=40, layout="pca", sides=[2], least=1)
    Atlas(untrained bvlc_googlenet mixed5a: 40 of 4 photographs; 2 × 2; 1 class)
    """
    record = _record(network, atlas, [class_], layout, sides, least, top, slope, seed)
    led = _led(network, atlas, photographs, [class_], slope, progress)
    kept = strongest(led[:, 0], top)
    samples = _part(atlas.samples, kept)
    points = lay_out(samples.values, layout, seed=seed)
    return _gridded(network, samples, points, led[kept], [class_], sides, least, record)


def compare(
    network: Network,
    atlas: Atlas,
    photographs: Source,
    first: str | int,
    second: str | int,
    *,
    top: int = TOP,
    layout: str | Layout = tsne,
    sides: Sequence[int] = SIDES,
    least: int = LEAST,
    slope: Slope | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Atlas:
    """Lay out what supports either of two classes, by how much more it supports the second.

    x is the attribution to the second class less that to the first, as ranks, so that each part
    of the axis holds equally many samples; y is the second coordinate of a layout, t-SNE in the
    article, where samples that are alike are near.

    Parameters
    ----------
    network, atlas, photographs, top, sides, least, slope, seed, progress
        As for `class_atlas`; `top` are of each class.
    first, second
        Classes, by name or number.
    layout
        Of which y is taken.

    Returns
    -------
    Atlas
        With the attribution of both classes.

    Raises
    ------
    InputError
        As `class_atlas`, and for one class twice.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.atlas import atlas as make
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(4, 3, 224, 224)
    >>> made = make(network, "mixed5a", pictures, per_photograph=25, layout="pca", sides=[2],
    ...             classes=())
    >>> found = compare(network, made, pictures, "snorkel", "scuba diver", top=20, layout="pca",
    ...                 sides=[2], least=1)
    >>> found.classes
    ('snorkel', 'scuba diver')
    """
    two(network, first, second)
    record = _record(network, atlas, [first, second], layout, sides, least, top, slope, seed)
    led = _led(network, atlas, photographs, [first, second], slope, progress)
    kept = strongest(led[:, 0], top) | strongest(led[:, 1], top)
    samples, own = _part(atlas.samples, kept), led[kept]
    difference = own[:, 1] - own[:, 0]
    ranks = np.argsort(np.argsort(difference, kind="stable"), kind="stable")
    points = np.stack([ranks, lay_out(samples.values, layout, seed=seed)[:, 1]], 1)
    placed = scaled(points.astype(np.float32))
    return _gridded(network, samples, placed, own, [first, second], sides, least, record)


def two(network: Network, first: str | int, second: str | int) -> None:
    """Check that two classes can be compared.

    Raises
    ------
    InputError
        For an unknown one, and one class twice.
    """
    if class_number(network, first) == class_number(network, second):
        raise InputError(f"{first} and {second} are one class; compare two")


def strongest(led: Float32[np.ndarray, " samples"], top: int) -> Bool[np.ndarray, " samples"]:
    """Choose the samples that led to a class most, and more than 0.

    Examples
    --------
    >>> strongest(np.array([0.1, -2, 3, 2], np.float32), 2).tolist()
    [False, False, True, True]
    """
    whole("top", top, least=1)
    chosen = np.zeros(len(led), bool)
    chosen[np.argsort(-led, kind="stable")[:top]] = True
    return chosen & (led > 0)


def _led(
    network: Network,
    atlas: Atlas,
    photographs: Source,
    classes: Sequence[str | int],
    slope: Slope | None,
    progress: bool,
) -> Float32[np.ndarray, "samples classes"]:
    given = own_photographs(atlas, photographs)
    return of_samples(network, atlas.samples, given, classes, slope=slope, progress=progress)


def _part(samples: SampledActivations, kept: Bool[np.ndarray, " samples"]) -> SampledActivations:
    return replace(
        samples,
        values=samples.values[kept],
        photographs=samples.photographs[kept],
        positions=samples.positions[kept],
    )


def _record(
    network: Network,
    atlas: Atlas,
    classes: Sequence[str | int],
    layout: str | Layout,
    sides: Sequence[int],
    least: int,
    top: int,
    slope: Slope | None,
    seed: int,
) -> dict[str, Any]:
    """Check the options before anything is attributed, and return them as a record."""
    if network.name != atlas.samples.network:
        raise InputError(f"the atlas is of {atlas.samples.network}, not of {network.name}")
    check_layout(layout)
    check_grids(sides, least)
    return {
        "of": dict(atlas.record),
        "of classes": [class_number(network, each) for each in classes],
        "layout": described(layout),
        "sides": sorted(set(sides)),
        "least": least,
        "top": whole("top", top, least=1),
        "slope": (slope or RelaxedGradient()).name,
        "seed": seed,
    }


def _gridded(
    network: Network,
    samples: SampledActivations,
    points: Float32[np.ndarray, "samples 2"],
    led: Float32[np.ndarray, "samples classes"],
    classes: Sequence[str | int],
    sides: Sequence[int],
    least: int,
    record: dict[str, Any],
) -> Atlas:
    """Average activations and attributions, which are known of every sample, in cells."""
    averaged = tuple(
        replace(
            grid,
            attribution=np.array(
                [led[grid.samples(cell)].mean(0, dtype=np.float64) for cell in range(len(grid))],
                np.float32,
            ),
        )
        for grid in grids(points, samples.values, sides=sides, least=least)
    )
    names = tuple(class_name(network, class_number(network, each)) for each in classes)
    return Atlas(samples, points, averaged, names, record)
