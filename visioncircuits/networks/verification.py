"""Comparing a network's activations and classes with known ones, to verify its checkpoint."""

import json
import math
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks.accuracy import accuracy
from visioncircuits.networks.checks import Check, Verification
from visioncircuits.networks.edits import Replacement
from visioncircuits.networks.graph import INPUT
from visioncircuits.networks.inceptionv1 import MODULES
from visioncircuits.networks.network import Network

if TYPE_CHECKING:  # datasets import this folder
    from visioncircuits.datasets import Source

CAFFE_INPUT = "input_bgr_minus_mean"
CAFFE_STAGES = {
    "conv1/7x7_s2": "conv2d0",
    "pool1/norm1": "localresponsenorm0",
    "conv2/3x3": "conv2d2",
    "pool2/3x3_s2": "maxpool1",
    **{f"inception_{name}": f"mixed{name}" for name in MODULES},
    "loss3/classifier": "logits",
}

# Captum's published notebook: the mixed3a units with the strongest expanded weights into
# mixed3b:379 of inception5h.
STRONGEST_INPUTS_OF_379 = {95, 145, 147, 116, 77, 176, 187, 189, 87, 92}


def verify(
    network: Network,
    *,
    published: str | Path | None = None,
    photographs: "Source | None" = None,
    progress: bool = False,
) -> Verification:
    """Compare what a network computes with known activations, and classes of photographs.

    Parameters
    ----------
    network
        Loaded from a checkpoint.
    published
        A folder with `golden_activations/`: photographs `X.jpeg` and activations of a layer of
        this network for them, `X_LAYER_activations.npy`, `(1, rows, columns, units)`.
    photographs
        At least 20, with classes, as `datasets.photographs` takes them: of a classifier, whether
        it is right more often than by chance. Where it is not, its preprocessing or the order of
        its classes is wrong; a smaller mistake of the preprocessing is not found.
    progress
        Whether to show how many photographs are done, on standard error.

    Returns
    -------
    Verification
        Against `published` where given; else against `NAME_reference_activations.npz` beside the
        checkpoint, where it exists; else against a few numbers that are part of the library, where
        there are any or no photographs. And against the photographs.

    Raises
    ------
    InputError
        Where there is nothing to compare with, or it cannot be read.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> verify(untrained("bvlc_googlenet"))
    Traceback (most recent call last):
    visioncircuits.errors.InputError: there is no reference to verify untrained bvlc_googlenet ...
    """
    against, checks = _activations(network, published)
    if photographs is not None:
        named = str(photographs) if isinstance(photographs, str | Path) else "photographs"
        against = f"{against} and {named}" if checks else named
        checks = (*checks, accuracy(network, photographs, named, progress=progress))
    if not checks:
        raise InputError(
            f"there is no reference to verify {network.name} against; put "
            f"{_file_name(network)} beside its checkpoint, or give photographs with classes"
        )
    return Verification(network.name, against, checks)


def _activations(network: Network, published: str | Path | None) -> tuple[str, tuple[Check, ...]]:
    """Return the reference of activations and the comparisons with it; none without one."""
    if published is not None:
        folder = Path(published) / "golden_activations"
        checks = tuple(_golden(network, folder))
        if not checks:
            raise InputError(f"{folder} has no photograph with activations to compare with")
        return str(folder), (*checks, *_published_lists(network))
    if (reference := _reference_file(network)) is not None:
        return str(reference), tuple(_reference(network, reference))
    return "the library's own fingerprint", (*_published_lists(network), *_fingerprint(network))


def _error(found: Tensor, expected: Tensor) -> float:
    """Return the largest difference, relative to the largest expected value."""
    if found.shape != expected.shape:
        return float("inf")
    return ((found - expected).abs().max() / expected.abs().max()).item()


def _file_name(network: Network) -> str:
    return f"{network.name.rpartition(':')[2]}_reference_activations.npz"


def _reference_file(network: Network) -> Path | None:
    if network.checkpoint is None:
        return None
    path = network.checkpoint.path.parent / _file_name(network)
    return path if path.exists() else None


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} cannot be read ({error or type(error).__name__}); get it again")


