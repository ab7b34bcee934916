"""Attribution: which earlier features, positions and pixels activated a feature.

Gradient times activation and integrated gradients share how a feature's sensitivity is taken,
so they are one module of some 300 lines.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from visioncircuits import pictures as pictures_of
from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, Network
from visioncircuits.networks.edits import Replacement
from visioncircuits.networks.graph import INPUT
from visioncircuits.records import brief

_SHOWN = 4
"""Pictures that a notebook shows."""


@dataclass(frozen=True)
class Attribution:
    """What activated a feature.

    Attributes
    ----------
    values : Tensor, (batch, units, rows, columns)
        Of each neuron of the layer, or of each color of each pixel.
    activation : Tensor, (batch,)
        What is explained: the feature's activation.
    baseline : Tensor, (batch,)
        Its activation at the baseline.
    pictures : Tensor, (batch, 3, height, width)
        What activated it.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(2, 3, 64, 64)
    >>> found = integrated_gradients(network, "conv2d2:7", pictures, to="conv2d0", steps=8)
    >>> found.values.shape, found.remainder.shape
    (torch.Size([2, 64, 32, 32]), torch.Size([2]))
    """

    values: Float[Tensor, "batch units rows columns"]
    activation: Float[Tensor, " batch"]
    baseline: Float[Tensor, " batch"]
    pictures: Float[Tensor, "batch channels height width"]

    __repr__ = brief

    def _repr_png_(self) -> bytes:
        shown = zip(self.pictures[:_SHOWN], self.values[:_SHOWN], strict=True)
        return pictures_of.png(*(overlay(picture, values) for picture, values in shown))

    @property
    def remainder(self) -> Float[Tensor, " batch"]:
        """What the values do not add up to: of integrated gradients, the error of the sum."""
        return self.activation - self.baseline - self.values.sum((1, 2, 3))


def gradient_times_activation(
    network: Network,
    feature: str | Feature,
    pictures: Float[Tensor, "batch 3 height width"],
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
    zero = torch.zeros_like(activation)
    return Attribution((gradient * start).detach(), activation, zero, pictures)


def integrated_gradients(
    network: Network,
    feature: str | Feature,
    pictures: Float[Tensor, "batch 3 height width"],
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
    if steps < 1:
        raise InputError(f"integrated gradients take 1 step or more, not {steps}")
    asked = network.feature(feature)
    end = _start(network, pictures, to)
    where = _position(network, asked, pictures, position)
    begin = torch.as_tensor(baseline, dtype=end.dtype, device=end.device).expand_as(end)
    total = torch.zeros_like(end)
    for step in range(steps):
        between = torch.lerp(begin, end, (step + 0.5) / steps)
        total += _sensitivity(network, asked, pictures, to, between, where)[1]
    first, last = (
        _sensitivity(network, asked, pictures, to, values, where)[0] for values in (begin, end)
    )
    return Attribution((total / steps * (end - begin)).detach(), last, first, pictures)


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

    With Captum installed, to conv2d2:

    >>> from captum.attr import LayerConductance  # doctest: +SKIP
    >>> layer = value.network.module.get_submodule("conv2d2")  # doctest: +SKIP
    >>> LayerConductance(value, layer).attribute(pictures)  # doctest: +SKIP
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


def overlay(
    picture: Float[Tensor, "channels height width"],
    values: Float[Tensor, "units rows columns"],
    *,
    scale: int = 2,
) -> Image.Image:
    """Draw a photograph, and beside it where in it the attribution lies.

    Parameters
    ----------
    picture
        In [0, 1]. On the left it is in color where it has three channels, else their mean in gray.
    values
        Of one picture, from an `Attribution`; units or colors are added up.
    scale
        Pixels for one of the photograph.

    Returns
    -------
    PIL.Image.Image
        On the right the photograph in gray, red where it raised the activation and blue where it
        lowered it; full color is the 99.5th percentile.
    """
    height, width = picture.shape[1:]
    total = values.sum(0)[None, None].float()
    sums = torch.nn.functional.interpolate(total, (height, width), mode="bilinear")[0, 0]
    if total.shape[2:] == (height, width):  # pixels alone are too fine to see
        # by way of torch's compiler, it takes seconds to import
        from torchvision.transforms import functional

        sums = functional.gaussian_blur(sums[None], [9, 9], [2.0, 2.0])[0]
    most = float(torch.quantile(sums.abs().flatten(), 0.995)) or 1.0
    strength = (sums / most).clamp(-1, 1)[None]
    gray = picture.mean(0, keepdim=True).expand(3, -1, -1)
    picture, gray = picture if len(picture) == 3 else gray, 0.55 + 0.4 * gray
    red, blue = (torch.tensor(c)[:, None, None] / 255 for c in ((202.0, 0, 32), (5.0, 113, 176)))
    shown = torch.lerp(gray, torch.where(strength > 0, red, blue), strength.abs() * 0.9)
    both = torch.cat([picture, torch.ones(3, height, 4), shown], 2).clamp(0, 1)
    pixels = both.mul(255).round().byte().permute(1, 2, 0).numpy()
    image = Image.fromarray(pixels)
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.LANCZOS)
