"""Which networks can be had by name, and how."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
import torchvision
from safetensors import safe_open
from torch import nn

from visioncircuits import errors
from visioncircuits.errors import InputError
from visioncircuits.networks import checkpoints
from visioncircuits.networks.checkpoints import Checkpoint
from visioncircuits.networks.inceptionv1 import VARIANTS, inceptionv1
from visioncircuits.networks.network import Network
from visioncircuits.networks.preprocessing import CAFFE, IMAGENET, TENSORFLOW, Preprocessing

PREPROCESSING = {"inceptionv1": TENSORFLOW, "bvlc_googlenet": CAFFE}
TORCHVISION = "torchvision"
GROUP = "visioncircuits.networks"


@dataclass(frozen=True)
class Entry:
    """A network that can be loaded by name.

    Attributes
    ----------
    name
        As `load` takes it.
    about
        One line.
    checkpoint
        Where its parameters lie on this machine, if they do.
    downloadable
        Whether they can be had from a public place.
    """

    name: str
    about: str
    checkpoint: Path | None
    downloadable: bool


def load(
    name: str,
    *,
    checkpoint: str | Path | None = None,
    device: torch.device | str = "cpu",
) -> Network:
    """Load a trained or handwritten network.

    Parameters
    ----------
    name
        `bvlc_googlenet`, `inceptionv1`, `torchvision:` and one of torchvision's models, or
        `handwritten:` and a circuit; `available` lists them.
    checkpoint
        A file of parameters to use instead of the one that would be found or downloaded.
    device
        Where to put the parameters.

    Returns
    -------
    Network
        In evaluation mode, its parameters frozen.

    Raises
    ------
    InputError
        For an unknown name, or where no checkpoint is found nor to be had.

    Examples
    --------
    >>> load("handwritten:nothing")
    Traceback (most recent call last):
    visioncircuits.errors.InputError: ...
    """
    prefix, _, rest = name.partition(":")
    if name in VARIANTS:
        network = _inceptionv1(name, checkpoint)
    elif prefix == TORCHVISION and rest:
        network = _torchvision(rest, checkpoint)
    elif rest and (plugin := _plugins().get(prefix)):
        if checkpoint is not None:
            raise InputError(f"{name} has no checkpoint to replace: its weights are set by formula")
        network = plugin.load(rest)
    else:
        raise errors.unknown("network", name, [entry.name for entry in available()])
    return network.to(device)


def untrained(name: str, *, seed: int = 0) -> Network:
    """Give a network with random parameters: a null to hold findings against.

    Parameters are drawn as torch initializes them, from `seed` alone.

    Examples
    --------
    >>> untrained("bvlc_googlenet").layer("mixed3b").units
    480
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if name in VARIANTS:
            module: nn.Module = inceptionv1(VARIANTS[name])
            return Network(module, PREPROCESSING[name], name=f"untrained {name}")
        module = torchvision.models.get_model(_torchvision_name(name.partition(":")[2]))
        return Network(module, IMAGENET, name=f"untrained {name}")


def available() -> Iterator[Entry]:
    """List the networks that `load` knows.

    Examples
    --------
    >>> [entry.name for entry in available()][:2]
    ['inceptionv1', 'bvlc_googlenet']
    """
    about = {
        "inceptionv1": "Google's inception5h, the network of the Circuits thread",
        "bvlc_googlenet": "BVLC's GoogLeNet, ImageNet top-1 68.7 %",
    }
    for name, line in about.items():
        found = checkpoints.find(name)
        yield Entry(name, line, found.path if found else None, True)
    for prefix, plugin in sorted(_plugins().items()):
        for name, line in plugin.available().items():
            yield Entry(f"{prefix}:{name}", line, None, False)
    for name in torchvision.models.list_models(module=torchvision.models):
        found = checkpoints.find(name)
        yield Entry(f"{TORCHVISION}:{name}", "torchvision", found.path if found else None, True)


def _plugins() -> dict[str, Any]:
    """Modules with `load(name)` and `available()`, as installed packages announce them."""
    return {entry.name: entry.load() for entry in entry_points(group=GROUP)}


def _inceptionv1(name: str, path: str | Path | None) -> Network:
    module = inceptionv1(VARIANTS[name])
    checkpoint = checkpoints.obtain(name, path=path)
    module.load_state_dict(checkpoint.parameters(module.state_dict()))
    return Network(module, PREPROCESSING[name], name=name, checkpoint=checkpoint)


def _torchvision_name(name: str) -> str:
    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        raise errors.unknown("torchvision network", name, known)
    return name


def _torchvision(name: str, path: str | Path | None) -> Network:
    checkpoint = checkpoints.find(_torchvision_name(name), path=path)
    if checkpoint is None:
        return _torchvision_own(name)
    module = torchvision.models.get_model(name)
    module.load_state_dict(checkpoint.parameters(module.state_dict()))
    return Network(
        module,
        _stated_preprocessing(checkpoint),
        name=f"{TORCHVISION}:{name}",
        checkpoint=checkpoint,
    )


def _torchvision_own(name: str) -> Network:
    weights = torchvision.models.get_model_weights(name).DEFAULT
    try:
        state = weights.get_state_dict(progress=True, check_hash=True)
    except (URLError, OSError, RuntimeError) as error:
        raise InputError(
            f"torchvision's weights of {name} could not be downloaded from {weights.url} "
            f"({error}); get the file by hand and name it as the checkpoint, or put it as "
            f"{name}.pth into the folder that {checkpoints.FOLDER} names"
        ) from error
    module = torchvision.models.get_model(name)
    module.load_state_dict(state)
    transforms = weights.transforms()
    return Network(
        module,
        Preprocessing(mean=tuple(transforms.mean), std=tuple(transforms.std)),
        name=f"{TORCHVISION}:{name}",
        size=transforms.crop_size[0],
        classes=tuple(weights.meta["categories"]),
        checkpoint=Checkpoint(Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name),
    )


def _stated_preprocessing(checkpoint: Checkpoint) -> Preprocessing:
    """Read what a safetensors file says its network takes; torchvision's own where it says nothing.

    The statement is the metadatum `input`, such as "BGR 0..255 minus (104,117,123)".
    """
    if checkpoint.path.suffix != ".safetensors":
        return IMAGENET
    with safe_open(checkpoint.path, "pt") as file:
        stated = (file.metadata() or {}).get("input")
    if stated is None:
        return IMAGENET
    match = re.fullmatch(r"(RGB|BGR) ([\d.]+?)\.\.([\d.]+) minus \(([\d., ]+)\)", stated)
    if match is None:
        raise InputError(
            f"{checkpoint.path} says that its network takes {stated!r}, which is not understood; "
            "write it like 'BGR 0..255 minus (104,117,123)'"
        )
    order, low, high, mean = match.groups()
    return Preprocessing(
        range=(float(low), float(high)),
        mean=tuple(float(value) for value in mean.split(",")),
        order="BGR" if order == "BGR" else "RGB",
    )
