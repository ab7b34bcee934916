"""The page of an induction: its picture, and a table that can be sorted, in one file."""

import base64
import math
from pathlib import Path

from markupsafe import Markup

from visioncircuits import files
from visioncircuits.comparison import Induction, induction_panel
from visioncircuits.figures import DPI
from visioncircuits.site import pages


def write(found: Induction, path: Path) -> None:
    """Write the page; it needs no other file, and a click on a column's title sorts by it.

    Raises
    ------
    InputError
        If the page cannot be written, and where no unit could be tested.
    """
    table = found.table()
    drawn = induction_panel(found)._written(format="png", dpi=DPI)
    page = pages.render(
        "induction.html",
        style=Markup(pages.asset("gallery.css").decode()),
        found=found,
        picture=base64.b64encode(drawn).decode(),
        columns=list(table.columns),
        rows=[[cell(value) for value in row] for row in table.itertuples(index=False)],
    )
    files.write(path, page.encode())


def cell(value: object) -> str:
    """Format a value of the table, numbers by two digits behind the point.

    Examples
    --------
    >>> cell(0.123), cell(None), cell("curve"), cell(7)
    ('0.12', '', 'curve', '7')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)
