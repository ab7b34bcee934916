"""Linear probes: the direction in a layer that separates photographs of two kinds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from visioncircuits.datasets import Photograph
from visioncircuits.networks import Network
from visioncircuits.networks.fixed_parameters import parameters_fixed
from visioncircuits.networks.memory import freed_memory_kept
from visioncircuits.progress import Advance, no_progress

FOLDS = 5
"""Parts of the photographs; each is held out once."""

STRENGTH = 0.1
"""The inverse of regularization, scikit-learn's `C`."""


@dataclass(frozen=True, eq=False)
class Probe:
    """A hyperplane in a layer, and how well it separates photographs it was not fitted on.

    Attributes
    ----------
    weights
        `(units,)`, of length 1.
    offset
        Added to the dot product with them, which then is positive for the first kind.
    accuracy
        Mean of the accuracies for either kind, so that chance is .5.
    """

    weights: Float[np.ndarray, " units"]
    offset: float
    accuracy: float

    def inside(self, values: Float[np.ndarray, "photographs units"]) -> Bool[np.ndarray, "_"]:
        """Return whether each photograph is of the first kind."""
        return np.asarray(values @ self.weights + self.offset > 0)


def pooled(
    network: Network,
    layers: Sequence[str],
    photographs: Iterable[Photograph],
    *,
    batch: int = 16,
    skipped: list[str] | None = None,
    advance: Advance = no_progress,
) -> dict[str, Float[np.ndarray, "photographs _"]]:
    """Return layers' activations, averaged over all positions of each photograph.

    Photographs that cannot be read are left out; their reasons are appended to `skipped`.
    """
    pending: list[Tensor] = []
    found = {layer: [np.zeros((0, network.layer(layer).units), np.float32)] for layer in layers}

    def settle() -> None:
        with torch.inference_mode():
            maps = network.activations(torch.stack(pending), layers)
        for layer, values in maps.items():
            means = values.reshape(*values.shape[:2], -1).mean(2)
            found[layer].append(means.float().cpu().numpy())
        pending.clear()

    with freed_memory_kept(), parameters_fixed():
        for photograph in photographs:
            if photograph.pixels is not None:
                pending.append(photograph.pixels)
            elif skipped is not None:
                skipped.append(photograph.problem)
            if len(pending) == batch:
                settle()
            advance(1)
        if pending:
            settle()
    return {layer: np.concatenate(parts) for layer, parts in found.items()}


def probe(
    inside: Float[np.ndarray, "photographs units"],
    outside: Float[np.ndarray, "others units"],
    *,
    seed: int = 0,
) -> Probe:
    """Fit a logistic regression in which both kinds count the same, whatever their numbers.

    Activations are divided by one number, their root mean square over the layer, so that one
    strength of regularization (L2) suits all layers. Units keep their scale: one that hardly
    activates gets no large weight, as it would if each were standardized.

    Parameters
    ----------
    inside, outside
        Activations of either kind, of at least two photographs.
    seed
        Of the parts that are held out.
    """
    # scikit-learn takes a second to import, which only this needs
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    values = np.concatenate([inside, outside]).astype(np.float64)
    scale = float(np.sqrt((values**2).mean())) or 1.0
    kinds = np.repeat([1, 0], [len(inside), len(outside)])
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=2000)
    parts = StratifiedKFold(min(FOLDS, *np.bincount(kinds)), shuffle=True, random_state=seed)
    scores = cross_val_score(model, values / scale, kinds, cv=parts, scoring="balanced_accuracy")
    model.fit(values / scale, kinds)
    length = float(np.linalg.norm(model.coef_[0])) or 1.0
    return Probe(
        model.coef_[0] / length, float(model.intercept_[0]) * scale / length, float(scores.mean())
    )
