"""`visioncircuits coverage`: how much of a layer is explained, and by what."""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import hypotheses, induct, outputs
from visioncircuits.cli.hypotheses import Seed
from visioncircuits.cli.options import Checkpoint, Device, NetworkName
from visioncircuits.cli.tables import print_table

app = typer.Typer()


@app.command()
def coverage(
    network: NetworkName,
    layer: Annotated[str, typer.Argument(help="Such as `mixed3b`.")],
    more: Annotated[
        list[Path] | None,
        typer.Option(
            "--hypothesis",
            callback=hypotheses.files,
            help="Another hypothesis to test, a `.toml`; may be repeated.",
        ),
    ] = None,
    families: Annotated[
        Path | None,
        typer.Option(
            help="A taxonomy of this network as JSON: `{layer: {family: [unit, …]}}`.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="An earlier layer: units that follow from its theory are explained too, as "
            "`induct` tests it.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Draw the layer as a bar: `.svg`, `.png` or `.pdf`."),
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--csv", help="Write what explains each unit as `.csv`.")
    ] = None,
    seed: Seed = 0,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Count the units that a supported hypothesis, a named family or an induction explains.

    Every hypothesis that `find` knows, and for which the layer sees enough, is tested on every
    unit; this takes as long as that many times `find`. In Python, `networks.shuffled` gives the
    network whose coverage is what hypotheses explain by accident.

        visioncircuits coverage bvlc_googlenet mixed3a -o coverage.png --csv units.csv
    """
    outputs.check(out, ".svg", ".png", ".pdf")
    outputs.check(table, ".csv")
    from rich.table import Table

    from visioncircuits import comparison, files, networks
    from visioncircuits.hypotheses import applicable, from_toml

    found = networks.load(network, checkpoint=checkpoint, device=device)
    found.layer(layer if source is None else source)
    taxonomy = None if families is None else networks.Families.load(families)
    by_family = None
    if taxonomy is not None:
        named = taxonomy.layers.get(layer, {})
        by_family = comparison.covered_by_families(found, layer, named)
    tested = applicable(found, layer)
    tested += [from_toml(path) for path in more or ()]
    covered = comparison.covered_by_stimuli(found, layer, tested, seed=seed, progress=True)
    if by_family is not None:
        covered = covered.joined(by_family)
    if source is not None:
        followed = induct.induction(found, layer, source, taxonomy, seed=seed)
        covered = covered.joined(comparison.covered_by_induction(followed))
    shown = Table("explanation", box=None, pad_edge=False)
    for title in ("units", "share", "nothing else"):
        shown.add_column(title, justify="right")
    for row in covered.table().to_dict("records"):
        shown.add_row(
            row["explanation"], str(row["units"]), f"{row['share']:.1%}", str(row["alone"])
        )
    print_table(shown)
    several = int((covered.holds.sum(0) > 1).sum())
    print(
        f"{layer}: {covered.explained:.1%} of {covered.holds.shape[1]} units explained, {several} "
        f"by several, {len(covered.unexplained())} by nothing"
    )
    if table is not None:
        files.write(table, covered.units().to_csv(index=False).encode())
        print(table)
    if out is not None:
        comparison.coverage_panel(covered).save(out)
        print(out)
