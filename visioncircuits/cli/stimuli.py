"""`visioncircuits stimuli`: look at a set of synthetic stimuli."""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.tables import print_table

app = typer.Typer()


@app.command()
def stimuli(
    name: Annotated[
        str | None,
        typer.Argument(help="A ready set, such as `curves`; without one, all are listed."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The contact sheet: `.png` or `.webp`.")
    ] = None,
    columns: Annotated[
        str, typer.Option(help="The axis that runs across; by default the first.")
    ] = "",
    most: Annotated[
        int, typer.Option(help="How many values of an axis are shown at most.", min=1)
    ] = 36,
    scale: Annotated[
        int, typer.Option(help="Pixels of the sheet for one of a stimulus.", min=1)
    ] = 1,
) -> None:
    """List the ready sets of stimuli, or draw one as a contact sheet.

    visioncircuits stimuli
    visioncircuits stimuli curves -o curves.png
    """
    outputs.check(out, ".png", ".webp")
    from rich.table import Table

    from visioncircuits.stimuli import contact_sheet, named, names

    if name is None:
        table = Table("set", "stimuli", "axes", box=None, pad_edge=False)
        for ready in names():
            found = named(ready)
            axes = ", ".join(f"{axis} {_range(values)}" for axis, values in found.axes.items())
            table.add_row(ready, str(len(found)), axes)
        print_table(table)
        return
    found = named(name)
    sheet = contact_sheet(found, columns=columns, most=most, scale=scale)
    path = out or Path(f"{name}.png")
    outputs.write_picture(sheet, path)
    axes = " × ".join(f"{len(values)} {axis}" for axis, values in found.axes.items())
    print(f"{path}: {len(found)} stimuli, {axes}")


def _range(values: tuple[float | int | str, ...]) -> str:
    """An axis in a few words.

    Examples
    --------
    >>> _range((0.0, 15.0, 30.0, 45.0)), _range((1.0, 2.0)), _range(("red",))
    ('0 … 45 (4)', '1, 2', 'red')
    """
    listed = [value if isinstance(value, str) else f"{value:.3g}" for value in values]
    return ", ".join(listed) if len(listed) < 4 else f"{listed[0]} … {listed[-1]} ({len(listed)})"
