"""What a family and its stand-ins respond to beside what they are meant for."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from visioncircuits.comparison.families import Family, correlations
from visioncircuits.comparison.matching import drawn_size, fits
from visioncircuits.comparison.similarity import compare_responses
from visioncircuits.progress import Advance, no_progress
from visioncircuits.stimuli import StimulusSet, named
from visioncircuits.tuning.responses import measured

OTHERS = ("lines", "checkerboards")
"""Ready sets that a selective unit responds to less than to its own stimuli."""


def others(family: Family) -> list[StimulusSet]:
    """Return the other stimuli: those that the family sees the whole of."""
    size = drawn_size(family.network, family.layer)
    sets = [named(name) for name in OTHERS if name != f"{family.hypothesis.name}s"]
    return [each for each in sets if fits(each, size)]


def stimuli_shown(trained: Family, families: Mapping[str, Family]) -> int:
    """Count the stimuli that `selectivity` measures."""
    sets = [trained.hypothesis.stimuli, *others(trained)]
    return len(_together({"trained": trained, **families})) * sum(map(len, sets))


def selectivity(
    trained: Family,
    families: Mapping[str, Family],
    *,
    advance: Advance = no_progress,
) -> xr.Dataset:
    """Measure how selective families are for the stimuli of a hypothesis.

    Parameters
    ----------
    trained
        The family of the hypothesis.
    families
        What stands in for it, by name, unit by unit.
    advance
        Is called with how many stimuli more have been measured.

    Returns
    -------
    xarray.Dataset
        By `family`, "trained" first, medians over units. `surface` is the correlation of tuning
        with the trained over all axes. Where the stimuli have an orientation, `orientation` is that
        of radial tuning, `width` in degrees and `echo` as of `orientation_tuning`; where they have
        a radius, `radius` is the correlation of mean responses by radius. Then, for each other set,
        the strongest response to it over the strongest to the own stimuli.

    Examples
    --------
    >>> from visioncircuits.comparison import family
    >>> from visioncircuits.handwritten import curves
    >>> one = family(curves(), ["mixed3b:3"], "curve")
    >>> found = selectivity(one, {"itself": one})
    >>> found["surface"].values.round(3).tolist(), float(found["lines"][0]) < 0.5
    ([1.0, 1.0], True)
    """
    every = {"trained": trained, **families}
    own, *rest = (
        _responses(every, stimuli, advance)
        for stimuli in (trained.hypothesis.stimuli, *others(trained))
    )
    rows = []
    for name, family in every.items():
        compared = compare_responses(trained, family, own["trained"], own[name]).numbers
        row = {key: compared[key].values for key in ("surface", "orientation") if key in compared}
        for key in ("width", "echo"):
            if key in compared:
                row[key] = compared[key].sel(which="handwritten").values
        if "radius" in own[name].dims:
            row["radius"] = correlations(*(_by_radius(own[each]) for each in ("trained", name)))
        for stimuli, found in zip(others(trained), rest, strict=True):
            row[stimuli.name] = _strongest(found[name]) / _strongest(own[name]).clip(1e-12)
        rows.append({key: float(np.nanmedian(values)) for key, values in row.items()})
    return xr.Dataset(
        {name: ("family", [row[name] for row in rows]) for name in rows[0]},
        coords={"family": list(every)},
    )


def _together(families: Mapping[str, Family]) -> list[list[str]]:
    """Group the names of families of one layer, which are measured at once."""
    groups: dict[tuple[int, str], list[str]] = {}
    for name, family in families.items():
        groups.setdefault((id(family.network.module), family.layer), []).append(name)
    return list(groups.values())


def _responses(
    families: Mapping[str, Family], stimuli: StimulusSet, advance: Advance
) -> dict[str, xr.DataArray]:
    """Measure every family, in its order; a unit that stands for several is measured once."""
    found: dict[str, xr.DataArray] = {}
    for names in _together(families):
        units = list(dict.fromkeys(unit for name in names for unit in families[name].units))
        responses = measured(families[names[0]].network, units, stimuli, advance=advance)
        for name in names:
            order = [units.index(unit) for unit in families[name].units]
            found[name] = responses.isel(unit=order)
    return found


def _by_radius(responses: xr.DataArray) -> xr.DataArray:
    positive = responses.clip(min=0)
    return positive.mean([dim for dim in positive.dims if dim not in ("unit", "radius")])


def _strongest(responses: xr.DataArray) -> np.ndarray:
    values = responses.clip(min=0).transpose("unit", ...).values
    return np.asarray(values.reshape(len(values), -1).max(1))
