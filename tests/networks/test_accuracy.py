"""A classifier is verified to be right about photographs more often than by chance."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.special import comb
from torch import nn

from visioncircuits.datasets import Photographs, photographs
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, verify, wrap
from visioncircuits.networks.accuracy import by_chance

COLORS = torch.eye(3)


class ByColor(nn.Module):
    """A logit for each color: how much of it the picture has."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return pictures.mean((2, 3))


def _network(preprocessing: Preprocessing | None = None, *, classes: str = "rgb") -> Network:
    return wrap(ByColor(), preprocessing or Preprocessing(), name="mine", size=8, classes=classes)


@pytest.fixture
def shown() -> Photographs:
    """Red, green and blue pictures, eight of each."""
    labels = [0, 1, 2] * 8
    pictures = COLORS[labels][:, :, None, None].expand(-1, 3, 8, 8)
    return photographs(pictures * torch.linspace(0.2, 1, 24)[:, None, None, None], labels=labels)


def test_a_sound_classifier_agrees_with_photographs(shown: Photographs) -> None:
    found = verify(_network(), photographs=shown)
    assert (found.passed, found.against) == (True, "photographs")
    (check,) = found.checks
    assert check.name == "classes of 24 photographs: 24 right, 8 by chance"
    assert check.error == pytest.approx(3.0**-24)


@pytest.mark.parametrize(
    "preprocessing",
    [
        Preprocessing(range=(1, 0)),  # a negative
        Preprocessing(mean=(0.0, 3.0, 3.0)),  # predicts red whatever is shown
    ],
)
def test_wrong_preprocessing_fails_with_advice(
    shown: Photographs, preprocessing: Preprocessing
) -> None:
    (check,) = verify(_network(preprocessing), photographs=shown).checks
    assert not check.passed
    assert check.advice.startswith("mine classifies photographs no better than chance: its prepr")


def test_classes_in_another_order_fail(tmp_path: Path) -> None:
    for place in range(24):
        folder = tmp_path / "rgb"[place % 3]
        folder.mkdir(exist_ok=True)
        pixels = (COLORS[place % 3].numpy() * 255).astype(np.uint8)
        Image.fromarray(np.tile(pixels, (8, 8, 1))).save(folder / f"{place}.png")
    assert verify(_network(), photographs=tmp_path).passed
    found = verify(_network(classes="brg"), photographs=tmp_path)
    assert (found.passed, found.against) == (False, str(tmp_path))


def test_chance_is_that_of_the_same_predictions_drawn_for_other_photographs() -> None:
    labels = torch.tensor([0] * 6 + [1] * 14)
    given = torch.tensor([0] * 4 + [1] * 16)
    share = (4 * 6 + 16 * 14) / 400
    tail = sum(comb(20, k) * share**k * (1 - share) ** (20 - k) for k in range(18, 21))
    assert by_chance(given, labels) == pytest.approx((20 * share, tail))


def test_what_cannot_be_verified_is_refused(shown: Photographs) -> None:
    with pytest.raises(InputError, match="on 20 photographs or more, not 19"):
        verify(_network(), photographs=shown.part(range(19)))
    with pytest.raises(InputError, match="of two classes or more"):
        verify(_network(), photographs=shown.part([0, 3, 6, 9] * 5))
    with pytest.raises(InputError, match="has no class"):
        verify(_network(), photographs=torch.rand(20, 3, 8, 8))
    with pytest.raises(InputError, match="beside its checkpoint, or give photographs"):
        verify(_network())
