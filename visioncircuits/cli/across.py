"""`visioncircuits across`: the Circuits thread's claims, a column a network."""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import outputs

app = typer.Typer()


@app.command()
def across(
    scorecard: Annotated[
        list[Path],
        typer.Argument(
            metavar="SCORECARD…",
            help="Files `scorecard.json` that `reproduce` wrote, one a network.",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The page, `.html`.")] = Path(
        "across.html"
    ),
) -> None:
    """Compare what became of the thread's claims in several networks, on one page.

    A row for each claim and a column for each network, with verdicts and what was measured; and a
    list of what holds in all of them.

        visioncircuits across googlenet/scorecard.json squeezenet/scorecard.json -o across.html
    """
    outputs.check(out, ".html")
    from visioncircuits import thread

    print(f"open {thread.across(scorecard, out)}")
