"""`visioncircuits prefer`: which units prefer some classes of photographs."""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.features import DIRECTION, listed
from visioncircuits.cli.options import Checkpoint, Device, Labels, NetworkName, Photographs, Range
from visioncircuits.cli.tables import print_table

app = typer.Typer()


@app.command()
def prefer(
    network: NetworkName,
    features: Annotated[
        list[str],
        typer.Argument(
            metavar="LAYER",
            callback=listed,
            help="A layer, whose units are ranked, or some of its units, such as "
            f"`mixed3b:413,408`, {DIRECTION}; several are ranked together.",
        ),
    ],
    photographs: Photographs,
    classes: Annotated[
        str,
        typer.Option(
            help="Names or numbers of classes, with commas between them, or ranges of numbers: "
            "ImageNet's dogs are `151-268`."
        ),
    ],
    labels: Labels = "auto",
    range: Range = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Draw the best: `.svg` or `.png`.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--json", help="Write the table of all units as JSON.")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option("--save", help="Write it with the activations in all photographs: `.nc`."),
    ] = None,
    top: Annotated[int, typer.Option(help="How many of the best are shown.", min=1)] = 12,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Find the units that separate photographs of some classes from all others.

    Units are sorted by the area under their ROC curve: the probability that the unit is stronger
    in a photograph of these classes than in another. Intervals hold for all units together, with
    95 % probability.

        visioncircuits prefer bvlc_googlenet mixed4d --photographs photos/ --classes 151-268
    """
    outputs.check(out, ".svg", ".png")
    outputs.check(table, ".json")
    outputs.check(save, ".nc")
    from rich.table import Table

    from visioncircuits import datasets, examples, networks

    found = networks.load(network, checkpoint=checkpoint, device=device)
    ranked = examples.prefer(
        found,
        features,
        datasets.photographs(photographs, labels=labels, range=range),
        classes=classes.split(","),
        progress=True,
    )
    rows = ranked.summary()
    assert rows is not None
    shown = Table("unit", box=None, pad_edge=False)
    for title in ("area", "95 %, all together", "mean inside", "outside"):
        shown.add_column(title, justify="right")
    for row in rows[:top].itertuples():
        shown.add_row(
            row.Index,
            f"{row.auc:.3f}",
            f"{row.low:.3f} … {row.high:.3f}",
            f"{row.inside:.4g}",
            f"{row.outside:.4g}",
        )
    print_table(shown)
    inside = int(ranked["preferred"].sum())
    print(
        f"{inside} photographs of these classes, {ranked.sizes['photograph'] - inside} others; "
        f"{int((ranked['low'] > 0.5).sum())} of {len(rows)} units prefer these classes"
    )
    for problem in ranked.record["skipped"]:
        print(f"skipped: {problem}")
    if table is not None:
        records = rows.rename_axis("unit").reset_index().to_dict("records")
        print(outputs.write_units(records, networks.expand(found, features), table))
    if save is not None:
        print(ranked.save(save))
    if out is not None:
        print(examples.preference_panel(ranked, top=top).save(out))
