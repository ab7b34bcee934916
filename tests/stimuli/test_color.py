import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.stimuli import color_contrast, curve, hue, hue_rotated, rgb, rotate_hue


def test_colors_are_names_hex_triples_and_tensors():
    expected = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    for red in ("red", "#ff0000", (1, 0, 0), expected):
        assert torch.equal(rgb(red), expected)
    assert rgb(torch.rand(5, 3)).shape == (5, 3)


def test_hues_have_one_brightness_one_distance_from_gray_and_opposites():
    hues = hue(torch.arange(0.0, 360.0, 1.0))
    assert ((hues >= 0) & (hues <= 1)).all()
    assert torch.allclose(hues.mean(1), torch.tensor(0.5, dtype=torch.float64))
    distance = (hues - 0.5).norm(dim=1)
    assert torch.allclose(distance, distance[0])
    assert torch.allclose(hues + hues.roll(180, 0), torch.ones_like(hues))
    assert torch.allclose(hue(77.0, chroma=0.0), torch.tensor(0.5, dtype=torch.float64))


def test_turning_a_hue_is_adding_its_angle():
    angles = torch.arange(0.0, 360.0, 40.0)
    picture = hue(25.0).float()[:, :, None, None].expand(len(angles), -1, 2, 2)
    turned = rotate_hue(picture, angles)
    assert torch.allclose(turned[:, :, 0, 0], hue(25.0 + angles).float(), atol=1e-6)


def test_a_third_of_a_turn_exchanges_channels_and_a_whole_one_nothing():
    picture = torch.rand(2, 3, 4, 4)
    assert torch.allclose(rotate_hue(picture, 120.0), picture.roll(1, 1), atol=1e-6)
    assert torch.allclose(rotate_hue(picture, 360.0), picture, atol=1e-6)


def test_gray_has_no_hue_to_turn():
    gray = torch.rand(1, 1, 4, 4).expand(-1, 3, -1, -1)
    assert torch.allclose(rotate_hue(gray, 77.0), gray, atol=1e-6)


def test_colors_that_turn_out_of_range_are_clipped():
    turned = rotate_hue(rgb("red").float()[:, :, None, None], torch.arange(0.0, 360.0, 10.0)[6:7])
    assert turned.min() == 0
    assert turned.max() <= 1


def test_any_family_can_have_its_hues_turned():
    turned = hue_rotated(curve)(
        ink=hue(0.0),
        ground=hue(180.0),
        fill=1.0,
        orientation=torch.tensor([0.0, 90.0]),
        hue_rotation=torch.tensor([30.0, 60.0]),
        size=16,
    )
    for index, (orientation, angle) in enumerate([(0.0, 30.0), (90.0, 60.0)]):
        expected = curve(
            ink=hue(angle), ground=hue(180 + angle), fill=1.0, orientation=orientation, size=16
        )
        assert torch.allclose(turned.picture[index], expected.picture[0], atol=1e-6)
    assert turned.parameters["hue_rotation"].tolist() == [30.0, 60.0]


def test_one_stimulus_turned_many_ways_is_a_batch():
    drawn = hue_rotated(color_contrast)(hue_rotation=torch.tensor([0.0, 10.0, 20.0]), size=8)
    assert drawn.picture.shape == (3, 3, 8, 8)
    assert drawn.mask.shape == (3, 1, 8, 8)
    assert drawn.parameters["hue"].shape == (3,)


@pytest.mark.parametrize("color", ["reddish", (1.0, 0.0), (2.0, 0.0, 0.0)])
def test_what_is_no_color_is_refused(color):
    with pytest.raises(InputError, match="color"):
        rgb(color)
