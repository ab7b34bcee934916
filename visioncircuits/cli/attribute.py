"""`visioncircuits attribute`: where in a photograph a feature was driven."""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.features import DIRECTION, one
from visioncircuits.cli.options import Checkpoint, Device, NetworkName, Range
from visioncircuits.cli.tables import print_table

app = typer.Typer()


@app.command()
def attribute(
    network: NetworkName,
    feature: Annotated[
        str,
        typer.Argument(
            callback=one, help=f"A unit or a logit, `mixed3b:413`, `logits:207`, {DIRECTION}."
        ),
    ],
    photograph: Annotated[Path, typer.Option(help="A photograph.", exists=True, dir_okay=False)],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="The picture to write: `.png` or `.webp`.")
    ],
    range: Range = None,
    to: Annotated[
        str | None,
        typer.Option(help="An earlier layer, whose strongest units are listed too."),
    ] = None,
    steps: Annotated[int, typer.Option(help="Of integrated gradients.", min=1)] = 32,
    top: Annotated[int, typer.Option(help="How many units of that layer are listed.", min=1)] = 10,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Attribute a feature's activation on a photograph, where it is strongest, to earlier values.

    The picture shows the photograph, and what in it raised the activation (red) and lowered it
    (blue), by integrated gradients from gray, or from zero in an earlier layer.

        visioncircuits attribute bvlc_googlenet mixed3b:413 --photograph photo.jpg -o why.png
    """
    outputs.check(out, ".png", ".webp")
    from rich.table import Table

    from visioncircuits import attribution, datasets, networks
    from visioncircuits.networks.graph import INPUT

    found = networks.load(network, checkpoint=checkpoint, device=device)
    picture = datasets.photographs(photograph, range=range).pictures(found.size)
    attributed = attribution.integrated_gradients(
        found, feature, picture, to=to or INPUT, baseline=0.0 if to else 0.5, steps=steps
    )
    shown = found.preprocessing.shown(picture)
    outputs.write_picture(attribution.overlay(shown[0], attributed.values[0]), out)
    activation, base = float(attributed.activation), float(attributed.baseline)
    if to:
        each = attributed.values[0].sum((1, 2))
        order = each.abs().argsort(descending=True)[:top].tolist()
        table = Table("unit", box=None, pad_edge=False)
        table.add_column("share", justify="right")
        for unit in order:
            table.add_row(f"{to}:{unit}", f"{float(each[unit]) / (activation - base):+.1%}")
        print_table(table)
    print(
        f"{out}: {attributed.feature} is {activation:.4g}, at the baseline {base:.4g}; "
        f"{float(attributed.remainder):.2g} is not attributed"
    )
