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

OTHERS = ("lines", "corners", "checkerboards")
"""Ready sets that a selective unit responds to less than to its own stimuli."""


def others(family: Family) -> list[StimulusSet]:
    """Return the other stimuli: those that the family sees the whole of."""
    size = drawn_size(family.network, family.layer)
    sets = [named(name) for name in OTHERS if name != f"{family.hypothesis.name}s"]
    return [each for each in sets if fits(each, size)]


def stimuli_shown(trained: Family, families: Mapping[str, Family]) -> int:
    """Count the stimuli that `selectivity` measures."""
    sets = [trained.hypothesis.stimuli, *others(trained)]
    return (1 + len(families)) * sum(map(len, sets))


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
    own, rows = trained.hypothesis.stimuli, []
    theirs = _responses(trained, own, advance)
    for name, family in {"trained": trained, **families}.items():
        ours = theirs if name == "trained" else _responses(family, own, advance)
        compared = compare_responses(trained, family, theirs, ours).numbers
        row = {key: compared[key].values for key in ("surface", "orientation") if key in compared}
        for key in ("width", "echo"):
            if key in compared:
                row[key] = compared[key].sel(which="handwritten").values
        if "radius" in own.axes:
            row["radius"] = correlations(_by_radius(theirs), _by_radius(ours))
        for stimuli in others(trained):
            strongest = _strongest(_responses(family, stimuli, advance))
            row[stimuli.name] = strongest / _strongest(ours).clip(1e-12)
        rows.append({key: float(np.nanmedian(values)) for key, values in row.items()})
    return xr.Dataset(
        {name: ("family", [row[name] for row in rows]) for name in rows[0]},
        coords={"family": ["trained", *families]},
    )


def _responses(family: Family, stimuli: StimulusSet, advance: Advance) -> xr.DataArray:
    """Measure a family in its order; a unit that stands for several is measured once."""
    units = list(dict.fromkeys(family.units))
    found = measured(family.network, units, stimuli, advance=advance)
    return found.isel(unit=[units.index(unit) for unit in family.units])


def _by_radius(responses: xr.DataArray) -> xr.DataArray:
    positive = responses.clip(min=0)
    return positive.mean([dim for dim in positive.dims if dim not in ("unit", "radius")])


def _strongest(responses: xr.DataArray) -> np.ndarray:
    values = responses.clip(min=0).transpose("unit", ...).values
    return np.asarray(values.reshape(len(values), -1).max(1))
