"""`visioncircuits find`: which units of a layer are detectors of a family."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from visioncircuits.cli import hypotheses, outputs
from visioncircuits.cli.hypotheses import Family, Images, Seed
from visioncircuits.cli.options import Checkpoint, Device, NetworkName
from visioncircuits.cli.tables import print_table

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer()


@app.command()
def find(
    family: Family,
    network: NetworkName,
    layer: Annotated[str, typer.Argument(help="Such as `mixed3b`.")],
    table: Annotated[Path | None, typer.Option("--json", help="Write the table as JSON.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Print every unit, not only the supported ones.")
    ] = False,
    images: Images = None,
    seed: Seed = 0,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Find the units of a layer that a hypothesis is supported for, with their parameters.

    visioncircuits find curves bvlc_googlenet mixed3b --json curves.json
    """
    outputs.check(table, ".json")
    from visioncircuits import files, networks
    from visioncircuits.hypotheses import judge_all, verdict_table

    found = networks.load(network, checkpoint=checkpoint, device=device)
    tested = hypotheses.hypothesis(family, found, layer)
    spread = hypotheses.deviations(found, layer, images)
    verdicts = judge_all(found, layer, tested, deviations=spread, seed=seed, progress=True)
    shown = verdict_table([v for v in verdicts if everything or v.status == "supported"])
    _print(shown)
    counts = {word: sum(v.status == word for v in verdicts) for word in ("supported", "undecided")}
    print(
        f"{layer}: {counts['supported']} of {len(verdicts)} units are supported as {tested.name} "
        f"detectors, {counts['undecided']} undecided"
    )
    if table is not None:
        files.write(table, shown.to_json(orient="records", indent=1).encode())
        print(table)


def _print(rows: "pd.DataFrame") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in rows.columns:
        table.add_column(str(column), justify="left" if column in ("unit", "verdict") else "right")
    for row in rows.to_dict("records"):
        table.add_row(*(v if isinstance(v, str) else f"{v:.3g}" for v in row.values()))
    if len(rows):
        print_table(table)
