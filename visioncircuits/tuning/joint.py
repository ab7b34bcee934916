"""Joint tuning: which unit of a family responds as pictures rotate."""

from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float, Int
from matplotlib.axes import Axes

from visioncircuits.errors import InputError, unknown
from visioncircuits.figures import (
    FAINT,
    INK,
    RULE,
    AnyFigure,
    Canvas,
    add_axes,
    add_text,
    figure_or_new,
    inches,
)
from visioncircuits.tuning import orientation
from visioncircuits.tuning.plots import Thumbnails, hsl, number, quantity
from visioncircuits.tuning.responses import Responses

ROUNDS = 20
"""The most iterations of aligning examples to their mean; a few suffice."""

WIDTH, SIDE, ROW, TOP, FOOT = 6.0, 1.02, 0.52, 0.38, 0.42
"""Inches: of the panel, left of its plots, of each with the space to the next, above and below."""


def align(responses: xr.DataArray, tuning: xr.DataArray | None = None) -> Responses:
    """Shift the examples' rotations so that a family's responses to all of them agree.

    All units of an example are shifted by one angle: that of the highest sum of products of their
    positive responses with the reference.

    Parameters
    ----------
    responses
        From `measure`, for a set of `rotated_pictures`.
    tuning
        The same units' radial tuning curves, from `radial_tuning`, as the reference; the
        orientations are theirs then. By default the reference is the examples' own mean, and
        orientations count from the first example.

    Returns
    -------
    Responses
        `unit`, `example`, `orientation`. Its coordinate `shift` is by how many degrees each
        example was shifted: with `tuning`, that is the orientation of what it shows. Its
        `radial_tuning` is the published average.

    Raises
    ------
    InputError
        Where `responses` are not of rotated pictures, or a unit has no tuning curve.

    Notes
    -----
    "Align by shift, average": Cammarata et al., "Curve Detectors" (2020), joint tuning.

    Examples
    --------
    >>> rotations = np.arange(0, 360, 10.0)
    >>> curves = [[np.cos(np.radians(rotations - peak)) for peak in (40, 70)]]
    >>> responses = xr.DataArray(
    ...     curves,
    ...     coords={"unit": ["a:0"], "example": [0, 1], "rotation": rotations},
    ...     dims=("unit", "example", "rotation"),
    ... )
    >>> align(responses)["shift"].values.tolist()
    [0.0, 330.0]
    """
    dims = ("unit", "example", "rotation")
    if set(responses.dims) != set(dims):
        raise InputError(
            f"joint tuning needs the axes unit, example and rotation of `rotated_pictures`; "
            f"these responses have {', '.join(map(str, responses.dims))}"
        )
    responses = responses.transpose(*dims)
    positive = responses.values.clip(0)
    steps = positive.shape[2]
    if tuning is not None:
        shifts = _shifts(positive, _reference(tuning, responses))
    else:
        shifts = _shifts(positive, positive[:, 0])
        for _ in range(ROUNDS):
            mean = _shifted(positive, shifts).mean(1)
            before, shifts = shifts, _shifts(positive, mean)
            if (shifts == before).all():
                break
        shifts = (shifts - shifts[0]) % steps
    return Responses(
        _shifted(responses.values, shifts),
        dims=("unit", "example", "orientation"),
        coords={
            "unit": responses["unit"],
            "example": responses["example"],
            "orientation": responses["rotation"].values,
            "shift": ("example", shifts * (360.0 / steps)),
        },
        name=responses.name,
        attrs=responses.attrs,
    )


def _reference(tuning: xr.DataArray, responses: xr.DataArray) -> Float[np.ndarray, "units steps"]:
    """Interpolate tuning curves at the rotations."""
    period = orientation.period(tuning)
    for name in responses["unit"].values:
        if name not in tuning["unit"].values:
            raise unknown("unit of the tuning curves", str(name), map(str, tuning["unit"].values))
    curves = tuning.sel(unit=responses["unit"].values).transpose("unit", "orientation").values
    angles, at = tuning["orientation"].values, responses["rotation"].values
    return np.array([np.interp(at, angles, curve, period=period) for curve in curves.clip(0)])


def _shifts(
    positive: Float[np.ndarray, "units examples steps"], reference: Float[np.ndarray, "units steps"]
) -> Int[np.ndarray, " examples"]:
    """Return the shift of each example, in steps, at the peak of its circular correlation."""
    steps = positive.shape[2]
    spectra = np.conj(np.fft.rfft(positive)) * np.fft.rfft(reference)[:, None]
    # Rounded, so that the choice between equal shifts does not depend on the last bits.
    correlation = np.fft.irfft(spectra.sum(0), steps)
    return np.asarray((correlation / (np.abs(correlation).max() or 1)).round(9).argmax(-1))


