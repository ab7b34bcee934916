"""A handwritten family beside a trained one: tuning, weights, and what photographs do to both.

Source: Cammarata et al., "Curve Circuits" (2021), which compares its artificial artificial neural
network with InceptionV1 in these ways.

Tuning, kernels and maps are compared in one form, `Compared`, which is why the module has some
450 lines.
"""

import json
from dataclasses import dataclass
from pathlib import Path

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
    turns,
)
from visioncircuits.comparison.matching import drawn_size, fits
from visioncircuits.comparison.simple_rules import negative_contrast
from visioncircuits.datasets import Photographs, Source
from visioncircuits.networks.grids import onto
from visioncircuits.progress import Advance, bar, no_progress
from visioncircuits.stimuli import StimulusSet, named, names
from visioncircuits.tuning import orientation_tuning, radial_tuning
from visioncircuits.tuning.responses import measured
from visioncircuits.weights import expanded_weights, storage

LARGEST = 1000
"""Stimuli of a ready set that families are compared on, at most."""

SIGNS = ("excites", "neither", "inhibits")

SILENT = 0.15
"""A kernel whose sum is less than this share of the strongest's neither excites nor inhibits."""


@dataclass(frozen=True, eq=False)
class Compared:
    """Two families in one respect, tuning or kernels.

    A notebook shows both side by side; see `compared_panel`.

    Attributes
    ----------
    numbers
        How alike they are; see the function that compares them.
    trained, handwritten
        What was compared: responses, or kernels.

    Examples
    --------
    >>> from visioncircuits.comparison import compare_tuning, family
    >>> from visioncircuits.handwritten import curves
    >>> two = family(curves(), ["mixed3b:3", "mixed3b:9"], "curve")
    >>> compared = compare_tuning(two, two, named("curves").isel(radius=[1]))
    >>> compared.numbers["surface"].values.round(3).tolist()
    [1.0, 1.0]
    """

    numbers: xr.Dataset
    trained: xr.DataArray
    handwritten: xr.DataArray

    def __repr__(self) -> str:
        shape = " × ".join(f"{size} {dim}" for dim, size in self.trained.sizes.items())
        return f"Compared({shape}; {', '.join(map(str, self.numbers))})"

    def _repr_png_(self) -> bytes:
        from visioncircuits.comparison.compared_panel import compared_panel

        return compared_panel(self)._repr_png_()

    def save(self, path: str | Path) -> Path:
        """Save as .npz or .nc (netCDF).

        Raises
        ------
        InputError
            For another suffix, or if the file cannot be written.
        """
        dataset = self.numbers.assign(
            {f"{side} {_WHOLE}": _renamed(getattr(self, side), side) for side in _SIDES}
        )
        attributes = {side: json.dumps(getattr(self, side).attrs) for side in _SIDES}
        return storage.write(dataset.assign_attrs(kind=_KIND, **attributes), path)

    @classmethod
    def load(cls, path: str | Path) -> "Compared":
        """Load what was saved.

        Raises
        ------
        InputError
            If the file is missing, damaged, or has other content.
        """
        dataset = storage.read(path, _KIND)
        arrays = {}
        for side in _SIDES:
            array = dataset[f"{side} {_WHOLE}"]
            names = {name: str(name).removeprefix(f"{side} ") for name in array.dims}
            array = array.reset_coords(drop=True).rename(names)
            arrays[side] = array.rename(None).assign_attrs(json.loads(dataset.attrs[side]))
        own = {f"{side} {name}" for side in _SIDES for name in (*arrays[side].dims, _WHOLE)}
        numbers = dataset.drop_vars(own, errors="ignore").drop_attrs()
        return cls(numbers, **arrays)


_SIDES, _WHOLE, _KIND = ("trained", "handwritten"), "whole", "a comparison of two families"


def _renamed(array: xr.DataArray, side: str) -> xr.DataArray:
    """Give dimensions names of their own, for families have units of different names."""
    plain = xr.DataArray(array.variable, {dim: array[dim] for dim in array.dims}, array.dims)
    return plain.rename({dim: f"{side} {dim}" for dim in array.dims}).drop_attrs()


def compare_tuning(
    trained: Family,
    written: Family,
    stimuli: StimulusSet,
    *,
    progress: bool = False,
) -> Compared:
    """Compare how two families are tuned, unit by unit.

    Handwritten units come at steps of some degrees, so that a counterpart is off by up to half of
    that; for the correlations its responses are rotated by that angle.

    Parameters
    ----------
    trained, written
        Counterparts, as `counterparts` gives them.
    stimuli
        Of any axes; those of the families' hypothesis, for instance.
    progress
        Whether to show a bar.

    Returns
    -------
    Compared
        The numbers by trained unit: `surface`, the correlation of positive responses over all
        axes, and for either of them (`which`) the value of each other axis with the largest
        response, such as `best radius`. Where the stimuli have an orientation, also `orientation`,
        the correlation of the radial tuning, and for either `prefers` (degrees), `width` and
        `echo`. Beside them the responses of both.

    Examples
    --------
    >>> from visioncircuits.comparison import counterparts, family
    >>> from visioncircuits.handwritten import curves
    >>> network = curves()
    >>> trained = family(network, ["mixed3b:3", "mixed3b:9"], "curve")
    >>> whole = family(network, [f"mixed3b:{unit}" for unit in range(12)], "curve")
    >>> written = counterparts(trained, whole)
    >>> compared = compare_tuning(trained, written, named("curves").isel(radius=[1, 2]))
    >>> compared.numbers["orientation"].values.round(3).tolist()
    [1.0, 1.0]
    """
    with bar("stimuli", 2 * len(stimuli), visible=progress) as advance:
        return tuned(trained, written, stimuli, advance=advance)


