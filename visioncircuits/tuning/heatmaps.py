"""Heat maps: each unit's responses over orientation and a second axis, stimuli on top."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize

from visioncircuits.errors import InputError
from visioncircuits.figures import AnyFigure, Canvas, add_axes, add_text, figure_or_new, inches
from visioncircuits.stimuli import StimulusSet
from visioncircuits.tuning import orientation
from visioncircuits.tuning.plots import FAINT, INK, RULE, Thumbnails, number, quantity
from visioncircuits.tuning.strip import rows as strip_rows
from visioncircuits.tuning.strip import strip

WIDTH, HEIGHT, SIDE, GAP, MARGIN, FOOT = 5.2, 0.62, 1.1, 0.09, 0.16, 0.68
"""Inches: of a map, of the labels left of it, between maps, around all, and below."""


@dataclass(frozen=True)
class _Style:
    """How one kind of map is drawn.

    The colors, the most stimuli across its strip, the value of the last color, the caption of the
    scale, and a note beside each unit, by name.
    """

    colors: Colormap
    across: int
    highest: float
    caption: str
    notes: Mapping[str, str] = field(default_factory=dict)


def curve_maps(
    responses: xr.DataArray,
    stimuli: StimulusSet | None = None,
    thumbnails: Thumbnails | None = None,
    *,
    highest: float | None = None,
    columns: int = 1,
    figure: Canvas | None = None,
) -> Canvas:
    """Draw units' responses over orientation and curvature, as in "Curve Detectors".

    The orientation runs across, the other axis down in its own order, as in the stimuli on top.
    Responses not above 0 are black; all units have the scale drawn below.

    Parameters
    ----------
    responses
        From `measure`, over `orientation` and one axis more. Their attribute `units` is written at
        the scale, by default "activation".
    stimuli
        The set that was measured; its pictures are drawn on top.
    thumbnails
        A picture of each unit, by its name.
    highest
        The response drawn in the last color; by default the strongest.
    columns
        How many columns of units.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one; `.save(path)` writes it.

    Raises
    ------
    InputError
        Where there is no orientation or not just one axis more, where the stimuli are not those
        of the responses, where no response is above 0, `columns` is below 1, or the figure has no
        room.

    Notes
    -----
    The published maps' colors (Cammarata et al., 2020).

    Examples
    --------
    >>> from visioncircuits.stimuli import named
    >>> few = named("curves").isel(orientation=slice(0, None, 9))
    >>> axes = {name: list(values) for name, values in few.axes.items()}
    >>> responses = xr.DataArray(
    ...     np.ones((2, 4, 4)), coords={"unit": ["a:0", "a:1"], **axes}, dims=("unit", *axes)
    ... )
    >>> len(curve_maps(responses, few).axes)  # the stimuli, two units and the scale
    4
    """
    top = float(responses.max()) if highest is None else highest
    colors = matplotlib.colormaps["turbo"].with_extremes(bad="black")
    style = _Style(colors, 36, top, f"{quantity(responses)}; black: 0 and below")
    shown = responses.where(responses > 0)
    return _maps(shown, stimuli, thumbnails or {}, style, columns, figure)


def boundary_maps(
    responses: xr.DataArray,
    stimuli: StimulusSet | None = None,
    thumbnails: Thumbnails | None = None,
    *,
    columns: int = 1,
    figure: Canvas | None = None,
) -> Canvas:
    """Draw units' responses over orientation and ratio, as in "High-Low Frequency Detectors".

    Every unit's responses are divided by its strongest, which is written beside it.

    Parameters
    ----------
    responses, stimuli, thumbnails, columns, figure
        As for `curve_maps`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one; `.save(path)` writes it.

    Raises
    ------
    InputError
        As `curve_maps`.

    Notes
    -----
    The published maps' colors, and their scale (Schubert et al., 2021).

    Examples
    --------
    >>> responses = xr.DataArray(
    ...     [[[0, 1], [0, 2], [0, 1], [0, 0]]],
    ...     coords={"unit": ["a:0"], "orientation": [0, 90, 180, 270], "ratio": [1, 10]},
    ...     dims=("unit", "orientation", "ratio"),
    ... )
    >>> boundary_maps(responses).texts[0].get_text().splitlines()
    ['a:0', 'max 2']
    """
    strongest = responses.max([dim for dim in responses.dims if dim != "unit"])
    shares = (responses / strongest.where(strongest > 0)).clip(min=0)
    notes = {
        str(name): f"max {number(float(top))}"
        for name, top in zip(responses["unit"].values, strongest.values, strict=True)
    }
    colors = matplotlib.colormaps["viridis"]
    caption = f"share of the unit’s strongest {quantity(responses)}"
    style = _Style(colors, 18, 1.0, caption, notes)
    return _maps(shares.fillna(0), stimuli, thumbnails or {}, style, columns, figure)


def _maps(
    responses: xr.DataArray,
    stimuli: StimulusSet | None,
    thumbnails: Thumbnails,
    style: _Style,
    columns: int,
    figure: Canvas | None,
) -> Canvas:
    """Draw maps in columns, the stimuli on top of each and the orientations below it."""
    period, other = orientation.period(responses), _second_axis(responses)
    if columns < 1:
        raise InputError(f"columns must be 1 or more, not {columns}")
    if not style.highest > 0 or not (responses > 0).any():
        raise InputError(
            "no response is above 0, so there is nothing to draw; choose other units or stimuli"
        )
    above, proportion = None, 0.0
    if stimuli is not None:
        _check(stimuli, responses, other)
        above = strip(stimuli, other, across=style.across)
        proportion = above.shape[0] / above.shape[1]
    names = [str(name) for name in responses["unit"].values]
    rows = -(-len(names) // columns)
    columns = -(-len(names) // rows)
    natural = MARGIN + WIDTH * proportion + GAP * (above is not None) + rows * (HEIGHT + GAP) + FOOT
    figure = figure_or_new(figure, (columns * (SIDE + WIDTH + MARGIN) + MARGIN, natural))
    width, height = inches(figure)
    wide = (width - MARGIN) / columns - SIDE - MARGIN
    top = wide * proportion + GAP if above is not None else 0.0
    high = (height - MARGIN - top - FOOT) / rows - GAP
    values = responses.transpose("unit", other, "orientation").values
    for place, name in enumerate(names):
        column, row = divmod(place, rows)
        left, upper = MARGIN + column * (SIDE + wide + MARGIN), MARGIN + top + row * (high + GAP)
        axes = _box(figure, left + SIDE, upper, wide, high)
        scale: dict[str, Any] = {"cmap": style.colors, "vmin": 0, "vmax": style.highest}
        _image(axes, values[place], responses, **scale, interpolation="nearest")
        _label(figure, left, upper + high / 2, name, style.notes.get(name, ""), thumbnails)
        if row == rows - 1 or place == len(names) - 1:
            _label_angles(axes, period)
        if row == 0 and above is not None:
            axes = _box(figure, left + SIDE, MARGIN, wide, top - GAP)
            _image(axes, above, responses)
        if row == 0:
            _label_rows(axes, responses[other])
    _legend(figure, style)
    return figure


def _second_axis(responses: xr.DataArray) -> str:
    """Return the name of the vertical axis."""
    others = [str(dim) for dim in responses.dims if dim not in ("unit", "orientation")]
    if len(others) != 1:
        raise InputError(
            "a heat map needs an orientation and one axis more, not "
            f"{', '.join(others) or 'the orientation alone'}; "
            "select or average the others with xarray's `isel` and `mean`"
        )
    return others[0]


def _check(stimuli: StimulusSet, responses: xr.DataArray, other: str) -> None:
    for name in ("orientation", other):
        if not np.array_equal(np.asarray(stimuli.axes.get(name)), responses[name].values):
            raise InputError(
                f"these stimuli are not those of the responses: they differ in {name}; give the "
                "set that was measured"
            )


def _box(figure: AnyFigure, left: float, upper: float, wide: float, high: float) -> Axes:
    axes = add_axes(figure, left, upper, wide, high)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color=RULE, linewidth=0.5)
    return axes


def _image(axes: Axes, values: np.ndarray, responses: xr.DataArray, **options: Any) -> None:
    """Draw values with each column centered on its orientation, and rows from 0 to 1."""
    angles = responses["orientation"].values
    half = (angles[1] - angles[0]) / 2
    axes.imshow(
        values, aspect="auto", extent=(angles[0] - half, angles[-1] + half, 1, 0), **options
    )
    axes.set(xticks=[], yticks=[])


def _size(axes: Axes) -> tuple[float, float]:
    """Return the width and height in inches."""
    extent = axes.get_window_extent()
    return extent.width / axes.figure.dpi, extent.height / axes.figure.dpi


def _label_rows(axes: Axes, axis: xr.DataArray) -> None:
    """Label the rows that the strip shows with their values."""
    rows = strip_rows(axis.size)
    each = max(round(len(rows) * 0.1 / _size(axes)[1]), 1)  # a label takes a tenth of an inch
    axes.set_yticks(
        [(place + 0.5) / len(rows) for place in range(len(rows))][::each],
        [number(float(axis[row])) for row in rows][::each],
        fontsize=6,
        color=FAINT,
    )
    axes.tick_params(axis="y", length=0, pad=3)
    axes.set_ylabel(str(axis.name), fontsize=7, color=FAINT, labelpad=4)


def _label_angles(axes: Axes, period: float) -> None:
    ticks = np.arange(0, period, period / (8 if _size(axes)[0] > 2.8 else 4))
    axes.set_xticks(ticks, [f"{tick:g}°" for tick in ticks], fontsize=6.5, color=FAINT)
    axes.tick_params(axis="x", length=2.5, width=0.5, color=RULE, pad=2)


def _label(
    figure: AnyFigure, left: float, middle: float, name: str, note: str, thumbnails: Thumbnails
) -> None:
    """Draw a unit's picture, name and note left of its map."""
    text: dict[str, Any] = {"fontsize": 7, "color": INK, "va": "center", "ha": "right"}
    right = left + SIDE - 0.08
    if name in thumbnails:
        axes = _box(figure, right - HEIGHT, middle - HEIGHT / 2, HEIGHT, HEIGHT)
        axes.imshow(np.asarray(thumbnails[name].convert("RGB")))
        axes.set(xticks=[], yticks=[])
        right -= HEIGHT + 0.06
    lines = [name.rsplit(":", 1)[-1] if name in thumbnails else name, *filter(None, [note])]
    add_text(figure, right, middle, "\n".join(lines), **text)


def _legend(figure: AnyFigure, style: _Style) -> None:
    _, height = inches(figure)
    axes = _box(figure, MARGIN + SIDE, height - 0.34, 1.8, 0.09)
    scale = ScalarMappable(Normalize(0, style.highest), style.colors)
    figure.colorbar(scale, cax=axes, orientation="horizontal").outline.set_visible(False)
    axes.set_xticks([0, style.highest / 2, style.highest])
    axes.set_xticklabels([number(tick) for tick in axes.get_xticks()], fontsize=6.5, color=FAINT)
    axes.tick_params(length=2, width=0.5, color=RULE, pad=2)
    axes.text(
        1.06, 0.5, style.caption, transform=axes.transAxes, fontsize=7, color=FAINT, va="center"
    )