def _shifted(
    values: Float[np.ndarray, "units examples steps"], shifts: Int[np.ndarray, " examples"]
) -> Float[np.ndarray, "units examples steps"]:
    steps = values.shape[2]
    places = (np.arange(steps) - shifts[:, None]) % steps
    return np.take_along_axis(values, places[None], 2)


def joint_panel(
    aligned: xr.DataArray,
    thumbnails: Thumbnails | None = None,
    *,
    title: str = "",
    figure: Canvas | None = None,
) -> Canvas:
    """Draw a line plot of responses over orientation for each unit of a family.

    Thin lines are examples, the thick one is the mean of their positive parts; a mark below is
    its peak, and all colors are the peak's hue. All plots have the scale written at the first.

    Parameters
    ----------
    aligned
        From `align`.
    thumbnails
        A picture of each unit, by its name.
    title
        Written above.
    figure
        A figure or subfigure to draw into; by default a new `Figure`, 6 inches wide.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one; `.save(path)` writes it.

    Raises
    ------
    InputError
        Where these are not aligned responses, none is above 0, or the figure has no room.

    Examples
    --------
    >>> rotations = np.arange(0, 360, 10.0)
    >>> responses = xr.DataArray(
    ...     np.cos(np.radians(rotations))[None, None],
    ...     coords={"unit": ["a:0"], "example": [0], "rotation": rotations},
    ...     dims=("unit", "example", "rotation"),
    ... )
    >>> len(joint_panel(align(responses)).axes)
    1
    """
    if "example" not in aligned.dims:
        raise InputError("a joint panel needs aligned examples; give the result of `align`")
    highest = float(aligned.max())
    if not highest > 0:
        raise InputError("none of these units responds to any of the examples; choose others")
    mean, numbers = orientation.radial_tuning(aligned), orientation.orientation_tuning(aligned)
    names = [str(name) for name in aligned["unit"].values]
    figure = figure_or_new(figure, (WIDTH, TOP + ROW * len(names) + FOOT))
    width, height = inches(figure)
    row = (height - TOP - FOOT) / len(names)
    plots = []
    angles = np.append(aligned["orientation"].values, 360.0)
    around = np.append(np.arange(len(angles) - 1), 0)
    examples = aligned.transpose("unit", "example", "orientation").values.clip(0)
    for place, name in enumerate(names):
        top, high = TOP + (place + 0.18) * row, row * 0.82
        axes = add_axes(figure, SIDE, top, width - SIDE - 0.25, high)
        plots.append(axes)
        peak = float(numbers["orientation"][place])
        undriven = np.isnan(peak)
        color = FAINT if undriven else hsl(peak, 0.85, 0.4)
        axes.plot(angles, examples[place][:, around].T, color=color, alpha=0.3, linewidth=0.5)
        axes.plot(angles, mean.values[place, around], color=color, linewidth=1.6)
        _frame(axes, highest, last=place == len(names) - 1)
        if not undriven:
            below: dict[str, Any] = {
                "color": color,
                "linewidth": 2.2,
                "clip_on": False,
                "zorder": 4,
            }
            axes.plot([peak, peak], [0, -0.14 * highest], **below)
        _beside(figure, top, high, name, thumbnails or {})
    plots[0].set_yticks([0, highest], ["0", number(highest)], fontsize=6, color=FAINT)
    count = len(examples[0])
    caption = f"{quantity(aligned)} to {count} examples, and their mean"
    add_text(figure, SIDE, height - 0.1, caption, color=FAINT, fontsize=7)
    if title:
        add_text(figure, 0.12, 0.08, title, va="top", color=INK, fontsize=10, weight="bold")
    return figure


def _frame(axes: Axes, highest: float, *, last: bool) -> None:
    ticks = np.arange(0, 361, 45)
    axes.set(xlim=(0, 360), ylim=(0, highest * 1.02), yticks=[])
    axes.patch.set_visible(False)  # the marks of the plot above reach into this one
    axes.set_xticks(ticks, [f"{t}°" if last else "" for t in ticks], fontsize=6.5, color=FAINT)
    axes.tick_params(length=2, width=0.5, color=RULE, pad=4)
    for name, spine in axes.spines.items():
        spine.set(color=RULE, linewidth=0.6, visible=name == "bottom")


def _beside(figure: AnyFigure, top: float, high: float, name: str, thumbnails: Thumbnails) -> None:
    """Draw a unit's picture and name left of its plot."""
    right, short = SIDE - 0.28, name
    if name in thumbnails:
        side = min(high, ROW * 0.82)
        axes = add_axes(figure, right - side, top + (high - side) / 2, side, side)
        axes.imshow(thumbnails[name].convert("RGB"))
        axes.axis("off")
        right, short = right - side - 0.05, name.rsplit(":", 1)[-1]
    add_text(figure, right, top + high / 2, short, ha="right", va="center", color=INK, fontsize=7)