def tuned(
    trained: Family, written: Family, stimuli: StimulusSet, *, advance: Advance = no_progress
) -> Compared:
    """Compare as `compare_tuning`, as a step of a longer one that counts stimuli."""
    theirs, ours = (
        measured(family.network, family.units, stimuli, advance=advance)
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
    each, both, ours_turned = {}, {}, ours
    if "orientation" in theirs.dims:
        ours_turned = rotated(ours, turns(trained, written))
    positive = [side.clip(min=0) for side in (theirs, ours_turned)]
    each["surface"] = correlations(*positive)
    if "orientation" in theirs.dims:
        each["orientation"] = correlations(*map(radial_tuning, (theirs, ours_turned)))
        angles = [orientation_tuning(side) for side in (theirs, ours)]
        for name, column in (("prefers", "orientation"), ("width", "width"), ("echo", "echo")):
            both[name] = [found[column].values for found in angles]
    for axis in theirs.dims:
        if axis not in ("unit", "orientation"):
            both[f"best {axis}"] = [_best(side, str(axis)) for side in positive]
    return Compared(
        xr.Dataset(
            {
                **{name: ("unit", numbers) for name, numbers in each.items()},
                **{name: (("which", "unit"), np.stack(sides)) for name, sides in both.items()},
            },
            coords={"unit": trained.names, "which": ["trained", "handwritten"]},
        ),
        theirs,
        ours_turned,
    )


def _best(positive: xr.DataArray, axis: str) -> np.ndarray:
    mean = positive.mean([dim for dim in positive.dims if dim not in ("unit", axis)])
    best = mean.transpose("unit", axis).values.argmax(1)
    return np.asarray(positive[axis].values[best])


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
    >>> from visioncircuits.comparison import family
    >>> from visioncircuits.handwritten import curves
    >>> network = curves()
    >>> two = family(network, ["mixed3b:3", "mixed3b:9"], "curve")
    >>> early = family(network, ["mixed3a:3", "mixed3a:9"], "curve")
    >>> found = compare_kernels(two, early, two, early).numbers
    >>> found["correlation"].round(3).values.tolist()
    [[1.0, 1.0], [1.0, 1.0]]
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

    Parameters
    ----------
    kernels
        The numbers of `compare_kernels`.

    Returns
    -------
    xarray.DataArray
        Of whole numbers, by `handwritten` and `trained`: "excites", "neither", "inhibits".

    Examples
    --------
    >>> sums = {"handwritten": ("source", [1.0, -0.8]), "trained": ("source", [0.7, 0.1])}
    >>> sign_table(xr.Dataset(sums)).values.tolist()
    [[1, 0, 0], [0, 0, 0], [0, 1, 0]]
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
        Counterparts; maps of another grid are read off where the trained neurons look.
    photographs
        See `datasets.photographs`.
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
    >>> from visioncircuits.comparison import family
    >>> from visioncircuits.handwritten import curves
    >>> two = family(curves(), ["mixed3b:3", "mixed3b:9"], "curve")
    >>> compare_maps(two, two, torch.rand(2, 3, 96, 96)).values.round(3).tolist()
    [1.0, 1.0]
    """
    given = datasets.photographs(photographs)
    with bar("photographs", len(given), visible=progress) as advance:
        found, _ = ranked_maps(trained, written, given, batch=batch, advance=advance)
    return found


@torch.no_grad()
def ranked_maps(
    trained: Family,
    written: Family,
    photographs: Photographs,
    *,
    batch: int = 20,
    advance: Advance = no_progress,
) -> tuple[xr.DataArray, xr.DataArray]:
    """Compare as `compare_maps`, and beside that with one map for all units: negative contrast."""
    found: list[list[torch.Tensor]] = [[], [], []]
    here = trained.network.layer(trained.layer)
    grids = [
        family.network.layer_at(family.layer, trained.network.size) for family in (trained, written)
    ]
    for pictures in photographs.batches(trained.network.size, batch):
        for maps, family, grid in zip(found, (trained, written), grids, strict=False):
            layer = family.network.before_rectifier(family.layer)
            index = torch.tensor(family.places)
            values = family.network.unit_activations(pictures, {layer: index})[layer]
            maps.append(onto(values, grid, here).transpose(0, 1).flatten(1))
        found[2].append(negative_contrast(pictures, grids[0]).reshape(1, -1))
        advance(len(pictures))
    theirs, *others = (torch.cat(maps, 1).cpu().numpy() for maps in found)
    coords = {"unit": trained.names}
    ours, contrast = (
        xr.DataArray(
            [
                float(spearmanr(one, other).statistic)
                for one, other in zip(theirs, np.broadcast_to(rows, theirs.shape), strict=True)
            ],
            coords,
            dims="unit",
        )
        for rows in others
    )
    return ours, contrast


def shown(trained: Family, written: Family) -> list[StimulusSet]:
    """Return the stimuli that two families are compared on: their hypothesis', and ready sets.

    Ready are those with all axes of the hypothesis' stimuli, such as filled and colored curves and
    angles for curves, that neurons of both layers see the whole of.
    """
    own = trained.hypothesis.stimuli
    sizes = [drawn_size(family.network, family.layer) for family in (trained, written)]
    ready = (named(name) for name in names() if name != own.name)
    return [
        own,
        *(
            each
            for each in ready
            if own.axes.keys() <= each.axes.keys()
            and len(each) <= LARGEST
            and _period(each) == _period(own)
            and all(fits(each, size) for size in sizes)
        ),
    ]


def _period(stimuli: StimulusSet) -> float:
    """Compute how far a set's orientations go around, in degrees; 0 without any."""
    angles = np.asarray(stimuli.axes.get("orientation", (0.0,)), float)
    return float(np.ptp(angles) * len(angles) / max(len(angles) - 1, 1))
