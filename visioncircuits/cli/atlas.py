"""`visioncircuits atlas`: what a layer represents, laid out in the plane."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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

if TYPE_CHECKING:
    from visioncircuits.atlas import Atlas

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
            max=255,
        ),
    ] = None,
    least: Annotated[int, typer.Option(help="Samples that a cell needs.", min=1)] = 10,
    class_: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            help="A class that cells are attributed to, by name or number; as often as needed. By "
            "default all, of 16 samples a cell; `none` for none, as of a network without classes.",
        ),
    ] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="Another layer, on the same samples and in the same layout, to slide to; as often "
            "as needed.",
        ),
    ] = None,
    of_class: Annotated[
        list[str] | None,
        typer.Option(help="A class, of which the page has an atlas too; as often as needed."),
    ] = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(
            help="Two classes, of whose difference the page has an atlas, by t-SNE.",
            metavar="CLASS CLASS",
        ),
    ] = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(
            help="A unit of one of the layers that is shown on its atlas, such as `mixed4c:7`; as "
            "often as needed."
        ),
    ] = None,
    size: Annotated[int, typer.Option(help="Of an icon, in pixels.", min=8, max=512)] = 80,
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
    each average is rendered, and attributed to classes. The folder has a page to zoom into, the
    atlas, and a figure of each grid. Interrupt it whenever you like: the same command goes on where
    it was.

        visioncircuits atlas bvlc_googlenet mixed4c --photographs photos/ --out atlas/
        visioncircuits atlas bvlc_googlenet mixed4c --photographs photos/ --with mixed5a --out two/
    """
    outputs.check_folder(out)
    import numpy as np

    from visioncircuits import atlas as atlases
    from visioncircuits import datasets
    from visioncircuits.atlas import cells, classes
    from visioncircuits.attribution.explaining import class_number
    from visioncircuits.engine import choose
    from visioncircuits.errors import InputError
    from visioncircuits.gallery.contents import slug
    from visioncircuits.networks.obtaining import obtaining
    from visioncircuits.site import atlas as page
    from visioncircuits.site.atlas_sheets import named, sheet

    workforce = choose(engine.value, workers=workers, address=address, device=device)
    obtain = obtaining(network, checkpoint=checkpoint, device=device)
    loaded, given = obtain(), datasets.photographs(photographs, range=range)
    names = [loaded.layer(each).name for each in (layer, *(with_ or ()))]
    shown = [loaded.feature(each) for each in feature or ()]
    for wanted in shown:
        if wanted.layer not in names:
            raise InputError(f"{wanted} is of none of the layers {', '.join(names)}")
    for each in of_class or ():
        class_number(loaded, each)
    if compare is not None:
        classes.two(loaded, *compare)
    options: dict[str, Any] = {
        "per_photograph": per_photograph,
        "edge": edge,
        "layout": layout.value,
        "sides": side or cells.SIDES,
        "least": least,
        "classes": "all" if class_ is None else [] if class_ == ["none"] else class_,
        "seed": seed,
        "folder": out,
        "progress": True,
    }
    if with_:
        found = atlases.aligned([(loaded, each) for each in names], given, **options)
    else:
        found = (atlases.atlas(loaded, layer, given, **options),)
    sheets = dict(named(found))
    for each in dict.fromkeys(of_class or ()):
        name = f"class {each}" if each in sheets else each
        sheets[name] = atlases.class_atlas(
            loaded, found[0], given, each, layout=layout.value, sides=side or classes.SIDES,
            least=least, seed=seed, progress=True,
        )  # fmt: skip
    if compare is not None:
        first, second = compare
        sheets[f"{first} against {second}"] = atlases.compare(
            loaded, found[0], given, first, second, progress=True,
            sides=side or classes.SIDES, least=least, seed=seed,
        )  # fmt: skip
    _print(found[0])
    drawn = []
    for name, made in sheets.items():
        one = sheet(
            obtain, name, made, given, work=out, features=shown, size=size, steps=steps,
            batch=batch, seed=seed, engine=workforce, progress=True,
        )  # fmt: skip
        drawn.append(one)
        for grid, icons in zip(made.grids, one.icons, strict=True):
            pixels = np.stack([np.asarray(icons[cell]) for cell in sorted(icons)])
            panel = atlases.atlas_panel(made, pixels, side=grid.side)
            print(panel.save(out / f"{slug(name)}-{grid.side}.png"))
    title = f"{loaded.name}: {', '.join(each.samples.layer for each in found)}"
    print(page.write(drawn, out, title=title, cell=size))


def _print(found: "Atlas") -> None:
    from rich.table import Table

    coarsest = found.grids[0]
    behind = coarsest.photographs(found.samples)
    table = Table("row", "column", "samples", "photographs", "supports", box=None, pad_edge=False)
    for cell, (row, column) in enumerate(coarsest.cells.tolist()):
        led = coarsest.attribution[cell]
        strongest = (-led).argsort(kind="stable")[:3]
        best = ", ".join(found.classes[place] for place in strongest if led[place] > 0)
        table.add_row(
            str(row), str(column), str(coarsest.counts[cell]), f"{behind[cell]:.1f}", best
        )
    print_table(table)
