"""Contact sheets: every visualization once, in order, under its name."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.image import AxesImage

from visioncircuits.errors import InputError
from visioncircuits.featurevis import Visualization, contact_sheet


def visualization(unit: int, size: tuple[int, int] = (20, 20), channels: int = 3) -> Visualization:
    picture = torch.full((channels, *size), unit / 10)
    return Visualization(picture, f"neuron a:{unit}", f"a:{unit}", 2.0, 2.0, (1.0, 2.0), False, {})


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def tiles(figure) -> list[AxesImage]:
    return list(figure.axes[0].images)


def test_pictures_stand_in_rows_each_above_its_name() -> None:
    sheet = contact_sheet([visualization(unit) for unit in range(5)], columns=2)
    assert texts(sheet) == [f"a:{unit}" for unit in range(5)]
    corners = [image.get_extent()[0::3] for image in tiles(sheet)]
    lefts, tops = zip(*corners, strict=True)
    assert lefts[0] == lefts[2] == lefts[4] < lefts[1] == lefts[3]
    assert tops[0] == tops[1] < tops[2] == tops[3] < tops[4]
    for unit, image in enumerate(tiles(sheet)):
        assert np.allclose(image.get_array(), round(unit / 10 * 255))


def test_captions_stand_below_names_and_a_dead_unit_is_marked() -> None:
    shown = [visualization(1), replace(visualization(2), dead=True, feature="")]
    sheet = contact_sheet(iter(shown), captions=["first", "second"])
    assert texts(sheet) == ["a:1", "first", "neuron a:2 (no gradient)", "second"]


def test_pictures_of_any_shape_fill_their_squares_without_distortion() -> None:
    wide, clear = visualization(0, (10, 20)), visualization(0, channels=4)
    first, second = (image.get_array() for image in tiles(contact_sheet([wide, clear])))
    assert first.shape == second.shape
    middle = len(first) // 2
    assert (first[middle] == 0).all()
    assert (first[2] == 255).all()
    assert (second == 255).all()  # nothing but transparent


def test_nothing_to_draw_or_other_captions_raise() -> None:
    with pytest.raises(InputError, match="there is no visualization"):
        contact_sheet([])
    with pytest.raises(InputError, match="1 captions for 2 visualizations"):
        contact_sheet([visualization(1), visualization(2)], captions=["one"])
    with pytest.raises(InputError, match="columns must be a whole number"):
        contact_sheet([visualization(1)], columns=0)
