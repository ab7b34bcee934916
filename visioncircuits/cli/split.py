"""`visioncircuits split`: the several things that one unit detects, taken apart."""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.options import (
    Checkpoint,
    Device,
    NetworkName,
    Photographs,
    Steps,
)
from visioncircuits.cli.tables import print_table

app = typer.Typer()


@app.command()
def split(
    network: NetworkName,
    unit: Annotated[
        str,
        typer.Argument(metavar="UNIT", help="A unit of a layer behind the first: `mixed4e:521`."),
    ],
    photographs: Photographs,
    below: Annotated[
        str | None,
        typer.Option(
            help="The layer below, by whose units examples are compared; by default the last main "
            "layer before the unit's, as `mixed4d` for a unit of mixed4e.",
            metavar="LAYER",
        ),
    ] = None,
    top: Annotated[
        int, typer.Option(help="How many of the strongest examples are compared.", min=10)
    ] = 48,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Draw a row for each part: `.png`, `.svg` or `.pdf`."),
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--json", help="Write the parents, directions, as `.json`.")
    ] = None,
    steps: Steps = 128,
    seed: Annotated[int, typer.Option(help="Of the test and of the pictures.", min=0)] = 0,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Take apart a unit that several kinds of things activate.

    The photographs that activate the unit most are compared by what drives it there from the layer
    below. Where they fall into kinds with a gap between them (p of 5 % or less, against draws of
    one kind), the unit is split: each kind has a parent, a direction in the layer below, and a part
    of the unit. Parts add up to the unit. Otherwise it is whole, which fewer than a hundred
    photographs hardly change.

    `own` and `other` are a part's shares of what drives the unit, in the part's own examples and in
    those of the others: 1 and 0 where kinds have nothing in common.

        visioncircuits split bvlc_googlenet mixed4d:357 --photographs photos/ -o split.png

    The file of `--json` is a list of directions that every command takes as features:

        visioncircuits render bvlc_googlenet parents.json --sheet parents.png
    """
    outputs.check(out, ".png", ".svg", ".pdf")
    outputs.check(table, ".json")
    from rich.table import Table

    from visioncircuits import datasets, dictionaries, files, networks

    found = dictionaries.split(
        networks.load(network, checkpoint=checkpoint, device=device),
        unit,
        datasets.photographs(photographs, labels="none"),
        below=below,
        top=top,
        seed=seed,
        progress=True,
    )
    shown = Table("part", box=None, pad_edge=False)
    for title in ("examples", "own", "other"):
        shown.add_column(title, justify="right")
    shown.add_column("strongest drivers")
    for row in found.table().itertuples():
        other = f"{row.other:.0%}" if len(found) > 1 else ""
        shown.add_row(
            str(row.Index), str(row.examples), f"{row.own:.0%}", other, ", ".join(row.drivers)
        )
    print_table(shown)
    kinds = f"{len(found)} parts" if len(found) > 1 else "one part: it is whole"
    print(f"{found.unit} has {kinds} (p = {found.clusters.p:.2g}, by {found.drivers.below})")
    if table is not None:
        print(files.write_json(table, [parent.record() for parent in found.parents]))
    if out is not None:
        pictures = (
            dictionaries.render_parents(found, steps=steps, seed=seed, progress=True)
            if steps
            else ()
        )
        print(dictionaries.split_panel(found, pictures).save(out))
