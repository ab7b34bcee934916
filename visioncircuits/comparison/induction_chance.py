"""What chance gives: a rule's kernels dealt to other units than those that it names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

Orders = Int[np.ndarray, "draws sources"]
"""Which unit of the earlier layer has each source's predicted kernel."""


@dataclass(frozen=True, eq=False)
class Dealt:
    """A later unit's predicted kernels, each in the place of every earlier unit's.

    All that correlations need is a sum over sources, so that thousands of orders cost little.

    Attributes
    ----------
    products
        Of each earlier unit's trained kernel with each predicted one.
    sums, squares
        Of each earlier unit's trained kernel.
    predicted
        The sum and the sum of squares of all predicted kernels.
    positions
        Of a kernel.
    inputs
        What each predicted kernel makes of each earlier unit's responses to each stimulus.
    response
        The later unit's own, to the same stimuli.
    """

    products: Float[np.ndarray, "units sources"]
    sums: Float[np.ndarray, " units"]
    squares: Float[np.ndarray, " units"]
    predicted: tuple[float, float]
    positions: int
    inputs: Float[np.ndarray, "stimuli units sources"]
    response: Float[np.ndarray, " stimuli"]

    @classmethod
    def of(
        cls,
        trained: Float[np.ndarray, "units height width"],
        kernels: Float[np.ndarray, "sources height width"],
        activations: Float[np.ndarray, "stimuli units height width"],
        response: Float[np.ndarray, " stimuli"],
    ) -> "Dealt":
        """Compute the sums.

        Examples
        --------
        >>> trained, activations = np.eye(4).reshape(4, 2, 2), np.ones((3, 4, 2, 2))
        >>> dealt = Dealt.of(trained, trained[:2], activations, np.arange(3.0))
        >>> dealt.weights(np.array([[0, 1], [1, 0]])).round(2).tolist()
        [1.0, -0.33]
        """
        weights, rows = (each.reshape(len(each), -1).astype(float) for each in (trained, kernels))
        maps = activations.reshape(*activations.shape[:2], -1)
        return cls(
            weights @ rows.T,
            weights.sum(1),
            np.square(weights).sum(1),
            (float(rows.sum()), float(np.square(rows).sum())),
            rows.shape[1],
            maps.astype(float) @ rows.T,
            response.astype(float),
        )

    def weights(self, orders: Orders) -> Float[np.ndarray, " draws"]:
        """Correlate predicted with trained weights, over all sources and positions."""
        count = orders.shape[1] * self.positions
        product, total, squares = self._sums(orders)
        mine, ours = self.predicted
        covariance = product - total * mine / count
        spreads = (squares - total**2 / count) * (ours - mine**2 / count)
        return _ratio(covariance, np.sqrt(spreads.clip(min=0)))

    def explained(self, orders: Orders) -> Float[np.ndarray, " draws"]:
        """Compute the squared weight that the prediction accounts for, at its best scale."""
        product, _, _ = self._sums(orders)
        return _ratio(product.clip(min=0) ** 2, np.full(len(orders), self.predicted[1]))

    def tuning(self, orders: Orders) -> Float[np.ndarray, " draws"]:
        """Correlate predicted with real responses, over the stimuli."""
        sources = np.arange(orders.shape[1])
        made = np.stack([self.inputs[:, order, sources].sum(1) for order in orders])
        made -= made.mean(1, keepdims=True)
        real = self.response - self.response.mean()
        return _ratio(made @ real, np.linalg.norm(made, axis=1) * np.linalg.norm(real))

    def _sums(self, orders: Orders) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        sources = np.arange(orders.shape[1])
        return (
            self.products[orders, sources].sum(1),
            self.sums[orders].sum(1),
            self.squares[orders].sum(1),
        )


def _ratio(above: np.ndarray, below: np.ndarray) -> Float[np.ndarray, " draws"]:
    """Divide; what has no spread correlates with nothing."""
    return np.asarray(np.divide(above, below, out=np.zeros_like(above, float), where=below > 1e-12))


def shuffled_labels(
    units: Sequence[int],
    kinds: Sequence[str],
    kernels: Float[np.ndarray, "sources height width"],
    rng: np.random.Generator,
    draws: int,
) -> Orders:
    """Exchange the labels of units of one family.

    Where a rule makes the same of all members of each family, labels are exchanged between
    families.

    Examples
    --------
    >>> kernels = np.arange(4.0).reshape(4, 1, 1)
    >>> kinds = ["curve", "curve", "line", "line"]
    >>> orders = shuffled_labels([7, 8, 9, 10], kinds, kernels, np.random.default_rng(0), 50)
    >>> np.unique(orders[:, 0]).tolist(), np.unique(orders[:, 3]).tolist()
    ([7, 8], [9, 10])
    """
    named = np.array(kinds)
    groups = [np.flatnonzero(named == kind) for kind in dict.fromkeys(kinds)]
    if all(np.allclose(kernels[group], kernels[group[0]]) for group in groups):
        groups = [np.arange(len(kinds))]
    orders = np.tile(np.array(units), (draws, 1))
    for group in groups:
        orders[:, group] = rng.permuted(orders[:, group], axis=1)
    return orders


def other_units(total: int, sources: int, rng: np.random.Generator, draws: int) -> Orders:
    """Draw any units of the earlier layer in the place of the sources.

    Examples
    --------
    >>> orders = other_units(5, 3, np.random.default_rng(0), 20)
    >>> orders.shape, all(len(set(order)) == 3 for order in orders.tolist())
    ((20, 3), True)
    """
    return np.stack([rng.choice(total, sources, replace=False) for _ in range(draws)])


@dataclass(frozen=True)
class Score:
    """A correlation, beside what chance gives.

    Attributes
    ----------
    found
        The correlation.
    labels, units
        The middle 95 % with labels exchanged within families, and with other units in the places
        of the sources.
    rivals
        The correlation of other families' rules for the same sources, by shape.

    Examples
    --------
    >>> score = Score(0.8, (-0.3, 0.3), (-0.2, 0.2), {"ring": 0.5, "straight": 0.1})
    >>> score.beyond_chance, score.rival
    (True, ('ring', 0.5))
    """

    found: float
    labels: tuple[float, float]
    units: tuple[float, float]
    rivals: Mapping[str, float]

    @property
    def beyond_chance(self) -> bool:
        """Whether it is above both intervals, and positive."""
        return self.found > max(self.labels[1], self.units[1], 0.0)

    @property
    def rival(self) -> tuple[str, float]:
        """The best of the other rules, and its correlation; ("", 0) without any."""
        name = max(self.rivals, key=lambda each: self.rivals[each], default="")
        return name, self.rivals.get(name, 0.0)


def middle(drawn: Float[np.ndarray, " draws"]) -> tuple[float, float]:
    """Return the 2.5th and the 97.5th percentile."""
    low, high = np.quantile(drawn, (0.025, 0.975)).tolist()
    return low, high
