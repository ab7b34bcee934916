"""CLIP's text encoder, by open_clip: a text's direction in the space of embedded images."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.networks.checkpoints import Checkpoint
from visioncircuits.networks.conversion import conformed


@dataclass(frozen=True, eq=False)
class TextEncoder:
    """The text encoder of a model; its parameters are read or drawn when a text is first embedded.

    Attributes
    ----------
    name
        The model's, for its tokenizer.
    config
        Of open_clip.
    checkpoint
        Of the whole model; without one, parameters are drawn.
    seed
        What they are drawn from.
    """

    name: str
    config: Mapping[str, Any]
    checkpoint: Checkpoint | None = None
    seed: int = 0

    def embedding(self, text: str) -> Float[Tensor, " embedding"]:
        """Return a text's embedding, of length 1.

        Raises
        ------
        InputError
            For a text that is too long, or a checkpoint without a text encoder.
        """
        import open_clip  # an extra, whose import takes seconds

        tokenizer = open_clip.get_tokenizer(self.name)
        most = self.config["text_cfg"]["context_length"]
        count = len(tokenizer.encode(text)) + 2  # its start and its end
        if count > most:
            raise InputError(f"the text {text!r} has {count} tokens, and CLIP reads {most} at most")
        with torch.no_grad():
            embedding: Tensor = F.normalize(self._module(tokenizer([text])))[0]
        return embedding

    @cached_property
    def _module(self) -> nn.Module:
        from open_clip.model import _build_text_tower  # nothing public builds one tower

        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self.seed)
            module: nn.Module = _build_text_tower(
                self.config["embed_dim"], self.config["text_cfg"], self.config["quick_gelu"]
            )
        if self.checkpoint is not None:
            like, path = module.state_dict(), self.checkpoint.path
            found = {
                name: tensor
                for full, tensor in self.checkpoint.tensors().items()
                if (name := full.removeprefix("module.")) in like
            }
            if not found:
                raise InputError(
                    f"{path} holds no text encoder; name a checkpoint of the whole model to use "
                    "texts"
                )
            module.load_state_dict(conformed(found, like, path))
        return module.eval().requires_grad_(False)
