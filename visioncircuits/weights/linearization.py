"""The linear replacements of a network's nonlinear operations."""

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Linearization:
    """How each nonlinearity is replaced.

    The defaults are those of "Visualizing Weights": "ignoring or replacing all non-linear
    operations with the closest linear one".

    Attributes
    ----------
    max_pool
        `"average"`: the mean over the pool's region, without positions beyond a border.
        `"repeat"`: the sum over it, so that a 1x1 convolution after it appears as its weights
        repeated over the region ("An Overview of Early Vision"). `"route"`: the input that was
        the maximum on a given picture; for one neuron only.
    rectifier
        `"identity"`, or `"gate"`: multiplication by 1 where the input passed on given pictures
        and by 0 elsewhere; exact for one neuron, otherwise averaged over pictures and positions.
    normalization
        Of local response normalization: `"identity"`, or `"gain"`: multiplication by its gain on
        given pictures, exact or averaged as above. Batch normalization is always a gain.

    Examples
    --------
    >>> Linearization().needs_pictures, LOCAL.needs_pictures
    (False, True)
    """

    max_pool: Literal["average", "repeat", "route"] = "average"
    rectifier: Literal["identity", "gate"] = "identity"
    normalization: Literal["identity", "gain"] = "identity"

    @property
    def needs_pictures(self) -> bool:
        """Whether a replacement depends on given pictures."""
        return not {"route", "gate", "gain"}.isdisjoint(asdict(self).values())

    def record(self) -> dict[str, str]:
        """Return the fields as plain data, for a result's provenance."""
        return asdict(self)


LOCAL = Linearization(max_pool="route", rectifier="gate", normalization="gain")
"""Exact on one picture: nothing is averaged."""
