import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Generator

from visioncircuits.errors import InputError
from visioncircuits.featurevis import STILL, Robustness

SIDE = 24


def smooth_pictures(height: int = SIDE, width: int = SIDE) -> torch.Tensor:
    rng = np.random.default_rng(0)
    noise = rng.random((2, 3, height, width))
    return torch.tensor(ndimage.gaussian_filter(noise, (0, 0, 1, 1)), dtype=torch.float32)


def resampled(
    picture: np.ndarray,
    target: tuple[int, int],
    *,
    seen: tuple[float, float],
    angle: float,
    zoom: float,
    shift: tuple[float, float],
) -> np.ndarray:
    """Look up each place that is seen, one by one, in a picture surrounded by gray."""
    height, width = picture.shape
    rows, columns = np.mgrid[: target[0], : target[1]].astype(float)
    v = ((rows + 0.5) / target[0] - 0.5) * seen[0]
    u = ((columns + 0.5) / target[1] - 0.5) * seen[1]
    cos, sin = math.cos(math.radians(angle)) / zoom, math.sin(math.radians(angle)) / zoom
    y = (height - 1) / 2 + sin * u + cos * v + shift[0]
    x = (width - 1) / 2 + cos * u - sin * v + shift[1]
    padded = np.pad(picture, 40, constant_values=0.5)  # gray outside, blending over one pixel
    return ndimage.map_coordinates(padded, [y + 40, x + 40], order=1)


AMOUNTS = {
    "shifted": Robustness(jitter=5, scale=0, rotation=0),
    "scaled": Robustness(jitter=0, scale=0.3, rotation=0),
    "turned": Robustness(jitter=0, scale=0, rotation=40, still=0),
    "padded": Robustness(jitter=3, scale=0.1, rotation=5, still=0, padding=6),
    "cropped": Robustness(jitter=1, scale=0.1, rotation=5, still=0, crop=10),
    "all": Robustness(jitter=4, scale=0.2, rotation=30, still=0),
}


@pytest.mark.parametrize("size", [None, 31], ids=["own size", "other size"])
@pytest.mark.parametrize("shape", [(24, 24), (20, 28)], ids=["square", "wide"])
@pytest.mark.parametrize("amount", AMOUNTS)
def test_one_resampling_is_what_looking_each_place_up_gives(
    amount: str, shape: tuple[int, int], size: int | None
) -> None:
    robustness = AMOUNTS[amount]
    pictures = smooth_pictures(*shape)
    draws = torch.rand(2, 5)
    found = robustness(pictures, draws, size=size)
    target = shape if size is None else (size, size)
    seen = tuple(side + 2 * robustness.padding for side in shape)
    room = np.array([robustness.jitter] * 2, float)
    if robustness.crop is not None:
        seen = (robustness.crop, robustness.crop)
        room += (np.array(shape) - robustness.crop) / 2
    for picture, draw, moved in zip(pictures, draws.numpy() * 2 - 1, found, strict=True):
        for channel, values in zip(picture, moved, strict=True):
            expected = resampled(
                channel.numpy(),
                target,
                seen=seen,
                angle=draw[0] * robustness.rotation,
                zoom=1 + draw[1] * robustness.scale,
                shift=tuple(draw[2:4] * room),
            )
            np.testing.assert_allclose(values, expected, atol=2e-4)


def test_scale_and_rotation_agree_with_an_affine_transform_of_scipys() -> None:
    pictures = smooth_pictures()
    robustness = Robustness(jitter=0, scale=0.2, rotation=30, still=0)
    draws = torch.rand(2, 5)
    found = robustness(pictures, draws)
    for picture, draw, moved in zip(pictures, draws.numpy() * 2 - 1, found, strict=True):
        angle, zoom = math.radians(30 * draw[0]), 1 + 0.2 * draw[1]
        matrix = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        center = np.full(2, (SIDE - 1) / 2)
        offset = center - matrix @ center / zoom
        expected = ndimage.affine_transform(picture[0].numpy(), matrix / zoom, offset, order=1)
        inside = slice(8, -8)
        np.testing.assert_allclose(moved[0, inside, inside], expected[inside, inside], atol=1e-4)


def test_without_robustness_the_picture_stays_as_it_is() -> None:
    pictures = smooth_pictures(20, 28)
    torch.testing.assert_close(STILL(pictures, torch.rand(2, 5)), pictures, atol=1e-5, rtol=0)


def test_what_lies_outside_the_picture_is_gray() -> None:
    shown = Robustness(jitter=0, scale=0, rotation=0, padding=12)(
        torch.ones(1, 1, SIDE, SIDE), torch.rand(1, 5), size=2 * SIDE
    )
    assert shown[0, 0, :11].unique().tolist() == [0.5]
    assert shown[0, 0, 14:-14, 14:-14].unique().tolist() == [1.0]


def test_gray_stays_gray_under_all_transforms() -> None:
    gray = torch.full((4, 3, 16, 16), 0.5)
    shown = Robustness(padding=3)(gray, torch.rand(4, 5), size=32)
    torch.testing.assert_close(shown, torch.full_like(shown, 0.5))


def test_the_share_of_steps_that_is_not_turned_is_as_stated() -> None:
    robustness = Robustness(jitter=0, scale=0, rotation=20, still=0.25)
    draws = robustness.draws([Generator().manual_seed(0)], 4000)[:, 0]
    matrices = robustness.matrices(draws, (16, 16))
    still = (matrices[:, 0, 1] == 0).float().mean().item()
    assert still == pytest.approx(0.25, abs=0.03)
    assert matrices[:, 0, 1].abs().max() <= math.sin(math.radians(20)) + 1e-6


def test_draws_come_from_each_pictures_own_generator() -> None:
    def generators(*seeds: int) -> list[Generator]:
        return [Generator().manual_seed(seed) for seed in seeds]

    together = Robustness().draws(generators(1, 2), 7)
    alone = Robustness().draws(generators(2), 7)
    assert together.shape == (7, 2, 5)
    assert torch.equal(together[:, 1:], alone)
    assert together.min() >= 0
    assert together.max() < 1


def test_gradients_pass_through_the_resampling() -> None:
    pictures = smooth_pictures(6, 6)[:, :1].double().requires_grad_()
    draws = torch.rand(2, 5, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda p: Robustness(jitter=1)(p, draws, size=5), pictures)


@pytest.mark.parametrize(
    "amount",
    [
        {"jitter": -1},
        {"rotation": -1},
        {"padding": -1},
        {"scale": -0.1},
        {"scale": 1},
        {"still": 1.5},
        {"crop": 0},
    ],
    ids=str,
)
def test_amounts_that_cannot_be_are_refused(amount: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(amount))):
        Robustness(**amount)
