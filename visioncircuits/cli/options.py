"""Arguments that several commands share."""

import inspect
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from visioncircuits.networks import names, own_names

NETWORK = "NETWORK"
"""Marks the argument that `--network-option` is for."""

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
        metavar=NETWORK,
        callback=names.existing,
        help="A network's name, such as `bvlc_googlenet`, `torchvision:resnet18`, `timm:resnet50` "
        "or `handwritten:curves`; `visioncircuits networks` lists them. Or your own, "
        "`my_cnn.py:build` or `package.module:build`: a function that returns it, of a Python file "
        "or module, which is run; or `net.onnx`, an ONNX file.",
    ),
]
NetworkOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--network-option",
        metavar="NAME=VALUE",
        help="An argument of the function that returns your own network, such as `depth=18`; as "
        "often as needed. In the network's name it is `my_cnn.py:build?depth=18`.",
    ),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        help="Parameters to use instead of those that would be found or downloaded: "
        "`.safetensors`, `.pth`, `.pt`, `.ckpt`, `.bin`, `.onnx`, `.caffemodel` or, of TensorFlow, "
        "`.pb`.",
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


def with_network_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command that takes a network `--network-option`, which becomes part of its name."""
    signature = inspect.signature(command)
    taken = signature.parameters
    networks = [name for name, each in taken.items() if _is_network(each.annotation)]
    if not networks:
        return command
    (network,) = networks

    @wraps(command)
    def composed(*, network_option: list[str] | None = None, **arguments: Any) -> Any:
        name = own_names.with_options(arguments[network], network_option or ())
        return command(**arguments | {network: names.existing(name)})

    option = inspect.Parameter(
        "network_option", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=NetworkOptions
    )
    composed.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*taken.values(), option]
    )
    composed.__annotations__ = {**command.__annotations__, option.name: NetworkOptions}
    return composed


def _is_network(annotation: Any) -> bool:
    return any(getattr(each, "metavar", None) == NETWORK for each in get_args(annotation))
