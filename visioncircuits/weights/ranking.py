"""Which inputs a feature is made of, and which outputs it is used for."""

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
    kernels = weights.weight[row]
    return tuple(
        _connection(weights.inputs[at], weights.outputs[row], kernels, at)
        for at in _order(kernels, part)[:top]
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
    kernels = weights.weight[:, column]
    return tuple(
        _connection(weights.inputs[column], weights.outputs[at], kernels, at)
        for at in _order(kernels, part)[:top]
    )


def _order(kernels: Float[Tensor, "features height width"], part: Part) -> list[int]:
    match part:
        case "positive":
            kernels = kernels.clamp(min=0)
        case "negative":
            kernels = kernels.clamp(max=0)
    return kernels.square().sum((1, 2)).argsort(descending=True, stable=True).tolist()


def _connection(source: Feature, target: Feature, kernels: Tensor, at: int) -> Connection:
    kernel = kernels[at]
    squares, whole = kernel.square().sum(), kernels.square().sum()
    return Connection(
        source=source,
        target=target,
        kernel=kernel,
        norm=float(squares.sqrt()),
        positive=float(kernel.clamp(min=0).norm()),
        negative=float(kernel.clamp(max=0).norm()),
        share=float(squares / whole) if whole else 0.0,
    )
