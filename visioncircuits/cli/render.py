"""`visioncircuits render`: the picture that drives a feature most."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.features import Unit
from visioncircuits.cli.options import Checkpoint, Device, NetworkName

app = typer.Typer()


class Aim(StrEnum):
    """What of a unit is driven."""

    neuron = "neuron"
    unit = "unit"
    negative = "negative"


@app.command()
def render(
    network: NetworkName,
    feature: Unit,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="The picture to write: `.png` or `.webp`.")
    ],
    aim: Annotated[
        Aim,
        typer.Option(
            help="`neuron`: the unit at one position, one clear picture. `unit`: its mean over all "
            "positions, a texture. `negative`: what lowers the neuron most."
        ),
    ] = Aim.neuron,
    diversity: Annotated[
        int,
        typer.Option(
            help="Draw so many pictures that differ in style: `out-1.png`, `out-2.png`, …", min=1
        ),
    ] = 1,
    size: Annotated[
        int | None, typer.Option(help="Side in pixels; by default the receptive field's.")
    ] = None,
    steps: Annotated[int, typer.Option(help="How long to optimize.")] = 256,
    seed: Annotated[int, typer.Option(help="Fixes the result.")] = 0,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Find the picture that drives a feature most, and write it with a record of how it was made.

    The record is inside the picture, and beside it as JSON.

        visioncircuits render bvlc_googlenet mixed3b:413 -o curve.png
    """
    outputs.check(out, ".png", ".webp")
    from visioncircuits import featurevis, networks
    from visioncircuits.featurevis import objectives
    from visioncircuits.featurevis.visualization import PROBLEMS, record_beside

    found = networks.load(network, checkpoint=checkpoint, device=device)
    driven = found.feature(feature)
    if diversity > 1:
        objective = objectives.diverse(driven, diversity)
    elif aim is Aim.unit:
        objective = objectives.unit(driven)
    elif aim is Aim.negative:
        objective = objectives.negative(found, driven)
    else:
        objective = objectives.neuron(driven)
    pictures = range(1, objective.pictures + 1)
    paths = [out.with_stem(f"{out.stem}-{place}") for place in pictures] if diversity > 1 else [out]
    for path in paths:
        record_beside(path)
    settings = featurevis.suited(found, driven.layer, steps=steps, seed=seed)
    if size is not None:
        settings = replace(settings, size=size)
    drawn = featurevis.render_all(found, objective, settings=settings, progress=True)
    for path, visualization in zip(paths, drawn, strict=True):
        visualization.save(path)
        if visualization.problem:
            print(f"{path} shows nothing of {driven}: {PROBLEMS[visualization.problem]}")
        else:
            print(f"{path}: drives {driven} to {visualization.activation:.4g}")
