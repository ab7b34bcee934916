"""Stimuli made of pictures rotated about a point."""

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


def rotated_pictures(
    pictures: Sequence[Picture],
    centers: Sequence[tuple[float, float]] | None = None,
    *,
    step: float = 1.0,
) -> StimulusSet:
    """Make a set of stimuli of rotated pictures, such as a unit's strongest photographs.

    `measure` centers them on the neurons' receptive field. Where that is larger than the picture,
    the picture is mirrored at its edges, so that no corner shows.

    Parameters
    ----------
    pictures
        float32 RGB in [0, 1], of any sizes.
    centers
        For each picture, `(y, x)` in its pixels: the center of rotation and of the receptive
        field; by default the pictures' middles.
    step
        Degrees from one rotation to the next; a divisor of 360.

    Returns
    -------
    StimulusSet
        With the axes `example`, in the order of the pictures, and `rotation`, clockwise in
        degrees from the original picture.

    Raises
    ------
    InputError
        Without pictures, for values outside [0, 1], where a center is missing or outside its
        picture, and where `step` does not divide 360.

    Notes
    -----
    "Increments of 1 degree from 0 to 360": Cammarata et al., "Curve Detectors" (2020). Rotation
    does not change the scale, so bicubic interpolation suffices against aliasing.

    Examples
    --------
    >>> pictures = [torch.rand(3, 224, 224), torch.rand(3, 300, 200)]
    >>> rotated_pictures(pictures, [(90.0, 120.0), (150.0, 99.5)])
    <StimulusSet rotated: 2 example × 360 rotation>
    """
    if not len(pictures):
        raise InputError("there are no pictures to rotate; give one or more")
    if not step > 0 or not np.isclose(360 / step, round(360 / step)):
        raise InputError(f"steps of {step:g} degrees do not divide 360; take 1, 2 or 5")
    about = _checked(pictures, centers)

    def rotated(
        *,
        example: Parameter = 0.0,
        rotation: Parameter = 0.0,
        sha256: str = "",  # of pictures and centers: for the record only
        x: Parameter = 0.0,
        y: Parameter = 0.0,
        size: int | tuple[int, int] = 224,
        device: str | torch.device = "cpu",
    ) -> Tensor:
        numbers = (torch.as_tensor(p).double().reshape(-1) for p in (example, rotation, x, y))
        which, angle, right, down = torch.broadcast_tensors(*numbers)  # type: ignore[no-untyped-call]
        shape = (size, size) if isinstance(size, int) else size
        drawn = torch.empty(len(which), 3, *shape, device=device)
        for place in which.unique().int().tolist():
            here = which == place
            plane = Plane.about(right[here], down[here], shape, torch.device("cpu"))
            drawn[here] = _rotate(pictures[place].to(device), about[place], angle[here], plane)
        return drawn

    rotations = np.arange(round(360 / step)) * step
    axes = {"example": range(len(pictures)), "rotation": rotations.tolist()}
    return StimulusSet(rotated, axes, {"sha256": _digest(pictures, about)})


def _checked(
    pictures: Sequence[Picture], centers: Sequence[tuple[float, float]] | None
) -> list[tuple[float, float]]:
    for place, picture in enumerate(pictures):
        low, high = picture.min().item(), picture.max().item()
        if min(picture.shape[1:]) < 2 or not 0 <= low <= high <= 1:
            raise InputError(
                f"picture {place} cannot be rotated: give 2 × 2 pixels or more, with values in "
                f"[0, 1], not {picture.shape[1]} × {picture.shape[2]} from {low:g} to {high:g}"
            )
    sizes = [(picture.shape[1], picture.shape[2]) for picture in pictures]
    if centers is None:
        return [((height - 1) / 2, (width - 1) / 2) for height, width in sizes]
    if len(centers) != len(pictures):
        raise InputError(f"{len(pictures)} pictures have {len(centers)} centers; give one for each")
    for place, ((y, x), (height, width)) in enumerate(zip(centers, sizes, strict=True)):
        if not (0 <= y <= height - 1 and 0 <= x <= width - 1):
            raise InputError(
                f"the center {y:g}, {x:g} is outside of picture {place}, whose pixels run to "
                f"{height - 1}, {width - 1}"
            )
    return [(float(y), float(x)) for y, x in centers]


def _rotate(
    picture: Picture,
    center: tuple[float, float],
    angle: Float64[Tensor, " batch"],
    plane: Plane,
) -> Float32[Tensor, "batch 3 height width"]:
    """Sample a picture, rotated clockwise by each of several angles, at a plane's points."""
    cos, sin = cosd(angle)[:, None, None], sind(angle)[:, None, None]
    y, x = plane.y[:, :, None], plane.x[:, None, :]
    source = torch.stack((x * cos + y * sin + center[1], y * cos - x * sin + center[0]), -1)
    last = torch.tensor([picture.shape[2] - 1, picture.shape[1] - 1])
    grid = (2 * source / last - 1).to(picture)
    return grid_sample(
        picture.expand(len(angle), -1, -1, -1),
        grid,
        mode="bicubic",
        padding_mode="reflection",
        align_corners=True,
    ).clamp(0, 1)


def _digest(pictures: Sequence[Picture], centers: Sequence[tuple[float, float]]) -> str:
    total = hashlib.sha256(repr(centers).encode())
    for picture in pictures:
        total.update(repr(tuple(picture.shape)).encode())
        total.update(picture.contiguous().cpu().numpy().tobytes())
    return total.hexdigest()
