"""`visioncircuits render`: the picture that drives a feature most."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.features import DIRECTION, listed
from visioncircuits.cli.options import Checkpoint, Device, NetworkName, Precision, Precisions
from visioncircuits.errors import InputError

if TYPE_CHECKING:  # a command's help is not to wait for torch
    from visioncircuits.featurevis import Objective
    from visioncircuits.networks import Feature, Network

app = typer.Typer()


class Aim(StrEnum):
    """What of a unit is driven."""

    neuron = "neuron"
    unit = "unit"
    negative = "negative"


@app.command()
def render(
    network: NetworkName,
    features: Annotated[
        list[str],
        typer.Argument(
            metavar="UNIT",
            callback=listed,
            help="A unit, such as `mixed3b:413`, or a class, such as `logits:Chihuahua`, "
            f"{DIRECTION}; several, also as `mixed3b:413,408`; a layer is all of its units.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="The picture to write, `.png` or `.webp`; of several units `out-mixed3b-413.png`, "
            "…",
        ),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option("--sheet", help="Draw all pictures on one sheet: `.png` or `.svg`."),
    ] = None,
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
    facet: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Draw pictures that a facet steers, one a weight: `dogs.json` of `visioncircuits "
            f"facet`, {DIRECTION}, of a layer before the unit's; several for several rows.",
        ),
    ] = None,
    weights: Annotated[
        str,
        typer.Option(help="Of the facet in its pictures, with commas between them; 0 is without."),
    ] = "0.1,1.325,2.55,3.775,5",
    size: Annotated[
        int | None, typer.Option(help="Side in pixels; by default the receptive field's.")
    ] = None,
    steps: Annotated[int, typer.Option(help="How long to optimize.")] = 256,
    seed: Annotated[int, typer.Option(help="Fixes the result.")] = 0,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
    precision: Precision = Precisions.float32,
) -> None:
    """Find the pictures that drive features most, and write each with a record of how it was made.

    The record is inside the picture, and beside it as JSON; channels that are neither gray nor RGB
    are beside it as `.npy`.

        visioncircuits render bvlc_googlenet mixed3b:413 -o curve.png

        visioncircuits render bvlc_googlenet mixed3b:413,408,379 --sheet curves.png

        visioncircuits render bvlc_googlenet mixed4e:521 --facet dogs.json --sheet dogs.png
    """
    if out is None and sheet is None:
        raise InputError("there is nothing to write: pass -o for pictures, or --sheet")
    outputs.check(out, ".png", ".webp")
    outputs.check(sheet, ".png", ".svg")
    if facet and (diversity > 1 or aim is Aim.negative):
        raise InputError("a facet steers a neuron or a unit: leave out --diversity and --aim")
    steered = _numbers(weights)
    from visioncircuits import featurevis, networks
    from visioncircuits.featurevis.visualization import PROBLEMS, record_beside

    facets = [featurevis.Facet.load(file) for file in facet or ()]
    if len({each.name for each in facets}) < len(facets):
        raise InputError("two facets have one name; give each its own, with `facet --name`")
    found = networks.load(network, checkpoint=checkpoint, device=device, precision=precision.value)
    asked = dict.fromkeys(networks.expand(found, features))
    plain = [_objective(found, feature, aim, diversity) for feature in asked]
    objectives, names = plain, [[stem] * (len(asked) > 1) for stem in outputs.stems(asked)]
    if facets:
        kinds = outputs.stems(facet.name for facet in facets)
        objectives = [
            featurevis.faceted(found, each, facet, weights=steered)
            for each in plain
            for facet in facets
        ]
        names = [[*name, *[kind] * (len(facets) > 1)] for name in names for kind in kinds]
    paths = [
        path
        for name, objective in zip(names, objectives, strict=True)
        for path in _paths(out, name, objective.pictures)
    ]
    for path in paths:
        record_beside(path)
    drawn = []
    rendered = featurevis.render_all(
        found, objectives, size=size, steps=steps, seed=seed, progress=True,
        batch=len(steered) if facets else 16,
    )  # fmt: skip
    several = found.preprocessing.channels > 1 and not found.preprocessing.colors
    for place, visualization in enumerate(rendered):
        drawn.append(visualization)
        name = visualization.feature
        written = visualization.save(paths[place]) if paths else sheet
        if visualization.problem:
            print(f"{written} shows nothing of {name}: {PROBLEMS[visualization.problem]}")
        elif paths:
            where = f", most by {visualization.strongest_channel}" if several else ""
            print(f"{written}: drives {name} to {visualization.activation:.4g}{where}")
    if sheet is not None:
        captions, columns = None, None
        if facets:
            of_unit = [f"{facet.name} × {each:g}" for facet in facets for each in steered]
            captions, columns = of_unit * len(asked), len(steered)
        print(featurevis.contact_sheet(drawn, captions=captions, columns=columns).save(sheet))


def _numbers(text: str) -> list[float]:
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        raise InputError(f"--weights are numbers with commas between them, not {text!r}") from None


def _objective(network: "Network", feature: "Feature", aim: Aim, diversity: int) -> "Objective":
    from visioncircuits.featurevis import objectives

    if diversity > 1:
        return objectives.diverse(feature, diversity)
    if aim is Aim.unit:
        return objectives.unit(feature)
    if aim is Aim.negative:
        return objectives.negative(network, feature)
    return objectives.neuron(feature)


def _paths(out: Path | None, name: list[str], pictures: int) -> list[Path]:
    """List the files of an objective's pictures, with what distinguishes it in their names."""
    if out is None:
        return []
    stem = "-".join([out.stem, *name])
    if pictures == 1:
        return [out.with_stem(stem)]
    return [out.with_stem(f"{stem}-{place}") for place in range(1, pictures + 1)]
