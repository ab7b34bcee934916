"""Ways to describe activations by codes: a dictionary, and its baselines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.datasets import Photographs
from visioncircuits.dictionaries.dictionary import Dictionary
from visioncircuits.networks import Network
from visioncircuits.progress import Advance

Rows = Float[Tensor, "samples units"]
Codes = Float[Tensor, "samples atoms"]
Photos = Float[np.ndarray, " photographs"]


class Sums:
    """What is summed over photographs, of one way to describe the activations."""

    def __init__(self) -> None:
        self._residual: list[float] = []
        self.samples, self.l0, self.shrinkage = 0, 0.0, 0.0
        self.active: np.ndarray = np.zeros(1)

    @property
    def residual(self) -> Photos:
        """Sum of squared errors of each photograph."""
        return np.array(self._residual)

    def add(self, rows: Rows, codes: Codes, described: Rows) -> None:
        """Add a photograph."""
        self._residual.append(float((rows - described).double().square().sum()))
        self.samples += len(rows)
        active = (codes != 0).sum(0).double().cpu().numpy()
        self.active = self.active + active
        self.l0 += float(active.sum())
        before, after = rows.double().norm(dim=1), described.double().norm(dim=1)
        # where nothing is active there is no ratio; nothing shrinks where nothing is added
        ratio = torch.where(before > 0, after / before, (after == 0).double())
        self.shrinkage += float(ratio.sum())


@dataclass(frozen=True)
class Way:
    """A way to describe activations by codes."""

    encode: Callable[[Rows], Codes]
    decode: Callable[[Codes], Rows]
    sums: Sums = field(default_factory=Sums)


def largest_units(k: int, rows: Rows) -> Codes:
    """Keep the k units of the largest magnitude in each sample: identity-TopK.

    Examples
    --------
    >>> largest_units(1, torch.tensor([[1.0, -3.0, 2.0]]))
    tensor([[ 0., -3.,  0.]])
    """
    places = rows.abs().topk(k, dim=1).indices
    return torch.zeros_like(rows).scatter(1, places, rows.gather(1, places))


def unchanged(codes: Codes) -> Rows:
    """Decode codes that are units."""
    return codes


def principal(moments: "Moments", k: int) -> Way:
    """Describe samples by the k directions in which they vary most."""
    directions = torch.linalg.eigh(moments.covariance).eigenvectors[:, -k:].float()
    mean = moments.mean
    return Way(lambda rows: (rows - mean) @ directions, lambda codes: codes @ directions.T + mean)


@dataclass(frozen=True)
class Moments:
    """Of the held-out activations: of all, and each photograph's sum of squares around the mean."""

    mean: Float[Tensor, " units"]
    covariance: Float[Tensor, "units units"]
    total: Photos
    l0: float
    plain_gain: float


def rows_of(values: Float[Tensor, "batch units *positions"]) -> Iterator[Rows]:
    """Yield a layer's values on each photograph, a row a position."""
    for each in values:
        yield each.reshape(len(each), -1).T


@torch.inference_mode()
def moments_of(
    dictionary: Dictionary,
    plain: Dictionary,
    network: Network,
    given: Photographs,
    batch: int,
    advance: Advance,
) -> Moments:
    """Read the layer once: moments, the dictionary's L0, an untrained one's best gain."""
    sums, squares, counts, used = [], [], [], 0
    along, length = 0.0, 1e-30
    overlap = torch.zeros(dictionary.atoms.shape[1:] * 2).double().to(network.device)
    for pictures in given.batches(network.size, batch):
        for rows in rows_of(network.activations(pictures, [dictionary.layer])[dictionary.layer]):
            precise = rows.double()
            sums.append(precise.sum(0))
            squares.append(precise.square().sum())
            counts.append(len(rows))
            overlap += precise.T @ precise
            used += int((dictionary.encode(rows) != 0).sum())
            added = plain.encode(rows) @ plain.atoms
            along += float((added * (rows - plain.center)).double().sum())
            length += float(added.double().square().sum())
        advance(len(pictures))
    samples, each = sum(counts), torch.stack(sums)
    mean = each.sum(0) / samples
    around = torch.stack(squares) - 2 * each @ mean
    total = around.cpu().numpy() + np.array(counts) * float(mean.square().sum())
    covariance = overlap / samples - torch.outer(mean, mean)
    return Moments(mean.float(), covariance, total, used / samples, along / length)
