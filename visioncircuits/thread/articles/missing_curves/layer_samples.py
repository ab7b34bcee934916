"""The layer on photographs, as dictionaries are fitted to it."""

import io
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.thread import Study

EACH = 100
"""Positions of a photograph."""


class LayerSamples(NamedTuple):
    """Activations at random positions; those held out are of other photographs."""

    training: Float[Tensor, "samples units"]
    held_out: Float[Tensor, "held_out units"]

    def mapped(self, change: Float[np.ndarray, "units units"]) -> "LayerSamples":
        """Return the same of a layer that is computed linearly from this one."""
        by = torch.from_numpy(change.T).float()
        return LayerSamples(*(values @ by for values in self))

    def shuffled(self, rng: np.random.Generator) -> "LayerSamples":
        """Shuffle the activations of each unit on its own."""
        return LayerSamples(
            *(torch.from_numpy(rng.permuted(values.numpy(), axis=0)) for values in self)
        )


def layer_samples(study: Study) -> LayerSamples:
    """Draw positions of photographs; a tenth of the photographs is held out."""
    layer, count = study.layer("mixed3b"), study.of(400, quick=96)

    def make() -> bytes:
        rng = study.rng("positions")
        rows: list[np.ndarray] = []
        for batch in study.batches(count):
            with torch.inference_mode():
                maps = study.network.activations(batch, [layer])[layer].flatten(2).cpu().numpy()
            each = min(EACH, maps.shape[2])
            rows += [
                picture[:, rng.choice(picture.shape[1], each, replace=False)].T for picture in maps
            ]
        buffer = io.BytesIO()
        np.save(buffer, np.stack(rows).astype(np.float32))
        return buffer.getvalue()

    kept = study.kept(f"samples of {layer} in {count}", "npy", make)
    drawn = torch.from_numpy(np.load(io.BytesIO(kept)))
    held = max(len(drawn) // 10, 1)
    return LayerSamples(drawn[held:].flatten(0, 1), drawn[:held].flatten(0, 1))
