"""Figures that show themselves in a notebook and are written to the same bytes each time."""

import io
from pathlib import Path

import matplotlib
import matplotlib.figure

from visioncircuits import files
from visioncircuits.errors import InputError

DPI = 200
"""Dots an inch of a figure that is saved."""

_SHOWN = 100
"""Dots an inch of a figure in a notebook."""

_METADATA: dict[str, dict[str, None]] = {".svg": {"Date": None}, ".png": {"Software": None}}


class Figure(matplotlib.figure.Figure):  # type: ignore[misc,unused-ignore]
    """A figure of matplotlib that a notebook shows without pyplot.

    Examples
    --------
    >>> figure = Figure(figsize=(2, 1))
    >>> figure._repr_png_()[1:4]
    b'PNG'
    """

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=_SHOWN)
        return buffer.getvalue()

    def save(self, path: str | Path) -> Path:
        """Write the figure; the same figure gives the same bytes.

        Parameters
        ----------
        path
            `.svg` or `.png` by its suffix, the latter at 200 dots an inch.

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
        visioncircuits.errors.InputError: tuning.gif cannot be written: name it .svg or .png
        """
        path = Path(path)
        kind = path.suffix.lower()
        if kind not in _METADATA:
            raise InputError(f"{path} cannot be written: name it .svg or .png")
        buffer = io.BytesIO()
        # Without a salt the ids in an SVG are random.
        with matplotlib.rc_context({"svg.hashsalt": "visioncircuits"}):
            self.savefig(buffer, format=kind[1:], dpi=DPI, metadata=_METADATA[kind])
        files.write(path, buffer.getvalue())
        return path
