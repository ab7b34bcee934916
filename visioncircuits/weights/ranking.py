"""The strongest inputs of a feature, and its strongest outputs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from visioncircuits.networks import Feature
from visioncircuits.weights.expanded import ExpandedWeights

Part = Literal["whole", "positive", "negative"]


@dataclass(frozen=True, eq=False)
class Connection:
    """The weights between two features.

    Attributes
    ----------
    kernel
        `(height, width)`.
    norm, positive, negative
        L2 norms of the kernel, of its positive and of its negative part; norm² is the sum of the
        squares of the other two.
    share
        Its fraction of the squared norm of all ranked kernels.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import expanded_weights, strongest_inputs
    >>> weights = expanded_weights(untrained("bvlc_googlenet"), "conv2d2", "mixed3a:7")
    >>> (connection,) = strongest_inputs(weights, top=1)
    >>> bool(abs(connection.norm**2 - connection.positive**2 - connection.negative**2) < 1e-4)
    True
    """

    source: Feature
    target: Feature
    kernel: Float[Tensor, "height width"]
    norm: float
    positive: float
    negative: float
    share: float

    def __repr__(self) -> str:
        height, width = self.kernel.shape
        return (
            f"Connection({self.source} → {self.target}, {height} × {width}, "
            f"norm={self.norm:.3g}, share={self.share:.3g})"
        )

    def _repr_png_(self) -> bytes:
        ends = (self.source,), (self.target,)
        return ExpandedWeights(self.kernel[None, None], *ends, (1, 1), (0, 0), {})._repr_png_()


def strongest_inputs(
    weights: ExpandedWeights,
    feature: str | Feature | None = None,
    *,
    top: int = 50,
    part: Part = "whole",
) -> tuple[Connection, ...]:
    """Rank the inputs of a feature by L2 norm, strongest first.

    Parameters
    ----------
    feature
        One of the weights' outputs; may be omitted if there is only one.
    top
        Number of connections to return. Their shares sum to the fraction that they cover.
    part
        What to rank by: the whole kernel, or only its positive or negative part.

    Raises
    ------
    InputError
        For a feature that is not one of the weights' outputs.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import expanded_weights
    >>> weights = expanded_weights(untrained("bvlc_googlenet"), "mixed3a", "mixed3b:330")
    >>> first, second = strongest_inputs(weights, top=2)
    >>> first.share > second.share
    True
    """
    row = weights.row(feature)
    ranked = _ranked(weights.weight[row], top, part)
    return tuple(
        _connection(weights.inputs[at], weights.outputs[row], kernel, share)
        for at, kernel, share in ranked
    )


def strongest_outputs(
    weights: ExpandedWeights,
    feature: str | Feature | None = None,
    *,
    top: int = 50,
    part: Part = "whole",
) -> tuple[Connection, ...]:
    """Rank the outputs of a feature by L2 norm; otherwise as `strongest_inputs`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import expanded_weights
    >>> weights = expanded_weights(untrained("bvlc_googlenet"), "conv2d2:5", "mixed3a")
    >>> [connection.target.layer for connection in strongest_outputs(weights, top=2)]
    ['mixed3a', 'mixed3a']
    """
    column = weights.column(feature)
    ranked = _ranked(weights.weight[:, column], top, part)
    return tuple(
        _connection(weights.inputs[column], weights.outputs[at], kernel, share)
        for at, kernel, share in ranked
    )


def _ranked(
    kernels: Float[Tensor, "features height width"], top: int, part: Part
) -> Iterator[tuple[int, Tensor, float]]:
    """Yield the strongest features with their kernels and their shares of the squared norm."""
    squares = kernels.square().sum((1, 2))
    match part:
        case "whole":
            strength = squares
        case "positive":
            strength = kernels.clamp(min=0).square().sum((1, 2))
        case "negative":
            strength = kernels.clamp(max=0).square().sum((1, 2))
    shares = squares / squares.sum().clamp(min=1e-30)
    for at in strength.argsort(descending=True, stable=True)[:top].tolist():
        yield at, kernels[at], float(shares[at])


def _connection(source: Feature, target: Feature, kernel: Tensor, share: float) -> Connection:
    return Connection(
        source=source,
        target=target,
        kernel=kernel,
        norm=float(kernel.norm()),
        positive=float(kernel.clamp(min=0).norm()),
        negative=float(kernel.clamp(max=0).norm()),
        share=share,
    )
