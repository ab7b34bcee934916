"""`visioncircuits explain`: what a network detected in one photograph, and what that led to."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.options import Checkpoint, Device, NetworkName, Range, Steps
from visioncircuits.cli.tables import print_table

app = typer.Typer()


class Slopes(StrEnum):
    """What activations are multiplied by."""

    relaxed = "relaxed"
    gradient = "gradient"
    integrated = "integrated"
    exact = "exact"


@app.command()
def explain(
    network: NetworkName,
    image: Annotated[Path, typer.Option(help="A photograph.", exists=True, dir_okay=False)],
    layer: Annotated[
        list[str], typer.Option(help="A layer with positions; as often as needed.", metavar="LAYER")
    ],
    class_: Annotated[
        list[str] | None,
        typer.Option("--class", help="A class of interest, by name or number; as often as needed."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The folder of the page to write.")
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option("-o", "--figure", help="The figure to write: `.png`, `.svg` or `.pdf`."),
    ] = None,
    range: Range = None,
    groups: Annotated[int, typer.Option(help="How many groups a layer.", min=1)] = 6,
    top: Annotated[int, typer.Option(help="How many likely classes are added.", min=0)] = 3,
    slope: Annotated[
        Slopes,
        typer.Option(
            help="What activations are multiplied by, to attribute: the gradient with `relaxed` "
            "max pools, the `gradient`, the gradient `integrated` from no activation, or the "
            "weights of all `exact` paths."
        ),
    ] = Slopes.relaxed,
    pictures: Annotated[
        int, typer.Option(help="How many units of each layer are rendered for the page.", min=0)
    ] = 24,
    steps: Steps = 64,
    seed: Annotated[int, typer.Option(help="Of the factorization.", min=0)] = 0,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Explain what was detected in one photograph, where, and what that led to.

    Units of each layer are grouped by where they are active, by non-negative matrix factorization.
    Positions, units and groups are attributed to classes, and groups to those of the layer before.
    On the page a reader hovers over the photograph, picks classes, and compares two.

        visioncircuits explain bvlc_googlenet --image photo.jpg --layer mixed4d --out page/
    """
    if out is None and figure is None:
        raise typer.BadParameter("nothing is written: give --out, --figure or both")
    outputs.check(figure, ".png", ".svg", ".pdf")
    if out is not None:
        outputs.check_folder(out)
    from rich.table import Table

    from visioncircuits import attribution, datasets, networks
    from visioncircuits.attribution.slopes import SLOPES
    from visioncircuits.featurevis.thumbnails import thumbnails
    from visioncircuits.site import explanation

    found_network = networks.load(network, checkpoint=checkpoint, device=device)
    found = attribution.explain(
        found_network,
        datasets.photographs(image, range=range).pictures(found_network.size),
        layer,
        classes=class_ or (),
        top=top,
        groups=groups,
        slope=SLOPES[slope],
        seed=seed,
    )
    worth = explanation.worth_a_picture(found, units=pictures if out is not None else 0)
    drawn = thumbnails(found_network, worth, steps=steps)
    table = Table("group", box=None, pad_edge=False)
    for name in found.classes:
        table.add_column(name, justify="right")
    for each in found.layers:
        for direction, led in zip(each.groups.directions, each.by_group().T, strict=True):
            table.add_row(str(direction), *(f"{float(value):+.2f}" for value in led))
        table.add_row("the rest", *(f"{float(value):+.2f}" for value in each.remainder()))
    print_table(table)
    if out is not None:
        print(explanation.write(found, drawn, out, title=image.stem))
    if figure is not None:
        print(attribution.explanation_panel(found, drawn).save(figure))
