"""Heat maps: each unit's responses over two axes, the stimuli on top.

Half of it is the layout in inches, which both kinds of maps share, so it has some 350 lines.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize

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
from visioncircuits.stimuli import Stimuli, StimulusSet, parameters_of, stimulus_set
from visioncircuits.tuning import orientation
from visioncircuits.tuning.plots import Thumbnails, number, quantity
from visioncircuits.tuning.strip import rows as strip_rows
from visioncircuits.tuning.strip import strip

WIDTH, HEIGHT, SIDE, GAP, MARGIN, FOOT = 5.2, 0.62, 1.6, 0.09, 0.16, 0.88
"""Inches: of a map, of the labels left of it, between maps, around all, and below.

A map of few values is narrower, one of many is up to twice as high.
"""

TICKS = 0.6
"""Inches of the labels of the vertical axis, right of the unit's name."""

CIRCULAR = ("orientation", "hue", "phase", "rotation")
"""Axes whose ticks are eighths of a turn, where their values go all around."""


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


def tuning_maps(
    responses: xr.DataArray,
    x: str,
    y: str,
    stimuli: Stimuli | None = None,
    thumbnails: Thumbnails | None = None,
    *,
    reduce: Literal["max", "mean"] = "max",
    highest: float | None = None,
    columns: int = 1,
    figure: Canvas | None = None,
) -> Canvas:
    """Draw each unit's responses over two axes of the stimuli, as "Curve Detectors" did.

    Values are in the order of the axes, from left to right and from top to bottom, as in the
    stimuli on top. Responses not above 0 are black; all units have the scale drawn below.

    Parameters
    ----------
    responses
        From `measure`. Their attribute `units` is written at the scale, by default "activation".
    x, y
        The axes that run across and down.
    stimuli
        The set that was measured; some of its pictures are drawn on top, as large as the neuron
        sees them.
    thumbnails
        A picture of each unit, by its name.
    reduce
        What is drawn of all other axes: the strongest response, or the mean of the positive ones,
        as in `radial_tuning`.
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
        For axes that the responses do not have, stimuli that are not those of the responses,
        where no response is above 0, `columns` is below 1, or the figure has no room.

    Notes
    -----
    The published maps' colors (Cammarata et al., 2020).

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> from visioncircuits.tuning import measure
    >>> few = named("curves").isel(orientation=slice(0, None, 9))
    >>> responses = measure(untrained("bvlc_googlenet"), ["conv2d0:5", "conv2d0:7"], few)
    >>> figure = tuning_maps(responses, "orientation", "radius", few)
    >>> len(figure.axes)  # the stimuli, two units and the scale
    4
    """
    if reduce not in ("max", "mean"):
        raise unknown("reduction", reduce, ("max", "mean"))
    over = _others(responses, x, y)
    shown = responses.max(over) if reduce == "max" else responses.clip(min=0).mean(over)
    top = float(shown.max()) if highest is None else highest
    colors = matplotlib.colormaps["turbo"].with_extremes(bad="black")
    caption = ", ".join([quantity(responses), *([f"{reduce} over {', '.join(over)}"] * bool(over))])
    style = _Style(colors, 36, top, f"{caption}; black: 0 and below")
    seen = _as_seen(stimuli, responses)
    return _maps(shown.where(shown > 0), x, y, seen, thumbnails or {}, style, columns, figure)


