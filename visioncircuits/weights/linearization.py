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
        Of ReLU, and of smooth functions through zero such as GELU and SiLU: `"identity"`, or
        `"gate"`: multiplication by the output over the input on given pictures, which of ReLU is 1
        where the input passed and 0 elsewhere; exact for one neuron, otherwise averaged over
        pictures and positions.
    normalization
        Of local response normalization, and of layer and group normalization: `"identity"`, without
        the division, or `"gain"`: divided as on given pictures, exact or averaged as above. Layer
        normalization subtracts the mean over channels in both; group normalization's mean, over
        positions too, is a constant. Batch normalization is always a gain.
    product
        Of a map times what is computed from it and multiplies it, as in squeeze-and-excitation,
        global response normalization or gates of attention: `"identity"`, as if that were 1, or
        `"gain"`: its values on given pictures, exact or averaged as above. Multiplication by
        parameters, such as layer scale, is always a gain.

    Examples
    --------
    >>> Linearization().needs_pictures, LOCAL.needs_pictures
    (False, True)
    """

    max_pool: Literal["average", "repeat", "route"] = "average"
    rectifier: Literal["identity", "gate"] = "identity"
    normalization: Literal["identity", "gain"] = "identity"
    product: Literal["identity", "gain"] = "identity"

    @property
    def needs_pictures(self) -> bool:
        """Whether a replacement depends on given pictures."""
        return not {"route", "gate", "gain"}.isdisjoint(asdict(self).values())

    def record(self) -> dict[str, str]:
        """Return the fields as plain data, for a result's provenance."""
        return asdict(self)


LOCAL = Linearization(max_pool="route", rectifier="gate", normalization="gain", product="gain")
"""Exact on one picture: nothing is averaged."""
