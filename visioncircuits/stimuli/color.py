"""Colors: names, the circle of hues about gray, and rotation along it."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float32, Float64
from PIL import ImageColor
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.stimuli.stimulus import Parameter, Stimulus, values_of
from visioncircuits.stimuli.trigonometry import cosd

Color = str | Sequence[float | int] | Float32[Tensor, "_ 3"] | Float64[Tensor, "_ 3"]
"""A CSS name or "#rrggbb", an RGB triple in [0, 1], or a ``(batch, 3)`` tensor of them."""

BLACK, WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def rgb(color: Color) -> Float64[Tensor, "_ 3"]:
    """Return a color as RGB in [0, 1].

    Returns
    -------
    Tensor, float64, (1, 3) or (batch, 3), on the CPU

    Raises
    ------
    InputError
        If the name is unknown, or the numbers are not triples in [0, 1].

    Examples
    --------
    >>> rgb("red").tolist(), rgb((0, 0.5, 1)).tolist()
    ([[1.0, 0.0, 0.0]], [[0.0, 0.5, 1.0]])
    """
    if isinstance(color, str):
        try:
            color = [channel / 255 for channel in ImageColor.getrgb(color)[:3]]
        except ValueError:
            raise InputError(
                f"unknown color {color!r}; give a CSS name, '#rrggbb', or red, green and blue "
                "in [0, 1]"
            ) from None
    triples = torch.as_tensor(color, dtype=torch.float64, device="cpu")
    if triples.ndim == 1:
        triples = triples[None]
    if triples.shape[-1] != 3 or not bool(((triples >= 0) & (triples <= 1)).all()):
        raise InputError(f"a color is red, green and blue in [0, 1], got {triples.tolist()[0]}")
    return triples


def hue(angle: Parameter, *, chroma: Parameter = 1.0) -> Float64[Tensor, "_ 3"]:
    """Return colors of equal brightness and equal distance from gray: 0 is red, 120 green.

    Channel k of red, green and blue is (1 + chroma · cos(angle − 120 k)) / 2, so that every hue
    has the mean of gray, opposite hues are mirror images about gray, and the contrast of two hues
    depends only on the angle between them.

    Parameters
    ----------
    angle : Parameter
        In degrees.
    chroma : Parameter
        Distance from gray in [0, 1], where 1 is the largest that every hue can have.

    Returns
    -------
    Tensor, float64, (1, 3) or (batch, 3)

    Examples
    --------
    >>> (hue(0.0).round(decimals=6) + 0).tolist(), (hue(180.0).round(decimals=6) + 0).tolist()
    ([[1.0, 0.25, 0.25]], [[0.0, 0.75, 0.75]])
    """
    angles, chromas = values_of(angle), values_of(chroma)
    thirds = torch.tensor([0.0, 120.0, 240.0], dtype=torch.float64)
    colors: Tensor = 0.5 + 0.5 * chromas[:, None] * cosd(angles[:, None] - thirds)
    return colors


def rotate_hue(
    picture: Float32[Tensor, "batch 3 height width"], angle: Parameter
) -> Float32[Tensor, "batch 3 height width"]:
    """Rotate a picture's hues about the gray axis; each pixel keeps its mean and gray distance.

    Parameters
    ----------
    picture : Tensor, float32, (batch, 3, height, width)
        RGB in [0, 1].
    angle : Parameter
        In degrees; 120 maps red to green, green to blue and blue to red.

    Returns
    -------
    Tensor, float32, (batch, 3, height, width)
        In [0, 1]. Colors outside the circle of `hue`, such as pure red, may leave that range when
        they are rotated, and are clipped to it; colors from `hue` are rotated exactly.

    Examples
    --------
    >>> red = hue(0.0).float()[:, :, None, None]
    >>> torch.allclose(rotate_hue(red, 50.0)[0, :, 0, 0], hue(50.0).float()[0], atol=1e-6)
    True
    """
    angles = values_of(angle)
    channel = torch.arange(3.0, dtype=torch.float64)
    offsets = 120.0 * (channel[:, None] - channel)
    rotation = (1 + 2 * cosd(angles[:, None, None] - offsets)) / 3
    rotated = torch.einsum(
        "bij,bjhw->bihw", rotation.float().to(picture.device).expand(len(picture), 3, 3), picture
    )
    return rotated.clamp(0, 1)


@dataclass(frozen=True)
class HueRotated:
    """A family with the additional parameter `hue_rotation`, see `hue_rotated`."""

    family: Callable[..., Stimulus]

    @property
    def __name__(self) -> str:
        return f"hue_rotated({self.family.__name__})"

    @property
    def __wrapped__(self) -> Callable[..., Stimulus]:
        return self.family

    @property
    def __signature__(self) -> inspect.Signature:
        signature = inspect.signature(self.family)
        rotation = inspect.Parameter(
            "hue_rotation", inspect.Parameter.KEYWORD_ONLY, default=0.0, annotation=Parameter
        )
        return signature.replace(parameters=[rotation, *signature.parameters.values()])

    def __call__(self, *, hue_rotation: Parameter = 0.0, **parameters: object) -> Stimulus:
        """Draw the family's stimulus and rotate its hues."""
        drawn = self.family(**parameters)
        angles = values_of(hue_rotation)
        batch = max(len(drawn), len(angles))
        return Stimulus(
            rotate_hue(drawn.picture.expand(batch, -1, -1, -1), angles),
            drawn.mask.expand(batch, -1, -1, -1),
            {
                name: values.expand(batch, *values.shape[1:])
                for name, values in {**drawn.parameters, "hue_rotation": angles}.items()
            },
        )


def hue_rotated(family: Callable[..., Stimulus]) -> HueRotated:
    """Add the parameter `hue_rotation` to a family: degrees by which its hues are rotated.

    Examples
    --------
    >>> from visioncircuits.stimuli.contrasts import color_contrast
    >>> rotated = hue_rotated(color_contrast)(hue=20.0, hue_rotation=30.0, size=8)
    >>> torch.allclose(rotated.picture, color_contrast(hue=50.0, size=8).picture, atol=1e-6)
    True
    """
    return HueRotated(family)
