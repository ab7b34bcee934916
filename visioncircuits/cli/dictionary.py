"""`visioncircuits dictionary`: directions found in a layer, how good they are, which are new.

The three commands divide photographs the same way, so they are here together, in some 380 lines.
"""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from visioncircuits.cli import hypotheses, outputs
from visioncircuits.cli.hypotheses import Claim
from visioncircuits.cli.options import (
    Channels,
    Checkpoint,
    Device,
    Ground,
    Labels,
    NetworkName,
    Photographs,
    Range,
    drawing_in,
)
from visioncircuits.errors import InputError

if TYPE_CHECKING:  # a command's help is not to wait for torch
    import torch

    from visioncircuits import datasets
    from visioncircuits.dictionaries import Dictionary, Method
    from visioncircuits.networks import Network

NAME = "dictionary"

app = typer.Typer(
    help="Find directions in a layer's activations, and test whether they are features.",
    no_args_is_help=True,
)

WORK = ".work"
"""How the folder ends, beside the dictionary, of what an interrupted training goes on from."""

FITTED = 50_000
"""Samples at most that PCA, NMF and ICA are fitted to: they need all of them in memory."""


class Methods(StrEnum):
    """How a dictionary is found."""

    topk = "topk"
    batch_topk = "batch-topk"
    l1 = "l1"
    block_topk = "block-topk"
    grassmannian = "grassmannian"
    group_lasso = "group-lasso"
    pca = "pca"
    nmf = "nmf"
    ica = "ica"


