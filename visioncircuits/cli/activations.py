"""`visioncircuits activations`: a network's activations on photographs, on disk."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

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
from visioncircuits.errors import InputError

app = typer.Typer()


class Dtypes(StrEnum):
    """What numbers are written as."""

    float16 = "float16"
    float32 = "float32"


def _positions(text: str) -> str:
    """Check positions, and return them as written.

    Raises
    ------
    InputError
        Where they are neither a number of them nor one of the words.
    """
    if text not in ("all", "mean", "max") and not (text.isdecimal() and int(text)):
        raise InputError(f"--positions is all, mean, max or a number of them, not {text!r}")
    return text


@app.command()
def activations(
    network: NetworkName,
    layers: Annotated[
        list[str],
        typer.Argument(
            help="Layers, such as `mixed3b`, or units, such as `mixed3b:413,408`, "
            f"{DIRECTION}; `mixed3b_pre_relu` is before the rectifier.",
            callback=listed,
        ),
    ],
    photographs: Photographs,
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder for the arrays.")],
    positions: Annotated[
        str,
        typer.Option(
            help="What is kept of each map: `all` of it, its `mean` or `max`, or how many "
            "positions of a photograph are drawn at random, such as `16`.",
            callback=_positions,
        ),
    ] = "all",
    dtype: Annotated[
        Dtypes,
        typer.Option(help="What numbers are written as; `float32` takes twice the room."),
    ] = Dtypes.float16,
    batch: Annotated[int, typer.Option(help="How many photographs at once.", min=1)] = 16,
    labels: Labels = "auto",
    range: Range = None,
    seed: Annotated[int, typer.Option(help="Of the positions.", min=0)] = 0,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
    precision: Precision = Precisions.float32,
    workers: Workers = None,
    engine: EngineName = Engines.local,
    address: Address = None,
) -> None:
    """Write a network's activations on photographs to memory-mapped arrays.

    It writes one `.npy` file a layer, and `activations.json` with the coordinates, last. The size
    on disk is printed before the start. Interrupt it whenever you like: the same command goes on
    where it was.

        visioncircuits activations bvlc_googlenet mixed3b --photographs photos/ --positions 9 -o a/

    In Python `examples.load_activations("acts/")` opens them as an array with names, without
    reading it. A direction found in them is a feature that every tool takes: save its weights with
    `numpy.save("dog.npy", weights)`, and it is `mixed3b:dog.npy`.
    """
    outputs.check_folder(out)
    from visioncircuits import datasets, networks
    from visioncircuits.engine import choose
    from visioncircuits.examples import load_activations, save_activations

    found = networks.load(network, checkpoint=checkpoint, device=device, precision=precision.value)
    path = save_activations(
        found,
        layers,
        datasets.photographs(photographs, labels=labels, range=range),
        out,
        positions=int(positions) if positions.isdecimal() else positions,
        dtype=dtype.value,
        batch=batch,
        seed=seed,
        engine=choose(engine.value, workers=workers, address=address, device=device),
        progress=True,
    )
    for layer in dict.fromkeys(feature.layer for feature in networks.expand(found, layers)):
        kept = load_activations(path, layer)
        sizes = ", ".join(f"{count} {name}s" for name, count in kept.sizes.items())
        print(f"{path}: {layer}, {sizes}")
    for problem in kept.record["skipped"]:
        print(f"skipped: {problem}")
