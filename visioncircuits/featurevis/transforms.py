"""Transformation robustness: the network sees a picture a little moved, turned and scaled.

All of a step's random transforms are one affine map and so one resampling, whatever their number.
Source: Olah, Mordvintsev and Schubert, "Feature Visualization" (2017), "Transformation
Robustness"; the usual amounts are lucid's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.numbers import real, whole

Maps = Float[Tensor, "batch channels height width"]


@dataclass(frozen=True, kw_only=True)
class Robustness:
    """How far a picture may be moved at random, at every step anew.

    Attributes
    ----------
    jitter
        Pixels by which it is shifted at most, along each axis.
    scale
        Share by which it grows or shrinks at most: .1 is from .9 to 1.1 times.
    rotation
        Degrees by which it is turned at most, either way.
    still
        Share of the steps at which it is not turned at all.
    padding
        Pixels of gray on each side that come into view when it moves; they are inside the
        picture that the network sees, which shows the padded picture's middle.
    crop
        Side of a square of the picture, in pixels, that the network sees enlarged; none by
        default.

    Raises
    ------
    InputError
        For an amount that cannot be.
    """

    jitter: float = 8.0
    scale: float = 0.1
    rotation: float = 10.0
    still: float = 0.2
    padding: int = 0
    crop: int | None = None

    def __post_init__(self) -> None:
        for name in ("jitter", "rotation"):
            real(name, getattr(self, name), least=0)
        whole("padding", self.padding, least=0)
        real("still", self.still, least=0, most=1)
        if real("scale", self.scale, least=0) >= 1:
            raise InputError(f"scale must be less than 1, not {self.scale}")
        if self.crop is not None:
            whole("crop", self.crop, least=1)

    def draws(self, generators: Sequence[Generator], steps: int) -> Float[Tensor, "steps batch 5"]:
        """Draw what every step needs, each picture's from its own generator, uniform in [0, 1)."""
        return torch.stack([torch.rand(steps, 5, generator=g) for g in generators], dim=1)

    def matrices(
        self, draws: Float[Tensor, "batch 5"], size: tuple[int, int]
    ) -> Float[Tensor, "batch 2 3"]:
        """Turn a step's draws into affine maps from what is seen to the picture, in [-1, 1]."""
        centerd = draws * 2 - 1
        angle = torch.deg2rad(centerd[:, 0] * self.rotation) * (draws[:, 4] >= self.still)
        seen = torch.tensor([side + 2 * self.padding for side in size], device=draws.device)
        if self.crop is not None:
            seen = torch.full_like(seen, self.crop)
        height, width = size
        zoom = 1 / (1 + centerd[:, 1] * self.scale)
        room = torch.tensor([float(self.jitter)] * 2, device=draws.device)
        if self.crop is not None:
            room = room + torch.tensor([(side - self.crop) / 2 for side in size]).to(room)
        shift = centerd[:, 2:4] * room  # y, x in pixels
        cos, sin = angle.cos() * zoom, angle.sin() * zoom
        down, right = seen / torch.tensor(size, device=seen.device)
        aspect = width / height
        x = torch.stack([cos * right, -sin * down / aspect, 2 * shift[:, 1] / width], dim=1)
        y = torch.stack([sin * right * aspect, cos * down, 2 * shift[:, 0] / height], dim=1)
        return torch.stack([x, y], dim=1)

    def __call__(
        self, pictures: Maps, draws: Float[Tensor, "batch 5"], *, size: int | None = None
    ) -> Float[Tensor, "batch channels seen_height seen_width"]:
        """Show pictures to the network, each moved as its draws say.

        Parameters
        ----------
        pictures
            `(batch, channels, height, width)` in [0, 1].
        draws
            One step of `draws`, on the pictures' device.
        size
            Side of what the network gets, in pixels; the picture's own by default.

        Examples
        --------
        >>> still = Robustness(jitter=0, scale=0, rotation=0)
        >>> picture = torch.rand(1, 3, 8, 8)
        >>> torch.allclose(still(picture, torch.rand(1, 5)), picture, atol=1e-6)
        True
        """
        height, width = pictures.shape[-2:]
        target = (height, width) if size is None else (size, size)
        matrices = self.matrices(draws, (height, width))
        grid = F.affine_grid(matrices, [len(pictures), 1, *target], align_corners=False)
        # Zero padding around a picture of which gray is subtracted is gray.
        return 0.5 + F.grid_sample(pictures - 0.5, grid, align_corners=False)


STILL = Robustness(jitter=0, scale=0, rotation=0)
"""No robustness at all: the picture as it is, only brought to the network's size."""
