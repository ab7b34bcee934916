"""`visioncircuits circuit`: what a feature is made of and used for, some levels deep."""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.features import One
from visioncircuits.cli.options import Checkpoint, Device, NetworkName, Save, Steps

app = typer.Typer()


@app.command()
def circuit(
    network: NetworkName,
    feature: One,
    out: Annotated[Path, typer.Option("-o", "--out", help="The diagram to write: `.svg`.")],
    depth: Annotated[int, typer.Option(help="Levels of what the feature is made of.")] = 2,
    uses: Annotated[int, typer.Option(help="Levels of what it is used for.")] = 0,
    share: Annotated[
        float,
        typer.Option(help="Of the squared weight between two levels, how much of it to draw."),
    ] = 0.8,
    most: Annotated[int, typer.Option(help="How many features a level may have.")] = 8,
    steps: Steps = 64,
    save: Save = None,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Draw a feature's circuit: the strongest connections through the layers about it.

    visioncircuits circuit bvlc_googlenet mixed3b:413 --depth 2 -o circuit.svg
    """
    outputs.check(out, ".svg")
    outputs.check(save, ".npz", ".nc")
    from visioncircuits import files, networks, weights

    loaded = networks.load(network, checkpoint=checkpoint, device=device)
    found = weights.circuit(loaded, feature, inputs=depth, outputs=uses, share=share, most=most)
    pictures = outputs.thumbnails(loaded, found.features, steps=steps)
    files.write(out, weights.circuit_diagram(found, pictures).encode())
    if save is not None:
        found.save(save)
    connections = sum(int(level.drawn.sum()) for level in found.levels)
    print(f"{out}: {len(found.features)} features, {connections} connections")
