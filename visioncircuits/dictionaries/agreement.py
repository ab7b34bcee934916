"""How alike directions are: of two dictionaries, and of a dictionary and the layer's units."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Atoms = Float[Tensor, "atoms units"]


def best_cosines(atoms: Atoms, others: Float[Tensor, "others units"]) -> Float[Tensor, " atoms"]:
    """Return each atom's cosine with the nearest of the others, ``maxⱼ aᵢ·bⱼ / (‖aᵢ‖ ‖bⱼ‖)``.

    An atom that recurs in a dictionary from another seed has a cosine near 1. Among m random
    directions of n units the largest is about ``√(2 ln m / n)``, which is to be compared. Where
    signs mean nothing (PCA, ICA), pass ``torch.cat([others, -others])``.

    Examples
    --------
    >>> best_cosines(torch.eye(3)[:2], torch.tensor([[2.0, 0.0, 0.0], [0.0, 3.0, 4.0]]))
    tensor([1.0000, 0.6000])
    """
    return (functional.normalize(atoms, dim=1) @ functional.normalize(others, dim=1).T).amax(1)


def agreement(atoms: Atoms, others: Float[Tensor, "others units"]) -> float:
    """Return the mean of `best_cosines` over the atoms: the stability of a dictionary.

    Examples
    --------
    >>> agreement(torch.eye(3)[:2], torch.tensor([[2.0, 0.0, 0.0], [0.0, 3.0, 4.0]]))
    0.8
    """
    return round(float(best_cosines(atoms, others).double().mean()), 6)


def unit_cosines(atoms: Atoms) -> Float[Tensor, " atoms"]:
    """Return each atom's largest cosine with a unit of either sign, ``maxᵤ |aᵢᵤ| / ‖aᵢ‖``.

    Examples
    --------
    >>> unit_cosines(torch.tensor([[0.0, -2.0], [3.0, 4.0]]))
    tensor([1.0000, 0.8000])
    """
    return functional.normalize(atoms, dim=1).abs().amax(1)


def best_subspaces(
    atoms: Atoms, others: Float[Tensor, "others units"], block_size: int
) -> Float[Tensor, " blocks"]:
    """Return each block's overlap with the nearest of the others.

    ``maxⱼ ‖Qᵢ Qⱼᵀ‖² / block_size`` with orthonormal rows Q of what each block spans: the mean
    squared cosine of their principal angles, 1 for the same subspace whatever its atoms.

    Examples
    --------
    >>> turned = torch.tensor([[1.0, 1.0, 0.0], [1.0, -1.0, 0.0]])
    >>> best_subspaces(torch.eye(3)[:2], turned, 2)
    tensor([1.])
    """
    one, two = (_orthonormal(each, block_size) for each in (atoms, others))
    overlaps = torch.einsum("ipu,jqu->ijpq", one, two).square().sum((2, 3))
    return torch.div(overlaps.amax(1), block_size)


def _orthonormal(atoms: Tensor, block_size: int) -> Float[Tensor, "blocks block_size units"]:
    frames: Tensor = torch.linalg.qr(atoms.reshape(-1, block_size, atoms.shape[1]).mT).Q
    return frames.transpose(1, 2)


def block_r2(
    codes: Float[Tensor, "samples atoms"], values: Float[Tensor, "samples values"], block_size: int
) -> Float[Tensor, " blocks"]:
    """Return how much of some values each block's codes explain by a linear map.

    ``R² = 1 − ‖V − ẐB‖² / ‖V − mean‖²`` of the least squares fit of all values V together, with a
    constant: whether a block holds a whole manifold, such as a curve's orientation as its cosine
    and sine. To be compared on samples that the dictionary was not trained on.

    Examples
    --------
    >>> angle = torch.linspace(0, 6, 50)
    >>> circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    >>> block_r2(torch.cat([2 * circle, torch.rand(50, 2)], dim=1), circle, 2)[0]
    tensor(1.)
    """
    goal = (values - values.mean(0)).double()
    blocks = codes.double().reshape(len(codes), -1, block_size).transpose(0, 1)
    blocks = blocks - blocks.mean(1, keepdim=True)
    # by orthonormal columns; those of codes that are constant or repeated explain nothing
    left, strength, _ = torch.linalg.svd(blocks, full_matrices=False)
    usable = strength > 1e-9 * strength[:, :1].clamp(min=1e-300)
    explained = (left.mT @ goal).square().sum(2) * usable
    share: Tensor = explained.sum(1) / goal.square().sum()
    return share.float()
