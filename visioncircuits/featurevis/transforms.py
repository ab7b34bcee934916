"""Random transforms of a picture before the network: translation, rotation, scaling and cropping.

The transforms of a step are combined into one affine map, and so into one resampling.
Source: Olah, Mordvintsev and Schubert, "Feature Visualization" (2017), "Transformation
Robustness"; the default amounts are lucid's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.numbers import real, whole
from visioncircuits.records import brief

Maps = Float[Tensor, "batch channels height width"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Transforms:
    """Amounts by which a picture is transformed at random in each step.

    Attributes
    ----------
    jitter
        Largest translation along each axis, in pixels.
    scale
        Largest relative change of size: .1 is from .9 to 1.1 times.
    rotation
        Largest rotation in either direction, in degrees.
    unrotated
        Share of the steps without rotation.
    padding
        Pixels of gray added on each side; the network receives the padded picture.
    crop
        Side in pixels of a random square of the picture that the network receives enlarged; by
        default the whole picture.

    Raises
    ------
    InputError
        If an amount is out of range.

    Examples
    --------
    >>> Transforms(jitter=4, rotation=0)
    Transforms(jitter=4, rotation=0)
    """

    jitter: float = 8.0
    scale: float = 0.1
    rotation: float = 10.0
    unrotated: float = 0.2
    padding: int = 0
    crop: int | None = None

    __repr__ = brief

    def __post_init__(self) -> None:
        for name in ("jitter", "rotation"):
            real(name, getattr(self, name), least=0)
        whole("padding", self.padding, least=0)
        real("unrotated", self.unrotated, least=0, most=1)
        if real("scale", self.scale, least=0) >= 1:
            raise InputError(f"scale must be less than 1, not {self.scale}")
        if self.crop is not None:
            whole("crop", self.crop, least=1)

    def draws(self, generators: Sequence[Generator], steps: int) -> Float[Tensor, "steps batch 5"]:
        """Return uniform samples in [0, 1) for all steps, each picture's from its own generator."""
        return torch.stack([torch.rand(steps, 5, generator=g) for g in generators], dim=1)

    def matrices(
        self, draws: Float[Tensor, "*batch 5"], size: tuple[int, int]
    ) -> Float[Tensor, "*batch 2 3"]:
        """Return the affine maps of draws from the network's input to the picture, in [-1, 1]."""
        signed = draws * 2 - 1
        angle = torch.deg2rad(signed[..., 0] * self.rotation) * (draws[..., 4] >= self.unrotated)
        view = torch.tensor([side + 2 * self.padding for side in size], device=draws.device)
        if self.crop is not None:
            view = torch.full_like(view, self.crop)
        height, width = size
        zoom = 1 / (1 + signed[..., 1] * self.scale)
        reach = torch.tensor([float(self.jitter)] * 2, device=draws.device)
        if self.crop is not None:
            reach = reach + torch.tensor([(side - self.crop) / 2 for side in size]).to(reach)
        shift = signed[..., 2:4] * reach  # y, x in pixels
        cos, sin = angle.cos() * zoom, angle.sin() * zoom
        down, right = view / torch.tensor(size, device=view.device)
        aspect = width / height
        x = torch.stack([cos * right, -sin * down / aspect, 2 * shift[..., 1] / width], dim=-1)
        y = torch.stack([sin * right * aspect, cos * down, 2 * shift[..., 0] / height], dim=-1)
        return torch.stack([x, y], dim=-2)

    def __call__(
        self, pictures: Maps, draws: Float[Tensor, "batch 5"], *, size: int | None = None
    ) -> Float[Tensor, "batch channels input_height input_width"]:
        """Return the transformed pictures, each by its own draws.

        Parameters
        ----------
        pictures
            `(batch, channels, height, width)` in [0, 1].
        draws
            One step of `draws`, on the device of the pictures.
        size
            Side of the network's input, in pixels; by default that of the picture.

        Examples
        --------
        >>> picture = torch.rand(1, 3, 8, 8)
        >>> torch.allclose(NO_TRANSFORMS(picture, torch.rand(1, 5)), picture, atol=1e-6)
        True
        """
        height, width = pictures.shape[-2:]
        return resampled(pictures, self.matrices(draws, (height, width)), size=size)


def resampled(
    pictures: Maps, matrices: Float[Tensor, "batch 2 3"], *, size: int | None = None
) -> Float[Tensor, "batch channels input_height input_width"]:
    """Resample pictures, each by its own of `Transforms.matrices`; around them is gray."""
    height, width = pictures.shape[-2:] if size is None else (size, size)
    # Gray is subtracted, so that zero padding is gray.
    return 0.5 + F.grid_sample(pictures - 0.5, _grid(matrices, height, width), align_corners=False)


def _grid(
    matrices: Float[Tensor, "batch 2 3"], height: int, width: int
) -> Float[Tensor, "batch height width 2"]:
    """Map the pixels of the network's input to positions in the picture, `x, y` in [-1, 1].

    This is `F.affine_grid`, in a fraction of the time: x and y are added as one complex number.
    """
    x, y = (
        (torch.arange(side, device=matrices.device) * 2 + 1) / side - 1 for side in (width, height)
    )
    right, down, shift = torch.view_as_complex(matrices.mT.contiguous()).unbind(1)
    columns, rows = right[:, None] * x, down[:, None] * y + shift[:, None]
    return torch.view_as_real(columns[:, None] + rows[:, :, None])


NO_TRANSFORMS = Transforms(jitter=0, scale=0, rotation=0)
"""The identity, apart from resampling to the network's input size."""
