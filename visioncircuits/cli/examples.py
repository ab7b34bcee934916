"""`visioncircuits examples`: what drives units in photographs, how often, and how strongly."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.features import DIRECTION, listed
from visioncircuits.cli.options import (
    Address,
    Checkpoint,
    Device,
    EngineName,
    Engines,
    Labels,
    NetworkName,
    Photographs,
    Precision,
    Precisions,
    Range,
    Workers,
)
from visioncircuits.cli.tables import print_table
from visioncircuits.networks import names

if TYPE_CHECKING:  # a command's help is not to wait for torch
    from visioncircuits.examples import Examples

app = typer.Typer()

WORK = "shards"
"""The folder, in that for what is found, of what is known already; it goes with the last of it."""


@app.command()
def examples(
    network: NetworkName,
    layers: Annotated[
        list[str],
        typer.Argument(
            help="Layers, such as `mixed3b`; with units, such as `mixed3b:413,408`, "
            f"{DIRECTION}, these are drawn on sheets.",
            callback=listed,
        ),
    ],
    photographs: Photographs,
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder for what is found.")],
    top: Annotated[
        int, typer.Option(help="How many of the strongest, and of the weakest, are kept.", min=1)
    ] = 24,
    labels: Labels = "auto",
    range: Range = None,
    seed: Annotated[int, typer.Option(help="Of the random examples.")] = 0,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
    precision: Precision = Precisions.float32,
    workers: Workers = None,
    engine: EngineName = Engines.local,
    address: Address = None,
) -> None:
    """Run a network over photographs, once, and keep what characterizes its units.

    It writes `examples.npz`, and a sheet for every unit that is named. Interrupt it whenever you
    like: the same command goes on where it was.

        visioncircuits examples bvlc_googlenet mixed3b:413 --photographs photos/ --out examples/
    """
    outputs.check_folder(out)
    import shutil

    from visioncircuits import datasets, networks
    from visioncircuits.engine import Store, WorkFailed, choose, folders
    from visioncircuits.examples import sheet, survey

    found = networks.load(network, checkpoint=checkpoint, device=device)
    named = [name for name in layers if not names.is_layer(name)]
    drawn = dict.fromkeys(networks.expand(found, named)) if named else {}
    stems = outputs.stems(drawn)
    given = datasets.photographs(photographs, labels=labels, range=range)
    plan = survey(
        network,
        layers,
        given,
        checkpoint=checkpoint,
        device=device,
        precision=precision.value,
        top=top,
        seed=seed,
    )
    workforce = choose(engine.value, workers=workers, address=address, device=device)
    failed = None
    with folders.alone(out):
        store = Store(out / WORK)
        if done := plan.finished(store):
            print(f"resuming: {len(done)} of {len(plan.works)} shards are done")
        try:
            plan.carry_out(store, workforce=workforce, progress=True)
        except WorkFailed as error:
            failed = error
        kept = plan.joined(store, workforce=workforce)
        kept.save(out / "examples.npz")
        if not failed:
            shutil.rmtree(store.folder)
    _summarize(kept)
    print(f"{out / 'examples.npz'}: {kept.seen} pictures, {len(kept.skipped)} skipped")
    if labels == "auto" and not any(layer.classes for layer in kept.layers.values()):
        print("no classes: names have no WordNet ids, and there are no folders; see --labels")
    for problem in kept.skipped:
        print(f"skipped: {problem}")
    for feature, stem in zip(drawn, stems, strict=True):
        print(sheet(found, feature, kept, given).save(out / f"{stem}.png"))
    if failed:
        raise failed


def _summarize(kept: "Examples") -> None:
    """Print a line for each layer, and each direction."""
    from rich.table import Table

    table = Table("layer", "units", box=None, pad_edge=False)
    for title in ("firing, median", "inactive", "strongest"):
        table.add_column(title, justify="right")
    for name, layer in kept.layers.items():
        firing = layer.moments.firing
        strongest = layer.tops.values[:, 0]
        table.add_row(
            name,
            str(len(firing)),
            f"{sorted(firing)[len(firing) // 2]:.1%}",
            str(int((firing == 0).sum())),
            f"{name if name in kept.record['directions'] else f'{name}:{strongest.argmax()}'} "
            f"{strongest.max():.4g}",
        )
    print_table(table)
