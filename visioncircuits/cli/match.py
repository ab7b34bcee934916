"""`visioncircuits match`: which units of two networks do the same."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from visioncircuits.cli import hypotheses, outputs
from visioncircuits.cli.features import DIRECTION, features, several
from visioncircuits.cli.options import Checkpoint, Device, NetworkName
from visioncircuits.cli.tables import print_table
from visioncircuits.networks import names

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer()

SHOWN = 20
"""Pairs that are printed."""


@app.command()
def match(
    network: NetworkName,
    layer: Annotated[
        str,
        typer.Argument(
            callback=several, help=f"A layer, such as `mixed3b`, or units of it, {DIRECTION}."
        ),
    ],
    other: Annotated[
        str,
        typer.Argument(
            callback=names.existing, help="Another network, such as `torchvision:squeezenet1_1`."
        ),
    ],
    other_layer: Annotated[
        str,
        typer.Argument(callback=several, help="The same of that network, such as `features.7`."),
    ],
    photographs: Annotated[
        Path, typer.Option(help="A folder of photographs.", exists=True, file_okay=False)
    ],
    table: Annotated[Path | None, typer.Option("--csv", help="Write all pairs as `.csv`.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", help="Draw correlations beside chance's: `.svg`, `.png` or `.pdf`."
        ),
    ] = None,
    best: Annotated[
        Path | None,
        typer.Option(
            help="Draw the best mutual pairs, both units' pictures: `.svg`, `.png` or `.pdf`."
        ),
    ] = None,
    steps: Annotated[int, typer.Option(help="How long to optimize those pictures.", min=1)] = 128,
    family: Annotated[
        str | None,
        typer.Option(
            callback=hypotheses.checked,
            help="Match only units of a family, found in both layers: `curve`, `line` and so on, "
            "or a file `.toml` with a hypothesis of your own.",
        ),
    ] = None,
    nulls: Annotated[
        bool,
        typer.Option(
            "--nulls",
            help="Match with the other network's weights shuffled and with Gabor energies too, and "
            "report how far correlations are beyond theirs. Takes three times as long.",
        ),
    ] = False,
    save: Annotated[
        Path | None, typer.Option(help="Write all correlations too: `.nc` (netCDF).")
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Of the shuffled stimuli and weights, and the family's null.")
    ] = 0,
    checkpoint: Checkpoint = None,
    other_checkpoint: Annotated[
        Path | None,
        typer.Option(help="Parameters of the other network.", exists=True, dir_okay=False),
    ] = None,
    device: Device = "cpu",
) -> None:
    r"""Match the units of two networks by what photographs and stimuli do to them.

    A unit's partner is the one that correlates with it most on photographs, position by position;
    chance is the same with every photograph beside another one. On stimuli the partner is then held
    against all other units: its rank is 1 where none is tuned more alike. With a family, only the
    units that its hypothesis is supported for are matched.

    The best of hundreds of units correlates well even in a network that learned nothing:
    `--nulls` reports how well. Only what is beyond the strictest null is shared.

        visioncircuits match bvlc_googlenet mixed3b torchvision:squeezenet1_1 features.7 \
            --photographs photos/ --csv pairs.csv -o matches.png --best pairs.png
    """
    outputs.check(table, ".csv")
    outputs.check(out, ".svg", ".png", ".pdf")
    outputs.check(best, ".svg", ".png", ".pdf")
    outputs.check(save, ".nc")
    from visioncircuits import comparison, files, networks
    from visioncircuits.featurevis.thumbnails import thumbnails

    one = networks.load(network, checkpoint=checkpoint, device=device)
    two = networks.load(other, checkpoint=other_checkpoint, device=device)
    asked = [features(layer), features(other_layer)]
    chosen = [networks.select(side, each) for side, each in zip((one, two), asked, strict=True)]
    if family is not None:
        stated = hypotheses.read(family)
        asked = [
            comparison.family(side, each, stated, seed=seed, progress=True).names
            for side, each in zip((one, two), asked, strict=True)
        ]
    matched = comparison.match_nulls if nulls else comparison.match
    found = matched(one, asked[0], two, asked[1], photographs, seed=seed, progress=True)
    pairs = comparison.pairs(found)
    _print(pairs[pairs["mutual"]][:SHOWN])
    above = pairs["photographs"] - pairs["chance"]
    print(
        f"{len(pairs)} units of {chosen[0].layer}: median correlation with their partner in "
        f"{chosen[1].layer} "
        f"{pairs['photographs'].median():.2f}, mismatched {pairs['chance'].median():.2f}; "
        f"{int((above > 0.1).sum())} are .1 above theirs mismatched; {int(pairs['mutual'].sum())} "
        f"are each other's best, of which {int((pairs['rank'][pairs['mutual']] == 1).sum())} are "
        "the most alike on stimuli too"
    )
    if nulls:
        _print_nulls(comparison.beyond_nulls(found, seed=seed))
    if table is not None:
        files.write(table, pairs.to_csv(index=False).encode())
        print(table)
    if save is not None:
        print(found.save(save))
    if out is not None:
        comparison.matches_panel(found).save(out)
        print(out)
    if best is not None:
        shown = pairs[pairs["mutual"]][:16]
        sides = [
            thumbnails(side, [f for f in own.features if str(f) in {*names}], steps=steps)
            for side, own, names in zip(
                (one, two), chosen, (shown["unit"], shown["partner"]), strict=True
            )
        ]
        comparison.pairs_panel(shown, *sides).save(best)
        print(best)


def _print_nulls(beyond: "pd.DataFrame") -> None:
    from rich.table import Table

    table = Table("null", box=None, pad_edge=False)
    for title in ("its median", "beyond it, median difference"):
        table.add_column(title, justify="right")
    for name, row in beyond.iterrows():
        bounds = f"{row['beyond']:+.2f} ({row['low']:+.2f} … {row['high']:+.2f})"
        table.add_row(str(name), f"{row['null']:.2f}", bounds)
    print_table(table)


def _print(pairs: "pd.DataFrame") -> None:
    from rich.table import Table

    table = Table("unit", "partner", box=None, pad_edge=False)
    for title in ("photographs", "mismatched", "stimuli", "rank"):
        table.add_column(title, justify="right")
    for row in pairs.to_dict("records"):
        numbers = (f"{row[name]:.2f}" for name in ("photographs", "chance", "stimuli"))
        table.add_row(row["unit"], row["partner"], *numbers, str(row["rank"]))
    print_table(table)
