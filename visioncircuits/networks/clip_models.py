"""CLIP's convolutional image encoders, by open_clip: modules, preprocessing and parameters.

Sources: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision"
(2021); Goh et al., "Multimodal Neurons in Artificial Neural Networks" (Distill, 2021).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from visioncircuits import errors
from visioncircuits.errors import InputError
from visioncircuits.networks import checkpoints
from visioncircuits.networks.checkpoints import Checkpoint
from visioncircuits.networks.clip_text import TextEncoder
from visioncircuits.networks.conversion import conformed
from visioncircuits.networks.features import Direction, Feature
from visioncircuits.networks.names import CLIP
from visioncircuits.networks.network import Network, prepared
from visioncircuits.networks.preprocessing import Preprocessing

PUBLISHED = ("RN50", "RN101", "RN50x4", "RN50x16", "RN50x64")
"""Those of which OpenAI published parameters."""

IMAGES = "visual."
"""What names of the image encoder's parameters begin with, in a file of a whole model."""

QUICK = "-quickgelu"
"""How open_clip marks a text encoder whose activation is OpenAI's approximation of GELU."""


@dataclass(eq=False, repr=False)
class ClipNetwork(Network):
    """An image encoder like any other network, with a direction for any text.

    Its output is the embedding, `(batch, embedding)`: of a ResNet the layer `attnpool`. The feature
    `text:a photo of a dog` is the text's embedding, of length 1, as a direction in it. Its
    activation is their dot product, as of any direction: the cosine similarity of picture and
    text, by which CLIP classifies, times the length of the picture's embedding. A picture that
    maximizes it may owe some to that length; `featurevis.objectives.direction` with a
    `cosine_power` favors the cosine.

    The attention pool adds a learned vector to each position, so that it needs as many positions
    as there are at the stated size, and other sizes are refused; layers before it take any.

    Attributes
    ----------
    texts
        The text encoder. It runs on the CPU, and is loaded with the first text.
    """

    texts: TextEncoder | None = field(default=None, kw_only=True)

    @property
    def output(self) -> str:
        """The layer of the embedding."""
        *_, last = dict(self.module.named_children())
        return last

    def _described(self, text: str) -> Feature:
        if self.texts is None:
            return super()._described(text)
        return Direction(self.output, self.texts.embedding(text), name=text)


def names() -> list[str]:
    """List the convolutional image encoders of open_clip: OpenAI's ResNets, and ConvNeXts.

    Raises
    ------
    InputError
        Where open_clip is not installed.

    Examples
    --------
    >>> names()[:5], "convnext_base_w" in names()
    (['RN50', 'RN101', 'RN50x4', 'RN50x16', 'RN50x64'], True)
    """
    listed = _open_clip().list_models()
    return [*PUBLISHED, *(name for name in listed if name.startswith("convnext"))]


def load(name: str, *, path: str | Path | None = None) -> ClipNetwork:
    """Load an image encoder from a file, or with OpenAI's parameters.

    Parameters
    ----------
    name
        One of `names()`. Of a ResNet, the text encoder's activation is QuickGELU, as in all that
        are published; the image encoder's is ReLU.
    path
        A checkpoint to use instead of one that would be found or downloaded: OpenAI's own, a
        TorchScript archive of which no code is run, or a state dict of open_clip, of the whole
        model or of the image encoder alone. A file with the name that OpenAI gave it must be
        OpenAI's.

    Raises
    ------
    InputError
        For an unknown name, a file that is damaged, of another network, or not the one that OpenAI
        published under its name; where parameters are neither found nor can be downloaded, or
        open_clip is not installed.
    """
    config = _config(name)
    checkpoint = checkpoints.obtain(name, path=path)
    _check_published(name, checkpoint)
    with torch.device("meta"):
        module = _image_encoder(config)
    found = conformed(_images(checkpoint.tensors()), module.state_dict(), checkpoint.path)
    module.load_state_dict(found, assign=True)
    texts = TextEncoder(name, config, checkpoint=checkpoint)
    return _network(f"{CLIP}:{name}", module, config, texts, checkpoint)


def untrained(name: str) -> ClipNetwork:
    """Build an image encoder, its parameters and its text encoder's drawn from torch's generator.

    The last normalization of a block has the scale 1, torch's. With open_clip's, 0, a block passes
    on its input alone: nothing that it computes would count.

    Raises
    ------
    InputError
        For an unknown name, or where open_clip is not installed.
    """
    config = _config(name)
    module = _image_encoder(config)
    for path, child in module.named_modules():
        if path.endswith("bn3"):
            nn.init.ones_(child.weight)
    texts = TextEncoder(name, config, seed=torch.initial_seed())
    return _network(f"untrained {CLIP}:{name}", module, config, texts)


def _network(
    name: str,
    module: nn.Module,
    config: Mapping[str, Any],
    texts: TextEncoder,
    checkpoint: Checkpoint | None = None,
) -> ClipNetwork:
    clip = _open_clip()
    return ClipNetwork(
        prepared(module),
        Preprocessing(mean=clip.OPENAI_DATASET_MEAN, std=clip.OPENAI_DATASET_STD),
        name=name,
        size=config["vision_cfg"]["image_size"],
        checkpoint=checkpoint,
        texts=texts,
    )


def _open_clip() -> Any:
    """Return open_clip; importing it takes seconds."""
    try:
        import open_clip
    except ImportError as error:
        raise InputError("networks of CLIP need `pip install visioncircuits[clip]`") from error
    return open_clip


def _config(name: str) -> dict[str, Any]:
    if name not in names():
        raise errors.unknown("image encoder of CLIP", name, names())
    get = _open_clip().get_model_config
    return {"quick_gelu": False, **(get(name + QUICK) or get(name))}


def _image_encoder(config: Mapping[str, Any]) -> nn.Module:
    from open_clip.model import _build_vision_tower  # nothing public builds one tower

    module: nn.Module = _build_vision_tower(config["embed_dim"], config["vision_cfg"])
    return module


def _images(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Select the image encoder's parameters; those of a file without a text encoder are all."""
    bare = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    own = {name.removeprefix(IMAGES): bare[name] for name in bare if name.startswith(IMAGES)}
    return own or bare


def _check_published(name: str, checkpoint: Checkpoint) -> None:
    """Check that a file with the name of OpenAI's is OpenAI's."""
    for source in checkpoints.SOURCES.get(name, ()):
        expected = source.fingerprint.removeprefix("sha256:")
        if checkpoint.path.name == source.file_name and checkpoint.sha256 != expected:
            raise InputError(
                f"{checkpoint.path} is not the file that OpenAI published as {source.file_name}: "
                f"its SHA-256 is {checkpoint.sha256}, not {expected}; get it again from "
                f"{source.url}, or rename it if it is your own"
            )
