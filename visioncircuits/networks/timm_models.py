"""timm's networks: modules, preprocessing and parameters.

timm is an extra, and is imported where it is used: that takes seconds.
"""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from visioncircuits import errors
from visioncircuits.errors import InputError
from visioncircuits.networks import checkpoints
from visioncircuits.networks.checkpoints import Checkpoint
from visioncircuits.networks.conversion import conformed, unwrapped
from visioncircuits.networks.module_calls import overridden
from visioncircuits.networks.names import TIMM
from visioncircuits.networks.network import Network, prepared
from visioncircuits.networks.preprocessing import Preprocessing
from visioncircuits.networks.torchvision_models import imagenet_synsets


def names(pattern: str = "*") -> list[str]:
    """List the networks that timm has parameters of, with their tags.

    A pattern may match the name with its tag or without it.

    Examples
    --------
    >>> names("convnextv2_atto"), names("convnextv2_atto.*_ft_*")
    (['convnextv2_atto.fcmae', 'convnextv2_atto.fcmae_ft_in1k'], ['convnextv2_atto.fcmae_ft_in1k'])
    """
    every = _timm().list_models(pretrained=True)
    return [
        name
        for name in every
        if fnmatchcase(name, pattern) or fnmatchcase(name.partition(".")[0], pattern)
    ]


def load(name: str, *, path: str | Path | None = None) -> Network:
    """Load a network from a file, or with the parameters that timm has of it.

    Pictures have the size, mean, standard deviation and number of channels of timm's
    `pretrained_cfg`. The size is that of training (`input_size`), at which features have the scale
    that they were learned at, rather than the larger one at which some networks classify better
    (`test_input_size`). Photographs are cut as for every network, at 224/256 of their shorter
    side, whatever its `crop_pct`.

    Parameters
    ----------
    name
        An architecture and a tag, `resnet50.a1_in1k`; or an architecture, with timm's default tag.
    path
        A checkpoint to use instead of one that would be found or downloaded: a state dict under
        the module's names, or those that timm converts. Its classes are assumed to be timm's.

    Raises
    ------
    InputError
        Without timm, for an unknown name, a file that is damaged or of another network, or where
        parameters are neither found nor can be downloaded.
    """
    name, settings = _known(name)
    checkpoint = checkpoints.find(name, path=path) or _own(name, settings)
    with torch.random.fork_rng(devices=[]):
        module = _timm().create_model(name)
        tensors = unwrapped(checkpoint.tensors(), module.state_dict())
        if tensors.keys() != module.state_dict().keys():
            tensors = _converted(name, tensors, module, checkpoint.path)
    module.load_state_dict(conformed(tensors, module.state_dict(), checkpoint.path))
    return _network(f"{TIMM}:{name}", module, settings, checkpoint)


def untrained(name: str) -> Network:
    """Build a network, its parameters drawn from torch's generator as timm initializes them.

    Many of timm's residual branches begin at zero, by the scale of their last normalization.

    Raises
    ------
    InputError
        Without timm, or for an unknown name.
    """
    name, settings = _known(name)
    return _network(f"untrained {TIMM}:{name}", _timm().create_model(name), settings)


def described(name: str) -> tuple[str, Path | None]:
    """Describe a network of `names` in a few words, and return its parameters' file, if here."""
    settings = _timm().models.get_pretrained_cfg(name)
    found = checkpoints.find(name) or _cached(settings)
    size = "×".join(dict.fromkeys(map(str, settings.input_size[1:])))
    output = "features"
    if count := settings.num_classes:
        output = f"{count} {'classes' if _subset(settings) else 'outputs'}"
    return f"timm, {size} px, {output}", found.path if found else None


def _timm() -> Any:
    try:
        import timm
    except ImportError as error:
        raise InputError("timm's networks need `pip install visioncircuits[timm]`") from error
    return timm


def _known(name: str) -> tuple[str, Any]:
    """Return a network's name with its tag, and timm's `PretrainedCfg` of it."""
    models = _timm().models
    name = models.get_deprecated_models().get(name) or name
    architecture, _, tag = name.partition(".")
    if not models.is_model(architecture):
        known = models.list_models(include_tags=False)
        hint = f"`visioncircuits networks list {TIMM}:` lists all that have parameters"
        raise errors.unknown("timm network", architecture, known, hint=hint)
    tags = list(models.get_arch_pretrained_cfgs(architecture))
    if tag and f"{architecture}.{tag}" not in tags:
        raise errors.unknown(f"parameters of timm's {architecture}", name, tags)
    settings = models.get_pretrained_cfg(name)
    _, height, width = settings.input_size
    if height != width:
        raise InputError(
            f"timm's {name} takes pictures of {height}×{width} px, and those here are square"
        )
    return f"{architecture}.{settings.tag}" if settings.tag else architecture, settings


