"""Transformations of pictures and of kernels: rotation, reflection, scaling, other hues."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from visioncircuits.numbers import real
from visioncircuits.stimuli.color import rotate_hue
from visioncircuits.stimuli.trigonometry import cosd, sind

Maps = Float[Tensor, "batch channels height width"]


@dataclass(frozen=True)
class Transformation:
    """What may be done to a picture, and what that does to a kernel in space.

    Attributes
    ----------
    name
        Such as `"rotation 90"`.
    picture, kernel
        Each takes and gives `(batch, channels, height, width)`. Pictures are mirrored beyond
        their edges; kernels are zero there.

    Examples
    --------
    >>> upside_down = Transformation("upside down", lambda p: p.flip(2), lambda k: k.flip(2))
    >>> upside_down.kernel(torch.tensor([1.0, 2.0])[None, None, :, None]).flatten().tolist()
    [2.0, 1.0]
    """

    name: str
    picture: Callable[[Maps], Maps]
    kernel: Callable[[Maps], Maps]


def rotation(degrees: float) -> Transformation:
    """Turn clockwise on the screen.

    Examples
    --------
    >>> to_the_right = torch.tensor([[[[0.0, 0, 0], [0, 0, 1], [0, 0, 0]]]])
    >>> rotation(90).kernel(to_the_right)[0, 0].argmax().item()  # now below the middle
    7
    """
    cos, sin = (float(f(torch.tensor(float(degrees), dtype=torch.float64))) for f in (cosd, sind))
    return _in_space(f"rotation {degrees:g}", ((cos, sin), (-sin, cos)))


def reflection() -> Transformation:
    """Exchange left and right.

    Examples
    --------
    >>> reflection().kernel(torch.tensor([[[[1.0, 2.0, 4.0]]]])).flatten().tolist()
    [4.0, 2.0, 1.0]
    """
    return _in_space("reflection", ((-1.0, 0.0), (0.0, 1.0)))


def scaling(factor: float) -> Transformation:
    """Enlarge about the middle; below 1, reduce.

    Raises
    ------
    InputError
        For a factor that is not above 0.

    Examples
    --------
    >>> point = torch.eye(5)[2].outer(torch.eye(5)[2])[None, None]
    >>> scaling(2).kernel(point)[0, 0, 2].tolist()
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    factor = real("factor", factor, least=0, open=True)
    return _in_space(f"scale {factor:g}", ((1 / factor, 0.0), (0.0, 1 / factor)))


def hue_rotation(degrees: float) -> Transformation:
    """Turn colors about the gray axis, red to green to blue; kernels in space stay as they are.

    Examples
    --------
    >>> red = torch.tensor([1.0, 0.0, 0.0])[None, :, None, None]
    >>> hue_rotation(120).picture(red).flatten().round(decimals=3).tolist()
    [0.0, 1.0, 0.0]
    """

    def picture(pictures: Maps) -> Maps:
        return rotate_hue(pictures, degrees).clamp(0, 1)

    return Transformation(f"hue {degrees:g}", picture, lambda kernels: kernels)


def _in_space(name: str, source: tuple[tuple[float, float], tuple[float, float]]) -> Transformation:
    """Read what is at `(x, y)` from the middle off at `source · (x, y)`."""

    def moved(maps: Maps, mode: str, beyond: str) -> Maps:
        height, width = maps.shape[2:]
        (xx, xy), (yx, yy) = source
        matrix = torch.tensor([[xx, xy * height / width, 0], [yx * width / height, yy, 0]])
        shape = [len(maps), maps.shape[1], height, width]
        grid = affine_grid(matrix.to(maps).expand(len(maps), 2, 3), shape, align_corners=False)
        return grid_sample(maps, grid, mode=mode, padding_mode=beyond, align_corners=False)

    return Transformation(
        name,
        lambda pictures: moved(pictures, "bicubic", "reflection").clamp(0, 1),
        lambda kernels: moved(kernels, "bilinear", "zeros"),
    )
