import numpy as np
import pytest
import torch
from PIL import Image

from visioncircuits.datasets import photographs
from visioncircuits.errors import InputError


def test_pictures_of_8_bits_are_scaled_to_0_to_1():
    values = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    forms = [values, values.transpose(2, 0, 1), torch.from_numpy(values).permute(2, 0, 1)]
    for each in photographs(forms).at(32):
        assert torch.allclose(each.pixels, torch.from_numpy(values).permute(2, 0, 1) / 255)


@pytest.mark.parametrize(
    "item",
    [
        (torch.rand(3, 40, 64), 5),
        [torch.rand(3, 40, 64), np.int64(5)],
        (torch.rand(3, 40, 64), torch.tensor(5), "a caption"),
        {"image": Image.new("RGB", (40, 64)), "label": 5, "caption": "a cat"},
        (np.zeros((64, 40), np.float32), 5),
    ],
    ids=["pair", "list", "triple", "mapping", "gray"],
)
def test_items_of_many_forms_are_accepted(item):
    (found,) = photographs([item]).at(32)
    assert found.pixels.shape == (3, 32, 32)
    assert found.label == 5
    assert repr(found) == "Photograph('0', (3, 32, 32), label=5)"


def test_an_array_is_cropped_as_the_same_image_is():
    smooth = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
    image = Image.fromarray(smooth).resize((180, 120), Image.Resampling.BICUBIC)
    picture, array = photographs([image, np.asarray(image)]).at(56)
    assert (picture.pixels - array.pixels).abs().max() < 0.03


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ((torch.rand(3, 8, 8), "cat"), "item 1 has the class 'cat'; a class is a whole number"),
        ({"pixels": 1}, "item 1 has no 'image' but 'pixels'"),
        (torch.randn(3, 8, 8), r"item 1 has values from -.* to .*; pass pictures in \[0, 1\]"),
        (torch.full((3, 8, 8), torch.nan), "item 1 has values from nan"),
        (torch.zeros(3, 8, 8, dtype=torch.int32), "item 1 is of .* int32; pass pictures"),
        (torch.rand(8), r"item 1 is of \(8,\)"),
    ],
)
def test_invalid_items_raise_with_their_number(item, message):
    with pytest.raises(InputError, match=message):
        list(photographs([torch.rand(3, 8, 8), item]).at(8))
