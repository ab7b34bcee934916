"""A handwritten circuit beside a trained one: tuning, weights, and what photographs do to both.

Source: Cammarata et al., "Curve Circuits" (2021), which compares its artificial artificial neural
network with InceptionV1 in these ways.

Tuning, kernels and maps are compared in one form, `Compared`, which is why the module has some
300 lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from scipy.stats import spearmanr

from visioncircuits import datasets
from visioncircuits.comparison.families import (
    Family,
    between,
    correlations,
    counterparts,
    rotated,
)
from visioncircuits.datasets import Source
from visioncircuits.networks.grids import onto
from visioncircuits.progress import bar
from visioncircuits.stimuli import StimulusSet, named
from visioncircuits.tuning import measure, orientation_tuning, radial_tuning
from visioncircuits.weights import expanded_weights

STIMULI = ("curves", "filled-curves", "colored-curves", "angles")
"""The ready sets that curve detectors are compared on."""

SIGNS = ("excites", "neither", "inhibits")

SILENT = 0.15
"""A kernel whose sum is less than this share of the strongest's neither excites nor inhibits."""


@dataclass(frozen=True)
class Compared:
    """Two families in one respect, tuning or kernels.

    Attributes
    ----------
    numbers
        How alike they are; see the function that compares them.
    trained, handwritten
        What was compared: responses, or kernels.

    Examples
    --------
    >>> from visioncircuits.comparison import curve_family
    >>> from visioncircuits.networks import load
    >>> curves = curve_family(load("handwritten:curves"), ["mixed3b:0", "mixed3b:6"])
    >>> from visioncircuits.stimuli import named
    >>> few = named("curves").isel(radius=[1], orientation=slice(0, None, 3))
    >>> compare_tuning(curves, curves, few).numbers["orientation"].values.round(2)
    array([1., 1.])
    """

    numbers: xr.Dataset
    trained: xr.DataArray
    handwritten: xr.DataArray

    def _repr_html_(self) -> str:
        return str(self.numbers._repr_html_())


def compare_tuning(
    trained: Family,
    written: Family,
    stimuli: StimulusSet,
    *,
    progress: bool = False,
) -> Compared:
    """Compare how two families are tuned, unit by unit.

    Handwritten units come at steps of 15 degrees, so that a counterpart is off by up to half of
    that; for the correlations its responses are rotated by that angle.

    Parameters
    ----------
    trained, written
        Counterparts, as `counterparts` gives them.
    stimuli
        With an axis `orientation`, and perhaps `radius`.
    progress
        Whether to show a bar.

    Returns
    -------
    Compared
        The numbers by trained unit: `surface`, the correlation of positive responses over all
        axes; `orientation`, of the radial tuning; and for either of them (`which`) `prefers`
        (degrees), `width`, `echo` and, where there are radii, `radius`, that of the largest
        response.
        Beside them the responses of both.
    """
    theirs, ours = (
        measure(family.network, family.units, stimuli, progress=progress)
        for family in (trained, written)
    )
    return compare_responses(trained, written, theirs, ours)


def compare_responses(
    trained: Family, written: Family, theirs: xr.DataArray, ours: xr.DataArray
) -> Compared:
    """Compare how two families are tuned by responses that were measured before.

    Parameters
    ----------
    trained, written
        Counterparts, as `counterparts` gives them.
    theirs, ours
        Their responses to one set of stimuli, as `tuning.measure` gives them.

    Returns
    -------
    Compared
        As `compare_tuning`.
    """
    off = np.subtract(trained.orientations, written.orientations)
    responses = [theirs, rotated(ours, off)]
    positive = [each.clip(min=0) for each in responses]
    around = [radial_tuning(each) for each in responses]
    tuned = [orientation_tuning(each) for each in (theirs, ours)]
    numbers = {
        "prefers": [each["orientation"].values for each in tuned],
        "width": [each["width"].values for each in tuned],
        "echo": [each["echo"].values for each in tuned],
    }
    if "radius" in theirs.dims:
        numbers["radius"] = [_best_radius(each) for each in positive]
    return Compared(
        xr.Dataset(
            {
                "surface": ("unit", correlations(*positive)),
                "orientation": ("unit", correlations(*around)),
                **{name: (("which", "unit"), np.stack(both)) for name, both in numbers.items()},
            },
            coords={"unit": trained.names, "which": ["trained", "handwritten"]},
        ),
        responses[0],
        responses[1],
    )


def _best_radius(positive: xr.DataArray) -> np.ndarray:
    mean = positive.mean([dim for dim in positive.dims if dim not in ("unit", "radius")])
    best = mean.transpose("unit", "radius").values.argmax(1)
    radii: np.ndarray = positive["radius"].values[best]
    return radii


