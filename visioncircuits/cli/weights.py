"""`visioncircuits weights`: what a feature is made of, or used for, in another layer."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.features import DIRECTION, features, several
from visioncircuits.cli.options import Checkpoint, Device, NetworkName, Save, Steps
from visioncircuits.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

    from visioncircuits.networks import Network
    from visioncircuits.weights import ExpandedWeights, Factors

app = typer.Typer()

GRID = 32
"""How many features a grid may have on a side."""

UNITS = 4
"""How many units a factor is shown with."""


class MaxPool(StrEnum):
    """What stands in for a max pool."""

    average = "average"
    repeat = "repeat"


class Part(StrEnum):
    """What of the kernels counts."""

    whole = "whole"
    positive = "positive"
    negative = "negative"


@app.command()
def weights(
    network: NetworkName,
    source: Annotated[
        str,
        typer.Argument(
            callback=several,
            help=f"A layer, a unit, or units such as `mixed3a:3,20`, {DIRECTION}; or `input`, or "
            "channels of it, such as `input:B8,B4`.",
        ),
    ],
    target: Annotated[str, typer.Argument(callback=several, help="The same, of a later layer.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The picture to write: `.png` or `.webp`.")
    ] = None,
    top: Annotated[int, typer.Option(help="How many of the strongest to show.", min=1)] = 12,
    part: Annotated[
        Part, typer.Option(help="Rank by whole kernels, or by what excites or inhibits alone.")
    ] = Part.whole,
    factors: Annotated[
        int | None,
        typer.Option(help="Show the weights as so many groups of inputs, each with its map."),
    ] = None,
    max_pool: Annotated[
        MaxPool, typer.Option(help="Count a max pool as the mean over its region, or as the sum.")
    ] = MaxPool.average,
    steps: Steps = 64,
    save: Save = None,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Show the expanded weights between two layers, adjacent or not.

    For one feature: its strongest inputs, or outputs. For several on both sides: every kernel.

        visioncircuits weights bvlc_googlenet mixed3a mixed3b:413 --top 12 -o up.png
        visioncircuits weights bvlc_googlenet conv2d1 mixed3a:148 --factors 2 -o factors.png
    """
    outputs.check(out, ".png", ".webp")
    outputs.check(save, ".npz", ".nc")
    if out is None and save is None:
        raise InputError("nothing to write: give a picture's name with -o, an array's with --save")
    from visioncircuits import networks
    from visioncircuits.weights import (
        ExpandedWeights,
        Linearization,
        expanded_weights,
        one_sided_nmf,
    )

    loaded = networks.load(network, checkpoint=checkpoint, device=device)
    found = expanded_weights(
        loaded,
        features(source),
        features(target),
        linearization=Linearization(max_pool=max_pool.value),
    )
    shown = found if factors is None else one_sided_nmf(found, factors)
    if out is not None:
        if isinstance(shown, ExpandedWeights):
            picture = _kernels(loaded, shown, top, part, steps)
        else:
            picture = _factors(loaded, shown, steps)
        outputs.write_picture(picture, out)
        print(out)
    if save is not None:
        print(shown.save(save))


def _kernels(
    network: "Network", found: "ExpandedWeights", top: int, part: Part, steps: int
) -> "Image.Image":
    from visioncircuits.featurevis.thumbnails import thumbnails
    from visioncircuits.weights import (
        connection_cards,
        kernel_grid,
        strongest_inputs,
        strongest_outputs,
    )

    inputs, results = len(found.inputs), len(found.outputs)
    if max(inputs, results) <= GRID:
        features = [*found.inputs, *found.outputs]
        return kernel_grid(found, thumbnails(network, features, steps=steps))
    if min(inputs, results) > 1:
        raise InputError(
            f"{inputs} × {results} kernels make no picture: name one unit of a layer, or up to "
            f"{GRID} on both sides, or take --factors"
        )
    rank = strongest_inputs if results == 1 else strongest_outputs
    connections = rank(found, top=top, part=part.value)
    features = [feature for c in connections for feature in (c.source, c.target)]
    return connection_cards(connections, thumbnails(network, features, steps=steps))


def _factors(network: "Network", factors: "Factors", steps: int) -> "Image.Image":
    from visioncircuits.featurevis.thumbnails import thumbnails
    from visioncircuits.weights import factor_grid

    units = [
        unit for place in range(len(factors.directions)) for unit, _ in factors.units(place, UNITS)
    ]
    features = [*factors.directions, *units, *factors.spatial.outputs]
    pictures = thumbnails(network, features, steps=steps)
    return factor_grid(factors, pictures, size=128, units=UNITS)
