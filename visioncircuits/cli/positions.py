"""`visioncircuits positions`: what a feature looks for at each position of its kernel."""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.features import One
from visioncircuits.cli.options import Checkpoint, Device, NetworkName, Save, Steps

app = typer.Typer()


@app.command()
def positions(
    network: NetworkName,
    source: Annotated[str, typer.Argument(help="A layer before the feature's.")],
    feature: One,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="The picture to write: `.png` or `.webp`.")
    ],
    steps: Steps = 64,
    save: Save = None,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Take a feature's weights apart by position: at each, the picture that they ask for.

    The fainter a picture, the smaller are the weights there.

        visioncircuits positions bvlc_googlenet mixed3a mixed3b:413 -o positions.png
    """
    outputs.check(out, ".png", ".webp")
    outputs.check(save, ".npz", ".nc")
    from visioncircuits import networks
    from visioncircuits.featurevis.thumbnails import thumbnails
    from visioncircuits.weights import expanded_weights, position_grid, position_view

    loaded = networks.load(network, checkpoint=checkpoint, device=device)
    found = expanded_weights(loaded, source, loaded.feature(feature))
    view = position_view(found)
    # where there are no weights there is no picture
    directions = [each for row in view.directions for each in row if any(each.weights)]
    pictures = thumbnails(loaded, directions, steps=steps)
    outputs.write_picture(position_grid(view, pictures), out)
    print(out)
    if save is not None:
        print(found.save(save))
