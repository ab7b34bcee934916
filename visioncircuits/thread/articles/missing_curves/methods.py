"""The dictionaries of the article, and whether each converged."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from visioncircuits.dictionaries import Dictionary, Grassmannian, Method, Settings, TopK, nmf, train
from visioncircuits.thread import Study
from visioncircuits.thread.articles.missing_curves.layer_samples import LayerSamples

Fit = Callable[[Study, LayerSamples, int], Dictionary]
"""From samples and a seed to a dictionary of the layer."""

CODES, BLOCK = 16, 4
"""Codes in use for a sample, by every sparse method; how many of them are a block."""


def trained(method: Method, study: Study, drawn: LayerSamples, seed: int) -> Dictionary:
    """Train a sparse autoencoder of as many atoms as units."""
    units = drawn.training.shape[1]
    atoms = min(units, study.of(units, quick=80)) // method.block_size * method.block_size
    settings = Settings(steps=study.of(2400, quick=120), batch=256, rate=1e-2, seed=seed)
    layer = study.layer("mixed3b")
    return train(
        drawn.training, layer, method, atoms=atoms, settings=settings, held_out=drawn.held_out
    )


def topk(study: Study, drawn: LayerSamples, seed: int) -> Dictionary:
    """Train a TopK autoencoder."""
    return trained(TopK(CODES), study, drawn, seed)


def blocks(study: Study, drawn: LayerSamples, seed: int) -> Dictionary:
    """Train a block-sparse autoencoder whose blocks are subspaces."""
    return trained(Grassmannian(CODES // BLOCK, BLOCK), study, drawn, seed)


def factors(study: Study, drawn: LayerSamples, seed: int) -> Dictionary:
    """Factorize some of the samples by NMF, a third as many atoms as units.

    The samples are others for each seed: the start is not random.
    """
    most, units = study.of(8000, quick=1500), drawn.training.shape[1]
    some = drawn.training[seed::2][:most]
    atoms, layer = study.of(units // 3, quick=40), study.layer("mixed3b")
    return nmf(some, layer, atoms=atoms, normalization="units", tolerance=1e-3)


METHODS: Mapping[str, Fit] = MappingProxyType({"TopK": topk, "NMF": factors})
"""Those whose single atoms may be features."""


def unconverged(*dictionaries: Dictionary) -> str:
    """Return a sentence on those that did not converge; empty where all did.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.dictionaries import pca
    >>> unconverged(pca(torch.rand(50, 4), "mixed3b", atoms=2))
    ''
    """
    reached = [found.record.get("convergence", {}) for found in dictionaries]
    left = [found for found in reached if not found.get("converged", True)]
    if not left:
        return ""
    falls = [found["fall"] for found in left if "fall" in found]
    still = f"; the loss still fell by {max(falls):.1%}" if falls else ""
    return f"{len(left)} of {len(dictionaries)} dictionaries did not converge{still}. "