def _network(
    name: str, module: nn.Module, settings: Any, checkpoint: Checkpoint | None = None
) -> Network:
    channels, size, _ = settings.input_size
    return Network(
        prepared(module),
        Preprocessing(mean=settings.mean, std=settings.std, channels=channels),
        name=name,
        size=size,
        checkpoint=checkpoint,
        classes=_classes(settings),
    )


def _subset(settings: Any) -> str | None:
    """Return the part of ImageNet that a network classifies; None where that is not known."""
    if not re.search(r"in(1|12|21|22)k", settings.tag or ""):
        return None
    subset: str | None = _timm().data.infer_imagenet_subset({"num_classes": settings.num_classes})
    return subset


def _classes(settings: Any) -> tuple[str, ...] | None:
    """Return classes' names: of ImageNet's thousand those that all networks here have."""
    subset = _subset(settings)
    if subset is None:
        return None
    info, usual = _timm().data.ImageNetInfo(subset), imagenet_synsets()
    return tuple(
        usual.get(synset) or info.label_name_to_description(synset) for synset in info.label_names()
    )


def _converted(
    name: str, tensors: Mapping[str, Tensor], module: nn.Module, path: Path
) -> Mapping[str, Tensor]:
    """Convert a state dict under other names as timm does, which alone knows how.

    Where timm does not insist on exactly the module's names, parameters that it has no use for are
    left out, and what begins at one value, as the scale of a normalization does, may be missing.
    """
    given: list[tuple[Mapping[str, Tensor], bool]] = []

    def load_state_dict(
        _module: nn.Module, state: Mapping[str, Tensor], strict: bool = True, **_: Any
    ) -> Any:
        given.append((state, strict))
        return nn.modules.module._IncompatibleKeys([], [])

    try:
        with overridden(type(module), "load_state_dict", load_state_dict):
            _timm().create_model(
                name, pretrained=True, pretrained_cfg_overlay={"state_dict": dict(tensors)}
            )
    except Exception as error:  # conversions fail in any way on another network's names
        raise InputError(
            f"{path} is for another network: timm cannot convert it to {name} "
            f"({type(error).__name__}: {error})"
        ) from error
    ((state, strict),) = given
    own = module.state_dict()
    if strict:
        return state
    constant = {key for key, value in own.items() if (value == value.flatten()[:1]).all()}
    return {key: state.get(key, own[key]) for key in own if key in state or key in constant}


def _own(name: str, settings: Any) -> Checkpoint:
    """Find timm's parameters in the cache of Hugging Face's hub, or download them there."""
    if cached := _cached(settings):
        return cached
    hub = settings.hf_hub_id
    if not hub and not settings.url:
        raise InputError(
            f"timm has no parameters of {name}; name a file, or take one without parameters with "
            "visioncircuits.networks.untrained"
        )
    url = f"https://huggingface.co/{hub}/resolve/main/{checkpoints.HUB_FILES[0]}"
    by_hand = (
        f"download {url if hub else settings.url} by hand and name the file as the checkpoint, or "
        f"put it as {name}{'.safetensors' if hub else '.pth'} into a folder that "
        f"{checkpoints.FOLDER} names"
    )
    if not hub:
        raise InputError(f"timm's parameters of {name} are not on Hugging Face's hub; {by_hand}")
    if checkpoints.offline():
        raise InputError(
            f"no checkpoint of {name!r} in the folder that {checkpoints.FOLDER} names or in the "
            f"cache of Hugging Face's hub, and {checkpoints.OFFLINE} forbids downloads; {by_hand}"
        )
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    try:
        for file in checkpoints.HUB_FILES:
            try:
                return _verified(hf_hub_download(hub, file))
            except EntryNotFoundError as error:
                reason: Exception = error
        raise reason
    except Exception as error:  # of the hub, of the system, or of the library that connects
        first = str(error).strip().partition("\n")[0]
        raise InputError(
            f"timm's parameters of {name} could not be downloaded ({first}); {by_hand}"
        ) from error


def _cached(settings: Any) -> Checkpoint | None:
    """Find timm's parameters in the cache of Hugging Face's hub."""
    from huggingface_hub import try_to_load_from_cache

    files: Iterator[Any] = (
        try_to_load_from_cache(settings.hf_hub_id, file)
        for file in checkpoints.HUB_FILES
        if settings.hf_hub_id
    )
    return next((_verified(file) for file in files if isinstance(file, str)), None)


def _verified(path: str) -> Checkpoint:
    """Return a file of the hub's cache, which is a link to one that is named by its SHA-256."""
    target = Path(path).resolve().name
    digest = target if re.fullmatch("[0-9a-f]{64}", target) else ""
    return Checkpoint(Path(path), digest=digest)
