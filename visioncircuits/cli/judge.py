"""`visioncircuits judge`: does a hypothesis about a feature stand?"""

import math
from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import hypotheses, outputs
from visioncircuits.cli.features import One
from visioncircuits.cli.hypotheses import Claim, Photographs, Seed
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
from visioncircuits.wording import with_article

app = typer.Typer()


@app.command()
def judge(
    claim: Claim,
    network: NetworkName,
    feature: One,
    orientation: Annotated[
        float | None, typer.Option(help="Test this orientation too, in degrees.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Draw the verdict: `.svg`, `.png` or `.pdf`.")
    ] = None,
    record: Annotated[Path | None, typer.Option("--json", help="Write it as JSON.")] = None,
    photographs: Photographs = None,
    range: Range = None,
    channels: Channels = None,
    ground: Ground = 0.5,
    seed: Seed = 0,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Test a hypothesis about a feature; the verdict is supported, refuted or undecided.

    visioncircuits judge curve bvlc_googlenet mixed3b:413 -o verdict.png
    """
    outputs.check(out, ".svg", ".png", ".pdf")
    outputs.check(record, ".json")
    from rich.table import Table

    from visioncircuits import networks
    from visioncircuits.hypotheses import judge, verdict_panel

    found = networks.load(network, checkpoint=checkpoint, device=device)
    found = drawing_in(found, channels, ground)
    shown_to = hypotheses.photographs(photographs, range)
    asked = found.feature(feature)
    tested = hypotheses.hypothesis(claim, found, asked.layer, orientation=orientation)
    verdict = judge(found, asked, tested, photographs=shown_to, seed=seed, progress=True)
    table = Table("", "prediction", box=None, pad_edge=False)
    for title in ("effect", "95 % interval", "bound", "rank"):
        table.add_column(title, justify="right")
    for outcome in (*verdict.outcomes, *verdict.photographs):
        stated = outcome.prediction
        low, high = outcome.interval
        table.add_row(
            outcome.status,
            stated.claim,
            f"{outcome.effect:.3g}",
            f"{low:.3g} … {high:.3g}",
            stated.bounds,
            "" if math.isnan(outcome.rank) else f"{outcome.rank:.1%}",
        )
    print_table(table)
    kind = with_article(tested.name)
    print(f"{verdict.unit} as {kind} detector: {verdict.status} (p = {verdict.p:.2g})")
    if photographs is not None:
        print(f"positive at {verdict.row()['firing']:.1%} of all positions in the photographs")
    for line in (*verdict.reasons, *verdict.notes):
        print(line)
    if record is not None:
        print(verdict.save(record))
    if out is not None:
        print(verdict_panel(verdict).save(out))