DictionaryFile = Annotated[
    Path,
    typer.Argument(
        metavar="DICTIONARY",
        help="What `dictionary train` wrote: `.safetensors`.",
        exists=True,
        dir_okay=False,
    ),
]
HeldOut = Annotated[
    float,
    typer.Option(
        "--held-out",
        help="About which share of the photographs is held out, by their names: the same ones for "
        "all of these commands, whatever else is in the folder.",
        min=0,
        max=1,
    ),
]
Count = Annotated[
    int | None,
    typer.Option(
        "--count", help="How many of the held-out photographs to take, evenly spread.", min=2
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Of all that is drawn at random.", min=0)]


@app.command()
def train(
    network: NetworkName,
    layer: Annotated[str, typer.Argument(help="A layer, such as `mixed3b`.")],
    photographs: Photographs,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="The dictionary to write: `.safetensors`.")
    ],
    method: Annotated[
        Methods,
        typer.Option(
            help="A sparse autoencoder (`topk`, `batch-topk`, `l1`), one whose codes are blocks "
            "(`block-topk`, `grassmannian`, `group-lasso`), or a factorization (`pca`, `nmf`, "
            "`ica`)."
        ),
    ] = Methods.topk,
    atoms: Annotated[int, typer.Option(help="Directions in the dictionary.", min=1)] = 1024,
    k: Annotated[
        int, typer.Option(help="Codes, or blocks, that are not 0 at a position.", min=1)
    ] = 32,
    penalty: Annotated[float, typer.Option(help="Of `l1` and `group-lasso`.", min=0)] = 0.1,
    block: Annotated[int, typer.Option(help="Atoms in a block.", min=1)] = 4,
    steps: Annotated[int, typer.Option(help="Of training, 1,024 samples each.", min=1)] = 10_000,
    positions: Annotated[
        int | None,
        typer.Option(help="Of each view, drawn at random; by default all of them.", min=1),
    ] = None,
    views: Annotated[
        int,
        typer.Option(
            help="Crops and flips of each photograph; by default its central square alone.", min=0
        ),
    ] = 0,
    held_out: HeldOut = 0.1,
    seed: Seed = 0,
    range: Range = None,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Find directions of which a layer's activations are sparse sums.

    Activations are kept on disk beside the dictionary while it is trained. Interrupt it whenever
    you like: the same command goes on where it was. Then train another with `--seed 1`, for
    features that do not recur are none.

        visioncircuits dictionary train bvlc_googlenet mixed3b --photographs p/ -o a.safetensors
    """
    outputs.check(out, ".safetensors")
    if not 0 < held_out < 1:
        raise InputError("--held-out is between 0 and 1: convergence is judged on some photographs")
    import shutil

    from visioncircuits import dictionaries, networks
    from visioncircuits.dictionaries.views import CENTRAL

    autoencoder = None
    if method not in (Methods.pca, Methods.nmf, Methods.ica):
        autoencoder = _method(method, k, penalty, block)
        autoencoder.check(atoms)
    loaded = networks.load(network, checkpoint=checkpoint, device=device)
    training, judged_on = _split(photographs, held_out, limits=range, labels="none")
    drawn = dictionaries.samples(
        loaded,
        layer,
        training,
        positions=positions or "all",
        views=dictionaries.Views(count=views) if views else CENTRAL,
        seed=seed,
    )
    work = out.with_name(out.name + WORK)
    outputs.check_folder(work)
    kept = dictionaries.store(drawn, work / "samples", progress=True)
    print(f"{len(kept)} samples of {len(training)} photographs, {len(judged_on)} held out")
    if autoencoder is None:
        some = kept.batch(0, size=min(len(kept), FITTED), seed=seed)
        found = _factors(method, some, drawn.layer, atoms, seed, loaded)
    else:
        judging = dictionaries.samples(loaded, layer, judged_on, positions=positions or "all")
        found = dictionaries.train(
            kept,
            drawn.layer,
            autoencoder,
            atoms=atoms,
            settings=dictionaries.Settings(steps=steps, seed=seed),
            held_out=judging.batch(0, size=4096, seed=seed),
            network=loaded,
            checkpoint=work / "training",
            device=device,
            progress=True,
        )
    found.save(out)
    shutil.rmtree(work)
    print(f"{out}: {found}")
    if reached := found.record.get("convergence"):
        print("converged" if reached["converged"] else "NOT CONVERGED", end="")
        if "fall" in reached:
            print(
                f": the held-out loss fell by {reached['fall']:.1%} in the last quarter of the "
                f"steps before the rate fell, and {reached['tolerance']:.0%} is the limit",
                end="",
            )
        print()


def _factors(
    method: Methods,
    activations: "torch.Tensor",
    layer: str,
    atoms: int,
    seed: int,
    network: "Network",
) -> "Dictionary":
    from visioncircuits import dictionaries

    if method == Methods.pca:
        return dictionaries.pca(activations, layer, atoms=atoms, network=network)
    fit = dictionaries.nmf if method == Methods.nmf else dictionaries.ica
    return fit(activations, layer, atoms=atoms, seed=seed, network=network)


def _method(method: Methods, k: int, penalty: float, block: int) -> "Method":
    from visioncircuits import dictionaries

    made: dict[Methods, Any] = {
        Methods.topk: lambda: dictionaries.TopK(k),
        Methods.batch_topk: lambda: dictionaries.BatchTopK(k),
        Methods.l1: lambda: dictionaries.L1(penalty),
        Methods.block_topk: lambda: dictionaries.BlockTopK(k, block),
        Methods.grassmannian: lambda: dictionaries.Grassmannian(k, block),
        Methods.group_lasso: lambda: dictionaries.GroupLasso(penalty, block),
    }
    return made[method]()  # type: ignore[no-any-return]


@app.command()
def evaluate(
    network: NetworkName,
    dictionary: DictionaryFile,
    photographs: Photographs,
    second: Annotated[
        Path | None,
        typer.Option(help="The dictionary of another seed, for the agreement.", exists=True),
    ] = None,
    table: Annotated[Path | None, typer.Option("--json", help="Write it all as JSON.")] = None,
    count: Count = None,
    held_out: HeldOut = 0.1,
    labels: Labels = "auto",
    seed: Seed = 0,
    range: Range = None,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Measure what a dictionary explains and keeps, beside what is simpler.

    On held-out photographs: of the folder it was trained on, those that `train` left out; with
    `--held-out 1` all of another folder. The first line states whether it beats keeping the
    largest raw units, principal components, and random directions.

        visioncircuits dictionary evaluate bvlc_googlenet a.safetensors --photographs p/
    """
    outputs.check(table, ".json")
    from visioncircuits import dictionaries, networks

    found, other = _dictionaries(dictionary, second)
    given = _held_out(photographs, held_out, count, limits=range, labels=labels)
    loaded = networks.load(network, checkpoint=checkpoint, device=device)
    evaluation = dictionaries.evaluate(found, loaded, given, second=other, seed=seed, progress=True)
    print(evaluation)
    if table is not None:
        print(evaluation.save(table))


@app.command()
def features(
    claim: Claim,
    network: NetworkName,
    dictionary: DictionaryFile,
    second: Annotated[
        Path, typer.Option(help="The dictionary of another seed.", exists=True, dir_okay=False)
    ],
    photographs: Photographs,
    table: Annotated[
        Path | None, typer.Option("--json", help="Write the table, a row an atom, as JSON.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", help="Write the new features, for other commands: `.json`; if any."
        ),
    ] = None,
    later: Annotated[
        str | None,
        typer.Option(help="A later layer in which ablations are measured; by default the output."),
    ] = None,
    count: Count = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Print every atom, not only those that pass most.")
    ] = False,
    held_out: HeldOut = 0.1,
    seed: Seed = 0,
    range: Range = None,
    channels: Channels = None,
    ground: Ground = 0.5,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Count the atoms that are new features: of a hypothesis, by four gates.

    An atom must be no unit, recur in the dictionary of another seed, pass the hypothesis beyond
    what random directions do, and change the network's output when it is ablated, more than
    random directions do. Only what passes all counts; the table has why each other atom does not.

        visioncircuits dictionary features curve bvlc_googlenet a.safetensors --second b.safetensors --photographs p/
    """  # noqa: E501
    outputs.check(table, ".json")
    outputs.check(out, ".json")
    from visioncircuits import dictionaries, files, networks

    found, other = _dictionaries(dictionary, second)
    assert other is not None
    given = _held_out(photographs, held_out, count, limits=range, labels="none")
    loaded = networks.load(network, checkpoint=checkpoint, device=device)
    loaded = drawing_in(loaded, channels, ground)
    new = dictionaries.new_features(
        found,
        loaded,
        given,
        hypotheses.hypothesis(claim, loaded, found.layer),
        second=other,
        later=later,
        seed=seed,
        progress=True,
    )
    print(f"{new.summary}\n{new.table.to_string()}" if everything else new)
    if table is not None:
        print(new.save(table))
    if out is not None and new.directions:
        records = [direction.record() for direction in new.directions]
        print(files.write_json(out, records))


def existing(name: str) -> Path:
    """Return the path of a dictionary.

    Raises
    ------
    InputError
        Where there is no such file.
    """
    if not Path(name).is_file():
        raise InputError(f"there is no file {name}; `dictionary train` writes dictionaries")
    return Path(name)


def _dictionaries(first: Path, second: Path | None) -> "tuple[Dictionary, Dictionary | None]":
    from visioncircuits.dictionaries import Dictionary

    return Dictionary.load(first), None if second is None else Dictionary.load(second)


def _split(
    path: Path, share: float, *, limits: tuple[float, float] | None, labels: str
) -> "tuple[datasets.Photographs, datasets.Photographs]":
    """Split photographs by name: those to train on, and those held out."""
    from visioncircuits import datasets

    return datasets.split_by_name(
        datasets.photographs(path, labels=labels, range=limits), share=share
    )


def _held_out(
    path: Path,
    share: float,
    count: int | None,
    *,
    limits: tuple[float, float] | None,
    labels: str,
) -> "datasets.Photographs":
    """Return the held-out photographs, or some of them, evenly spread."""
    from visioncircuits import datasets

    if share == 1:
        given = datasets.photographs(path, labels=labels, range=limits)
    else:
        given = _split(path, share, limits=limits, labels=labels)[1]
    taken = min(count or len(given), len(given))
    return given.part([place * len(given) // taken for place in range(taken)])
