"""Channels that are no colors: what they are called, shown as, and drawn in."""

import json
import pickle

import jaxtyping
import numpy as np
import pytest
import torch
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.networks import Preprocessing, wrap
from visioncircuits.networks.preprocessing import IMAGENET

BANDS = ("B2", "B3", "B4", "B8")


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable jaxtyping, as for users: only the library itself checks shapes."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def network(channels: int = 4, **stated: object):
    stated = {"names": BANDS[:channels], **stated}
    return wrap(nn.Conv2d(channels, 2, 3), Preprocessing(channels=channels, **stated), size=8)


def test_the_record_of_a_network_without_names_is_as_it_was() -> None:
    assert IMAGENET.record() == {
        "range": (0.0, 1.0),
        "mean": (0.485, 0.456, 0.406),
        "std": (0.229, 0.224, 0.225),
        "order": "RGB",
        "channels": 3,
    }


def test_names_and_composite_are_in_the_record() -> None:
    by_name = Preprocessing(channels=4, names=BANDS, to_rgb=("B8", "B4", "B3"))
    rows = np.eye(4)[[3, 2, 1]]
    assert by_name == Preprocessing(channels=4, names=list(BANDS), to_rgb=rows)
    assert by_name.record()["to_rgb"] == tuple(map(tuple, rows.tolist()))
    assert Preprocessing(channels=4, to_rgb=(3, 2, 1)).record()["to_rgb"] == tuple(
        map(tuple, rows.tolist())
    )
    json.dumps(by_name.record())


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"names": BANDS[:3]}, "names are one for each of 4 channels"),
        ({"names": ("B2", "B2", "B4", "B8")}, "all different"),
        ({"names": ("B2", "B3", "B4", "8")}, "text without commas and colons, and no number: '8'"),
        ({"names": ("B2", "B3", "B4", "a:b")}, "without commas and colons"),
        ({"to_rgb": ("B8", "B4", "B3")}, "the channels have no names, so 'B8' is none"),
        ({"names": BANDS, "to_rgb": ("B9", "B4", "B3")}, "unknown channel 'B9'"),
        ({"to_rgb": (4, 1, 0)}, "channel must be a whole number from 0 to 3, not 4"),
        ({"to_rgb": (1, 0)}, r"three channels, .* or three rows of 4 weights"),
        ({"to_rgb": [[1.0, 0.0]] * 3}, "to_rgb has a row of 2 weights; give one for each of the 4"),
    ],
)
def test_what_names_no_channel_is_refused(stated: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Preprocessing(channels=4, **stated)


def test_three_channels_with_names_are_no_colors() -> None:
    radar = Preprocessing(names=("VV", "VH", "DEM"))
    assert IMAGENET.colors
    assert not radar.colors
    with pytest.raises(InputError, match="channels with names are no colors"):
        Preprocessing(names=("VV", "VH", "DEM"), order="BGR")


def test_stimuli_are_drawn_in_the_channels_that_are_chosen() -> None:
    pictures = torch.rand(2, 3, 5, 5)
    drawn = network().drawing_in(("B8", 1), ground=(0.1, 0.2, 0.3, 0.4))
    luma = torch.einsum("bchw,c->bhw", pictures, torch.tensor([0.299, 0.587, 0.114]))
    found = drawn.preprocessing.to_channels(pictures)
    torch.testing.assert_close(found[:, 1], luma)
    torch.testing.assert_close(found[:, 3], luma)
    assert (found[:, 0] == 0.1).all()
    assert (found[:, 2] == 0.3).all()


def test_drawing_changes_neither_the_network_nor_pictures_of_its_own_channels() -> None:
    one = network()
    drawn = one.drawing_in("B8")
    pictures = torch.rand(1, 4, 8, 8)
    assert torch.equal(one(pictures), drawn(pictures))
    assert drawn.module is one.module
    assert one.preprocessing.from_rgb is None
    assert drawn.record() != one.record()
    assert drawn.record() != one.drawing_in("B8", ground=0.25).record()
    assert drawn.record() == pickle.loads(pickle.dumps(drawn)).record()
    assert json.loads(json.dumps(drawn.preprocessing.record()["from_rgb"])) == {
        "drawn_in": [3],
        "ground": [0.5] * 4,
    }


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("channels", "ground", "message"),
    [
        ("B9", 0.5, "unknown channel 'B9'"),
        ((), 0.5, "there is no channel to draw in"),
        ("B8", 1.5, "ground must be a finite number at least 0 and at most 1, not 1.5"),
        ("B8", (0.5, 0.5), "the ground has 2 values; give one, or one for each of the 4"),
    ],
)
def test_drawing_elsewhere_is_refused(channels: object, ground: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        network().drawing_in(channels, ground=ground)


def test_of_three_channels_ink_and_ground_are_the_channels() -> None:
    with pytest.raises(InputError, match="pictures of three channels are used as they are"):
        network(3).drawing_in("B2")


def test_pictures_are_shown_as_the_composite_or_in_gray() -> None:
    pictures = torch.rand(2, 4, 5, 5)
    composite = Preprocessing(channels=4, names=BANDS, to_rgb=("B8", "B4", "B3"))
    assert torch.equal(composite.shown(pictures), pictures[:, [3, 2, 1]])
    brighter = Preprocessing(channels=4, to_rgb=2 * np.eye(4)[[3, 2, 1]])
    assert torch.equal(brighter.shown(pictures), (2 * pictures[:, [3, 2, 1]]).clamp(0, 1))
    mean = Preprocessing(channels=4).shown(pictures)
    torch.testing.assert_close(mean, pictures.mean(1, keepdim=True).expand(-1, 3, -1, -1))
    drawn = network().drawing_in(("B2", "B8")).preprocessing.shown(pictures)
    torch.testing.assert_close(drawn[:, 1], (pictures[:, 0] + pictures[:, 3]) / 2)
    colors = torch.rand(2, 3, 5, 5)
    assert torch.equal(composite.shown(colors), colors)
