"""`visioncircuits circuit`: drawn by its weights, discovered by its edges' effects, evaluated.

Three commands, of which two have most options in common, in some 300 lines.
"""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.features import One
from visioncircuits.cli.options import (
    Checkpoint,
    Device,
    NetworkName,
    Photographs,
    Range,
    Save,
    Steps,
)
from visioncircuits.cli.tables import print_table
from visioncircuits.errors import InputError

if TYPE_CHECKING:  # a command's help is not to wait for torch
    from visioncircuits.circuits import Evaluation
    from visioncircuits.datasets import Photographs as Given
    from visioncircuits.dictionaries import Dictionary

NAME = "circuit"

app = typer.Typer(
    help="Draw what a feature is made of, find the edges that carry it, and test them.",
    no_args_is_help=True,
)


class Methods(StrEnum):
    """How edges are scored."""

    patching = "patching"
    attribution = "attribution"
    integrated_gradients = "integrated-gradients"
    kernel_norm = "kernel-norm"
    snip = "SNIP"
    force = "FORCE"


class Ablations(StrEnum):
    """What edges outside a circuit carry."""

    zero = "zero"
    mean = "mean"
    resample = "resample"


class Positions(StrEnum):
    """Where edges are scored."""

    peak = "peak"
    everywhere = "everywhere"


DictionaryFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--dictionary",
        help="What `dictionary train` wrote: its atoms, and what they leave, are the nodes of its "
        "layer instead of units; as often as needed.",
        exists=True,
        dir_okay=False,
    ),
]
Count = Annotated[
    int, typer.Option("--count", help="How many of the photographs to take, evenly spread.", min=4)
]
Draws = Annotated[int, typer.Option("--draws", help="Of random circuits to compare with.", min=1)]
Seed = Annotated[int, typer.Option("--seed", help="Of the draws and the intervals.")]
Size = Annotated[
    int | None,
    typer.Option(
        "--size",
        help="Side of the pictures, in pixels; by default the network's own. Half of it takes a "
        "quarter of the time.",
        min=16,
    ),
]


