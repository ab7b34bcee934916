"""Finding a network's checkpoint, or downloading it once, with its content verified.

A file is looked for, downloaded, verified and kept in one order, which makes some 320 lines.
"""

import hashlib
import importlib.util
import os
import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import platformdirs
import torch
from safetensors.torch import save
from torch import Tensor, nn

from visioncircuits.environment import variable
from visioncircuits.errors import InputError
from visioncircuits.networks.conversion import read_parameters, renamed
from visioncircuits.networks.downloads import Source, Unavailable, download, fingerprint
from visioncircuits.networks.formats import FORMATS, read_tensors

FOLDER = "VISIONCIRCUITS_CHECKPOINTS"
OFFLINE = "VISIONCIRCUITS_OFFLINE"

HUB_FILES = ("model.safetensors", "pytorch_model.bin")
"""What parameters are called in a repository of Hugging Face's hub."""

_CAPTUM = "git-blob:b2712e9c60973c8e13abb1a97ac1ab8441d0085a"
_ONNX = "sha256:c99c507058eaf41de8723408fdda7db8325cb57f0a89f2ee07a716d6e963e14e"

_OPENAI = "https://openaipublic.azureedge.net/clip/models"
_CLIP = {
    "RN50": "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762",
    "RN101": "8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599",
    "RN50x4": "7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd",
    "RN50x16": "52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa",
    "RN50x64": "be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c",
}
"""SHA-256 of OpenAI's files, which is in their addresses. Source: `clip/clip.py` of openai/CLIP."""

SOURCES: dict[str, tuple[Source, ...]] = {
    "inceptionv1": (
        Source(
            "https://github.com/ProGamerGov/pytorch-old-tensorflow-models/raw/master/inception5h.pth",
            "git-blob:119f77db85c8352960933e025312b507d9a96ed7",
        ),
        Source(
            "https://github.com/pytorch/captum/raw/optim-wip/captum/optim/models/_image/"
            "inception5h.pth",
            _CAPTUM,
        ),
        Source("https://pytorch.s3.amazonaws.com/models/captum/inception5h.pth", _CAPTUM),
    ),
    "bvlc_googlenet": (
        Source(
            "https://github.com/onnx/models/raw/main/validated/vision/classification/"
            "inception_and_googlenet/googlenet/model/googlenet-12.onnx",
            _ONNX,
        ),
        Source(
            "https://huggingface.co/onnxmodelzoo/googlenet-12/resolve/main/googlenet-12.onnx",
            _ONNX,
        ),
        Source(
            "http://dl.caffe.berkeleyvision.org/bvlc_googlenet.caffemodel",
            "sha1:405fc5acd08a3bb12de8ee5e23a96bec22f08204",
        ),
    ),
    **{
        name: (Source(f"{_OPENAI}/{digest}/{name}.pt", f"sha256:{digest}"),)
        for name, digest in _CLIP.items()
    },
}

OTHER_FILES = {"inceptionv1": ("tensorflow_inception_graph.pb",)}
"""Names of published files that are found in the folder and not downloaded: this one is in an
archive, whose fingerprint is not known."""