def compare_kernels(
    trained: Family, trained_sources: Family, written: Family, written_sources: Family
) -> Compared:
    """Compare the kernels between two families of two layers, pair by pair.

    Every trained unit, source or target, is held against its handwritten counterpart. Layers need
    not be adjacent: kernels are expanded weights.

    Returns
    -------
    Compared
        The numbers by `target` and `source`: `correlation` of the two kernels over their places,
        `apart` (degrees between the two units' orientations), and `trained` and `handwritten`, the
        kernels' sums over the largest. Beside them the kernels of both, `(target, source, y, x)`.

    Examples
    --------
    >>> from visioncircuits.comparison import curve_family
    >>> from visioncircuits.networks import load
    >>> curves = curve_family(load("handwritten:curves"), ["mixed3b:0", "mixed3b:6"])
    >>> lines = curve_family(curves.network, ["mixed3a:0", "mixed3a:6"])
    >>> list(compare_kernels(curves, lines, curves, lines).numbers.data_vars)[:1]
    ['correlation']
    """
    mine, yours = counterparts(trained, written), counterparts(trained_sources, written_sources)
    pairs = [(trained, trained_sources), (mine, yours)]
    kernels = _padded([_kernels(target, source) for target, source in pairs])
    ours, theirs = (each.reshape(*each.shape[:2], -1) for each in kernels[::-1])
    both = [
        xr.DataArray(each.reshape(-1, each.shape[-1]), dims=("unit", "place"))
        for each in (theirs, ours)
    ]
    sums = [each.sum((2, 3)) / np.abs(each.sum((2, 3))).max() for each in kernels]
    coords = {"target": trained.names, "source": trained_sources.names}
    dims = ("target", "source")
    return Compared(
        xr.Dataset(
            {
                "correlation": (dims, correlations(*both).reshape(sums[0].shape)),
                "apart": (dims, between(trained, trained_sources)),
                "trained": (dims, sums[0]),
                "handwritten": (dims, sums[1]),
            },
            coords=coords,
        ),
        xr.DataArray(kernels[0], dims=(*dims, "y", "x"), coords=coords),
        xr.DataArray(kernels[1], dims=(*dims, "y", "x"), coords=coords),
    )


def _kernels(targets: Family, sources: Family) -> np.ndarray:
    """Expanded weights; a unit that stands for several is computed once and repeated."""
    to, out = (list(dict.fromkeys(family.units)) for family in (targets, sources))
    weight = expanded_weights(targets.network, out, to).weight.cpu().numpy()
    rows = [to.index(unit) for unit in targets.units]
    return weight[rows][:, [out.index(unit) for unit in sources.units]]


def _padded(kernels: list[np.ndarray]) -> list[np.ndarray]:
    """Surround the smaller kernels by zeros, so that all are of one size."""
    sides = np.max([each.shape[2:] for each in kernels], 0)
    padded = []
    for each in kernels:
        extra = [(int(side) - own) // 2 for side, own in zip(sides, each.shape[2:], strict=True)]
        around = [
            (before, int(side) - own - before)
            for before, side, own in zip(extra, sides, each.shape[2:], strict=True)
        ]
        padded.append(np.pad(each, [(0, 0), (0, 0), *around]))
    return padded


def sign_table(kernels: xr.Dataset) -> xr.DataArray:
    """Count pairs by what the handwritten kernel does and what the trained one does.

    Returns
    -------
    xarray.DataArray
        Of whole numbers, by `handwritten` and `trained`: "excites", "neither", "inhibits".

    Examples
    --------
    >>> from visioncircuits.comparison import curve_family
    >>> from visioncircuits.networks import load
    >>> curves = curve_family(load("handwritten:curves"), ["mixed3b:0", "mixed3b:6"])
    >>> lines = curve_family(curves.network, ["mixed3a:0", "mixed3a:6"])
    >>> int(sign_table(compare_kernels(curves, lines, curves, lines).numbers).sum())
    4
    """
    places = [_signs(kernels[name].values) for name in ("handwritten", "trained")]
    table = np.zeros((3, 3), int)
    np.add.at(table, (places[0].ravel(), places[1].ravel()), 1)
    return xr.DataArray(
        table,
        dims=("handwritten", "trained"),
        coords={"handwritten": list(SIGNS), "trained": list(SIGNS)},
    )


def _signs(sums: np.ndarray) -> np.ndarray:
    """Places in SIGNS of kernels with these sums, over the largest."""
    return np.where(sums > SILENT, 0, np.where(sums < -SILENT, 2, 1))


@torch.no_grad()
def compare_maps(
    trained: Family,
    written: Family,
    photographs: Source,
    *,
    batch: int = 20,
    progress: bool = False,
) -> xr.DataArray:
    """Compare what photographs do to two families: Spearman's correlation of activation maps.

    Values are those before the rectifier, where the networks have a name for that, at every
    position of every photograph.

    Parameters
    ----------
    trained, written
        Counterparts; maps of another grid are read off where the trained neurons look (`onto`).
    photographs
        Any.
    batch
        Photographs at once.
    progress
        Whether to show a bar.

    Returns
    -------
    xarray.DataArray
        By `unit`, the trained ones.

    Examples
    --------
    >>> from visioncircuits.comparison import curve_family
    >>> from visioncircuits.networks import load
    >>> curves = curve_family(load("handwritten:curves"), ["mixed3b:0", "mixed3b:6"])
    >>> compare_maps(curves, curves, torch.rand(2, 3, 224, 224)).values.round(2)
    array([1., 1.])
    """
    found: list[list[torch.Tensor]] = [[], []]
    here = trained.network.layer(trained.layer)
    grids = [
        family.network.layer_at(family.layer, trained.network.size) for family in (trained, written)
    ]
    shown = datasets.photographs(photographs)
    with bar("maps", len(shown), visible=progress) as advance:
        for pictures in shown.batches(trained.network.size, batch):
            for maps, family, grid in zip(found, (trained, written), grids, strict=True):
                layer = family.network.before_rectifier(family.layer)
                index = torch.tensor(family.places)
                values = family.network.unit_activations(pictures, {layer: index})[layer]
                maps.append(onto(values, grid, here).transpose(0, 1).flatten(1))
            advance(len(pictures))
    rows = [torch.cat(maps, 1).cpu().numpy() for maps in found]
    ranks = [float(spearmanr(one, other).statistic) for one, other in zip(*rows, strict=True)]
    return xr.DataArray(ranks, dims="unit", coords={"unit": trained.names})


def sets(names: Sequence[str] = STIMULI) -> list[StimulusSet]:
    """Return the ready stimulus sets that a comparison shows."""
    return [named(name) for name in names]
