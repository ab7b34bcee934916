"""Contextual weights: the contribution of each connection on a given picture.

Source: Voss et al., "Visualizing Weights" (2021), where the term is introduced; the local linear
map is exact for rectifiers, max pools, gates and the gain of a normalization.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, Network
from visioncircuits.weights.expanded import ExpandedWeights
from visioncircuits.weights.expansion import expanded_weights
from visioncircuits.weights.linearization import LOCAL
from visioncircuits.weights.selection import select
from visioncircuits.weights.tracing import INPUT

_KIND = "contributions"


@dataclass(frozen=True, eq=False)
class Flow:
    """The contributions to one neuron's value on one picture.

    A notebook shows the strongest inputs' as kernels.

    Attributes
    ----------
    weights
        Each weight of the local linear map times its source activation, `(1, in, height, width)`,
        in units of the feature's activation; positive for excitation. It is the map to one
        neuron: its offset is an absolute position in the source.
    position
        Row and column of the neuron.
    activation
        The feature's value there.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import contextual_weights
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> (flow,) = contextual_weights(network, "conv2d2", "mixed3a:7", picture, position=(3, 2))
    >>> total = float(flow.contributions.sum()) + flow.constant
    >>> abs(total - flow.activation) < 1e-4
    True
    """

    weights: ExpandedWeights
    position: tuple[int, int]
    activation: float

    def __repr__(self) -> str:
        source, target = self.weights.source, self.weights.outputs[0]
        return f"Flow({source} → {target}, neuron {self.position}, value {self.activation:.4g})"

    def _repr_png_(self) -> bytes:
        return self.weights._repr_png_()

    def save(self, path: str | Path) -> Path:
        """Save as .npz or .nc; see `ExpandedWeights.save`."""
        more = {"position": list(self.position), "activation": self.activation}
        return replace(self.weights, record=self.weights.record | {_KIND: more}).save(path)

    @classmethod
    def load(cls, path: str | Path) -> "Flow":
        """Load saved contributions.

        Raises
        ------
        InputError
            If the file is missing, damaged, or has other content.
        """
        weights = ExpandedWeights.load(path)
        if _KIND not in weights.record:
            raise InputError(f"{path} contains expanded weights, not contributions to a neuron")
        record = dict(weights.record)
        more = record.pop(_KIND)
        row, column = more["position"]
        return cls(replace(weights, record=record), (row, column), more["activation"])

    @property
    def contributions(self) -> Float[Tensor, " inputs"]:
        """The contribution of each input, summed over positions."""
        return self.weights.weight[0].sum((1, 2))

    @property
    def constant(self) -> float:
        """The contribution of biases, and of means and bounds that count as constants."""
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
    """Compute the contributions to a feature's activation on each picture.

    Rectifiers count as the gates that they were, smooth ones too, max pools as what they passed on,
    normalizations as their gain, and products with a gate as that gate, so that the contributions
    and the constant add up to the activation. What the source does to gates is not counted.

    Parameters
    ----------
    source
        A layer, or `"input"`.
    target
        A feature of a later layer.
    pictures
        Float32 in [0, 1], `(batch, 3, height, width)`.
    position
        Row and column of the neuron; by default the strongest in each picture.

    Returns
    -------
    tuple of Flow
        One for each picture; the contributions over a set of pictures are their mean.

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
        activations = torch.einsum("u,u...->...", vector, values[feature.layer][0])
        activations = activations.reshape((*activations.shape, 1, 1)[:2])
        neuron = position or _strongest(activations)
        weights = expanded_weights(
            network, source, feature, linearization=LOCAL, pictures=picture, position=neuron
        )
        (top, left), (height, width) = weights.offset, weights.weight.shape[2:]
        sources = values[source][0]
        sources = sources.reshape((*sources.shape, 1, 1)[:3])
        sources = sources[:, top : top + height, left : left + width]
        contributions = replace(weights, weight=weights.weight * sources.cpu())
        flows.append(Flow(contributions, neuron, float(activations[neuron])))
    return tuple(flows)


def _strongest(activations: Float[Tensor, "height width"]) -> tuple[int, int]:
    row, column = divmod(int(activations.argmax()), activations.shape[1])
    return row, column
