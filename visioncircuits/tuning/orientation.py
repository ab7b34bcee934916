"""Orientation tuning: radial tuning curves, and their peak, width and echo."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from visioncircuits.errors import InputError
from visioncircuits.labeled import LabeledTable
from visioncircuits.tuning import circular
from visioncircuits.tuning.responses import Responses


def radial_tuning(responses: xr.DataArray) -> Responses:
    """Average the positive activations over every axis but the orientation.

    "Given positive activations to synthetic stimuli, average over curvature to get activations by
    angle": Cammarata et al., "Curve Detectors" (2020), the radial tuning curve.

    Parameters
    ----------
    responses
        As `measure` gives them, one of their axes being `orientation`.

    Returns
    -------
    Responses
        `unit` and `orientation`, in the units of the responses.

    Raises
    ------
    InputError
        Where there is no orientation, it has fewer than 4 values, or they are not at equal
        steps around 180 or 360 degrees.

    Examples
    --------
    >>> angles = [0, 90, 180, 270]
    >>> responses = xr.DataArray(
    ...     [[[1.0, 3.0], [-5.0, 2.0], [0.0, 0.0], [0.0, 0.0]]],
    ...     coords={"unit": ["a:0"], "orientation": angles, "radius": [10, 20]},
    ...     dims=("unit", "orientation", "radius"),
    ... )
    >>> radial_tuning(responses).values.tolist()
    [[2.0, 1.0, 0.0, 0.0]]
    """
    period(responses)
    others = [dim for dim in responses.dims if dim not in ("unit", "orientation")]
    tuning = responses.clip(min=0).mean(others).transpose("unit", "orientation")
    return Responses(tuning.assign_attrs(responses.attrs))


def period(responses: xr.DataArray) -> float:
    """Return the period of the orientation in degrees: 180 or 360.

    Raises
    ------
    InputError
        As `radial_tuning`.
    """
    if "orientation" not in responses.dims:
        axes = ", ".join(str(dim) for dim in responses.dims if dim != "unit")
        raise InputError(f"these responses have no axis 'orientation', only {axes or 'none'}")
    return check_orientations(responses["orientation"].values)


def check_orientations(orientations: Sequence[Any] | np.ndarray) -> float:
    """Check that orientations go around, and return their period in degrees: 180 or 360.

    Raises
    ------
    InputError
        Where there are fewer than 4, or they are not at equal steps around 180 or 360 degrees.

    Examples
    --------
    >>> check_orientations([0, 45, 90, 135])
    180.0
    """
    angles = np.asarray(orientations)
    if len(angles) < 4:
        raise InputError(f"tuning to orientation needs 4 values of it, not {len(angles)}")
    steps = np.diff(angles)
    whole = steps[0] * len(angles)
    if not np.allclose(steps, steps[0]) or not any(np.isclose(whole, p) for p in (180, 360)):
        raise InputError(
            "orientations must lie at equal steps around 180 or 360 degrees, not "
            f"{angles[0]:g}, {angles[1]:g} … {angles[-1]:g}"
        )
    return float(round(whole))


def orientation_tuning(responses: xr.DataArray) -> LabeledTable:
    """Compute the parameters of units' tuning to orientation, as in "Curve Detectors".

    Parameters
    ----------
    responses
        As `measure` gives them, one of their axes being `orientation`, around 360 degrees or,
        for stimuli that are the same after half a turn, 180.

    Returns
    -------
    LabeledTable
        By `unit`, float64, NaN for units that nothing drives:

        orientation
            Where the radial tuning curve peaks, between steps, in degrees.
        mean
            The direction of its mean vector, in degrees: the preferred orientation of tuning as
            broad as that of "High-Low Frequency Detectors" (Schubert et al., 2021), whose peak
            may lie anywhere on a plateau.
        peak
            The curve's height there.
        strongest
            The strongest response to any single stimulus.
        width
            Of the curve at half height, in degrees.
        echo
            The curve's highest value within 30 degrees of the opposite of its peak, over its
            peak; of lines, within 15 degrees of the perpendicular.
        concentration
            The length of the mean vector, from 0 for a flat curve to 1 for a single orientation.

    Raises
    ------
    InputError
        As `radial_tuning`.
    """
    around = period(responses)
    tuning = radial_tuning(responses)
    first = float(tuning["orientation"][0])
    curves = tuning.values
    where, height = circular.peak(curves, period=around)
    axes = [dim for dim in responses.dims if dim != "unit"]
    numbers = {
        "orientation": (where + first) % around,
        "mean": (circular.mean_angle(curves, period=around) + first) % around,
        "peak": height,
        "strongest": responses.max(axes).values.astype(np.float64),
        "width": circular.width(curves, period=around),
        "echo": circular.echo(curves),
        "concentration": circular.concentration(curves),
    }
    return LabeledTable(
        {name: ("unit", values) for name, values in numbers.items()},
        coords={"unit": tuning["unit"]},
        attrs=responses.attrs,
    )
