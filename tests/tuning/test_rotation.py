import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.networks import untrained
from visioncircuits.stimuli import curve
from visioncircuits.tuning import measure, placement, rotated_pictures


@pytest.fixture
def picture() -> torch.Tensor:
    return torch.rand(3, 61, 81)


@pytest.mark.parametrize("turns", range(4))
def test_quarter_turns_rotate_the_crop_clockwise(picture, turns):
    stimuli = rotated_pictures([picture], [(30.0, 40.0)], step=90).fix(size=21)
    crop = picture[:, 20:41, 30:51]
    shown = stimuli.draw([turns]).picture[0]
    assert torch.allclose(shown, torch.rot90(crop, -turns, (1, 2)), atol=1e-4)


def test_a_rotated_curve_is_the_curve_drawn_at_the_other_orientation():
    drawn = curve(orientation=30.0, radius=25.0, width=3.0, size=101).picture
    shown = rotated_pictures(list(drawn)).fix(size=61).sel(rotation=37).draw().picture
    expected = curve(orientation=67.0, radius=25.0, width=3.0, size=61).picture
    assert (shown - expected).abs().mean() < 0.005
    assert (shown - expected).abs().max() < 0.25


def test_the_center_lies_at_x_and_y(picture):
    stimuli = rotated_pictures([picture], [(30.0, 40.0)], step=45).fix(size=(20, 30), x=3.5, y=-2.5)
    shown = stimuli.draw().picture
    assert shown.shape == (8, 3, 20, 30)
    # Between pixels 9 and 10 lies the middle: the center is in row 7 and column 18.
    assert torch.allclose(shown[:, :, 7, 18], picture[:, 30, 40].expand(8, 3), atol=1e-4)


def test_pictures_are_mirrored_at_their_edges():
    bright = torch.full((3, 30, 30), 0.75)
    shown = rotated_pictures([bright], [(2.0, 27.0)], step=15).fix(size=40).draw().picture
    assert torch.allclose(shown, torch.tensor(0.75), atol=1e-4)


def test_pictures_of_several_sizes_share_a_batch(picture):
    small = torch.rand(3, 24, 24)
    stimuli = rotated_pictures([picture, small], step=120).fix(size=12)
    each = [
        rotated_pictures([one], step=120).fix(size=12).draw().picture for one in (picture, small)
    ]
    assert torch.equal(stimuli.draw().picture, torch.cat(each))


def test_other_pictures_or_centers_are_another_set(picture):
    digests = {
        rotated_pictures([picture]).digest,
        rotated_pictures([picture.flip(2)]).digest,
        rotated_pictures([picture], [(1.0, 1.0)]).digest,
    }
    assert len(digests) == 3
    assert rotated_pictures([picture.clone()]).digest in digests


def test_the_receptive_field_is_centered_on_the_center():
    network, layer = untrained("torchvision:squeezenet1_1"), "features.4"
    picture = torch.rand(3, 120, 120)
    responses = measure(network, layer, rotated_pictures([picture], [(60.0, 58.0)], step=180))
    placed = placement(network, layer)
    top = 60 - int((placed.size[0] - 1) / 2 + placed.shift[0])
    left = 58 - int((placed.size[1] - 1) / 2 + placed.shift[1])
    crop = picture[None, :, top : top + placed.size[0], left : left + placed.size[1]]
    with torch.inference_mode():
        whole = network.activations(crop, [layer])[layer][0]
    row, column = placed.position
    expected = whole[:, row, column].numpy()
    upright = responses.sel(example=0, rotation=0).values
    assert abs(upright - expected).max() < 1e-3 * abs(expected).max()


def test_pictures_that_cannot_be_rotated_are_rejected(picture):
    with pytest.raises(InputError, match="no pictures"):
        rotated_pictures([])
    with pytest.raises(InputError, match="do not divide 360"):
        rotated_pictures([picture], step=7)
    with pytest.raises(InputError, match="do not divide 360"):
        rotated_pictures([picture], step=0)
    with pytest.raises(InputError, match="one for each"):
        rotated_pictures([picture], [(1.0, 1.0), (2.0, 2.0)])
    with pytest.raises(InputError, match="outside of picture 0, whose pixels run to 60, 80"):
        rotated_pictures([picture], [(61.0, 1.0)])
    with pytest.raises(InputError, match=r"values in \[0, 1\]"):
        rotated_pictures([picture * 255])
    with pytest.raises(InputError, match="2 × 2 pixels"):
        rotated_pictures([picture[:, :1]])
    with pytest.raises(InputError, match=r"values in \[0, 1\]"):
        rotated_pictures([picture * float("nan")])
