"""Figures: where a plot is drawn, how it is laid out in inches, and how it is saved.

A plot of one pair of axes takes `ax`, a plot of several takes `figure`: a figure or a subfigure of
matplotlib's. Given one, it draws there and returns it, and neither sizes nor saves it; otherwise it
makes a `Figure`.
"""

import io
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.figure
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from matplotlib.text import Text
from typing_extensions import TypeVar

from visioncircuits import files
from visioncircuits.errors import InputError

DPI = 200
"""Dots an inch of a figure that is saved as pixels."""

INK, FAINT, RULE = "#202124", "#6b6f76", "#c9ccd1"
"""Colors of text, of text of less weight, and of lines and ticks."""

_SHOWN = 100
"""Dots an inch of a figure in a notebook."""

_METADATA: dict[str, dict[str, None]] = {
    ".svg": {"Date": None},
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}

_TYPE: Any = {
    "pdf.fonttype": 42,  # TrueType, whose text can be searched and edited
    "svg.fonttype": "none",  # text, not outlines
    "svg.hashsalt": "visioncircuits",  # without a salt the ids in an SVG are random
}


class Figure(matplotlib.figure.Figure):  # type: ignore[misc,unused-ignore]
    """A figure of matplotlib that a notebook shows without pyplot.

    Examples
    --------
    >>> figure = Figure(figsize=(2, 1))
    >>> figure._repr_png_()[1:4]
    b'PNG'
    """

    def _repr_png_(self) -> bytes:
        return self._written(format="png", dpi=_SHOWN)

    def _written(self, **options: Any) -> bytes:
        """Return a file's bytes, and leave all axes as they were.

        A layout starts from the current places and limits, so that a second would differ from the
        first in the last digits.
        """
        before: list[Any] = [
            (axes, axes.get_position(True), axes.get_position(), axes.viewLim.frozen())
            for axes in self.axes
        ]
        buffer = io.BytesIO()
        with matplotlib.rc_context(_TYPE):
            self.savefig(buffer, **options)
        for axes, original, active, limits in before:
            axes._set_position(original, which="original")
            axes._set_position(active, which="active")
            axes.viewLim.set(limits)
        return buffer.getvalue()

    def save(self, path: str | Path, *, dpi: float = DPI) -> Path:
        """Write the figure, whole or not at all; the same figure gives the same bytes.

        In a PDF and an SVG lines, areas and text are vectors: the PDF embeds its fonts as TrueType,
        the SVG names them. Photographs, feature visualizations and maps of values are pixels.

        Parameters
        ----------
        path
            `.svg`, `.png` or `.pdf` by its suffix.
        dpi
            Dots an inch of a `.png`.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            For another suffix, or where the file cannot be written.

        Examples
        --------
        >>> Figure().save("tuning.gif")
        Traceback (most recent call last):
        visioncircuits.errors.InputError: tuning.gif cannot be written: name it .svg, .png or .pdf
        """
        path = Path(path)
        kind = path.suffix.lower()
        if kind not in _METADATA:
            raise InputError(f"{path} cannot be written: name it .svg, .png or .pdf")
        if not dpi > 0:
            raise InputError(f"dpi must be above 0, not {dpi!r}")
        files.write(path, self._written(format=kind[1:], dpi=dpi, metadata=_METADATA[kind]))
        return path


AnyFigure = matplotlib.figure.Figure | SubFigure

Canvas = TypeVar("Canvas", bound=AnyFigure, default=Figure)
"""What a plot of several axes returns: the figure or subfigure that it was given, or a `Figure`."""

Drawn = TypeVar("Drawn", bound=Axes | Figure, default=Figure)
"""What a plot of one pair of axes returns: those that it was given, or a `Figure`."""


def axes_or_new(ax: Drawn | None, size: tuple[float, float]) -> tuple[Axes, Drawn]:
    """Return the axes that a plot of one pair draws into, and what it returns.

    Parameters
    ----------
    ax
        Axes, or None to make a figure.
    size
        Of that figure: width and height in inches.

    Raises
    ------
    InputError
        If it is something else.

    Examples
    --------
    >>> axes, figure = axes_or_new(None, (3, 2))
    >>> axes_or_new(axes, (3, 2)) == (axes, axes), axes in figure.axes
    (True, True)
    """
    if ax is None:
        figure: Any = Figure(figsize=size, facecolor="white", layout="constrained")
        return figure.subplots(), figure
    if not isinstance(ax, Axes):
        raise InputError(f"ax must be axes, as `figure.subplots()` returns them, not {ax!r}")
    return ax, ax


def figure_or_new(figure: Canvas | None, size: tuple[float, float]) -> Canvas:
    """Return the figure or subfigure that a plot of several axes draws into.

    Parameters
    ----------
    figure
        One of matplotlib's, or None to make a `Figure`.
    size
        Of that: width and height in inches.

    Raises
    ------
    InputError
        If it is something else.

    Examples
    --------
    >>> left, right = figure_or_new(None, (6, 2)).subfigures(1, 2)
    >>> figure_or_new(left, (6, 2)) is left, inches(left)
    (True, (3.0, 2.0))
    """
    if figure is not None and not isinstance(figure, AnyFigure):
        raise InputError(
            "figure must be a figure or a subfigure of matplotlib, as `figure.subfigures()` "
            f"returns them, not {figure!r}"
        )
    new: Any = Figure(figsize=size, facecolor="white")
    return new if figure is None else figure


def inches(figure: AnyFigure) -> tuple[float, float]:
    """Return the width and height of a figure or subfigure."""
    return float(figure.bbox.width / figure.dpi), float(figure.bbox.height / figure.dpi)


def add_axes(figure: AnyFigure, left: float, top: float, wide: float, high: float) -> Axes:
    """Add axes at a place in inches from the upper left corner.

    Raises
    ------
    InputError
        If there is no room for them.

    Examples
    --------
    >>> add_axes(Figure(figsize=(4, 2)), 1, 0.5, 2, 1).get_position()
    Bbox([[0.25, 0.25], [0.75, 0.75]])
    """
    width, height = inches(figure)
    if not (wide > 0 and high > 0):
        raise InputError(
            f"a figure of {width:.1f} × {height:.1f} inches is too small for this plot; "
            "make it larger"
        )
    place = left / width, 1 - (top + high) / height, wide / width, high / height
    axes: Axes = figure.add_axes(place)
    return axes


def add_text(figure: AnyFigure, left: float, top: float, text: str, **style: Any) -> Text:
    """Write text at a place in inches from the upper left corner.

    Examples
    --------
    >>> add_text(Figure(figsize=(4, 2)), 1, 0.5, "curves").get_position()
    (0.25, 0.75)
    """
    width, height = inches(figure)
    return figure.text(left / width, 1 - top / height, text, **style)
