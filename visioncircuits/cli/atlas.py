"""`visioncircuits atlas`: what a layer represents, laid out in the plane."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.options import (
    Address,
    Checkpoint,
    Device,
    EngineName,
    Engines,
    NetworkName,
    Photographs,
    Range,
    Workers,
)
from visioncircuits.cli.tables import print_table

app = typer.Typer()


class Layouts(StrEnum):
    """How samples are laid out."""

    umap = "umap"
    tsne = "tsne"
    pca = "pca"
    grid = "grid"


@app.command()
def atlas(
    network: NetworkName,
    layer: Annotated[str, typer.Argument(help="A layer with positions, such as `mixed4c`.")],
    photographs: Photographs,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write.")],
    per_photograph: Annotated[
        int, typer.Option(help="How many random positions of each photograph.", min=1)
    ] = 16,
    edge: Annotated[
        int,
        typer.Option(help="How many rows and columns at each edge are left out.", min=0),
    ] = 1,
    layout: Annotated[
        Layouts,
        typer.Option(help="How positions in the plane are found; `umap` needs its package."),
    ] = Layouts.umap,
    side: Annotated[
        list[int] | None,
        typer.Option(
            help="Cells along either axis of a grid; as often as needed. By default 5, 10 and 20.",
            min=1,
        ),
    ] = None,
    least: Annotated[int, typer.Option(help="Samples that a cell needs.", min=1)] = 10,
    class_: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            help="A class that cells are attributed to, by name or number; as often as needed. By "
            "default all, of 16 samples a cell.",
        ),
    ] = None,
    size: Annotated[int, typer.Option(help="Of an icon, in pixels.", min=8)] = 80,
    steps: Annotated[int, typer.Option(help="Of an icon's optimization.", min=1)] = 128,
    batch: Annotated[int, typer.Option(help="Icons at once.", min=1)] = 16,
    seed: Annotated[int, typer.Option(help="Of all that is random.", min=0)] = 0,
    range: Range = None,
    checkpoint: Checkpoint = None,
    workers: Workers = None,
    engine: EngineName = Engines.local,
    address: Address = None,
    device: Device = "cpu",
) -> None:
    """Lay out what a layer represents: an activation atlas.

    Activations at random positions of photographs are laid out in the plane and averaged in cells;
    each average is rendered, and attributed to classes. The folder has the atlas, its icons, and a
    figure of each grid. Interrupt it whenever you like: the same command goes on where it was.

        visioncircuits atlas bvlc_googlenet mixed4c --photographs photos/ --out atlas/
    """
    outputs.check_folder(out)
    from rich.table import Table

    from visioncircuits import atlas as atlases
    from visioncircuits import datasets, networks
    from visioncircuits.atlas.cells import SIDES
    from visioncircuits.engine import choose

    workforce = choose(engine.value, workers=workers, address=address, device=device)
    found = atlases.atlas(
        networks.load(network, checkpoint=checkpoint, device=device),
        layer,
        datasets.photographs(photographs, range=range),
        per_photograph=per_photograph,
        edge=edge,
        layout=layout.value,
        sides=side or SIDES,
        least=least,
        classes="all"
        if class_ is None
        else [int(each) if each.isdigit() else each for each in class_],
        seed=seed,
        folder=out,
        progress=True,
    )
    coarsest = found.grids[0]
    behind = coarsest.photographs(found.samples)
    table = Table("row", "column", "samples", "photographs", "supports", box=None, pad_edge=False)
    for cell, (row, column) in enumerate(coarsest.cells.tolist()):
        led = coarsest.attribution[cell]
        best = ", ".join(found.classes[place] for place in (-led).argsort(kind="stable")[:3])
        table.add_row(
            str(row), str(column), str(coarsest.counts[cell]), f"{behind[cell]:.1f}", best
        )
    print_table(table)
    for grid in found.grids:
        icons = atlases.icons(
            network,
            found,
            side=grid.side,
            folder=out,
            size=size,
            steps=steps,
            batch=batch,
            seed=seed,
            checkpoint=checkpoint,
            device=device,
            engine=workforce,
            progress=True,
        )
        panel = atlases.atlas_panel(found, icons, side=grid.side)
        print(panel.save(out / f"atlas-{grid.side}.png"))
