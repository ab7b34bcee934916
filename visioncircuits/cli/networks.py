"""`visioncircuits networks`: what can be loaded, what it consists of, whether it is right."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from visioncircuits.cli.options import Checkpoint, NetworkName
from visioncircuits.cli.tables import print_table

if TYPE_CHECKING:
    from visioncircuits.networks import Entry

NAME = "networks"
app = typer.Typer(
    help="List the networks that can be loaded, or those of a pattern; show one's layers; verify "
    "its checkpoint.",
    invoke_without_command=True,
)


@app.callback()
def networks(
    context: typer.Context,
    every: Annotated[
        bool, typer.Option("--all", help="List all of torchvision's networks too.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Also list where checkpoints are published.")
    ] = False,
) -> None:
    """List the networks that can be loaded, and where their checkpoints are."""
    if context.invoked_subcommand is not None:
        return
    from visioncircuits.networks import available
    from visioncircuits.networks.checkpoints import SOURCES

    entries = list(available())
    shown = [
        entry
        for entry in entries
        if every or entry.checkpoint or not entry.name.startswith("torchvision:")
    ]
    _print(shown)
    if left_out := len(entries) - len(shown):
        print(f"and {left_out} of torchvision's, to be downloaded: --all lists them")
    print("and timm's: `visioncircuits networks list timm:` lists them")
    if verbose:
        for name, sources in SOURCES.items():
            print(f"\n{name} is published at any of", *(s.url for s in sources), sep="\n")


@app.command("list")
def listed(
    pattern: Annotated[
        str,
        typer.Argument(
            metavar="PATTERN",
            help="Of names, with `*` for anything: `timm:*convnext*`, `torchvision:resnet*`. "
            "`timm:` is all of timm's, more than a thousand. Put it in quotes, or the "
            "shell reads the `*`.",
        ),
    ],
) -> None:
    """List the networks whose names match a pattern, and where their checkpoints are.

    An architecture of timm's, such as `timm:resnet50`, matches with every tag: `a1_in1k` is one
    way of training it. Without a tag, `load` takes timm's default one.
    """
    from visioncircuits.errors import InputError
    from visioncircuits.networks import available

    entries = list(available(pattern))
    if not entries:
        raise InputError(
            f"no network that can be loaded matches {pattern!r}; put * for what may be anything, "
            "as 'timm:*convnext*'"
        )
    _print(entries)


def _print(entries: Iterable["Entry"]) -> None:
    table = Table("network", "checkpoint", "what it is", box=None, pad_edge=False)
    for entry in entries:
        table.add_row(entry.name, entry.where, entry.about)
    print_table(table)


@app.command()
def show(name: NetworkName, checkpoint: Checkpoint = None) -> None:
    """Show a network's layers: units, receptive fields, strides, and the units of each branch."""
    from visioncircuits.networks import load

    network = load(name, checkpoint=checkpoint)
    table = Table(box=None, pad_edge=False)
    for title in ("layer", "units", "receptive field", "stride", "first pixel", "neurons"):
        table.add_column(title, justify="left" if title == "layer" else "right")
    table.add_column("branches")
    for layer in network.layers.values():
        whole = layer.stride == (0, 0)
        table.add_row(
            layer.name,
            str(layer.units),
            "whole picture" if whole else _pair(layer.receptive_field),
            "" if whole else _pair(layer.stride),
            "" if whole else _pair(layer.offset),
            "×".join(map(str, layer.shape)) or "1",
            ", ".join(
                f"{branch} {units.start}–{units.stop - 1}"
                for branch, units in network.branches(layer.name).items()
            ),
        )
    pixels = f"{network.size} × {network.size} px"
    print(
        f"{network.name}: pictures of {pixels}; receptive field, stride and first pixel in pixels"
    )
    print_table(table)


def _pair(values: tuple[int, int]) -> str:
    return str(values[0]) if values[0] == values[1] else f"{values[0]} × {values[1]}"


@app.command()
def verify(
    name: NetworkName,
    checkpoint: Checkpoint = None,
    published: Annotated[
        Path | None,
        typer.Option(
            help="A folder with `golden_activations/` of this network to compare with.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    photographs: Annotated[
        Path | None,
        typer.Option(
            "--photographs",
            "--images",
            help="A folder of ImageNet's photographs, or others in a folder for each class: is a "
            "classifier right about them more often than by chance? If not, its preprocessing or "
            "the order of its classes is wrong.",
            exists=True,
        ),
    ] = None,
) -> None:
    """Check that a checkpoint computes what it should; the exit code is 0 if so, else 1."""
    from visioncircuits.networks import load
    from visioncircuits.networks import verify as compare

    found = compare(
        load(name, checkpoint=checkpoint),
        published=published,
        photographs=photographs,
        progress=True,
    )
    table = Table("", "compared", "error", "allowed", box=None, pad_edge=False)
    for check in found.checks:
        mark = "ok" if check.passed else "WRONG"
        table.add_row(mark, check.name, f"{check.error:.2g}", f"{check.allowed:g}")
    print_table(table)
    print(f"{found.network} {'agrees' if found.passed else 'DOES NOT AGREE'} with {found.against}")
    for check in found.checks:
        if check.advice and not check.passed:
            print(check.advice)
    raise typer.Exit(0 if found.passed else 1)
