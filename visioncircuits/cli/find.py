"""`visioncircuits find`: which units of a layer are detectors of a family."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from visioncircuits.cli import dictionary, hypotheses, outputs
from visioncircuits.cli.features import DIRECTION, features, several
from visioncircuits.cli.hypotheses import Photographs, Seed
from visioncircuits.cli.options import (
    Channels,
    Checkpoint,
    Device,
    Ground,
    NetworkName,
    Range,
    drawing_in,
)
from visioncircuits.cli.tables import print_table
from visioncircuits.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer()

ALL = "all"
"""In the place of a hypothesis: every ready one that applies to the layer."""

Claims = Annotated[
    str,
    typer.Argument(
        metavar="HYPOTHESIS",
        callback=hypotheses.checked,
        help=f"{hypotheses.READY} `all` tests every ready one that applies to the layer, and shows "
        "the stimuli that they share once.",
    ),
]


@app.command()
def find(
    claim: Claims,
    network: NetworkName,
    asked: Annotated[
        str,
        typer.Argument(
            metavar="LAYER",
            callback=several,
            help="A layer, such as `mixed3b`, for all of its units; or some units of it, "
            f"{DIRECTION}; or a dictionary, `.safetensors`, of whose atoms those count that pass "
            "the gates of `dictionary features`.",
        ),
    ],
    table: Annotated[Path | None, typer.Option("--json", help="Write the table as JSON.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Print every unit, not only the supported ones.")
    ] = False,
    photographs: Photographs = None,
    second: Annotated[
        Path | None,
        typer.Option(
            help="For a dictionary: the one of another seed.", exists=True, dir_okay=False
        ),
    ] = None,
    range: Range = None,
    channels: Channels = None,
    ground: Ground = 0.5,
    seed: Seed = 0,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Find the units of a layer that a hypothesis is supported for, with their parameters.

    How many units pass each prediction, and the nearest misses, are printed too.

        visioncircuits find curves bvlc_googlenet mixed3b --json curves.json
        visioncircuits find all bvlc_googlenet mixed3b
    """
    if asked.endswith(".safetensors"):
        if claim == ALL:
            raise InputError("of a dictionary, find tests one hypothesis at a time; name it")
        if second is None or photographs is None:
            raise InputError(
                "find needs, of a dictionary, --second, the one of another seed, and --photographs "
                "on which atoms are ablated: an atom counts if it passes all four gates"
            )
        dictionary.features(
            claim, network, dictionary.existing(asked), second, photographs,
            table=table, everything=everything, seed=seed, range=range, channels=channels,
            ground=ground, checkpoint=checkpoint, device=device,
        )  # fmt: skip
        return
    if second is not None:
        raise InputError("--second is for a dictionary, `.safetensors`, in the place of LAYER")
    outputs.check(table, ".json")
    from visioncircuits import networks
    from visioncircuits.hypotheses import find_each, verdict_table

    loaded = networks.load(network, checkpoint=checkpoint, device=device)
    loaded = drawing_in(loaded, channels, ground)
    shown_to = hypotheses.photographs(photographs, range)
    chosen = networks.select(loaded, features(asked))
    tested = None if claim == ALL else [hypotheses.hypothesis(claim, loaded, chosen.layer)]
    each = find_each(
        loaded, features(asked), tested, photographs=shown_to, seed=seed, progress=True
    )
    rows = []
    for name, found in each.items():
        shown = verdict_table(found.verdicts) if everything else found
        _print(shown)
        print(f"{chosen.layer}: {found.summary}", end="\n\n")
        _print(found.passed().reset_index())
        print()
        for verdict in found.nearest():
            print(f"{verdict.unit} is {verdict.status}: {'; '.join(verdict.reasons)}")
        for verdict in found.verdicts:
            for note in verdict.notes if verdict.status == "supported" else ():
                print(f"{verdict.unit}: {note}")
        of_it = {"hypothesis": name} if claim == ALL else {}
        rows += [{**of_it, **row} for row in json.loads(shown.to_json(orient="records"))]
    if table is not None:
        print(outputs.write_units(rows, chosen.features, table))


def _print(rows: "pd.DataFrame") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in rows.columns:
        words = column in ("unit", "verdict", "why", "prediction")
        table.add_column(str(column), justify="left" if words else "right")
    for row in rows.to_dict("records"):
        table.add_row(*(v if isinstance(v, str) else f"{v:.3g}" for v in row.values()))
    if len(rows):
        print_table(table)
