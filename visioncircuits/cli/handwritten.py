"""`visioncircuits handwritten`: a network whose weights are set by formula, as a file."""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import outputs

app = typer.Typer()


@app.command()
def handwritten(
    circuit: Annotated[
        str, typer.Argument(help="`curves`, `high-low`, …; `visioncircuits networks` lists them.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The file: `.safetensors`.")],
) -> None:
    """Write a handwritten network, its weights and what each unit is, to a file.

    No command needs it, for they all take `handwritten:curves`; they take the file as well, as
    `handwritten:curves-network.safetensors`.

        visioncircuits handwritten curves -o curves-network.safetensors
    """
    outputs.check(out, ".safetensors")
    from visioncircuits.handwritten import load, save

    network = load(circuit)
    save(network, out)
    count = sum(parameter.numel() for parameter in network.module.parameters())
    print(f"{out}: {count:,} parameters, all set by formula")
