"""Untrained dictionaries: what a dictionary is worth whose atoms were never fitted."""

from dataclasses import replace

import torch
from torch.nn import functional

from visioncircuits.dictionaries.dictionary import Dictionary
from visioncircuits.dictionaries.rules import NonNegative, Rule


def untrained_like(dictionary: Dictionary, *, seed: int = 0) -> Dictionary:
    """Return a dictionary of the same shape, rule and center whose atoms are random.

    It is one before its training: the encoder is the transposed decoder. Where no atom has a
    negative weight, as of NMF, no random one has.

    Parameters
    ----------
    dictionary
        What is to be compared with it.
    seed
        Of the atoms.

    Examples
    --------
    >>> from visioncircuits.dictionaries import pca
    >>> found = pca(torch.rand(50, 4), "mixed3a", atoms=2)
    >>> untrained_like(found)
    Dictionary('mixed3a', untrained PCA, 2 atoms of 4 units)
    """
    atoms = torch.randn(dictionary.atoms.shape, generator=torch.Generator().manual_seed(seed))
    if (dictionary.atoms >= 0).all():
        atoms = atoms.abs()
    if dictionary.block_size > 1:
        blocks = atoms.reshape(-1, dictionary.block_size, atoms.shape[1])
        atoms = torch.linalg.qr(blocks.mT).Q.mT.reshape(atoms.shape)
    atoms = functional.normalize(atoms, dim=1).to(dictionary.atoms)
    gain = dictionary.gain.clamp(min=1e-12)
    rule: Rule = dictionary.rule
    if isinstance(rule, NonNegative):  # its codes depend on how much atoms overlap
        rule, gain = replace(rule, overlap=atoms @ atoms.T), torch.ones_like(gain)
    return replace(
        dictionary,
        atoms=atoms,
        encoder=(atoms / gain[:, None]).T.contiguous(),
        bias=-(atoms @ dictionary.center) / gain,
        rule=rule,
        gain=gain,
        method=f"untrained {dictionary.method}",
        record={"seed": seed},
    )