def boundary_maps(
    responses: xr.DataArray,
    stimuli: Stimuli | None = None,
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
        As for `tuning_maps`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one; `.save(path)` writes it.

    Raises
    ------
    InputError
        As `tuning_maps`, and where there is no orientation or not just one axis more.

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
    orientation.period(responses)
    other = _second_axis(responses)
    strongest = responses.max([dim for dim in responses.dims if dim != "unit"])
    shares = (responses / strongest.where(strongest > 0)).clip(min=0)
    notes = {
        str(name): f"max {number(float(top))}"
        for name, top in zip(responses["unit"].values, strongest.values, strict=True)
    }
    colors = matplotlib.colormaps["viridis"]
    caption = f"share of the unit’s strongest {quantity(responses)}"
    style = _Style(colors, 18, 1.0, caption, notes)
    seen = _as_seen(stimuli, responses)
    return _maps(
        shares.fillna(0), "orientation", other, seen, thumbnails or {}, style, columns, figure
    )


def _maps(
    responses: xr.DataArray,
    x: str,
    y: str,
    stimuli: StimulusSet | None,
    thumbnails: Thumbnails,
    style: _Style,
    columns: int,
    figure: Canvas | None,
) -> Canvas:
    """Draw maps in columns, the stimuli on top of each and the values of `x` below it."""
    if columns < 1:
        raise InputError(f"columns must be 1 or more, not {columns}")
    if not style.highest > 0 or not (responses > 0).any():
        raise InputError(
            "no response is above 0, so there is nothing to draw; choose other units or stimuli"
        )
    across, down = responses.sizes[x], responses.sizes[y]
    width, height = min(max(0.45 * across, 1.6), WIDTH), min(max(0.12 * down, HEIGHT), 2 * HEIGHT)
    above, proportion = None, 0.0
    if stimuli is not None:
        _check(stimuli, responses, x, y)
        above = strip(stimuli, y, along=x, across=style.across)
        proportion = above.shape[0] / above.shape[1]
    names = [str(name) for name in responses["unit"].values]
    rows = -(-len(names) // columns)
    columns = -(-len(names) // rows)
    if figure is not None:  # the maps fill it
        wide, tall = inches(figure_or_new(figure, (0, 0)))
        width = (wide - MARGIN) / columns - SIDE - MARGIN
    top = 0.0 if above is None else width * proportion + GAP
    if figure is None:
        wide = columns * (SIDE + width + MARGIN) + MARGIN
        wide = max(wide, MARGIN + 2.2 + 0.055 * len(style.caption))  # of the legend
        tall = MARGIN + top + rows * (height + GAP) + FOOT
    figure = figure_or_new(figure, (wide, tall))
    height = (tall - MARGIN - top - FOOT) / rows - GAP
    values = responses.transpose("unit", y, x).values
    for place, name in enumerate(names):
        column, row = divmod(place, rows)
        left, upper = MARGIN + column * (SIDE + width + MARGIN), MARGIN + top + row * (height + GAP)
        axes = _box(figure, left + SIDE, upper, width, height)
        scale: dict[str, Any] = {"cmap": style.colors, "vmin": 0, "vmax": style.highest}
        _image(axes, values[place], across, **scale, interpolation="nearest")
        chosen = strip_rows(down)
        _label_rows(axes, responses[y], chosen, [(index + 0.5) / down for index in chosen])
        _label(figure, left, upper + height / 2, name, style.notes.get(name, ""), thumbnails)
        if row == rows - 1 or place == len(names) - 1:
            _label_columns(axes, responses[x], most=max(int(width / 0.4), 2))
        if row == 0 and above is not None:
            axes = _box(figure, left + SIDE, MARGIN, width, top - GAP)
            _image(axes, above, across)
            places = [(place + 0.5) / len(chosen) for place in range(len(chosen))]
            _label_rows(axes, responses[y], chosen, places)
        if row == 0:
            axes.set_ylabel(y, fontsize=7, color=FAINT, labelpad=4)
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


def _others(responses: xr.DataArray, x: str, y: str) -> list[str]:
    """Check that responses have two axes, and return the others."""
    axes = [str(dim) for dim in responses.dims if dim != "unit"]
    for axis in (x, y):
        if axis not in axes:
            raise unknown("axis of these responses", axis, axes)
    if x == y:
        raise InputError(f"a map needs two axes, not {x!r} twice; choose from {', '.join(axes)}")
    return [axis for axis in axes if axis not in (x, y)]


def _as_seen(stimuli: Stimuli | None, responses: xr.DataArray) -> StimulusSet | None:
    """Return stimuli in pictures of the size that responses were measured in, where it is known."""
    if stimuli is None:
        return None
    stimuli = stimulus_set(stimuli)
    size = json.loads(responses.attrs.get("record", "{}")).get("picture")
    accepted = parameters_of(stimuli.family)
    if size is None or accepted is None or "size" not in accepted:
        return stimuli
    return stimuli.fix(size=size[0] if len(set(size)) == 1 else tuple(size))


def _check(stimuli: StimulusSet, responses: xr.DataArray, x: str, y: str) -> None:
    for name in (x, y):
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


def _image(axes: Axes, values: np.ndarray, across: int, **options: Any) -> None:
    """Draw values with each column centered on its index, and rows from 0 to 1."""
    axes.imshow(values, aspect="auto", extent=(-0.5, across - 0.5, 1, 0), **options)
    axes.set(xticks=[], yticks=[])


def _label_rows(axes: Axes, axis: xr.DataArray, rows: list[int], places: list[float]) -> None:
    """Label some rows with their values, at places from 0 to 1."""
    labels = [_text(axis.values[row]) for row in rows]
    extent = axes.get_window_extent().height / axes.figure.dpi
    each = max(round(len(labels) * 0.1 / extent), 1)  # a label takes a tenth of an inch
    axes.set_yticks(places[::each], labels[::each], fontsize=6, color=FAINT)
    axes.tick_params(axis="y", length=0, pad=3)


def _label_columns(axes: Axes, axis: xr.DataArray, *, most: int) -> None:
    """Label some columns: eighths of a turn, or at most so many values."""
    values = axis.values
    step = float(values[1] - values[0]) if axis.name in CIRCULAR and len(values) > 3 else 0.0
    turn = round(step * len(values), 6)
    if turn in (180, 360) and np.allclose(np.diff(values), step):
        angles = np.arange(0, turn, turn / 8)
        places = (angles - values[0]) % turn / step
        labels = [f"{angle:g}°" for angle in angles]
    else:
        places = np.array(strip_rows(len(values), most))
        labels = [_text(values[place]) for place in places]
    axes.set_xticks(places, labels, fontsize=6.5, color=FAINT)
    axes.tick_params(axis="x", length=2.5, width=0.5, color=RULE, pad=2)
    axes.set_xlabel(str(axis.name), fontsize=7, color=FAINT, labelpad=3)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else number(float(value))


def _label(
    figure: AnyFigure, left: float, middle: float, name: str, note: str, thumbnails: Thumbnails
) -> None:
    """Draw a unit's picture, name and note left of its map."""
    text: dict[str, Any] = {"fontsize": 7, "color": INK, "va": "center", "ha": "right"}
    right = left + SIDE - TICKS
    if name in thumbnails:
        axes = _box(figure, right - HEIGHT, middle - HEIGHT / 2, HEIGHT, HEIGHT)
        axes.imshow(np.asarray(thumbnails[name].convert("RGB")))
        axes.set(xticks=[], yticks=[])
        right -= HEIGHT + 0.06
    lines = [name.rsplit(":", 1)[-1] if name in thumbnails else name, *filter(None, [note])]
    add_text(figure, right, middle, "\n".join(lines), **text)


def _legend(figure: AnyFigure, style: _Style) -> None:
    _, height = inches(figure)
    axes = _box(figure, MARGIN + 0.1, height - 0.34, 1.8, 0.09)
    scale = ScalarMappable(Normalize(0, style.highest), style.colors)
    figure.colorbar(scale, cax=axes, orientation="horizontal").outline.set_visible(False)
    axes.set_xticks([0, style.highest / 2, style.highest])
    axes.set_xticklabels([number(tick) for tick in axes.get_xticks()], fontsize=6.5, color=FAINT)
    axes.tick_params(length=2, width=0.5, color=RULE, pad=2)
    axes.text(
        1.06, 0.5, style.caption, transform=axes.transAxes, fontsize=7, color=FAINT, va="center"
    )
