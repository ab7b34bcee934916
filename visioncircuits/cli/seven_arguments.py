"""`visioncircuits seven-arguments`: a unit from the seven sides of "Zoom In", as one figure."""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import hypotheses, outputs
from visioncircuits.cli.features import One, features, several
from visioncircuits.cli.options import Checkpoint, Device, NetworkName, Save

app = typer.Typer()


@app.command()
def seven_arguments(
    network: NetworkName,
    feature: One,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="The figure to write: `.pdf`, `.svg` or `.png`.")
    ],
    photographs: Annotated[
        Path | None,
        typer.Option(
            help="A folder of photographs, or a `.tar` file: for the dataset examples, and for "
            "joint tuning, in which these turn. Without, both are left out.",
            exists=True,
        ),
    ] = None,
    stimuli: Annotated[
        str | None,
        typer.Option(
            callback=hypotheses.checked,
            help="Synthetic stimuli over orientation and one axis more: a ready set, "
            "`visioncircuits stimuli` lists them, or a file `.toml`. By default the one of four "
            "ready sets to which the unit responds most.",
        ),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(
            callback=lambda text: text and several(text),
            help="The unit's siblings, such as `mixed3b:408,398`; by default the units of its "
            "layer that respond most alike as the photographs turn.",
        ),
    ] = None,
    steps: Annotated[int, typer.Option(help="How long to optimize each picture.", min=1)] = 128,
    seed: Annotated[int, typer.Option(help="Of the feature visualizations.")] = 0,
    save: Save = None,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Look at a unit from seven independent sides: one figure, 7 inches wide.

    Believe that a unit detects something when all agree: the picture that activates it most,
    photographs that do, synthetic stimuli, joint tuning with its siblings, the weights into it, the
    weights out of it, and a handwritten unit that does the same. What has no data is left out, with
    the reason.

        visioncircuits seven-arguments bvlc_googlenet mixed3b:413 --photographs photos/ -o unit.pdf
    """
    outputs.check(out, ".pdf", ".svg", ".png")
    outputs.check(save, ".npz", ".nc")
    from visioncircuits import networks, thread

    found = thread.seven_arguments(
        networks.load(network, checkpoint=checkpoint, device=device),
        feature,
        photographs,
        family=None if family is None else features(family),
        stimuli=stimuli,
        steps=steps,
        seed=seed,
        progress=True,
    )
    for argument, why in found.missing.items():
        print(f"without {argument}: {why}")
    if save is not None:
        print(found.save(save))
    print(thread.seven_arguments_panel(found).save(out))
