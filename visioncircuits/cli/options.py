"""Arguments that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from visioncircuits.networks import names

if TYPE_CHECKING:  # a command's help is not to wait for torch
    from visioncircuits.networks import Network


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
        help="A network's name, such as `bvlc_googlenet`, `torchvision:resnet18`, `timm:resnet50` "
        "or `handwritten:curves`; `visioncircuits networks` lists them. Or your own, "
        "`my_cnn.py:build`: a function of a Python file that returns it; or `net.onnx`, an ONNX "
        "file.",
    ),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        help="Parameters to use instead of those that would be found or downloaded: "
        "`.safetensors`, `.pth`, `.bin`, `.onnx`, `.caffemodel` or, of TensorFlow, `.pb`.",
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
Range = Annotated[
    tuple[float, float] | None,
    typer.Option(
        "--range",
        help="The values in the photographs' files that become 0 and 1, such as `0 10000`, where "
        "these have units of their own.",
        metavar="LOW HIGH",
    ),
]
Channels = Annotated[
    str | None,
    typer.Option(
        "--channels",
        help="For a network of other channels than colors: draw stimuli in these, by name or "
        "number, such as `B8` or `0,3`.",
        metavar="CHANNELS",
    ),
]
Ground = Annotated[
    float,
    typer.Option(
        "--ground", help="With --channels: the value of all other channels.", min=0.0, max=1.0
    ),
]


def drawing_in(network: "Network", channels: str | None, ground: float) -> "Network":
    """Return the network as it is, or to be drawn in the channels that are asked for."""
    if channels is None:
        return network
    return network.drawing_in([name.strip() for name in channels.split(",")], ground=ground)


Labels = Annotated[
    str,
    typer.Option(
        "--labels",
        help="Where the photographs' classes are: `wordnet`, in the ids that names of files or "
        "folders begin with; `folders`; `none`; `auto`, the first of these that fits; or a `.csv` "
        "file of names and classes.",
    ),
]
Device = Annotated[str, typer.Option("--device", help="Where to compute: `cpu`, `cuda`, …")]
Precision = Annotated[
    Precisions,
    typer.Option(
        "--precision",
        help="What convolutions are computed in: `float32`; `bfloat16` or `float16`, for GPUs.",
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
        help="How many work at once; by default one a core, a GPU with `--device cuda`, or as "
        "many as the cluster has room for.",
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
