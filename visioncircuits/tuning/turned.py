"""Stimuli out of pictures that turn about a point."""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor
from torch.nn.functional import grid_sample

from visioncircuits.errors import InputError
from visioncircuits.stimuli import Parameter, StimulusSet
from visioncircuits.stimuli.plane import Plane
from visioncircuits.stimuli.trigonometry import cosd, sind

Picture = Float32[Tensor, "3 _ _"]


def turned(
    pictures: Sequence[Picture],
    centres: Sequence[tuple[float, float]] | None = None,
    *,
    step: float = 1.0,
) -> StimulusSet:
    """Make a set of stimuli out of pictures that turn, such as a unit's strongest photographs.

    `measure` shows them to a family: their centres lie where its neurons look, and what is seen
    of a picture turns about there. Where that is more than there is of the picture, it is
    mirrored at its edges, so that no corner ever shows.

    Parameters
    ----------
    pictures
        float32 RGB in [0, 1], of any sizes.
    centres
        For each picture, `(y, x)` in its pixels: what to turn about, and to look at; by default
        the pictures' middles.
    step
        Degrees from one rotation to the next; a whole number of them goes into 360.

    Returns
    -------
    StimulusSet
        With the axes `example`, in the order of the pictures, and `rotation`, clockwise in
        degrees from the picture as it is.

    Raises
    ------
    InputError
        Where there are no pictures, one is not like that, a centre is missing or outside its
        picture, or the steps do not go into 360.

    Notes
    -----
    "Increments of 1 degree from 0 to 360": Cammarata et al., "Curve Detectors" (2020). Turning
    neither enlarges nor shrinks, so bicubic interpolation is all the anti-aliasing there is to do.

    Examples
    --------
    >>> turned([torch.rand(3, 224, 224), torch.rand(3, 300, 200)], [(90.0, 120.0), (150.0, 99.5)])
    <StimulusSet turned: 2 example × 360 rotation>
    """
    if not len(pictures):
        raise InputError("there are no pictures to turn")
    if not step > 0 or not np.isclose(360 / step, round(360 / step)):
        raise InputError(f"steps of {step:g} degrees do not go into 360; take 1, 2 or 5")
    about = _centres(pictures, centres)

    def turning(
        *,
        example: Parameter = 0.0,
        rotation: Parameter = 0.0,
        sha256: str = "",  # of pictures and centres: only there to be recorded
        x: Parameter = 0.0,
        y: Parameter = 0.0,
        size: int | tuple[int, int] = 224,
        device: str | torch.device = "cpu",
    ) -> Tensor:
        numbers = (torch.as_tensor(p).double().reshape(-1) for p in (example, rotation, x, y))
        which, angle, right, down = torch.broadcast_tensors(*numbers)
        shape = (size, size) if isinstance(size, int) else size
        drawn = torch.empty(len(which), 3, *shape, device=device)
        for place in which.unique().int().tolist():
            here = which == place
            plane = Plane.about(right[here], down[here], shape, torch.device("cpu"))
            drawn[here] = _turn(pictures[place].to(device), about[place], angle[here], plane)
        return drawn

    rotations = np.arange(round(360 / step)) * step
    axes = {"example": range(len(pictures)), "rotation": rotations.tolist()}
    return StimulusSet(turning, axes, {"sha256": _digest(pictures, about)}, name="turned")


def _centres(
    pictures: Sequence[Picture], centres: Sequence[tuple[float, float]] | None
) -> list[tuple[float, float]]:
    for place, picture in enumerate(pictures):
        low, high = picture.min().item(), picture.max().item()
        if min(picture.shape[1:]) < 2 or not 0 <= low <= high <= 1:
            raise InputError(
                f"picture {place} cannot be turned: give 2 × 2 pixels or more of values in [0, 1], "
                f"not {picture.shape[1]} × {picture.shape[2]} from {low:g} to {high:g}"
            )
    sizes = [(picture.shape[1], picture.shape[2]) for picture in pictures]
    if centres is None:
        return [((height - 1) / 2, (width - 1) / 2) for height, width in sizes]
    if len(centres) != len(pictures):
        raise InputError(f"{len(pictures)} pictures have {len(centres)} centres; give one for each")
    for place, ((y, x), (height, width)) in enumerate(zip(centres, sizes, strict=True)):
        if not (0 <= y <= height - 1 and 0 <= x <= width - 1):
            raise InputError(
                f"the centre {y:g}, {x:g} is outside of picture {place}, whose pixels run to "
                f"{height - 1}, {width - 1}"
            )
    return [(float(y), float(x)) for y, x in centres]


def _turn(
    picture: Picture,
    centre: tuple[float, float],
    angle: Float64[Tensor, " batch"],
    plane: Plane,
) -> Float32[Tensor, "batch 3 height width"]:
    """Turn a picture clockwise by several angles and look at each at a plane's points."""
    cos, sin = cosd(angle)[:, None, None], sind(angle)[:, None, None]
    y, x = plane.y[:, :, None], plane.x[:, None, :]
    source = torch.stack((x * cos + y * sin + centre[1], y * cos - x * sin + centre[0]), -1)
    last = torch.tensor([picture.shape[2] - 1, picture.shape[1] - 1])
    grid = (2 * source / last - 1).to(picture)
    return grid_sample(
        picture.expand(len(angle), -1, -1, -1),
        grid,
        mode="bicubic",
        padding_mode="reflection",
        align_corners=True,
    ).clamp(0, 1)


def _digest(pictures: Sequence[Picture], centres: Sequence[tuple[float, float]]) -> str:
    total = hashlib.sha256(repr(centres).encode())
    for picture in pictures:
        total.update(repr(tuple(picture.shape)).encode())
        total.update(picture.contiguous().cpu().numpy().tobytes())
    return total.hexdigest()