@dataclass(frozen=True, repr=False)
class Checkpoint:
    """A file of a network's parameters.

    Attributes
    ----------
    path
        The file.
    digest
        The beginning of its SHA-256, where that is known: for files in the cache.

    Examples
    --------
    >>> Checkpoint(Path("weights") / "bvlc_googlenet.safetensors")
    Checkpoint('bvlc_googlenet.safetensors')
    """

    path: Path
    digest: str = ""

    def __repr__(self) -> str:
        return f"Checkpoint({self.path.name!r})"

    @cached_property
    def sha256(self) -> str:
        """The file's SHA-256, for a result's provenance; computed once."""
        return fingerprint(self.path).removeprefix("sha256:")

    def parameters(self, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Read the parameters under the names, shapes and dtypes of a module's `state_dict()`.

        Raises
        ------
        InputError
            As `tensors`, and where the file is for another network.
        """
        self._verify()
        return read_parameters(self.path, like)

    def copy_to(self, module: nn.Module) -> None:
        """Copy the parameters into a module.

        Raises
        ------
        InputError
            As `parameters`.
        """
        state = module.state_dict()
        parameters = self.parameters(state)
        # Not `load_state_dict`: MNASNet's asks for a version that tensors alone do not carry.
        with torch.no_grad():
            for key, tensor in state.items():
                tensor.copy_(parameters[key])

    def tensors(self) -> dict[str, Tensor]:
        """Read all tensors of the file, under their names in it.

        Raises
        ------
        InputError
            Where the file has changed since it was written to the cache, or is damaged.
        """
        self._verify()
        return read_tensors(self.path)

    def _verify(self) -> None:
        if not self.sha256.startswith(self.digest):
            raise InputError(
                f"{self.path} is not the file that was written there, it was truncated or changed "
                f"since (SHA-256 {self.sha256}); delete it and it is downloaded again"
            )


def obtain(name: str, *, path: str | Path | None = None) -> Checkpoint:
    """Find a network's checkpoint, or download it.

    Parameters
    ----------
    name
        The network's, such as `bvlc_googlenet`.
    path
        The only file to use.

    Raises
    ------
    InputError
        Where it is neither found nor can be downloaded, with the folders that were searched and
        how to get it.
    """
    return find(name, path=path) or fetch(name)


def find(name: str, *, path: str | Path | None = None) -> Checkpoint | None:
    """Find a network's checkpoint at `path`, else in two folders, without opening it.

    The folders are the one that the environment variable `VISIONCIRCUITS_CHECKPOINTS` names,
    with `NAME` in any format, a folder `NAME` with a file as on Hugging Face's hub, or a public
    file under its published name, and the user's cache.

    Raises
    ------
    InputError
        Where `path` is not a file or the variable does not name a folder.

    Examples
    --------
    >>> find("a_network_nobody_trained") is None
    True
    """
    if path is not None:
        path = Path(path).expanduser()
        if not path.is_file():
            raise InputError(f"there is no checkpoint file {path}")
        return Checkpoint(path)
    return next(_found(name), None)


def _found(name: str) -> Iterator[Checkpoint]:
    if folder := _folder():
        for file_name in _file_names(name):
            if (folder / file_name).is_file():
                yield Checkpoint(folder / file_name)
    for path in sorted(cache().glob("*.safetensors")):
        if match := re.fullmatch(re.escape(name) + "-([0-9a-f]{16})", path.stem):
            yield Checkpoint(path, digest=match[1])


def _folder() -> Path | None:
    named = variable(FOLDER)
    if named is None:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise InputError(f"{FOLDER} names {folder}, which is not a folder; correct it or unset it")
    return folder


def _file_names(name: str) -> tuple[str, ...]:
    published = (source.file_name for source in SOURCES.get(name, ()))
    hub = (f"{name}/{file}" for file in HUB_FILES)
    others = OTHER_FILES.get(name, ())
    stored = (name + suffix for suffix in FORMATS)
    return tuple(dict.fromkeys([*stored, *hub, *published, *others]))


def offline() -> bool:
    """Check whether the environment variable `VISIONCIRCUITS_OFFLINE` forbids downloads."""
    return variable(OFFLINE) not in (None, "0")


def cache() -> Path:
    """Return the user's folder of downloaded checkpoints, which need not exist yet."""
    return Path(platformdirs.user_cache_dir("visioncircuits")) / "checkpoints"


def fetch(name: str) -> Checkpoint:
    """Download a network's checkpoint, verify it and keep it in the cache as safetensors.

    Its public `SOURCES` are tried in turn. The file in the cache has the beginning of its own
    SHA-256 in its name, so that changes are detected, and appears whole or not at all, however
    many processes fetch at once. Progress is shown on standard error.

    Raises
    ------
    InputError
        Where no source is known or reachable, with the sources and their errors as its note;
        where downloads are forbidden by the environment variable `VISIONCIRCUITS_OFFLINE`, or the
        cache cannot be written.
    """
    missing = (
        f"no checkpoint of {name!r} in the folder that {FOLDER} names "
        f"({variable(FOLDER) or 'not set'}) or in {cache()}"
    )
    sources = SOURCES.get(name)
    if not sources:
        raise InputError(f"{missing}, and no public one is known; name a file")
    by_hand = (
        "download one by hand (`visioncircuits networks --verbose` lists addresses) and put it "
        f"into a folder that {FOLDER} names"
    )
    if offline():
        raise InputError(f"{missing}, and {OFFLINE} forbids downloads; {by_hand}")
    _prepare(cache())
    failures = []
    for source in sources:
        try:
            return _keep(name, _published(source), source)
        except Unavailable as reason:
            failures.append(f"{source.url} ({reason})")
    error = InputError(f"{missing}, and none could be downloaded; {by_hand}")
    error.add_note("\n".join(failures))
    raise error


def _published(source: Source) -> dict[str, Tensor]:
    """Download a source's parameters, under this library's names."""
    if source.file_name.endswith(".onnx") and importlib.util.find_spec("onnx") is None:
        raise Unavailable("reading it needs `pip install visioncircuits[onnx]`")
    with tempfile.TemporaryDirectory(prefix="visioncircuits-") as scratch:
        path = download(source, Path(scratch))
        return renamed(read_tensors(path), path)


def _keep(name: str, parameters: Mapping[str, Tensor], source: Source) -> Checkpoint:
    # One key alone: safetensors writes several in an order that changes from run to run.
    origin = {"source": f"{source.url} {source.fingerprint}"}
    data = save({key: value.contiguous() for key, value in parameters.items()}, metadata=origin)
    digest = hashlib.sha256(data).hexdigest()[:16]
    path = cache() / f"{name}-{digest}.safetensors"
    part = path.with_name(f".{path.name}-{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise _unwritable(path.parent, error) from error
    finally:
        part.unlink(missing_ok=True)
    return Checkpoint(path, digest=digest)


def _prepare(folder: Path) -> None:
    """Check that `folder` can be written before anything is downloaded."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> InputError:
    return InputError(
        f"checkpoints cannot be kept in {folder} ({error.strerror or error}); make room there, or "
        f"put a checkpoint into a folder that {FOLDER} names"
    )
