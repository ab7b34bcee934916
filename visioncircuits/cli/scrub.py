"""`visioncircuits scrub`: is a behavior computed as a hypothesis has it?"""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits import hypothesis_file
from visioncircuits.cli import outputs
from visioncircuits.cli.options import Checkpoint, Device, NetworkName, Range
from visioncircuits.cli.tables import print_table
from visioncircuits.errors import InputError

app = typer.Typer()


def _checked(path: Path) -> Path:
    """Return a hypothesis' file, already read, so that its mistakes are reported at once."""
    hypothesis_file.read_causal(path)
    return path


@app.command()
def scrub(
    network: NetworkName,
    hypothesis: Annotated[
        Path,
        typer.Argument(
            callback=_checked,
            help="A file `.toml` with a hypothesis of variables: see `scrubbing.from_toml`.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Draw what is kept: `.png`, `.svg` or `.pdf`."),
    ] = None,
    record: Annotated[Path | None, typer.Option("--json", help="Write it as JSON.")] = None,
    stimuli: Annotated[
        str | None,
        typer.Option(help="A set of stimuli to show instead of the file's: `curves`, or `.toml`."),
    ] = None,
    photographs: Annotated[
        Path | None,
        typer.Option(help="A folder of photographs to show instead.", exists=True, file_okay=False),
    ] = None,
    count: Annotated[
        int, typer.Option(help="How many of the photographs to take, evenly spread.", min=2)
    ] = 200,
    limits: Range = None,
    draws: Annotated[
        int, typer.Option(help="How often the exchanges of every picture are drawn.", min=2)
    ] = 20,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Test a hypothesis about how a behavior is computed by causal scrubbing.

    Every activation is exchanged for that on another picture on which, by the hypothesis, it makes
    no difference; what the hypothesis does not name, for that on any picture. The share of the
    behavior that is kept is listed for the whole, for each claim by itself, and for other
    hypotheses. A hypothesis that keeps all is not proven by that.

        visioncircuits scrub handwritten:curves arch.toml -o scrub.png
    """
    outputs.check(out, ".png", ".svg", ".pdf")
    outputs.check(record, ".json")
    if stimuli is not None and photographs is not None:
        raise InputError("show stimuli or photographs, not both")
    from rich.table import Table

    from visioncircuits import datasets, networks, scrubbing
    from visioncircuits.scrubbing.from_file import stimuli_of

    claimed = scrubbing.from_toml(hypothesis)
    found = networks.load(network, checkpoint=checkpoint, device=device)
    claimed.check(found)
    if photographs is not None:
        given = datasets.photographs(photographs, range=limits)
        some = min(count, len(given))
        spread = (place * len(given) // some for place in range(some))
        shown = scrubbing.shown_photographs(found, given.part(list(spread)))
    else:
        asked = stimuli or stimuli_of(hypothesis)
        if asked is None:
            raise InputError(
                f"{hypothesis} names no stimuli; write some there, or pass --stimuli or "
                "--photographs"
            )
        shown = scrubbing.drawn_stimuli(found, claimed.behavior, asked)
    scrubbed = scrubbing.scrub(found, claimed, shown, draws=draws, seed=seed, progress=True)
    table = Table("", "claim", box=None, pad_edge=False)
    for title in ("share kept", "95 % interval", "of pictures"):
        table.add_column(title, justify="right")
    rivals = {other.name for other in scrubbed.rivals}
    for claim in (scrubbed.whole, *scrubbed.claims, *scrubbed.alternatives):
        low, high = claim.interval
        mark = "instead" if claim.kind == "alternative" else ""
        if claim.kind == "alternative" and claim.name in rivals:
            mark = "as well"
        table.add_row(
            mark,
            str(claim),
            f"{claim.share:.1%}",
            f"{low:.1%} … {high:.1%}",
            "" if claim.pictures is None else f"{claim.pictures:.1f}",
        )
    print_table(table)
    print(
        f"{len(shown)} pictures, {draws} draws; {len(rivals)} of {len(scrubbed.alternatives)} "
        "other hypotheses score as well"
    )
    if record is not None:
        print(scrubbed.save(record))
    if out is not None:
        print(scrubbing.scrub_panel(scrubbed).save(out))
