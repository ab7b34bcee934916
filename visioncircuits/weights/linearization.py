"""The linear replacements of a network's nonlinear operations."""

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Linearization:
    """How each nonlinearity is replaced.

    The defaults are those of "Visualizing Weights": "ignoring or replacing all non-linear
    operations with the closest linear one". They take every gate as open and every divisor as 1,
    and need no pictures. What is taken from given pictures is exact for one neuron, and otherwise
    averaged over pictures and positions.

    A gate and a divisor are constants, however they are computed: what reaches the target only
    through them has no weights. `ExpandedWeights.replaced` lists what became of which operation.

    Attributes
    ----------
    max_pool
        `"average"`: the mean over the pool's region, without positions beyond a border.
        `"repeat"`: the sum over it, so that a 1x1 convolution after it appears as its weights
        repeated over the region ("An Overview of Early Vision"). `"route"`: the input that was
        the maximum on a given picture; for one neuron only.
    rectifier
        Of functions of one value. `"identity"`: multiplication by the slope for large inputs, which
        is 1 of ReLU, GELU, SiLU, hard swish, ELU, Mish and PReLU (1.05 of SELU); by that at zero of
        what saturates: tanh 1, sigmoid 1/4, hard sigmoid 1/6. `"gate"`: multiplication by the
        output over the input on given pictures: of ReLU 1 where the input passed and 0 elsewhere,
        of GELU `Φ(x)`, of SiLU `sigmoid(x)`; of sigmoids by `(f(x) − f(0)) / x`. ReLU6 has the gate
        1 between its bounds. The output is then the gate times the input, up to a constant; it is
        no derivative, which would count how the gate changes too.
    normalization
        Of local response normalization, of layer and group normalization, and of division by a map:
        `"identity"`, without the division, or `"gain"`: divided as on given pictures. Layer
        normalization subtracts the mean over channels in both; group normalization's mean, over
        positions too, is a constant. Batch normalization is always a gain.
    product
        Of a map times a smaller one or a sigmoid, as in squeeze-and-excitation, global response
        normalization or gates of attention: `"identity"`, as if that were 1, or `"gain"`: its
        values on given pictures. Multiplication by parameters, such as layer scale, is always a
        gain.

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
"""Exact on one picture, up to a constant: nothing is averaged."""
