"""Selection of features: what every tool that takes features accepts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import names
from visioncircuits.networks.features import Direction, Feature, Unit, read_features

if TYPE_CHECKING:
    from visioncircuits.networks.network import Network

Features = str | Feature | Sequence[str | Feature]
"""A layer's name, for all of its units; a unit's name, or a file of directions, as
`read_features` reads them; a feature; or a sequence of these."""


@dataclass(frozen=True)
class Selection:
    """Features of one layer.

    Attributes
    ----------
    vectors
        Each feature as a direction over the layer's units.
    whole
        Whether they are all units of the layer, in order, because its name was given.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> chosen = select(untrained("bvlc_googlenet"), ["mixed3b:7", "mixed3b:9"])
    >>> chosen, chosen.indices
    (Selection(mixed3b, 2 features), [7, 9])
    """

    layer: str
    features: tuple[Feature, ...]
    vectors: Float[Tensor, "features units"]
    whole: bool

    def __len__(self) -> int:
        return len(self.features)

    def __repr__(self) -> str:
        return f"Selection({self.layer}, {len(self)} features)"

    def record(self) -> list[Any] | None:
        """Return the features as JSON can hold them; None for a whole layer."""
        return None if self.whole else [feature.record() for feature in self.features]

    @property
    def indices(self) -> list[int] | None:
        """The features' indices where all of them are units, else None."""
        indices = [feature.index for feature in self.features if isinstance(feature, Unit)]
        return indices if len(indices) == len(self.features) else None

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions among the features."""
        return tuple(feature for feature in self.features if isinstance(feature, Direction))

    def of(
        self, maps: Float[Tensor, "batch units *positions"]
    ) -> Float[Tensor, "batch features *positions"]:
        """Return the features' values, from the layer's activations.

        Examples
        --------
        >>> from visioncircuits.networks import Direction, untrained
        >>> network, maps = untrained("bvlc_googlenet"), torch.arange(256.0)[None, :, None, None]
        >>> select(network, ["mixed3a:7", Direction("mixed3a", [1.0] * 256)]).of(maps).tolist()
        [[[[7.0]], [[32640.0]]]]
        """
        if (indices := self.indices) is not None:
            return maps[:, indices]
        return torch.einsum("fu,bu...->bf...", self.vectors.to(maps), maps)


def expand(network: "Network", features: Features) -> tuple[Feature, ...]:
    """Return the features one by one, of any layers, and check that the network has them.

    Raises
    ------
    InputError
        For an unknown layer, a feature that its layer does not have, two features of one name, or
        no feature.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> [str(unit) for unit in expand(network, ["mixed3b:7", Unit("mixed4a", 9)])]
    ['mixed3b:7', 'mixed4a:9']
    >>> len(expand(network, "mixed3b"))
    480
    """
    listed = [features] if isinstance(features, str | Feature) else list(features)
    chosen = tuple(feature for name in listed for feature in _expanded(network, name))
    if not chosen:
        raise InputError("no feature is given; name a layer, or a unit such as 'mixed3b:7'")
    named: dict[str, Feature] = {}
    for feature in chosen:
        if named.setdefault(str(feature), feature) != feature:
            raise InputError(f"two features are named {feature}; give each a name of its own")
    return chosen


def _expanded(network: "Network", feature: str | Feature) -> Iterator[Feature]:
    if isinstance(feature, str) and names.is_layer(feature):
        layer = network.layer(feature)
        yield from (Unit(layer.name, index) for index in range(layer.units))
    elif isinstance(feature, str) and names.features_file(feature):
        yield from map(network.feature, read_features(feature))
    else:
        yield network.feature(feature)


def select(network: "Network", features: Features) -> Selection:
    """Return the features, all of one layer, and check that the network has them.

    Raises
    ------
    InputError
        For an unknown layer, a feature that its layer does not have, several layers, or no
        feature.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> def count(features: Features) -> int:
    ...     return len(select(network, features))
    >>> count("mixed3b"), count(["mixed3b:7", Unit("mixed3b", 9)])
    (480, 2)
    """
    whole = isinstance(features, str) and names.is_layer(features)
    chosen = expand(network, features)
    layers = list(dict.fromkeys(feature.layer for feature in chosen))
    if len(layers) > 1:
        raise InputError(
            f"features of one layer are needed, and these are of {' and '.join(layers)}"
        )
    units = network.layer(layers[0]).units
    vectors = (
        torch.eye(units) if whole else torch.stack([feature.vector(units) for feature in chosen])
    )
    return Selection(layers[0], chosen, vectors.to(network.device), whole)
