"""`visioncircuits facet`: a kind of things, learned from photographs, for pictures of units."""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.options import Checkpoint, Device, NetworkName

app = typer.Typer()


@app.command()
def facet(
    network: NetworkName,
    layers: Annotated[
        list[str],
        typer.Argument(
            metavar="LAYER",
            help="Layers before the units that the facet is for, such as `mixed4a mixed4b mixed4c` "
            "for units of mixed4d and later.",
        ),
    ],
    positives: Annotated[
        Path,
        typer.Option(
            help="Photographs of what the facet is to show, such as heads: a folder or a `.tar` "
            "file, tens or more.",
            exists=True,
        ),
    ],
    negatives: Annotated[
        Path,
        typer.Option(
            help="Photographs of other things: what else activates the units, and all kinds.",
            exists=True,
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The facet to write: `.json`.")],
    name: Annotated[str | None, typer.Option(help="Of the facet; by default the file's.")] = None,
    seed: Annotated[int, typer.Option(help="Of the parts that are held out.", min=0)] = 0,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Learn a facet from photographs, which `render --facet` steers the pictures of units with.

    A unit that several kinds of things activate has several pictures. A facet is one kind: in each
    layer a direction that separates its photographs from others (a linear probe). Accuracies are
    of photographs that were held out; 50 % is chance, and a facet that is near it shows nothing.

        visioncircuits facet bvlc_googlenet mixed4c --positives dogs/ --negatives cars/ -o dogs.json

        visioncircuits render bvlc_googlenet mixed4e:521 --facet dogs.json --sheet dogs.png
    """
    outputs.check(out, ".json")
    from visioncircuits import networks
    from visioncircuits.featurevis import facets

    found = facets.fit(
        networks.load(network, checkpoint=checkpoint, device=device),
        layers,
        positives,
        negatives,
        name=name or out.stem,
        seed=seed,
        progress=True,
    )
    counts = found.record["counts"]
    print(f"{counts['positive']} positives, {counts['negative']} negatives")
    for layer, accuracy in found.accuracies.items():
        print(f"{layer}: separates {accuracy:.0%} of those held out, by chance 50%")
    for problem in found.record["skipped"]:
        print(f"skipped: {problem}")
    print(found.save(out))
