"""Contextual weights: what flowed along each connection on a given picture.

Source: Voss et al., "Visualizing Weights" (2021), which names them; the local linear map is exact
for rectifiers, max pools and the gain of a normalization.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.networks import Feature, Network
from visioncircuits.weights.expanded import ExpandedWeights, expanded_weights
from visioncircuits.weights.linearization import INPUT, LOCAL
from visioncircuits.weights.selection import select


@dataclass(frozen=True, eq=False)
class Flow:
    """What one neuron's value was made of on one picture.

    Attributes
    ----------
    weights
        Each weight of the local linear map times the activation that it met, `(1, in, height,
        width)`, in units of the feature's activation; positive where it excited. It is the map to
        one neuron: its offset is an absolute position in the source.
    position
        Row and column of the neuron.
    activation
        The feature's value there.
    """

    weights: ExpandedWeights
    position: tuple[int, int]
    activation: float

    @property
    def contributions(self) -> Float[Tensor, " inputs"]:
        """What came from each input, over all positions."""
        return self.weights.weight[0].sum((1, 2))

    @property
    def constant(self) -> float:
        """What came from no input, but from biases on the way."""
        return self.activation - float(self.contributions.sum())


@torch.no_grad()
def contextual_weights(
    network: Network,
    source: str,
    target: str | Feature,
    pictures: Float[Tensor, "batch channels height width"],
    *,
    position: tuple[int, int] | None = None,
) -> tuple[Flow, ...]:
    """Say for each picture what a feature was made of.

    Rectifiers count as the gates that they were, max pools as what they passed on, and local
    response normalizations as their gain, so that the contributions and the constant add up to the
    activation.

    Parameters
    ----------
    source
        A layer, or `"input"`.
    target
        A feature of a later layer.
    pictures
        Float32 in [0, 1], `(batch, 3, height, width)`.
    position
        Row and column of the neuron; where the feature is strongest in each picture if not given.

    Returns
    -------
    tuple of Flow
        One a picture; what a feature is made of in a set of pictures is the mean of their
        contributions.

    Raises
    ------
    InputError
        As `expanded_weights`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> (flow,) = contextual_weights(network, "conv2d2", "mixed3a:7", torch.rand(1, 3, 64, 64))
    >>> flow.contributions.shape
    torch.Size([192])
    """
    (feature,) = select(network, [target]).features
    flows = []
    for picture in pictures[:, None]:
        values = {INPUT: picture.to(network.device)} | network.activations(
            picture, [name for name in (source, feature.layer) if name != INPUT]
        )
        vector = feature.vector(values[feature.layer].shape[1]).to(network.device)
        answer = torch.einsum("u,u...->...", vector, values[feature.layer][0])
        answer = answer.reshape((*answer.shape, 1, 1)[:2])
        place = position or _strongest(answer)
        weights = expanded_weights(
            network, source, feature, linearization=LOCAL, pictures=picture, position=place
        )
        (top, left), (height, width) = weights.offset, weights.weight.shape[2:]
        met = values[source][0]
        met = met.reshape((*met.shape, 1, 1)[:3])[:, top : top + height, left : left + width]
        flowed = replace(weights, weight=weights.weight * met)
        flows.append(Flow(flowed, place, float(answer[place])))
    return tuple(flows)


def _strongest(answer: Float[Tensor, "height width"]) -> tuple[int, int]:
    row, column = divmod(int(answer.argmax()), answer.shape[1])
    return row, column
