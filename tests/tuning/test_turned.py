import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.networks import untrained
from visioncircuits.stimuli import curve
from visioncircuits.tuning import measure, window
from visioncircuits.tuning.turned import turned


@pytest.fixture
def picture() -> torch.Tensor:
    return torch.rand(3, 61, 81)


@pytest.mark.parametrize("turns", range(4))
def test_a_turn_by_quarters_turns_the_crop_clockwise(picture, turns):
    stimuli = turned([picture], [(30.0, 40.0)], step=90).fix(size=21)
    crop = picture[:, 20:41, 30:51]
    shown = stimuli.draw([turns]).picture[0]
    assert torch.allclose(shown, torch.rot90(crop, -turns, (1, 2)), atol=1e-4)


def test_a_turned_curve_is_the_curve_drawn_at_the_other_orientation():
    drawn = curve(orientation=30.0, radius=25.0, width=3.0, size=101).picture
    shown = turned(list(drawn)).fix(size=61).sel(rotation=37).draw().picture
    expected = curve(orientation=67.0, radius=25.0, width=3.0, size=61).picture
    assert (shown - expected).abs().mean() < 0.005
    assert (shown - expected).abs().max() < 0.25


def test_the_centre_is_where_x_and_y_say(picture):
    stimuli = turned([picture], [(30.0, 40.0)], step=45).fix(size=(20, 30), x=3.5, y=-2.5)
    shown = stimuli.draw().picture
    assert shown.shape == (8, 3, 20, 30)
    # Between pixels 9 and 10 lies the middle: the centre is in row 7 and column 18.
    assert torch.allclose(shown[:, :, 7, 18], picture[:, 30, 40].expand(8, 3), atol=1e-4)


def test_no_corner_shows_where_the_picture_ends():
    bright = torch.full((3, 30, 30), 0.75)
    shown = turned([bright], [(2.0, 27.0)], step=15).fix(size=40).draw().picture
    assert torch.allclose(shown, torch.tensor(0.75), atol=1e-4)


def test_pictures_of_several_sizes_share_a_batch(picture):
    small = torch.rand(3, 24, 24)
    stimuli = turned([picture, small], step=120).fix(size=12)
    each = [turned([one], step=120).fix(size=12).draw().picture for one in (picture, small)]
    assert torch.equal(stimuli.draw().picture, torch.cat(each))


def test_other_pictures_or_centres_are_another_set(picture):
    digests = {
        turned([picture]).digest,
        turned([picture.flip(2)]).digest,
        turned([picture], [(1.0, 1.0)]).digest,
    }
    assert len(digests) == 3
    assert turned([picture.clone()]).digest in digests


def test_a_neuron_is_shown_its_receptive_field_about_the_centre():
    network, layer = untrained("torchvision:squeezenet1_1"), "features.4"
    picture = torch.rand(3, 120, 120)
    responses = measure(network, layer, turned([picture], [(60.0, 58.0)], step=180))
    asked = window(network, layer)
    top = 60 - int((asked.size[0] - 1) / 2 + asked.shift[0])
    left = 58 - int((asked.size[1] - 1) / 2 + asked.shift[1])
    crop = picture[None, :, top : top + asked.size[0], left : left + asked.size[1]]
    with torch.inference_mode():
        whole = network.activations(crop, [layer])[layer][0]
    row, column = asked.position
    expected = whole[:, row, column].numpy()
    upright = responses.sel(example=0, rotation=0).values
    assert abs(upright - expected).max() < 1e-3 * abs(expected).max()


def test_what_cannot_be_turned_is_refused(picture):
    with pytest.raises(InputError, match="no pictures"):
        turned([])
    with pytest.raises(InputError, match="do not go into 360"):
        turned([picture], step=7)
    with pytest.raises(InputError, match="do not go into 360"):
        turned([picture], step=0)
    with pytest.raises(InputError, match="one for each"):
        turned([picture], [(1.0, 1.0), (2.0, 2.0)])
    with pytest.raises(InputError, match="outside of picture 0, whose pixels run to 60, 80"):
        turned([picture], [(61.0, 1.0)])
    with pytest.raises(InputError, match=r"values in \[0, 1\]"):
        turned([picture * 255])
    with pytest.raises(InputError, match="2 × 2 pixels"):
        turned([picture[:, :1]])
    with pytest.raises(InputError, match=r"values in \[0, 1\]"):
        turned([picture * float("nan")])
