"""`visioncircuits discover`: the few units of an earlier layer that a feature lives on."""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.features import One
from visioncircuits.cli.options import Checkpoint, Device, NetworkName, Range, Save
from visioncircuits.cli.tables import print_table

app = typer.Typer()


@app.command()
def discover(
    network: NetworkName,
    feature: One,
    source: Annotated[
        str, typer.Option("--from", help="The earlier layer whose units are searched.")
    ],
    photographs: Annotated[
        Path, typer.Option(help="A folder of photographs.", exists=True, file_okay=False)
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="The picture to write: `.png`, `.svg` or `.pdf`.")
    ],
    share: Annotated[
        float, typer.Option(help="Of the feature's variance that is to be kept: above 0, below 1.")
    ] = 0.9,
    count: Annotated[
        int, typer.Option(help="How many of the photographs to take, evenly spread.", min=4)
    ] = 100,
    limits: Range = None,
    draws: Annotated[int, typer.Option(help="Of random units to compare with.", min=2)] = 10,
    top: Annotated[int, typer.Option(help="How many units are listed.", min=1)] = 10,
    seed: Annotated[int, typer.Option(help="Of the draws and the interval.")] = 0,
    save: Save = None,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Find the fewest units of an earlier layer that keep a share of what a feature does.

    All others are mean-ablated. The units are ranked by attribution and chosen by ablation on half
    of the photographs; the other half measures how much they keep, beside as many random units. The
    picture shows how much is kept against how many.

        visioncircuits discover bvlc_googlenet mixed3b:413 --from mixed3a --photographs a/ -o d.png
    """
    outputs.check(out, ".png", ".svg", ".pdf")
    outputs.check(save, ".npz", ".nc")
    from rich.table import Table

    from visioncircuits import attribution, datasets, networks

    given = datasets.photographs(photographs, range=limits)
    count = min(count, len(given))
    some = given.part([place * len(given) // count for place in range(count)])
    loaded = networks.load(network, checkpoint=checkpoint, device=device)
    found = attribution.discover(
        loaded, source, feature, some, share=share, draws=draws, seed=seed, progress=True
    )
    table = Table("unit", box=None, pad_edge=False)
    table.add_column("effect, of the variance", justify="right")
    for part in [unit for unit in found.attribution["part"].values if unit in found.kept][:top]:
        table.add_row(str(part), f"{float(found.attribution.sel(part=part)):.2%}")
    print_table(table)
    low, high = found.interval
    ends = found.random.min().item(), found.random.max().item()
    print(
        f"{len(found.kept)} of {found.attribution.size} units of {source} keep "
        f"{float(found.explained.sel(half='held-out')):.1%} ({low:.1%} … {high:.1%}) of the "
        f"variance of {found.target} on pictures held out, "
        f"{float(found.explained.sel(half='selection')):.1%} on those that they were chosen on;\n"
        f"as many random ones keep {found.random.mean().item():.1%} "
        f"({ends[0]:.1%} … {ends[1]:.1%} in {draws} draws)"
    )
    attribution.discovery_panel(found).save(out)
    print(out)
    if save is not None:
        print(found.save(save))
