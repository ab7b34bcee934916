"""The names of InceptionV1's parameters in other libraries, and their conversion to ours.

Sources: Google's graph of inception5h, `tensorflow_inception_graph.pb`; lucent's and captum.optim's
definitions of the network; Caffe's `bvlc_googlenet`, and the ONNX model zoo's `googlenet-12.onnx`,
which was made from the latter.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks.formats import read_tensors
from visioncircuits.networks.inceptionv1 import MODULES


@dataclass(frozen=True)
class Naming:
    """How a library names the parameters of InceptionV1.

    Attributes
    ----------
    stem
        The three convolutions before the first inception module.
    module
        A convolution in an inception module, with the fields `{module}` and `{branch}`.
    branches
        The six convolutions of an inception module, in the order of `OURS`.
    logits
        The linear layer.
    weight, bias
        Suffixes of a layer's name for its two parameters.
    auxiliary
        Prefixes of the names of the classifiers that were used in training alone.
    """

    stem: tuple[str, str, str]
    module: str
    branches: tuple[str, str, str, str, str, str]
    logits: str
    weight: str = ".weight"
    bias: str = ".bias"
    auxiliary: tuple[str, ...] = ()

    def parameters(self) -> tuple[str, ...]:
        """List the names of all 116 parameters, in the same order in every naming.

        Examples
        --------
        >>> place = CAFFE.parameters().index("inception_3b/pool_proj.weight")
        >>> OURS.parameters()[place]
        'mixed3b_pool_reduce_pre_relu.weight'
        """
        modules = (
            self.module.format(module=module, branch=branch)
            for module in MODULES
            for branch in self.branches
        )
        layers = (*self.stem, *modules, self.logits)
        return tuple(layer + kind for layer in layers for kind in (self.weight, self.bias))


OURS = Naming(
    stem=("conv2d0_pre_relu", "conv2d1_pre_relu", "conv2d2_pre_relu"),
    module="mixed{module}_{branch}_pre_relu",
    branches=("1x1", "3x3_bottleneck", "3x3", "5x5_bottleneck", "5x5", "pool_reduce"),
    logits="logits",
)
GOOGLE = replace(
    OURS,
    stem=("conv2d0", "conv2d1", "conv2d2"),
    module="mixed{module}_{branch}",
    logits="softmax2",
    weight="_w",
    bias="_b",
    auxiliary=("head0_", "head1_", "nn0_", "nn1_", "softmax0_", "softmax1_"),
)
LUCENT = replace(
    OURS,
    stem=("conv2d0_pre_relu_conv", "conv2d1_pre_relu_conv", "conv2d2_pre_relu_conv"),
    module="mixed{module}_{branch}_pre_relu_conv",
    logits="softmax2_pre_activation_matmul",
    auxiliary=GOOGLE.auxiliary,
)
CAPTUM = Naming(
    stem=("conv1", "conv2", "conv3"),
    module="mixed{module}.{branch}",
    branches=(
        "conv_1x1",
        "conv_3x3_reduce",
        "conv_3x3",
        "conv_5x5_reduce",
        "conv_5x5",
        "pool_proj",
    ),
    logits="fc",
    auxiliary=("aux1.", "aux2."),
)
CAFFE = Naming(
    stem=("conv1/7x7_s2", "conv2/3x3_reduce", "conv2/3x3"),
    module="inception_{module}/{branch}",
    branches=("1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_proj"),
    logits="loss3/classifier",
    auxiliary=("loss1/", "loss2/"),
)
ONNX = replace(CAFFE, weight="_w_0", bias="_b_0")
NAMINGS = (OURS, GOOGLE, LUCENT, CAPTUM, CAFFE, ONNX)

WRAPPERS = ("module.", "model.", "_orig_mod.")
"""What all names begin with after DataParallel, in a module of the training's, after compiling."""


