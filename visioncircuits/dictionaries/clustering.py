"""How many kinds of examples a unit has: clusters of what drives it, against one cluster.

Examples are compared by what drives the unit from the layer below, as in PURE (Dreyer et al.,
2024), where the number of clusters is fixed. Here it follows from a rule. A group of examples is
divided by k-means with k = 2 where there is a gap, and each half is tried again, as in G-means
(Hamerly & Elkan, "Learning the k in k-means", 2003):

1. Each example's contributions are scaled to length 1, so that strength does not matter, and
   projected on their first ten principal components.
2. Two numbers measure the gap: how many of the examples' four nearest neighbors are in the other
   half, and the variance within the halves along the line between their centers, as a share of all
   along it. Where equally many neighbors are across, as often none, the gap is wider where the
   other half is farther away than the neighbors in the own, of the eight examples nearest to it.
3. The same is computed for 99 draws of one cluster: uniform along each principal component, with
   the examples' variances, which is the reference of the gap statistic (Tibshirani et al., 2001).
   Of all distributions with one peak the uniform is the most easily taken for several clusters.
4. The group is divided where both numbers are below those of all but 5 % of the draws.

Continua, such as examples along an arc, as of a curve detector whose neighbors drive it too, have
neighbors across the border between the halves, and most stay whole.
"""

from dataclasses import dataclass
from math import sqrt

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor

from visioncircuits.numbers import whole

DRAWS = 99
LEVEL = 0.05

_COMPONENTS, _NEIGHBORS, _BORDER = 10, 4, 8
_FEWEST = 5
"""Examples of a kind."""

_STARTS, _ROUNDS = 4, 12


