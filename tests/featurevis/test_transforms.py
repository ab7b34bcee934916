import math
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Generator
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.featurevis import NO_TRANSFORMS, Transforms
from visioncircuits.featurevis.transforms import _grid

SIDE = 24


def smooth_pictures(height: int = SIDE, width: int = SIDE) -> torch.Tensor:
    rng = np.random.default_rng(0)
    noise = rng.random((2, 3, height, width))
    return torch.tensor(ndimage.gaussian_filter(noise, (0, 0, 1, 1)), dtype=torch.float32)


def resampled(
    picture: np.ndarray,
    target: tuple[int, int],
    *,
    view: tuple[float, float],
    angle: float,
    zoom: float,
    shift: tuple[float, float],
) -> np.ndarray:
    """Interpolate at each position of the input, in a picture surrounded by gray."""
    height, width = picture.shape
    rows, columns = np.mgrid[: target[0], : target[1]].astype(float)
    v = ((rows + 0.5) / target[0] - 0.5) * view[0]
    u = ((columns + 0.5) / target[1] - 0.5) * view[1]
    cos, sin = math.cos(math.radians(angle)) / zoom, math.sin(math.radians(angle)) / zoom
    y = (height - 1) / 2 + sin * u + cos * v + shift[0]
    x = (width - 1) / 2 + cos * u - sin * v + shift[1]
    padded = np.pad(picture, 40, constant_values=0.5)  # gray outside, blending over one pixel
    return ndimage.map_coordinates(padded, [y + 40, x + 40], order=1)


AMOUNTS = {
    "translated": Transforms(jitter=5, scale=0, rotation=0),
    "scaled": Transforms(jitter=0, scale=0.3, rotation=0),
    "rotated": Transforms(jitter=0, scale=0, rotation=40, unrotated=0),
    "padded": Transforms(jitter=3, scale=0.1, rotation=5, unrotated=0, padding=6),
    "cropped": Transforms(jitter=1, scale=0.1, rotation=5, unrotated=0, crop=10),
    "all": Transforms(jitter=4, scale=0.2, rotation=30, unrotated=0),
}


@pytest.mark.parametrize("size", [None, 31], ids=["own size", "other size"])
@pytest.mark.parametrize("shape", [(24, 24), (20, 28)], ids=["square", "wide"])
@pytest.mark.parametrize("amount", AMOUNTS)
def test_one_resampling_equals_interpolation_at_each_position(
    amount: str, shape: tuple[int, int], size: int | None
) -> None:
    transforms = AMOUNTS[amount]
    pictures = smooth_pictures(*shape)
    draws = torch.rand(2, 5)
    found = transforms(pictures, draws, size=size)
    target = shape if size is None else (size, size)
    view = tuple(side + 2 * transforms.padding for side in shape)
    reach = np.array([transforms.jitter] * 2, float)
    if transforms.crop is not None:
        view = (transforms.crop, transforms.crop)
        reach += (np.array(shape) - transforms.crop) / 2
    for picture, draw, transformed in zip(pictures, draws.numpy() * 2 - 1, found, strict=True):
        for channel, values in zip(picture, transformed, strict=True):
            expected = resampled(
                channel.numpy(),
                target,
                view=view,
                angle=draw[0] * transforms.rotation,
                zoom=1 + draw[1] * transforms.scale,
                shift=tuple(draw[2:4] * reach),
            )
            np.testing.assert_allclose(values, expected, atol=2e-4)


def test_scale_and_rotation_agree_with_scipys_affine_transform() -> None:
    pictures = smooth_pictures()
    transforms = Transforms(jitter=0, scale=0.2, rotation=30, unrotated=0)
    draws = torch.rand(2, 5)
    found = transforms(pictures, draws)
    for picture, draw, transformed in zip(pictures, draws.numpy() * 2 - 1, found, strict=True):
        angle, zoom = math.radians(30 * draw[0]), 1 + 0.2 * draw[1]
        matrix = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        center = np.full(2, (SIDE - 1) / 2)
        offset = center - matrix @ center / zoom
        expected = ndimage.affine_transform(picture[0].numpy(), matrix / zoom, offset, order=1)
        inside = (slice(8, -8), slice(8, -8))
        np.testing.assert_allclose(transformed[0][inside], expected[inside], atol=1e-4)


def test_without_transforms_the_picture_is_unchanged() -> None:
    pictures = smooth_pictures(20, 28)
    torch.testing.assert_close(
        NO_TRANSFORMS(pictures, torch.rand(2, 5)), pictures, atol=1e-5, rtol=0
    )


@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 12), (16, 16)])
def test_positions_are_those_of_torchs_affine_grid(height: int, width: int) -> None:
    matrices = torch.randn(3, 2, 3, generator=torch.manual_seed(0))
    expected = F.affine_grid(matrices, [3, 1, height, width], align_corners=False)
    torch.testing.assert_close(_grid(matrices, height, width), expected)


def test_the_surround_of_the_picture_is_gray() -> None:
    inputs = Transforms(jitter=0, scale=0, rotation=0, padding=12)(
        torch.ones(1, 1, SIDE, SIDE), torch.rand(1, 5), size=2 * SIDE
    )
    assert inputs[0, 0, :11].unique().tolist() == [0.5]
    assert inputs[0, 0, 14:-14, 14:-14].unique().tolist() == [1.0]


def test_gray_is_invariant_to_all_transforms() -> None:
    gray = torch.full((4, 3, 16, 16), 0.5)
    inputs = Transforms(padding=3)(gray, torch.rand(4, 5), size=32)
    torch.testing.assert_close(inputs, torch.full_like(inputs, 0.5))


def test_the_share_of_unrotated_steps_is_as_stated() -> None:
    transforms = Transforms(jitter=0, scale=0, rotation=20, unrotated=0.25)
    draws = transforms.draws([Generator().manual_seed(0)], 4000)[:, 0]
    matrices = transforms.matrices(draws, (16, 16))
    unrotated = (matrices[:, 0, 1] == 0).float().mean().item()
    assert unrotated == pytest.approx(0.25, abs=0.03)
    assert matrices[:, 0, 1].abs().max() <= math.sin(math.radians(20)) + 1e-6


def test_draws_come_from_each_pictures_own_generator() -> None:
    def generators(*seeds: int) -> list[Generator]:
        return [Generator().manual_seed(seed) for seed in seeds]

    together = Transforms().draws(generators(1, 2), 7)
    single = Transforms().draws(generators(2), 7)
    assert together.shape == (7, 2, 5)
    assert torch.equal(together[:, 1:], single)
    assert together.min() >= 0
    assert together.max() < 1


def test_gradients_pass_through_the_resampling() -> None:
    pictures = smooth_pictures(6, 6)[:, :1].double().requires_grad_()
    draws = torch.rand(2, 5, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda p: Transforms(jitter=1)(p, draws, size=5), pictures)


@pytest.mark.parametrize(
    "wrong",
    [
        {"jitter": math.nan},
        {"jitter": -1},
        {"rotation": -1},
        {"padding": -1},
        {"padding": 1.5},
        {"scale": -0.1},
        {"scale": 1.0},
        {"unrotated": math.nan},
        {"unrotated": 1.5},
        {"crop": 0},
    ],
    ids=str,
)
def test_invalid_amounts_are_refused(
    wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(InputError, match=f"^{next(iter(wrong))} must be "):
        Transforms(**wrong)
