"""`visioncircuits examples`: what drives units in photographs, how often, and how strongly."""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli.options import Checkpoint, Device, NetworkName
from visioncircuits.cli.tables import print_table

app = typer.Typer()


@app.command()
def examples(
    network: NetworkName,
    layers: Annotated[
        list[str],
        typer.Argument(
            help="Layers, such as `mixed3b`; with units, such as `mixed3b:413,408`, these are "
            "drawn on sheets."
        ),
    ],
    images: Annotated[Path, typer.Option(help="A folder of photographs.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder for what is found.")],
    top: Annotated[
        int, typer.Option(help="How many of the strongest, and of the weakest, are kept.", min=1)
    ] = 24,
    classes: Annotated[
        bool, typer.Option("--classes", help="The folders in it are the photographs' classes.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the random examples.")] = 0,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Show photographs to a network, once, and keep what tells of its units.

    It writes `examples.npz`, and a sheet for every unit that is named.

        visioncircuits examples bvlc_googlenet mixed3b:413 --images photos/ --out examples/
    """
    from rich.table import Table

    from visioncircuits import networks, pictures
    from visioncircuits.engine import progress
    from visioncircuits.examples import collect, folder, sheet
    from visioncircuits.networks import Unit
    from visioncircuits.tuning import save_plot

    found = networks.load(network, checkpoint=checkpoint, device=device)
    units: list[Unit] = []
    asked: list[str] = []
    for text in layers:
        layer, _, listed = text.partition(":")
        asked.append(found.layer(layer).name)
        for number in filter(None, listed.split(",")):
            found.feature(f"{layer}:{number.strip()}")
            units.append(Unit(layer, int(number)))
    photographs = folder(images, size=found.size, labels="folders" if classes else "none")
    out.mkdir(parents=True, exist_ok=True)
    with progress("photographs", len(photographs)) as advance:
        kept = collect(found, asked, photographs, top=top, seed=seed, advance=advance)
    kept.save(out / "examples.npz")
    table = Table("layer", "units", box=None, pad_edge=False)
    for title in ("firing, median", "silent", "strongest"):
        table.add_column(title, justify="right")
    for name, layer_found in kept.layers.items():
        firing = layer_found.moments.firing
        strongest = layer_found.tops.values[:, 0]
        table.add_row(
            name,
            str(len(firing)),
            f"{sorted(firing)[len(firing) // 2]:.1%}",
            str(int((firing == 0).sum())),
            f"{name}:{int(strongest.argmax())} {strongest.max():.4g}",
        )
    print_table(table)
    print(f"{out / 'examples.npz'}: {kept.seen} pictures, {len(kept.skipped)} skipped")
    for problem in kept.skipped:
        print(f"skipped: {problem}")
    for unit in units:
        path = out / f"{str(unit).replace(':', '-')}.png"
        drawn = sheet(found, kept, unit, lambda name: pictures.read(images / name, found.size))
        save_plot(drawn, path)
        print(path)