def read_parameters(path: Path, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read a checkpoint's parameters under the names of a module.

    Parameters
    ----------
    path
        A file in any of `formats.FORMATS`. An InceptionV1 may use any of `NAMINGS`; another
        network must use the module's names, all of which may begin with one of `WRAPPERS`.
    like
        The module's `state_dict()`, of which only names, shapes and dtypes are used; its tensors
        may be on the meta device.

    Returns
    -------
    dict
        Exactly the names of `like`, each with its shape and dtype.

    Raises
    ------
    InputError
        Where the file is damaged, or a parameter is missing, unknown or of another shape.
    """
    return conformed(renamed(unwrapped(read_tensors(path), like), path), like, path)


def conformed(
    tensors: Mapping[str, Tensor], like: Mapping[str, Tensor], path: Path
) -> dict[str, Tensor]:
    """Return exactly the tensors of a module's `state_dict()`, checked; `path` is their file.

    Raises
    ------
    InputError
        Where a parameter is missing, unknown or of another shape.

    Examples
    --------
    >>> like = {"weight": torch.zeros(4)}
    >>> conformed({"weights": torch.zeros(4)}, like, Path("net.pth"))
    Traceback (most recent call last):
    visioncircuits.errors.InputError: net.pth is for another network: it lacks 'weight', and ...
    """
    # How long batch normalization was trained: missing in torchvision's own files, and not used in
    # evaluation.
    counters = {
        name: torch.zeros_like(tensor, device="cpu")
        for name, tensor in like.items()
        if name.endswith("num_batches_tracked")
    }
    found = counters | dict(tensors)
    _check_names(found, like, path)
    for name, expected in like.items():
        if found[name].shape != expected.shape:
            raise InputError(
                f"{path} is for another network: {name!r} has the shape "
                f"{tuple(found[name].shape)} and should have {tuple(expected.shape)}"
            )
    return {name: found[name].to(expected.dtype) for name, expected in like.items()}


def renamed(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Rename an InceptionV1's tensors to our names, without its auxiliary classifiers.

    A naming is recognized where most of its names are present; tensors in none of them, those of
    another network, keep their names. `path` is their file, for the message.

    Raises
    ------
    InputError
        Where a parameter of the naming is missing, or one is not part of it.

    Examples
    --------
    >>> lucent = {name: torch.zeros(1) for name in LUCENT.parameters()}
    >>> next(iter(renamed(lucent, Path("inception5h.pth"))))
    'conv2d0_pre_relu.weight'
    """
    for naming in NAMINGS:
        names = naming.parameters()
        if 2 * sum(name in tensors for name in names) > len(names):
            kept = [name for name in tensors if not name.startswith(naming.auxiliary)]
            _check_names(kept, names, path)
            return {
                ours: tensors[theirs] for ours, theirs in zip(OURS.parameters(), names, strict=True)
            }
    return dict(tensors)


def unwrapped(tensors: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Remove from all names what a wrapper began them with, unless the network's begin so too.

    Examples
    --------
    >>> list(unwrapped({"module.weight": torch.zeros(4)}, {"weight": torch.zeros(4)}))
    ['weight']
    """
    for wrapper in WRAPPERS:
        own = any(name.startswith(wrapper) for name in like)
        if not own and all(name.startswith(wrapper) for name in tensors):
            short = {name.removeprefix(wrapper): tensor for name, tensor in tensors.items()}
            return unwrapped(short, like)
    return tensors


def _check_names(found: Collection[str], expected: Collection[str], path: Path) -> None:
    missing = _others(expected, set(found))
    unknown = _others(found, set(expected))
    if missing and unknown:
        raise InputError(
            f"{path} is for another network: it lacks {_few(missing)}, and this network has no "
            f"{_few(unknown)}"
        )
    if missing:
        raise InputError(
            f"{path} is not a complete checkpoint of this network: it lacks {_few(missing)}"
        )
    if unknown:
        raise InputError(f"{path} is for another network: this one has no {_few(unknown)}")


def _others(names: Collection[str], known: set[str]) -> list[str]:
    return [name for name in names if name not in known]


def _few(names: list[str]) -> str:
    more = len(names) - 1
    return repr(names[0]) + (f" and {more} other parameter{'s' * (more > 1)}" if more else "")
