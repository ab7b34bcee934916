"""Selectivity: preferred values along an axis, sparseness, and invariance of tuning.

All functions take responses from `measure`, and use their positive part.
"""

import numpy as np
import xarray as xr

from visioncircuits.errors import InputError, unknown


def axis_tuning(responses: xr.DataArray, axis: str) -> xr.DataArray:
    """Average the positive responses over every axis but one.

    Raises
    ------
    InputError
        For an axis that the responses do not have.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> from visioncircuits.tuning import measure
    >>> few = named("curves").isel(orientation=slice(0, None, 9))
    >>> axis_tuning(measure(untrained("bvlc_googlenet"), "mixed3a:7", few), "radius").dims
    ('unit', 'radius')
    """
    return _over(responses, axis).mean("stimulus")


def _over(responses: xr.DataArray, axis: str) -> xr.DataArray:
    """Return positive responses by unit, one axis, and all other axes flattened to `stimulus`."""
    axes = [str(dim) for dim in responses.dims if dim != "unit"]
    if axis not in axes:
        raise unknown("axis of the responses", axis, axes)
    others = [dim for dim in axes if dim != axis]
    placed = responses.clip(min=0).transpose("unit", axis, *others)
    values = placed.values.reshape(*placed.shape[:2], -1)
    coords = {name: placed[name] for name in ("unit", axis) if name in placed.coords}
    return xr.DataArray(values, dims=("unit", axis, "stimulus"), coords=coords)


def preferred_value(responses: xr.DataArray, axis: str) -> xr.DataArray:
    """Find the value of an axis that is not circular to which units respond most.

    At each value the strongest response over all other axes is taken. A parabola is fitted to the
    highest of these and its neighbors, in the logarithm of the values where all are positive and
    finite, as radii and ratios are. For radii this is
    the curvature preference of "Curve Detectors" (Cammarata et al., 2020), who found curves of
    about 60 pixels preferred.

    Returns
    -------
    xarray.DataArray
        By `unit`, in the axis' own units; NaN for units that nothing drives.

    Raises
    ------
    InputError
        For an axis that the responses do not have, or one of color names.

    Examples
    --------
    >>> responses = xr.DataArray(
    ...     [[1.0, 3.0, 1.0]], coords={"unit": ["a:0"], "radius": [10.0, 20.0, 40.0]},
    ...     dims=("unit", "radius"),
    ... )
    >>> preferred_value(responses, "radius").round(1).values.tolist()
    [20.0]
    """
    tuning = _over(responses, axis).max("stimulus")
    places = tuning[axis].values
    if places.dtype.kind not in "fiu":
        raise InputError(f"{axis} has names, not numbers, so its values cannot be interpolated")
    logarithmic = bool((places > 0).all() and np.isfinite(places).all())
    scale = np.log(places) if logarithmic else places.astype(np.float64)
    peaks = np.array([_peak(curve, scale) for curve in tuning.values.astype(np.float64)])
    return xr.DataArray(
        np.exp(peaks) if logarithmic else peaks, dims=("unit",), coords={"unit": tuning["unit"]}
    )


def _peak(curve: np.ndarray, places: np.ndarray) -> float:
    top = int(curve.argmax())
    if curve[top] <= 0:
        return float("nan")
    if not 0 < top < len(curve) - 1:
        return float(places[top])
    x, y = places[top - 1 : top + 2], curve[top - 1 : top + 2]
    if not np.isfinite(x).all():
        return float(places[top])
    curvature, slope, _ = np.polyfit(x - x[1], y, 2)
    return float(x[1] - slope / (2 * curvature)) if curvature < 0 else float(x[1])


def sparseness(responses: xr.DataArray) -> xr.DataArray:
    """Compute how few of the stimuli drive a unit: from 0, all alike, to 1, a single one.

    Lifetime sparseness: Vinje and Gallant, "Sparse Coding and Decorrelation in Primary Visual
    Cortex During Natural Vision", Science 287 (2000), after Rolls and Tovee (1995).

    Returns
    -------
    xarray.DataArray
        By `unit`; NaN for units that nothing drives.

    Raises
    ------
    InputError
        For responses to one stimulus.

    Examples
    --------
    >>> responses = xr.DataArray([[0.0, 4.0, 0.0], [1.0, 1.0, 1.0]], dims=("unit", "radius"))
    >>> sparseness(responses).round(6).values.tolist()
    [1.0, 0.0]
    """
    flat = responses.clip(min=0).values.reshape(len(responses), -1).astype(np.float64)
    count = flat.shape[1]
    if count < 2:
        raise InputError("sparseness needs two stimuli or more; these are responses to one")
    squares = (flat**2).mean(1)
    activity = np.divide(flat.mean(1) ** 2, squares, out=np.full(len(flat), np.nan),
                         where=squares > 0)  # fmt: skip
    values = (1 - activity) / (1 - 1 / count)
    return xr.DataArray(values, dims=("unit",), coords=_units(responses))


def invariance(
    first: xr.DataArray, second: xr.DataArray, axis: str = "orientation"
) -> xr.DataArray:
    """Correlate the tuning over an axis in two measurements, such as of plain and filled curves.

    "Curve Detectors" (Cammarata et al., 2020) published .992 to .999 for plain and filled.

    Returns
    -------
    xarray.DataArray
        By `unit`, from -1 to 1; NaN where nothing drives the unit in one of the two.

    Raises
    ------
    InputError
        Where the units, or the values of the axis, are not the same.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> from visioncircuits.tuning import measure
    >>> few = named("curves").isel(orientation=slice(0, None, 9), radius=0)
    >>> responses = measure(untrained("bvlc_googlenet"), ["mixed3a:7", "mixed3a:9"], few)
    >>> invariance(responses, responses).dims
    ('unit',)
    """
    one, other = axis_tuning(first, axis), axis_tuning(second, axis)
    for name in ("unit", axis):
        if not np.array_equal(one[name].values, other[name].values):
            raise InputError(f"the two measurements differ in their values of {name}")
    curves = [a.values - a.values.mean(1, keepdims=True) for a in (one, other)]
    norms = np.linalg.norm(curves[0], axis=1) * np.linalg.norm(curves[1], axis=1)
    values = np.divide(
        (curves[0] * curves[1]).sum(1), norms, out=np.full(len(norms), np.nan), where=norms > 0
    )
    return xr.DataArray(values, dims=("unit",), coords=_units(one))


def _units(responses: xr.DataArray) -> dict[str, xr.DataArray]:
    return {"unit": responses["unit"]} if "unit" in responses.coords else {}
