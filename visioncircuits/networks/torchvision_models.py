"""torchvision's classifiers: modules, preprocessing and parameters."""

import json
import os
from functools import cache
from http.client import HTTPException
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import nn

from visioncircuits import errors
from visioncircuits.environment import variable
from visioncircuits.errors import InputError
from visioncircuits.networks import checkpoints
from visioncircuits.networks.checkpoints import Checkpoint
from visioncircuits.networks.names import TORCHVISION
from visioncircuits.networks.network import Network, prepared
from visioncircuits.networks.preprocessing import Preprocessing, parse

SCALED_INSIDE = ("googlenet", "inception_v3")
TO_ONE = Preprocessing(range=(-1, 1))
"""Of these two: with its own weights, torchvision scales to it inside the module."""


def names() -> list[str]:
    """List torchvision's classifiers.

    Examples
    --------
    >>> "squeezenet1_1" in names()
    True
    """
    return list(_models().list_models(module=_models()))


def load(name: str, *, path: str | Path | None = None) -> Network:
    """Load a classifier from a file, or with torchvision's own weights.

    Parameters
    ----------
    name
        One of `names()`.
    path
        A checkpoint to use instead of one that would be found or downloaded. A `.safetensors`
        file may state its preprocessing as the metadatum `input`, such as "BGR 0..255 minus
        (104,117,123)", as `preprocessing.parse` reads it; the default is that of torchvision's own
        weights. Its classes are assumed to be those of torchvision's own.

    Raises
    ------
    InputError
        For an unknown name, a file that is damaged or of another network, or where torchvision's
        weights are neither found nor can be downloaded.
    """
    weights = _weights(name)
    checkpoint = checkpoints.find(name, path=path) or _own(name, weights)
    module = _module(name, initialized=False)
    checkpoint.copy_to(module)
    return Network(
        module,
        _stated_preprocessing(checkpoint) or _preprocessing(name, weights),
        name=f"{TORCHVISION}:{name}",
        size=weights.transforms().crop_size[0],
        checkpoint=checkpoint,
        classes=tuple(weights.meta["categories"]),
    )


def untrained(name: str) -> Network:
    """Build a classifier, its parameters drawn from torch's generator.

    Raises
    ------
    InputError
        For an unknown name.
    """
    weights = _weights(name)
    return Network(
        _module(name, initialized=True),
        _preprocessing(name, weights),
        name=f"untrained {TORCHVISION}:{name}",
        size=weights.transforms().crop_size[0],
        classes=tuple(weights.meta["categories"]),
    )


def imagenet_classes() -> tuple[str, ...]:
    """List ImageNet's thousand classes in the order of their sorted synsets.

    Examples
    --------
    >>> imagenet_classes()[967]
    'espresso'
    """
    return tuple(imagenet_synsets().values())


@cache
def imagenet_synsets() -> dict[str, str]:
    """Return the names of ImageNet's thousand classes by WordNet's ids, in their order.

    They are those of torchvision, whose import would take seconds.

    Examples
    --------
    >>> imagenet_synsets()["n01440764"]
    'tench'
    """
    text = files("visioncircuits.networks").joinpath("imagenet.json").read_text("utf-8")
    return dict(json.loads(text))


def _models() -> Any:
    """Return torchvision's models; importing them takes seconds, for torch's compiler.

    A lazy module instead would be imported by whatever inspects all modules, as torch does in the
    middle of imports of its own, and would fail there.
    """
    from torchvision import models

    return models


def _weights(name: str) -> Any:
    """Return torchvision's record of its own weights: address, preprocessing, classes."""
    if name not in names():
        raise errors.unknown("torchvision network", name, names())
    return _models().get_model_weights(name).DEFAULT


def _module(name: str, *, initialized: bool) -> nn.Module:
    options: dict[str, Any] = {"init_weights": initialized} if name in SCALED_INSIDE else {}
    if name.startswith("vit_"):  # has a position embedding for each patch of one size
        options["image_size"] = _weights(name).transforms().crop_size[0]
    module: nn.Module = _models().get_model(name, **options)
    return prepared(module)


def _preprocessing(name: str, weights: Any) -> Preprocessing:
    if name in SCALED_INSIDE:
        return TO_ONE
    transforms = weights.transforms()
    return Preprocessing(mean=tuple(transforms.mean), std=tuple(transforms.std))


def _own(name: str, weights: Any) -> Checkpoint:
    """Find torchvision's own weights in torch's cache, or download them there."""
    for folder in ("TORCH_HOME", "XDG_CACHE_HOME"):
        if variable(folder) is None:
            os.environ.pop(folder, None)  # for torch an empty one is the working folder
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    digest = path.stem.rpartition("-")[2]
    if not path.is_file():
        by_hand = (
            f"download {weights.url} by hand and name the file as the checkpoint, or put it as "
            f"{name}.pth into a folder that {checkpoints.FOLDER} names"
        )
        if checkpoints.offline():
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
    """Read the preprocessing that a safetensors file states, if any."""
    if checkpoint.path.suffix.lower() != ".safetensors":
        return None
    with safe_open(checkpoint.path, "pt") as file:
        stated = (file.metadata() or {}).get("input")
    if stated is None:
        return None
    return parse(stated, source=str(checkpoint.path))