@app.command()
def draw(
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

    visioncircuits circuit draw bvlc_googlenet mixed3b:413 --depth 2 -o circuit.svg
    """
    outputs.check(out, ".svg")
    outputs.check(save, ".npz", ".nc")
    from visioncircuits import files, networks, weights
    from visioncircuits.featurevis.thumbnails import thumbnails

    loaded = networks.load(network, checkpoint=checkpoint, device=device)
    found = weights.circuit(loaded, feature, inputs=depth, outputs=uses, share=share, most=most)
    pictures = thumbnails(loaded, found.features, steps=steps)
    files.write(out, weights.circuit_diagram(found, pictures).encode())
    if save is not None:
        found.save(save)
    connections = sum(int(level.drawn.sum()) for level in found.levels)
    print(f"{out}: {len(found.features)} features, {connections} connections")


@app.command()
def discover(
    network: NetworkName,
    feature: One,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            help="The earliest layer, after which come all main layers; or all layers before the "
            "feature's, with commas between them.",
        ),
    ],
    photographs: Photographs,
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder to write the page to.")],
    faithfulness: Annotated[
        float, typer.Option(help="That the circuit reaches: above 0, below 1.")
    ] = 0.9,
    edges: Annotated[
        int | None, typer.Option(help="How many edges the circuit has, instead.", min=1)
    ] = None,
    method: Annotated[
        Methods,
        typer.Option(
            help="How edges are scored: by activation `patching`, one at a time; its first order, "
            "`attribution`; `integrated-gradients`; `kernel-norm`; or gradient pruning, `SNIP` or "
            "`FORCE`."
        ),
    ] = Methods.attribution,
    ablation: Annotated[
        Ablations, typer.Option(help="What other edges carry while the circuit is chosen.")
    ] = Ablations.mean,
    at: Annotated[
        Positions,
        typer.Option(help="Score edges where the feature is strongest, or at all positions alike."),
    ] = Positions.peak,
    dictionary: DictionaryFiles = None,
    count: Count = 40,
    size: Size = None,
    limits: Range = None,
    draws: Draws = 1,
    seed: Seed = 0,
    steps: Steps = 64,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    r"""Find the edges, over all layers between two, that keep what a feature does.

    Half of the photographs score the edges and choose the fewest that reach a faithfulness, grown
    from the feature; the other half evaluates them, by zero, mean and resample ablation, beside
    random circuits. The page has the curve over sizes, diagrams and every edge; beside it is
    `circuit.json`, for `circuit evaluate`. A feature that receives other edges than its siblings is
    computed by itself, so that large circuits of wide layers take minutes.

        visioncircuits circuit discover bvlc_googlenet mixed3b:413 --from maxpool1,mixed3a \
            --photographs photos/ --size 112 -o circuit/
    """
    outputs.check_folder(out)
    from visioncircuits import circuits, networks
    from visioncircuits.featurevis.thumbnails import thumbnails
    from visioncircuits.site import circuit_report

    loaded = networks.load(network, checkpoint=checkpoint, device=device)
    loaded.size = size or loaded.size
    layers = [layer.strip() for layer in source.split(",")]
    found = circuits.discover(
        loaded,
        feature,
        layers[0] if len(layers) == 1 else layers,
        _some(photographs, limits, count),
        faithfulness=faithfulness,
        edges=edges,
        method=method.value.replace("-", " "),
        ablation=ablation.value,
        at=at.value,
        dictionaries=_dictionaries(dictionary),
        draws=draws,
        seed=seed,
        progress=True,
    )
    wanted = circuit_report.features(loaded, found.circuit)
    pictures = thumbnails(loaded, wanted, steps=steps)
    page = circuit_report.write(loaded, found, pictures, out)
    _print(found.evaluation)
    print(f"{found.circuit!r} of {len(found.scores.size)}, on photographs held out")
    print(f"open {page}")


@app.command()
def evaluate(
    circuit: Annotated[
        Path,
        typer.Argument(
            metavar="CIRCUIT",
            help="What `circuit discover` wrote, `circuit.json`, or one by hand: JSON with a "
            "`target`, `places` and `edges`.",
            exists=True,
            dir_okay=False,
        ),
    ],
    network: NetworkName,
    photographs: Photographs,
    edges: Annotated[
        int, typer.Option(help="How many edges, the first, are taken out one by one.", min=0)
    ] = 50,
    dictionary: DictionaryFiles = None,
    count: Count = 40,
    size: Size = None,
    limits: Range = None,
    draws: Draws = 5,
    seed: Seed = 0,
    save: Annotated[Path | None, typer.Option("--save", help="Write the table: `.nc`.")] = None,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    r"""Test a circuit on photographs: what it keeps, what is left without it, and chance.

    All edges outside it are ablated: to zero, to the mean, or to another photograph's values.

        visioncircuits circuit evaluate circuit/circuit.json bvlc_googlenet \
            --photographs photos/ --size 112
    """
    outputs.check(save, ".nc")
    from visioncircuits import circuits, networks
    from visioncircuits.circuits.evaluation import runs
    from visioncircuits.progress import bar

    given = circuits.Circuit.load(circuit)
    loaded = networks.load(network, checkpoint=checkpoint, device=device)
    loaded.size = size or loaded.size
    found = circuits.candidates_of(loaded, given, _dictionaries(dictionary))
    found.choice(given.edges)  # what the network does not have is refused before it is run
    study = circuits.measured(found, _some(photographs, limits, count))
    with bar("circuits", runs(given, edges=edges, draws=draws), visible=True) as advance:
        evaluation = circuits.evaluate(
            study, given, edges=edges, draws=draws, seed=seed, advance=advance
        )
    _print(evaluation)
    same = {*study.names} & {*given.record.get("photographs", ())}
    print(f"{given!r}, on {len(study)} photographs")
    if same:
        print(f"{len(same)} of these photographs are among those that it was found on")
    if save is not None:
        print(evaluation.save(save))


def _some(photographs: Path, limits: tuple[float, float] | None, count: int) -> "Given":
    """Take so many photographs, evenly spread."""
    from visioncircuits import datasets

    given = datasets.photographs(photographs, range=limits)
    count = min(count, len(given))
    if count < 4:
        raise InputError(f"{photographs} holds {count} photographs; a circuit takes 4 or more")
    return given.part([place * len(given) // count for place in range(count)])


def _dictionaries(paths: list[Path] | None) -> "list[Dictionary]":
    from visioncircuits.dictionaries import Dictionary

    return [Dictionary.load(path) for path in paths or ()]


def _print(evaluation: "Evaluation") -> None:
    from rich.table import Table

    columns = {
        "faithfulness": "faithfulness",
        "explained": "explained variance",
        "complement": "complement",
        "equal size": "random, as many",
        "equal weight": "as much weight",
    }
    table = Table("other edges", box=None, pad_edge=False)
    for title in columns.values():
        table.add_column(title, justify="right")
    for ablation in evaluation["ablation"].values:
        row = evaluation.sel(ablation=ablation)
        table.add_row(
            str(ablation),
            *("{:.2f} ({:.2f} … {:.2f})".format(*row[name].values) for name in columns),
        )
    print_table(table)
