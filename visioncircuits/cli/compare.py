"""`visioncircuits compare`: a handwritten circuit beside a trained one, as a report."""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import hypotheses, outputs
from visioncircuits.cli.options import Checkpoint, Device, NetworkName, Workers
from visioncircuits.errors import InputError
from visioncircuits.networks import names

app = typer.Typer()


@app.command()
def compare(
    handwritten: Annotated[
        str,
        typer.Argument(
            callback=names.existing,
            help="The circuit, such as `handwritten:curves`, or `handwritten:FILE.safetensors`.",
        ),
    ],
    trained: NetworkName,
    layer: Annotated[str, typer.Option(help="Where the trained detectors are.")],
    photographs: Annotated[
        Path,
        typer.Option(
            help="A folder of photographs, their names beginning with WordNet ids.",
            exists=True,
            file_okay=False,
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The report's folder.")],
    family: Annotated[
        str,
        typer.Option(
            callback=hypotheses.checked,
            help="What both detect: `curve`, `line` and so on, or a file `.toml` with a hypothesis "
            "of your own.",
        ),
    ] = "curve",
    units: Annotated[
        str | None,
        typer.Option(help="The trained detectors, such as `413,408,398`; by default found."),
    ] = None,
    handwritten_layer: Annotated[
        str | None,
        typer.Option(help="Where the circuit's own detectors are; by default its last layer."),
    ] = None,
    early_layer: Annotated[
        str | None,
        typer.Option(
            help="Where the family has units before, to compare the kernels from them too."
        ),
    ] = None,
    steps: Annotated[int, typer.Option(help="How long to optimize pictures.")] = 128,
    workers: Workers = None,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    r"""Compare a handwritten circuit with trained detectors: tuning, weights, function.

    The circuit's units take the places of the trained ones, and so do controls and simpler donors:
    how much of what removing the trained ones costs each repairs is in the report, with removals
    to zero, to the mean and to the maps of another photograph.

    Interrupt it whenever you like: the same command scores the photographs that are left.

        visioncircuits compare handwritten:curves bvlc_googlenet --layer mixed3b \
            --early-layer mixed3a --photographs photographs/ --out report/
    """
    features = layer if units is None else [f"{layer}:{unit}" for unit in _units(units)]
    outputs.check_folder(out)
    from visioncircuits import comparison, engine, networks
    from visioncircuits.handwritten import available, incomplete
    from visioncircuits.site import report

    ours = networks.load(handwritten, device=device)
    theirs = networks.load(trained, checkpoint=checkpoint, device=device)
    circuit = handwritten.removeprefix("handwritten:")
    found = comparison.compare(
        ours,
        theirs,
        features,
        hypotheses.read(family),
        photographs,
        handwritten_layer=handwritten_layer,
        early_layer=early_layer,
        incomplete=incomplete(circuit) if circuit in available() else {},
        store=engine.Store(out / "scores"),
        engine=engine.choose(workers=workers, device=device),
        progress=True,
    )
    pictures = report.visualize(found, steps=steps, progress=True)
    print(f"open {report.write(found, pictures, out)}")


def _units(text: str) -> list[int]:
    try:
        return [int(unit) for unit in text.split(",")]
    except ValueError:
        raise InputError(f"{text!r} names no units; write numbers, such as 413,408,398") from None