@dataclass(frozen=True, eq=False)
class Clusters:
    """Which examples are of one kind.

    Attributes
    ----------
    labels : Tensor, (examples,)
        The number of each example's cluster; the largest cluster is 0.
    p
        How often one cluster has a gap as wide as all examples have: the larger of the two shares
        of draws, the examples among them.

    Examples
    --------
    >>> kinds = torch.eye(3).repeat_interleave(16, 0) + 0.05 * torch.rand(48, 3)
    >>> clusters(kinds)
    Clusters(3: 16 + 16 + 16 examples, p = 0.01)
    """

    labels: Int64[Tensor, " examples"]
    p: float

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many examples each has."""
        return tuple(self.labels.bincount().tolist())

    def __len__(self) -> int:
        return len(self.sizes)

    def __repr__(self) -> str:
        sizes = " + ".join(map(str, self.sizes))
        return f"Clusters({len(self)}: {sizes} examples, p = {self.p:.2g})"


def clusters(
    contributions: Float[Tensor, "examples units"], *, draws: int = DRAWS, seed: int = 0
) -> Clusters:
    """Group a unit's examples by what drives it, into as many clusters as are there.

    Parameters
    ----------
    contributions
        From `drivers`.
    draws
        Of one cluster, against which the number is tested.
    seed
        Of these, and of k-means.

    Raises
    ------
    InputError
        For fewer than 19 draws, which cannot reach 5 %.

    Notes
    -----
    The rule is stated where this module begins. A kind has five examples or more.

    Examples
    --------
    A continuum, such as an arc, is one cluster:

    >>> angle = torch.rand(48, 1)
    >>> len(clusters(torch.cat([angle.cos(), angle.sin()], 1)))
    1
    """
    whole("draws", draws, least=19)
    generator = Generator().manual_seed(seed)
    labels = torch.zeros(len(contributions), dtype=torch.int64)
    first, pending = 1.0, [torch.arange(len(contributions))]
    kinds: list[Tensor] = []
    while pending:
        group = pending.pop()
        p, halves = _divided(contributions[group], draws, generator)
        if len(group) == len(contributions):
            first = p
        if p <= LEVEL:
            pending += [group[halves == 1], group[halves == 0]]
        else:
            kinds.append(group)
    for number, group in enumerate(sorted(kinds, key=len, reverse=True)):
        labels[group] = number
    return Clusters(labels, first)


def _divided(
    contributions: Float[Tensor, "examples units"], draws: int, generator: Generator
) -> tuple[float, Int64[Tensor, " examples"]]:
    """Return how often one cluster has a gap as wide, and the half that each example is in."""
    none = torch.zeros(len(contributions), dtype=torch.int64)
    if len(contributions) < 2 * _FEWEST:
        return 1.0, none
    points = _components(contributions)
    if not points.shape[1]:  # all are the same
        return 1.0, none
    noise = torch.rand(draws, *points.shape, generator=generator, dtype=points.dtype)
    drawn = (2 * noise - 1) * sqrt(3) * points.square().mean(0).sqrt()
    every = torch.cat([points[None], drawn])  # the examples are the first
    halves = _halves(every, generator)
    if int(halves[0].bincount(minlength=2).min()) < _FEWEST:
        return 1.0, none
    gaps = _crossing(every, halves), _within(every, halves)
    return max(float((each <= each[0]).double().mean()) for each in gaps), halves[0]


def _components(contributions: Tensor) -> Float[Tensor, "examples components"]:
    """Project directions of contributions on their principal components."""
    unit = torch.nn.functional.normalize(contributions.double(), dim=1)
    left, values, _ = torch.linalg.svd(unit - unit.mean(0), full_matrices=False)
    kept = int((values[:_COMPONENTS] > 1e-6 * sqrt(len(unit))).sum())
    projected: Tensor = left[:, :kept] * values[:kept]
    return projected


def _halves(
    points: Float[Tensor, "draws points dimensions"], generator: Generator
) -> Int64[Tensor, "draws points"]:
    """Divide many sets of points in two at once, each the best of several starts of k-means++."""
    draws, count, _ = points.shape
    each = points.repeat_interleave(_STARTS, 0)
    first = _taken(each, torch.randint(count, (len(each), 1), generator=generator))
    far = torch.cdist(each, first)[..., 0].square() + 1e-12
    centers = torch.cat([first, _taken(each, far.multinomial(1, generator=generator))], 1)
    for _ in range(_ROUNDS):
        labels = torch.cdist(each, centers).argmin(2)
        centers = _centers(each, labels)
    nearest, labels = torch.cdist(each, centers).min(2)
    best = nearest.square().sum(1).view(draws, _STARTS).argmin(1)
    return labels.view(draws, _STARTS, count)[torch.arange(draws), best]


def _taken(points: Tensor, indices: Tensor) -> Tensor:
    return points.gather(1, indices[..., None].expand(-1, -1, points.shape[2]))


def _centers(points: Tensor, halves: Tensor) -> Float[Tensor, "draws 2 dimensions"]:
    held = torch.nn.functional.one_hot(halves, 2).to(points)
    centers: Tensor = held.transpose(1, 2) @ points / held.sum(1).clamp_min(1)[..., None]
    return centers


def _crossing(
    points: Float[Tensor, "draws points dimensions"], halves: Int64[Tensor, "draws points"]
) -> Float[Tensor, " draws"]:
    """Count nearest neighbors in the other half; a fraction below 1 orders equal counts."""
    apart = torch.cdist(points, points)
    apart.diagonal(dim1=1, dim2=2).fill_(torch.inf)
    nearest = apart.topk(_NEIGHBORS, largest=False).indices
    others = halves.gather(1, nearest.flatten(1)).view(nearest.shape)
    count: Tensor = (others != halves[..., None]).sum((1, 2))
    same = halves[:, :, None] == halves[:, None]
    own = apart.masked_fill(~same, torch.inf).topk(_NEIGHBORS, largest=False).values.mean(2)
    ratio = own / apart.masked_fill(same, torch.inf).amin(2)
    border = ratio.nan_to_num(posinf=1e3).topk(min(_BORDER, points.shape[1])).values.mean(1)
    return count + border / (1 + border)


def _within(
    points: Float[Tensor, "draws points dimensions"], halves: Int64[Tensor, "draws points"]
) -> Float[Tensor, " draws"]:
    """Compute the variance within halves, as a share of all, along the line between centers."""
    centers = _centers(points, halves)
    line = (centers[:, 1] - centers[:, 0])[..., None]
    along, middles = (points @ line)[..., 0], (centers @ line)[..., 0]
    inside = (along - middles.gather(1, halves)).square().sum(1)
    return inside / (along - along.mean(1, keepdim=True)).square().sum(1).clamp_min(1e-12)
