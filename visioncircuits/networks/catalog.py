"""Which networks can be had by name, and how."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

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
from visioncircuits.networks.preprocessing import CAFFE, TENSORFLOW, Preprocessing

PREPROCESSING = {"inceptionv1": TENSORFLOW, "bvlc_googlenet": CAFFE}
TORCHVISION = "torchvision"
GROUP = "visioncircuits.networks"
SCALED_INSIDE = ("googlenet", "inception_v3")
TO_ONE = Preprocessing(range=(-1, 1))
"""What those two take: with its own weights torchvision scales to it inside the module."""


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
            raise InputError(f"{name} takes no checkpoint: it comes with its parameters")
        network = plugin.load(rest)
    else:
        raise errors.unknown("network", name, [entry.name for entry in available()])
    return network.to(device)


def untrained(name: str, *, seed: int = 0) -> Network:
    """Give a network with random parameters: a null to hold findings against.

    Parameters are drawn as torch initializes them, from `seed` alone; no global generator is
    moved.

    Parameters
    ----------
    name
        `bvlc_googlenet`, `inceptionv1`, or `torchvision:` and one of torchvision's models.
    seed
        The same gives the same parameters.

    Raises
    ------
    InputError
        For an unknown name.

    Examples
    --------
    >>> untrained("bvlc_googlenet").layer("mixed3b").units
    480
    """
    prefix, _, rest = name.partition(":")
    if name not in VARIANTS and prefix != TORCHVISION:
        known = [*VARIANTS, *(f"{TORCHVISION}:{model}" for model in _torchvision_names())]
        raise errors.unknown("network to draw parameters for", name, known)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        if name in VARIANTS:
            module: nn.Module = inceptionv1(VARIANTS[name])
            return Network(module, PREPROCESSING[name], name=f"untrained {name}")
        weights = _torchvision_weights(rest)
        return Network(
            _torchvision_module(rest, initialized=True),
            _torchvision_preprocessing(rest, weights),
            name=f"untrained {name}",
            size=weights.transforms().crop_size[0],
        )


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
    for name in _torchvision_names():
        found = checkpoints.find(name)
        yield Entry(f"{TORCHVISION}:{name}", "torchvision", found.path if found else None, True)


def _plugins() -> dict[str, Any]:
    """Modules with `load(name)` and `available()`, as installed packages announce them."""
    return {entry.name: entry.load() for entry in entry_points(group=GROUP)}


def _inceptionv1(name: str, path: str | Path | None) -> Network:
    module = inceptionv1(VARIANTS[name])
    checkpoint = checkpoints.obtain(name, path=path)
    module.load_state_dict(checkpoint.parameters(module.state_dict()))
    # BVLC's classes are in the order of torchvision's: sorted synsets.
    ordered = name == "bvlc_googlenet"
    return Network(
        module,
        PREPROCESSING[name],
        name=name,
        checkpoint=checkpoint,
        classes=_classes(_torchvision_weights("googlenet")) if ordered else None,
    )


def _torchvision(name: str, path: str | Path | None) -> Network:
    weights = _torchvision_weights(name)
    found = checkpoints.find(name, path=path)
    checkpoint = found or _torchvision_own(name, weights)
    module = _torchvision_module(name, initialized=False)
    parameters = checkpoint.parameters(module.state_dict())
    # Not `load_state_dict`: MNASNet's asks for a version that tensors alone do not carry.
    with torch.no_grad():
        for key, tensor in module.state_dict().items():
            tensor.copy_(parameters[key])
    return Network(
        module,
        _stated_preprocessing(checkpoint) or _torchvision_preprocessing(name, weights),
        name=f"{TORCHVISION}:{name}",
        size=weights.transforms().crop_size[0],
        checkpoint=checkpoint,
        classes=None if found else _classes(weights),
    )


def _torchvision_names() -> list[str]:
    return torchvision.models.list_models(module=torchvision.models)


def _torchvision_weights(name: str) -> Any:
    """Give torchvision's record of its own weights: address, preprocessing, classes."""
    if name not in _torchvision_names():
        raise errors.unknown("torchvision network", name, _torchvision_names())
    return torchvision.models.get_model_weights(name).DEFAULT


def _torchvision_module(name: str, *, initialized: bool) -> nn.Module:
    options = {"init_weights": initialized} if name in SCALED_INSIDE else {}
    return torchvision.models.get_model(name, **options)


def _torchvision_preprocessing(name: str, weights: Any) -> Preprocessing:
    if name in SCALED_INSIDE:
        return TO_ONE
    transforms = weights.transforms()
    return Preprocessing(mean=tuple(transforms.mean), std=tuple(transforms.std))


def _classes(weights: Any) -> tuple[str, ...]:
    return tuple(weights.meta["categories"])


def _torchvision_own(name: str, weights: Any) -> Checkpoint:
    """Find torchvision's own weights where it keeps them, or download them to there."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    digest = path.stem.rpartition("-")[2]
    if not path.is_file():
        by_hand = (
            f"get {weights.url} by hand and name the file as the checkpoint, or put it as "
            f"{name}.pth into a folder that {checkpoints.FOLDER} names"
        )
        if os.environ.get(checkpoints.OFFLINE, "0") != "0":
            raise InputError(
                f"no checkpoint of {name!r} in the folder that {checkpoints.FOLDER} names, and "
                f"{checkpoints.OFFLINE} forbids downloads; {by_hand}"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(weights.url, str(path), digest)
        except (OSError, HTTPException, RuntimeError) as error:
            raise InputError(
                f"torchvision's weights of {name} could not be downloaded ({error}); {by_hand}"
            ) from error
    return Checkpoint(path, digest=digest)


def _stated_preprocessing(checkpoint: Checkpoint) -> Preprocessing | None:
    """Read what a safetensors file says that its network takes, if it says anything.

    The statement is the metadatum `input`, such as "BGR 0..255 minus (104,117,123)".
    """
    if checkpoint.path.suffix.lower() != ".safetensors":
        return None
    with safe_open(checkpoint.path, "pt") as file:
        stated = (file.metadata() or {}).get("input")
    if stated is None:
        return None
    number = r"-?\d+(?:\.\d+)?"
    means = rf"{number}(?:, ?{number})*"
    match = re.fullmatch(rf"(RGB|BGR) ({number})\.\.({number}) minus \(({means})\)", stated)
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
