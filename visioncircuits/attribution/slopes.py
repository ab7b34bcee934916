"""Slopes: how a class, or a group of a later layer, changes with a layer's activations.

Times the activations they are attributions, and what activations are made of shares these, since
the product is linear: units, positions, groups and the rest add up to the layer's.
"""

import warnings
from collections.abc import Sequence
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
        weights = self.weights.to(activations)
        if weights.ndim == 1:
            weights = weights.reshape(-1, *[1] * (activations.ndim - 1))
        return (weights * activations).sum()


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
        """Return the gradient of each readout."""
        return _gradients(network, photograph, layer, readouts, self)


@dataclass(frozen=True)
class RelaxedGradient:
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

    def __call__(
        self,
        network: Network,
        photograph: Float[Tensor, "1 channels height width"],
        layer: str,
        readouts: Sequence[Readout],
    ) -> Float[Tensor, "readouts units rows columns"]:
        """Return the gradient of each readout."""
        return _gradients(network, photograph, layer, readouts, self)


@dataclass(frozen=True)
class IntegratedGradient:
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

    def __call__(
        self,
        network: Network,
        photograph: Float[Tensor, "1 channels height width"],
        layer: str,
        readouts: Sequence[Readout],
    ) -> Float[Tensor, "readouts units rows columns"]:
        """Return the mean gradient of each readout."""
        return _gradients(network, photograph, layer, readouts, self)


Slope = Gradient | RelaxedGradient | IntegratedGradient
"""What activations are multiplied by, to attribute."""


def shares(slope: Slope) -> list[float]:
    """Return the shares of its activations that the layer has where gradients are taken."""
    if not isinstance(slope, IntegratedGradient):
        return [1.0]
    steps = whole("steps", slope.steps, least=1)
    return [(step + 0.5) / steps for step in range(steps)]


def pools(slope: Slope) -> AbstractContextManager[object]:
    """Return the context in which max pools have the slope's gradient."""
    return RelaxedMaxPool() if isinstance(slope, RelaxedGradient) else nullcontext()


def attributed_to_all(
    network: Network,
    photograph: Float[Tensor, "1 channels height width"],
    layer: str,
    parts: Float[Tensor, "parts units rows columns"],
    slope: Slope,
    *,
    batch: int = 64,
) -> Float[Tensor, "parts outputs"]:
    """Attribute all of the network's outputs to parts of a layer's activations.

    A `Slope` costs a backward pass for each readout, whatever the parts; this costs a forward pass
    for each part, whatever the outputs: derivatives along directions, in forward mode. The numbers
    are the same, to float rounding.

    Parameters
    ----------
    parts
        Of the activations, such as those at one position and zero elsewhere.
    batch
        Parts at once.

    Raises
    ------
    InputError
        For a layer that the output does not depend on, an output with positions, and where
        something between the two has no derivative in forward mode.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, photograph = untrained("bvlc_googlenet"), torch.rand(1, 3, 224, 224)
    >>> values = network.activations(photograph, ["mixed5a"])["mixed5a"]
    >>> attributed_to_all(network, photograph, "mixed5a", values, Gradient()).shape
    torch.Size([1, 1000])
    """
    output, name = network.output, network.layer(layer).name
    if not network.depends(output, layer):
        raise InputError(f"{output} does not depend on {layer}; name an earlier layer")
    if network.layer(output).shape:
        raise InputError(f"{output} has positions: {network.name} is not a classifier")
    with torch.inference_mode(False), torch.no_grad():
        values = network.activations(photograph, [layer])[layer].clone()
        parts = parts.to(values)

        def outputs(values: Tensor) -> Tensor:
            changes = [Replacement(name, values)]
            return network.activations(photograph, [output], changes=changes)[output]

        def along(part: Tensor) -> Tensor:
            with pools(slope):
                found = [
                    torch.func.jvp(outputs, (share * values,), (part[None],))[1][0]
                    for share in shares(slope)
                ]
            return torch.stack(found).mean(0)

        try:
            with warnings.catch_warnings():
                # torch's, of its own code when it loads, and of operations it takes in a loop
                warnings.filterwarnings("ignore", message=".*jit.script. is deprecated")
                warnings.filterwarnings("ignore", message="There is a performance drop because")
                total = torch.func.vmap(along, chunk_size=batch)(parts)
        except (NotImplementedError, RuntimeError) as error:
            if "jvp" not in str(error) and "functorch" not in str(error):
                raise
            raise InputError(
                f"all classes of {network.name} cannot be attributed to {layer} at once: something "
                "between has no derivative in forward mode; name the classes"
            ) from error
    return total.float().cpu()


def _gradients(
    network: Network,
    photograph: Tensor,
    layer: str,
    readouts: Sequence[Readout],
    slope: Slope,
) -> Tensor:
    """The gradients, averaged over the slope's shares."""
    for readout in readouts:
        if not network.depends(readout.layer, layer):
            raise InputError(f"{readout.layer} does not depend on {layer}; name an earlier layer")
    wanted = list(dict.fromkeys(readout.layer for readout in readouts))
    with torch.no_grad():
        values = network.activations(photograph, [layer])[layer].detach()
    total = values.new_zeros(len(readouts), *values.shape[1:])
    with torch.inference_mode(False), torch.enable_grad(), pools(slope):
        for share in shares(slope):
            leaf = (share * values).clone().requires_grad_()
            start = Replacement(network.layer(layer).name, leaf)
            found = network.activations(photograph, wanted, changes=[start])
            for place, readout in enumerate(readouts):
                (gradient,) = torch.autograd.grad(
                    readout.of(found[readout.layer][0]), leaf, retain_graph=True
                )
                total[place] += gradient[0]
    return (total / len(shares(slope))).float().cpu()
