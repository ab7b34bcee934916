"""Slopes: how a class, or a group of a later layer, changes with a layer's activations.

Times the activations they are attributions, and what activations are made of shares these, since
the product is linear: units, positions, groups and the rest add up to the layer's.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.featurevis.gradients import RelaxedMaxPool
from visioncircuits.networks import Network
from visioncircuits.networks.edits import Replacement
from visioncircuits.numbers import whole
from visioncircuits.weights.local_map import local_map


@dataclass(frozen=True, eq=False)
class Readout:
    """A weighted sum of a layer's activations, which is to be explained.

    Attributes
    ----------
    layer
        Its name.
    weights
        One a unit, for all positions, `(units,)`; or one a neuron, `(units, height, width)`.

    Examples
    --------
    >>> Readout("mixed3a", torch.tensor([1.0, 2.0])).of(torch.ones(2, 3, 3))
    tensor(27.)
    """

    layer: str
    weights: Tensor

    def of(self, activations: Tensor) -> Tensor:
        """Return the sum over activations of one picture."""
        return (self.over(activations) * activations).sum()

    def over(self, activations: Tensor) -> Tensor:
        """Return the weights of the neurons of one picture's activations, in their shape."""
        weights = self.weights.to(activations)
        if weights.ndim == 1:
            weights = weights.reshape(-1, *[1] * (activations.ndim - 1))
        return weights.expand_as(activations)


@dataclass(frozen=True)
class Gradient:
    """The gradient at the photograph's activations.

    Raises, when called, an `InputError` for a readout that does not depend on the layer.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, photograph = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> readout = Readout("mixed3a", torch.ones(256))
    >>> Gradient()(network, photograph, "conv2d2", [readout]).shape
    torch.Size([1, 192, 16, 16])
    """

    @property
    def name(self) -> str:
        """The method, in words."""
        return "gradient"

    def __call__(
        self,
        network: Network,
        photograph: Float[Tensor, "1 channels height width"],
        layer: str,
        readouts: Sequence[Readout],
    ) -> Float[Tensor, "readouts units rows columns"]:
        """Return the gradient of each readout; their mean where there are several points."""
        _check(network, layer, readouts)
        wanted = list(dict.fromkeys(readout.layer for readout in readouts))
        with torch.no_grad():
            values = network.activations(photograph, [layer])[layer].detach()
        total = values.new_zeros(len(readouts), *values.shape[1:])
        points = self.points()
        with torch.inference_mode(False), torch.enable_grad(), self.mode():
            for share in points:
                leaf = (share * values).clone().requires_grad_()
                start = Replacement(network.layer(layer).name, leaf)
                found = network.activations(photograph, wanted, changes=[start])
                for place, readout in enumerate(readouts):
                    (gradient,) = torch.autograd.grad(
                        readout.of(found[readout.layer][0]), leaf, retain_graph=True
                    )
                    total[place] += gradient[0]
        return (total / len(points)).float().cpu()

    def points(self) -> Sequence[float]:
        """Where gradients are taken, as shares of the activations."""
        return (1.0,)

    def mode(self) -> AbstractContextManager[object]:
        """What replaces gradients."""
        return nullcontext()


class RelaxedGradient(Gradient):
    """The gradient with the article's relaxed max pools: see `featurevis.gradients.RelaxedMaxPool`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, photograph = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> readout = Readout("mixed3b", torch.ones(480))
    >>> RelaxedGradient()(network, photograph, "mixed3a", [readout]).shape
    torch.Size([1, 256, 8, 8])
    """

    @property
    def name(self) -> str:
        """The method, in words."""
        return "gradient with relaxed max pools"

    def mode(self) -> AbstractContextManager[object]:
        """What replaces gradients."""
        return RelaxedMaxPool()


@dataclass(frozen=True)
class IntegratedGradient(Gradient):
    """The mean gradient on the way from no activation: attributions add up to what changes.

    Attributes
    ----------
    steps
        At the middles of so many equal parts of the way.

    Examples
    --------
    >>> IntegratedGradient(8).name
    'integrated gradient, 8 steps'
    """

    steps: int = 16

    @property
    def name(self) -> str:
        """The method, in words."""
        return f"integrated gradient, {self.steps} steps"

    def points(self) -> Sequence[float]:
        """Where gradients are taken, as shares of the activations."""
        steps = whole("steps", self.steps, least=1)
        return [(step + 0.5) / steps for step in range(steps)]


@dataclass(frozen=True)
class ExactPaths:
    """The contextual weights of all paths: attributions and what biases carry add up to the logit.

    A path's weight is the product of the weights along it, with every gate as it was on the
    photograph, max pools as what they passed on, and normalizations as their gain ("Visualizing
    Weights", Voss et al., 2021). Paths from one neuron of the layer share its activation, so the
    sum of their weights is a slope. It is the gradient where all between is linear, rectified or
    pooled; it is another one through normalizations, smooth rectifiers and products with a gate,
    whose own change the gradient counts and paths do not.

    Raises, when called, an `InputError` for a readout that does not depend on the layer, and for
    operations without a linear replacement on the way, such as attention.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, photograph = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> readout = Readout("mixed3a", torch.ones(256))
    >>> ExactPaths()(network, photograph, "conv2d2", [readout]).shape
    torch.Size([1, 192, 16, 16])
    """

    @property
    def name(self) -> str:
        """The method, in words."""
        return "exact paths"

    def __call__(
        self,
        network: Network,
        photograph: Float[Tensor, "1 channels height width"],
        layer: str,
        readouts: Sequence[Readout],
    ) -> Float[Tensor, "readouts units rows columns"]:
        """Return the sum of the weights of all paths to each readout."""
        _check(network, layer, readouts)
        wanted = list(dict.fromkeys(readout.layer for readout in readouts))
        with torch.no_grad():
            found = network.activations(photograph, wanted)
        slopes: dict[int, Tensor] = {}
        for target in wanted:
            places = [place for place, each in enumerate(readouts) if each.layer == target]
            sums = torch.stack([readouts[place].over(found[target][0]) for place in places])
            sums = sums.reshape((*sums.shape, 1, 1)[:4])
            instead = "choose another slope than exact paths"
            mapped = local_map(network, photograph, layer, target, sums, instead=instead)
            slopes.update(zip(places, mapped, strict=True))
        return torch.stack([slopes[place] for place in range(len(readouts))]).float().cpu()


Slope = Gradient | ExactPaths
"""What activations are multiplied by, to attribute: `Gradient`, of which `RelaxedGradient` and
`IntegratedGradient` are kinds, or `ExactPaths`."""

SLOPES: Mapping[str, Slope] = {
    "relaxed": RelaxedGradient(),
    "gradient": Gradient(),
    "integrated": IntegratedGradient(),
    "exact": ExactPaths(),
}
"""By the names that commands and recipes have for them."""


def _check(network: Network, layer: str, readouts: Sequence[Readout]) -> None:
    for readout in readouts:
        if not network.depends(readout.layer, layer):
            raise InputError(f"{readout.layer} does not depend on {layer}; name an earlier layer")
