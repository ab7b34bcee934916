"""`visioncircuits induct`: how much of a layer follows from the theory of an earlier one."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.hypotheses import Seed
from visioncircuits.cli.options import Checkpoint, Device, NetworkName
from visioncircuits.cli.tables import print_table

if TYPE_CHECKING:  # a command's help is not to wait for torch
    from visioncircuits.comparison import Induction, Theory
    from visioncircuits.networks import Families, Network

app = typer.Typer()

Taxonomy = Annotated[
    Path | None,
    typer.Option(
        "--families",
        help="A taxonomy of this network as JSON, `{layer: {family: [unit, …]}}`, of both layers. "
        "Without it families are found by stimuli; a handwritten network's are those of its "
        "design.",
        exists=True,
        dir_okay=False,
    ),
]


@app.command()
def induct(
    network: NetworkName,
    layer: Annotated[str, typer.Argument(help="The later layer, such as `mixed3b`.")],
    source: Annotated[
        str, typer.Option("--from", help="The earlier layer, whose theory is taken as given.")
    ],
    families: Taxonomy = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="Draw kernels and correlations: `.png`, `.svg` or `.pdf`; or a page with these "
            "and a table that can be sorted: `.html`.",
        ),
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--csv", help="Write a row a unit as `.csv`.")
    ] = None,
    written: Annotated[
        Path | None, typer.Option("--json", help="Write the layer's numbers and units as `.json`.")
    ] = None,
    draws: Annotated[int, typer.Option(help="Of either kind of chance.", min=2)] = 400,
    seed: Seed = 0,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Predict units' weights and tuning from what earlier units detect, and test both.

    Curves from curves and lines, circles from curves, high-low frequency detectors from high and
    low frequency on opposite sides: a rule makes each kernel of the labels of its two units alone.
    Chance is the rule with labels exchanged, with other units, and rules of other families.

        visioncircuits induct bvlc_googlenet mixed3b --from mixed3a -o induct.png --csv units.csv
    """
    outputs.check(out, ".png", ".svg", ".pdf", ".html")
    outputs.check(table, ".csv")
    outputs.check(written, ".json")
    from visioncircuits import comparison, files, networks

    loaded = networks.load(network, checkpoint=checkpoint, device=device)
    loaded.layer(layer)
    taxonomy = None if families is None else networks.Families.load(families)
    found = induction(loaded, layer, source, taxonomy, draws=draws, seed=seed)
    _print(found)
    if written is not None:
        files.write(written, json.dumps(found.record(), indent=1, ensure_ascii=False).encode())
        print(written)
    if table is not None:
        files.write(table, found.table().to_csv(index=False).encode())
        print(table)
    if out is None:
        return
    if out.suffix.lower() == ".html":
        from visioncircuits.site import induction as page

        page.write(found, out)
    else:
        comparison.induction_panel(found).save(out)
    print(out)


def induction(
    network: "Network",
    layer: str,
    source: str,
    families: "Families | None",
    *,
    draws: int = 400,
    seed: int = 0,
) -> "Induction":
    """Run the induction: with labels by a taxonomy, by design, or by stimuli."""
    from visioncircuits import comparison
    from visioncircuits.handwritten import HandwrittenNetwork

    def labeled(place: str) -> "Theory | None":
        if families is not None:
            return comparison.theory_by_families(network, place, families.layers.get(place, {}))
        if isinstance(network, HandwrittenNetwork):
            return comparison.theory_by_design(network, place)
        return None

    theory = labeled(source) or comparison.theory_by_stimuli(
        network, source, seed=seed, progress=True
    )
    return comparison.induct(
        network, layer, theory, later=labeled(layer), draws=draws, seed=seed, progress=True
    )


def _print(found: "Induction") -> None:
    from rich.table import Table

    shown = Table("unit", "family", "verdict", box=None, pad_edge=False)
    for title in ("weights", "chance", "tuning", "chance"):
        shown.add_column(title, justify="right")
    shown.add_column("why not")
    for step in found.steps:
        numbers = [
            text
            for score in (step.weights, step.tuning)
            for text in (
                (f"{score.found:.2f}", f"{max(score.labels[1], score.units[1]):.2f}")
                if score
                else ("", "")
            )
        ]
        shown.add_row(step.unit, step.family, step.verdict, *numbers, step.why)
    print_table(shown)
    print(found.summary)
