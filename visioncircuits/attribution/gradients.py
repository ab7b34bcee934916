"""Attribution: which earlier features, positions and pixels activated a feature.

Gradient times activation and integrated gradients share how a feature's sensitivity is taken,
so they are one module of some 300 lines.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from visioncircuits import __version__
from visioncircuits.attribution.attributions import Attribution
from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, Network
from visioncircuits.networks.edits import Replacement
from visioncircuits.networks.graph import INPUT
from visioncircuits.numbers import whole


def gradient_times_activation(
    network: Network,
    feature: str | Feature,
    pictures: Float[Tensor, "batch channels height width"],
    *,
    to: str = INPUT,
    position: tuple[int, int] | None = None,
) -> Attribution:
    """Attribute a feature to an earlier layer by gradient times activation.

    It is exact for all that is linear between the layers; for a rectifier it takes the slope at
    this activation. "Building Blocks of Interpretability" (Olah et al., 2018).

    Parameters
    ----------
    network
        Any network.
    feature
        What is explained: a unit, a direction, or a logit (`logits:207`).
    pictures
        In [0, 1].
    to
        An earlier layer, or `"input"` for the pixels.
    position
        Row and column of the neuron that is explained; by default where the feature is strongest.

    Raises
    ------
    InputError
        For an unknown feature or layer, a position that is not there, or a layer that the feature
        does not depend on.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 96, 96)
    >>> found = gradient_times_activation(network, "mixed3a:5", picture, to="conv2d2")
    >>> found.values.shape
    torch.Size([1, 192, 24, 24])
    """
    asked = network.feature(feature)
    start = _start(network, pictures, to)
    where = _position(network, asked, pictures, position)
    activation, gradient = _sensitivity(network, asked, pictures, to, start, where)
    activation = activation.cpu()
    return Attribution(
        str(asked),
        to,
        pictures.cpu(),
        (gradient * start).detach().cpu(),
        activation,
        torch.zeros_like(activation),
        _record(network, asked, "gradient times activation", position),
    )


def integrated_gradients(
    network: Network,
    feature: str | Feature,
    pictures: Float[Tensor, "batch channels height width"],
    *,
    to: str = INPUT,
    position: tuple[int, int] | None = None,
    baseline: Tensor | float = 0.0,
    steps: int = 32,
) -> Attribution:
    """Attribute a feature to an earlier layer by gradients along the way from a baseline.

    They add up to the activation less that at the baseline (Sundararajan et
    al., "Axiomatic Attribution for Deep Networks", 2017); `Attribution.remainder` is the error that
    so many steps leave.

    Parameters
    ----------
    network, feature, pictures, to, position
        As for `gradient_times_activation`.
    baseline
        Values of the layer, or one for all: for pixels, .5 is gray.
    steps
        At the middles of so many equal parts of the way.

    Raises
    ------
    InputError
        As `gradient_times_activation`, and for less than one step.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 96, 96)
    >>> found = integrated_gradients(network, "mixed3a:5", picture, to="conv2d2", steps=16)
    >>> bool(found.remainder.abs().max() < 0.05 * (found.activation - found.baseline).abs().max())
    True
    """
    whole("steps", steps, least=1)
    asked = network.feature(feature)
    end = _start(network, pictures, to)
    where = _position(network, asked, pictures, position)
    begin = torch.as_tensor(baseline, dtype=end.dtype, device=end.device).expand_as(end)
    total = torch.zeros_like(end)
    for step in range(steps):
        between = torch.lerp(begin, end, (step + 0.5) / steps)
        total += _sensitivity(network, asked, pictures, to, between, where)[1]
    first, last = (
        _sensitivity(network, asked, pictures, to, values, where)[0].cpu()
        for values in (begin, end)
    )
    return Attribution(
        str(asked),
        to,
        pictures.cpu(),
        (total / steps * (end - begin)).detach().cpu(),
        last,
        first,
        _record(network, asked, "integrated gradients", position, steps=steps),
    )


def _record(
    network: Network,
    feature: Feature,
    method: str,
    position: tuple[int, int] | None,
    **more: Any,
) -> dict[str, Any]:
    return {
        "visioncircuits": __version__,
        "device": network.device.type,
        "network": network.record(),
        "feature": feature.record(),
        "method": method,
        "position": None if position is None else list(position),
        **more,
    }


class FeatureValue(nn.Module):
    """A feature's activation as a module, for methods of other libraries.

    Captum's layer methods take it, with any layer of the network beside it, for what is not here:
    conductance, DeepLIFT, Shapley values (Kokhlikyan et al., "Captum", 2020).

    Parameters
    ----------
    network
        Any network.
    feature
        A unit, a direction, or a logit.
    position
        Row and column of the neuron; None where the layer has no positions.

    Raises
    ------
    InputError
        For an unknown feature, and a position left out, or given where there is none.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> value = FeatureValue(untrained("bvlc_googlenet"), "mixed3a:5", position=(2, 3))
    >>> value(torch.rand(4, 3, 96, 96)).shape
    torch.Size([4])

    Captum takes it with a layer, such as `layer = value.network.module.get_submodule("conv2d2")`,
    in `LayerConductance(value, layer).attribute(pictures)`.
    """

    def __init__(
        self, network: Network, feature: str | Feature, *, position: tuple[int, int] | None = None
    ) -> None:
        super().__init__()
        self.module = network.module  # so that its layers are found
        self.network, self.feature = network, network.feature(feature)
        placed = len(network.layer(self.feature.layer).shape) == 2
        if placed and position is None:
            raise InputError(f"{feature} has many neurons; give the position of one")
        if not placed and position is not None:
            raise InputError(f"{self.feature.layer} has no positions; leave the position out")
        self.position = position

    def forward(
        self, pictures: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, " batch"]:
        """Compute the activation on each picture."""
        layer = self.feature.layer
        values = _activation({layer: self.network.called(pictures, layer)}, self.feature)
        return values if self.position is None else values[:, *self.position]


def _start(network: Network, pictures: Tensor, to: str) -> Tensor:
    """The values of the layer that is attributed to."""
    if to == INPUT:
        return pictures.to(network.device)  # the pixels
    if len(network.layer(to).shape) != 2:
        raise InputError(f"{to} has no positions; attribute to a layer before the global pooling")
    with torch.no_grad():
        return network.activations(pictures, [to])[to].detach()


def _position(
    network: Network, feature: Feature, pictures: Tensor, position: tuple[int, int] | None
) -> Tensor | None:
    """The flat place of the neuron in each picture; None where the layer has no positions."""
    with torch.no_grad():
        values = _activation(network.activations(pictures, [feature.layer]), feature)
    if values.ndim == 1:
        if position is not None:
            raise InputError(f"{feature.layer} has no positions; leave the position out")
        return None
    rows, columns = values.shape[1:]
    if position is None:
        return values.flatten(1).argmax(1)
    row, column = position
    if not (0 <= row < rows and 0 <= column < columns):
        raise InputError(
            f"{feature.layer} has {rows} × {columns} neurons on these pictures, none at {position}"
        )
    return torch.full((len(values),), row * columns + column, device=values.device)


def _activation(found: dict[str, Tensor], feature: Feature) -> Tensor:
    values = found[feature.layer]
    vector = feature.vector(values.shape[1]).to(values)
    return torch.einsum("u,bu...->b...", vector, values)


def _sensitivity(
    network: Network,
    feature: Feature,
    pictures: Tensor,
    to: str,
    values: Tensor,
    where: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """The activation where the layer has these values, and its gradient to them."""
    leaf = values.detach().clone().requires_grad_()
    if to != INPUT and not network.depends(feature.layer, to):
        raise InputError(f"{feature} does not depend on {to}; name an earlier layer")
    with torch.inference_mode(False), torch.enable_grad():
        if to == INPUT:
            found = network.activations(leaf, [feature.layer])
        else:
            start = Replacement(network.layer(to).name, leaf)
            found = network.activations(pictures, [feature.layer], changes=[start])
        maps = _activation(found, feature)
        one = maps if where is None else maps.flatten(1).gather(1, where[:, None])[:, 0]
        gradient = None
        if one.requires_grad:
            (gradient,) = torch.autograd.grad(one.sum(), leaf, allow_unused=True)
    if gradient is None:
        raise InputError(f"{feature} does not depend on {to}; name an earlier layer")
    return one.detach(), gradient
