"""Arguments that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.networks import names


class Precisions(StrEnum):
    """What convolutions are computed in."""

    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


class Engines(StrEnum):
    """Who works."""

    local = "local"
    ray = "ray"


NetworkName = Annotated[
    str,
    typer.Argument(
        metavar="NETWORK",
        callback=names.existing,
        help="A network's name, such as `bvlc_googlenet`, `torchvision:resnet18` or "
        "`handwritten:curves`; `visioncircuits networks` lists them. Or your own, "
        "`my_cnn.py:build`: a function of a Python file that returns it.",
    ),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        help="Parameters to use instead of those that would be found or downloaded: "
        "`.safetensors`, `.pth`, `.onnx` or `.caffemodel`.",
        exists=True,
        dir_okay=False,
    ),
]
Photographs = Annotated[
    Path,
    typer.Option(
        "--photographs",
        help="A folder of photographs, a `.tar` file of them, or a folder of these.",
        exists=True,
    ),
]
Labels = Annotated[
    str,
    typer.Option(
        "--labels",
        help="Where the photographs' classes are: `wordnet`, in the ids that names of files or "
        "folders begin with; `folders`; `none`; `auto`, the first of these that fits; or a `.csv` "
        "file of names and classes.",
    ),
]
Device = Annotated[
    str, typer.Option("--device", help="Where to compute: `cpu`, `cuda`, `cuda:1` for one GPU, …")
]
Precision = Annotated[
    Precisions,
    typer.Option(
        "--precision",
        help="What convolutions are computed in: `float32`; or, faster on GPUs, `bfloat16` or "
        "`float16`, which round every activation: numbers change in the third digit or before, and "
        "verdicts near their limits with them.",
    ),
]
Steps = Annotated[
    int,
    typer.Option(
        "--steps", help="How long to optimize each feature's picture; 0 for no pictures.", min=0
    ),
]
Save = Annotated[
    Path | None, typer.Option("--save", help="Write the arrays too: `.npz` or `.nc` (netCDF).")
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        help="How many work at once; by default one a core, one a GPU with `--device cuda` (more "
        "share the GPUs evenly), or as many as the cluster has room for.",
        min=1,
    ),
]
EngineName = Annotated[
    Engines,
    typer.Option(
        "--engine", help="Who works: `local`, processes of this machine, or `ray`, a Ray cluster."
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        help="Of the Ray cluster: `host:port`, or `auto` for this machine's; without it one is "
        "started here.",
    ),
]
