"""Loading networks by name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import torch

from visioncircuits import errors
from visioncircuits.errors import InputError
from visioncircuits.networks import (
    checkpoints,
    clip_models,
    names,
    onnx_models,
    own_networks,
    timm_models,
    torchvision_models,
)
from visioncircuits.networks.inceptionv1 import VARIANTS, inceptionv1
from visioncircuits.networks.network import Network, prepared
from visioncircuits.networks.preprocessing import CAFFE, TENSORFLOW

PREPROCESSING = {"inceptionv1": TENSORFLOW, "bvlc_googlenet": CAFFE}


@dataclass(frozen=True, repr=False)
class Entry:
    """A network that can be loaded by name.

    Attributes
    ----------
    name
        The argument of `load`.
    about
        One line.
    checkpoint
        Where its parameters are on this machine, if they are.
    downloadable
        Whether they can be downloaded from a public address.

    Examples
    --------
    >>> [entry for entry in available() if entry.name == "handwritten:lines"]
    [Entry('handwritten:lines', built in)]
    """

    name: str
    about: str
    checkpoint: Path | None
    downloadable: bool

    @property
    def where(self) -> str:
        """Where its parameters are, in a few words."""
        return str(self.checkpoint or ("to be downloaded" if self.downloadable else "built in"))

    def __repr__(self) -> str:
        return f"Entry({self.name!r}, {self.where})"


def load(
    name: str,
    *,
    checkpoint: str | Path | None = None,
    device: torch.device | str = "cpu",
    precision: str = "float32",
) -> Network:
    """Load a trained or handwritten network.

    Parameters
    ----------
    name
        `bvlc_googlenet`, `inceptionv1`, `torchvision:` and one of torchvision's models, `timm:` and
        one of timm's, `clip:` and a convolutional image encoder of open_clip, or `handwritten:` and
        a circuit; `available` lists them. Or of your own, `my_cnn.py:build` or
        `package.module:build`: a function of a Python file or module, which is imported and so
        run. It returns a `Network`; a torch module and its `Preprocessing`; or a torch module
        alone, which is then given pictures in [0, 1] as they are. Arguments of the function
        follow as `my_cnn.py:build?depth=18&wide=true`: numbers, `true`, `false`, `null` or text.
        Or `net.onnx`: an ONNX file of a classifier, as `onnx_models.load` reads it.
    checkpoint
        A file of parameters to use instead of the one that would be found or downloaded.
    device
        Where to put the parameters.
    precision
        What to compute in; see `Network.computing_in`.

    Returns
    -------
    Network
        In evaluation mode, its parameters frozen.

    Raises
    ------
    InputError
        For an unknown name, precision or device, or where a checkpoint is neither found nor can
        be downloaded.

    Examples
    --------
    >>> load("handwritten:nothing")
    Traceback (most recent call last):
    visioncircuits.errors.InputError: ...
    """
    prefix, _, rest = names.network(name).partition(":")
    if names.is_onnx_file(name):
        network = onnx_models.load(name, path=checkpoint)
    elif name in VARIANTS:
        network = _inceptionv1(name, checkpoint)
    elif prefix in LOADERS:
        network = LOADERS[prefix](rest, path=checkpoint)
    else:
        network = own_networks.load(name, path=checkpoint)
    return network.to(device).computing_in(precision)


@cache
def loaded(
    name: str, checkpoint: Path | None, device: str = "cpu", precision: str = "float32"
) -> Network:
    """Load a network once in a process, as workers do.

    Parameters and errors are those of `load`.
    """
    return load(name, checkpoint=checkpoint, device=device, precision=precision)


def untrained(name: str, *, seed: int = 0) -> Network:
    """Return a network with random parameters: a control to compare findings with.

    Parameters are drawn as its library initializes them, from `seed` alone; global generators stay
    as they are. `redrawn` is for networks without such a name.

    Parameters
    ----------
    name
        `bvlc_googlenet`, `inceptionv1`, or `torchvision:`, `timm:` or `clip:` and one of their
        networks.
    seed
        The same seed gives the same parameters.

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
    if name not in VARIANTS and prefix not in UNTRAINED:
        known = [*VARIANTS, *_torchvision(), *_clip()]
        raise errors.unknown("network to draw parameters for", name, known)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        if name not in VARIANTS:
            return UNTRAINED[prefix](rest)
        return Network(
            prepared(inceptionv1(VARIANTS[name])),
            PREPROCESSING[name],
            name=f"untrained {name}",
            classes=_classes(name),
        )


