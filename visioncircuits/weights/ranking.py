"""Which inputs a feature is made of, and which outputs it is used for."""

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
        others' squares.
    share
        Its part of the squared norm of all the kernels that it was chosen from.
    """

    source: Feature
    target: Feature
    kernel: Float[Tensor, "height width"]
    norm: float
    positive: float
    negative: float
    share: float


def strongest_inputs(
    weights: ExpandedWeights,
    feature: str | Feature | None = None,
    *,
    top: int = 50,
    part: Part = "whole",
) -> tuple[Connection, ...]:
    """Rank what feeds a feature by L2 norm, strongest first.

    Parameters
    ----------
    feature
        One of the weights' outputs; it may be left out where there is only one.
    top
        How many to give. Their shares add up to what they cover of the whole.
    part
        What to rank by: the whole kernel, or what excites or inhibits alone.

    Raises
    ------
    InputError
        For a feature that the weights do not lead to.

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
    """Rank what a feature feeds by L2 norm; otherwise as `strongest_inputs`."""
    column = weights.column(feature)
    ranked = _ranked(weights.weight[:, column], top, part)
    return tuple(
        _connection(weights.inputs[column], weights.outputs[at], kernel, share)
        for at, kernel, share in ranked
    )


def _ranked(
    kernels: Float[Tensor, "features height width"], top: int, part: Part
) -> Iterator[tuple[int, Tensor, float]]:
    """Give the strongest features with their kernels and their shares of the squared norm."""
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
