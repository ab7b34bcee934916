import io

import numpy as np
import pytest
from PIL import Image

from visioncircuits.errors import InputError
from visioncircuits.stimuli import StimulusSet, contact_sheet, line, named, names


def _tiles(sheet, size, columns, rows):
    """Positions of the tiles' gray borders, from the pixels of the sheet."""
    pixels = np.asarray(sheet).astype(int)
    border = (pixels == 216).all(2)
    xs = np.nonzero(border.mean(0) > 0.5 * rows * size / len(pixels))[0]
    ys = np.nonzero(border.mean(1) > 0.5 * columns * size / len(pixels[0]))[0]
    return pixels, xs, ys


def test_a_sheet_has_every_picture_at_its_row_and_column():
    stimuli = StimulusSet(line, {"orientation": (0, 30, 60, 90), "width": (2, 5, 9)}, {"size": 20})
    pixels, xs, ys = _tiles(contact_sheet(stimuli), 20, 4, 3)
    left, top = xs[0] + 1, ys[0] + 1
    for column in range(4):
        for row in range(3):
            tile = pixels[top + row * 22 :, left + column * 22 :][:20, :20]
            picture = stimuli.isel(orientation=column, width=row).draw().picture[0]
            assert np.array_equal(tile, (picture * 255).round().int().permute(1, 2, 0).numpy())


def test_another_axis_can_run_across():
    stimuli = StimulusSet(line, {"orientation": (0, 30, 60, 90), "width": (2, 5, 9)}, {"size": 20})
    pixels, xs, ys = _tiles(contact_sheet(stimuli, columns="width"), 20, 3, 4)
    tile = pixels[ys[0] + 1 + 3 * 22 :, xs[0] + 1 + 22 :][:20, :20]
    picture = stimuli.isel(orientation=3, width=1).draw().picture[0]
    assert np.array_equal(tile, (picture * 255).round().int().permute(1, 2, 0).numpy())


def test_large_sets_are_thinned_and_small_ones_are_not():
    large = contact_sheet(named("high-low").fix(size=20), most=10)
    assert large.width < 10 * 22 + 150
    assert large.height < 10 * 22 + 150
    one = contact_sheet(StimulusSet(line, {}, {"size": 30}))
    assert one.height > 30
    deep = contact_sheet(named("angles").fix(size=20).isel(orientation=slice(0, 3)))
    assert deep.height > 16 * 22


def test_a_scaled_sheet_repeats_its_pixels():
    stimuli = StimulusSet(line, {"orientation": (0, 40)}, {"size": 10})
    assert contact_sheet(stimuli, scale=3).height > 2 * contact_sheet(stimuli).height


def test_invalid_options_are_refused():
    with pytest.raises(InputError, match="unknown axis of curves 'radios'; the nearest"):
        contact_sheet(named("curves"), columns="radios")
    with pytest.raises(InputError, match="most and scale must be at least 1"):
        contact_sheet(named("curves"), most=0)


@pytest.mark.slow
def test_a_notebook_shows_every_ready_set_small():
    for name in names():
        shown = Image.open(io.BytesIO(named(name).fix(size=100)._repr_png_()))
        assert shown.width < 1200, name
        assert shown.height < 1200, name


def test_a_notebook_shows_a_small_set_as_its_contact_sheet():
    stimuli = StimulusSet(line, {"orientation": (0, 30, 60, 90), "width": (2, 5, 9)}, {"size": 20})
    shown = Image.open(io.BytesIO(stimuli._repr_png_()))
    assert np.array_equal(np.asarray(shown), np.asarray(contact_sheet(stimuli)))


def test_a_set_that_cannot_be_drawn_shows_nothing():
    assert StimulusSet(line, {"width": (-1, 2)})._repr_png_() is None


def test_a_notebook_shows_the_pictures_of_a_batch():
    drawn = named("curves").draw()
    shown = np.asarray(Image.open(io.BytesIO(drawn._repr_png_())))
    first = (drawn.picture[0] * 255).round().byte().permute(1, 2, 0).numpy()
    assert np.array_equal(shown[2:62, 2:62], first)