def available(pattern: str = "") -> Iterator[Entry]:
    """List the networks that `load` knows.

    Parameters
    ----------
    pattern
        Of names, with `*` for anything, as `timm:*convnext*`; `timm:` is all of timm's. Without
        one, timm's thousands are left out.

    Raises
    ------
    InputError
        For a pattern of timm's networks, without timm.

    Examples
    --------
    >>> [entry.name for entry in available()][:2]
    ['inceptionv1', 'bvlc_googlenet']
    >>> [entry.name for entry in available("*:squeezenet1_?")]
    ['torchvision:squeezenet1_0', 'torchvision:squeezenet1_1']
    """
    prefix, _, rest = pattern.partition(":")
    if prefix == names.TIMM:
        yield from _timm(rest or "*")
        return
    wanted = f"{pattern}*" if pattern.endswith(":") or not pattern else pattern
    yield from (entry for entry in _others() if fnmatchcase(entry.name, wanted))


def _timm(pattern: str) -> Iterator[Entry]:
    for name in timm_models.names(pattern):
        about, found = timm_models.described(name)
        yield Entry(f"{names.TIMM}:{name}", about, found, True)


def _others() -> Iterator[Entry]:
    from visioncircuits import handwritten  # which itself imports this folder

    for name, line in names.PUBLISHED.items():
        found = checkpoints.find(name)
        yield Entry(name, line, found.path if found else None, True)
    for name, line in handwritten.available().items():
        yield Entry(f"{names.HANDWRITTEN}:{name}", line, None, False)
    for name in _torchvision():
        found = checkpoints.find(name.partition(":")[2])
        yield Entry(name, "torchvision", found.path if found else None, True)
    for name in _clip():
        found = checkpoints.find(name.partition(":")[2])
        yield Entry(name, "OpenAI's CLIP, image encoder", found.path if found else None, True)


def _torchvision() -> list[str]:
    return [f"{names.TORCHVISION}:{name}" for name in torchvision_models.names()]


def _clip() -> list[str]:
    return [f"{names.CLIP}:{name}" for name in clip_models.PUBLISHED]


def _inceptionv1(name: str, path: str | Path | None) -> Network:
    module = prepared(inceptionv1(VARIANTS[name]))
    checkpoint = checkpoints.obtain(name, path=path)
    module.load_state_dict(checkpoint.parameters(module.state_dict()))
    return Network(
        module,
        PREPROCESSING[name],
        name=name,
        checkpoint=checkpoint,
        classes=_classes(name),
    )


def _classes(name: str) -> tuple[str, ...] | None:
    """Return a variant's classes; those of inception5h, in an order of their own, are unknown."""
    return torchvision_models.imagenet_classes() if name == "bvlc_googlenet" else None


def _handwritten(name: str, *, path: str | Path | None) -> Network:
    if path is not None:
        raise InputError(
            f"{names.HANDWRITTEN}:{name} takes no checkpoint: its parameters are set by formula"
        )
    from visioncircuits import handwritten  # which itself imports this folder

    return handwritten.load(name)


LOADERS: dict[str, Callable[..., Network]] = {
    names.HANDWRITTEN: _handwritten,
    names.TORCHVISION: torchvision_models.load,
    names.TIMM: timm_models.load,
    names.CLIP: clip_models.load,
}
"""By prefix: each takes what follows it, and a file of parameters as `path`."""

UNTRAINED: dict[str, Callable[[str], Network]] = {
    names.TORCHVISION: torchvision_models.untrained,
    names.TIMM: timm_models.untrained,
    names.CLIP: clip_models.untrained,
}
"""By prefix: each takes what follows it, and draws parameters from torch's generator."""