def _reference(network: Network, path: Path) -> Iterator[Check]:
    """Compare with Caffe's own activations, stage by stage."""
    try:
        with path.open("rb") as file, np.load(file) as archive:
            stored = {name: torch.from_numpy(value) for name, value in archive.items()}
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise _unreadable(path, error) from error
    layers = {CAFFE_STAGES.get(stage, stage): stage for stage in stored}
    layers = {layer: stage for layer, stage in layers.items() if layer in network.layers}
    if CAFFE_INPUT not in stored or not layers:
        raise InputError(
            f"{path} does not hold {CAFFE_INPUT} and activations of layers of {network.name}"
        )
    inputs = stored[CAFFE_INPUT].to(network.device)[None]
    with torch.no_grad():
        found = network.activations(
            inputs / 255, list(layers), changes=[Replacement(INPUT, inputs)]
        )
    for layer, stage in layers.items():
        yield Check(layer, _error(found[layer][0].cpu(), stored[stage]), 1e-4)


def _golden(network: Network, folder: Path) -> Iterator[Check]:
    for path in sorted(folder.glob("*_activations.npy")):
        photograph, _, layer = path.name.removesuffix("_activations.npy").rpartition("_")
        try:
            with Image.open(folder / f"{photograph}.jpeg") as image:
                pixels = np.asarray(image.convert("RGB"))
            expected = torch.from_numpy(np.load(path)).permute(0, 3, 1, 2)
        except (OSError, ValueError, TypeError, EOFError, RuntimeError) as error:
            raise _unreadable(path, error) from error
        picture = torch.tensor(pixels).permute(2, 0, 1)[None] / 255
        with torch.no_grad():
            found = network.activations(picture, [layer])[layer].cpu()
        # Decoders of JPEG differ by a gray level in places.
        yield Check(f"{layer} of {photograph}", _error(found, expected), 2e-2)


def _published_lists(network: Network) -> Iterator[Check]:
    if network.name != "inceptionv1":
        return
    parameters = network.module.state_dict()
    kernel = parameters["mixed3b_5x5_pre_relu.weight"][379 - 320]
    bottleneck = parameters["mixed3b_5x5_bottleneck_pre_relu.weight"][..., 0, 0]
    norms = torch.einsum("byx,bi->iyx", kernel, bottleneck).flatten(1).norm(dim=1)
    strongest = set(norms.topk(10).indices.tolist())
    yield Check(
        "strongest mixed3a inputs of mixed3b:379 that differ from the published ten",
        len(STRONGEST_INPUTS_OF_379 - strongest),
        0,
    )


def fingerprint_picture(size: int = 96) -> Float[Tensor, "1 3 size size"]:
    """Draw the picture of three crossed waves that fingerprints are computed on."""
    at = torch.arange(size, dtype=torch.float64)
    y, x = torch.meshgrid(at, at, indexing="ij")
    waves = [torch.cos(0.11 * x * (c + 1) + 0.07 * y * (3 - c)) for c in range(3)]
    return (0.5 + 0.5 * torch.stack(waves)).float()[None]


def summary(value: Float[Tensor, "1 units ..."]) -> tuple[float, float, float]:
    """Summarize a layer in three numbers that change when any one unit does.

    Two are the units' means over positions, weighted by cosine and sine of the unit's number; the
    third is the norm of the means, to relate differences to.

    Examples
    --------
    >>> summary(torch.tensor([[3.0, 0.0]]))
    (3.0, 0.0, 3.0)
    """
    means = value[0].double().flatten(1).mean(1) if value.ndim > 2 else value[0].double()
    turns = torch.arange(len(means), device=means.device)
    return (
        (means * turns.cos()).sum().item(),
        (means * turns.sin()).sum().item(),
        means.norm().item(),
    )


def _fingerprint(network: Network) -> Iterator[Check]:
    """Compare the `summary` of layers on `fingerprint_picture`."""
    known = json.loads((files(__package__) / "fingerprints.json").read_text("utf-8"))
    expected = known.get(network.name, {})
    if not expected:
        return
    with torch.no_grad():
        found = network.activations(fingerprint_picture(), list(expected))
    for layer, (even, odd, norm) in expected.items():
        cosine, sine, _ = summary(found[layer])
        yield Check(layer, math.hypot(cosine - even, sine - odd) / norm, 1e-4)
