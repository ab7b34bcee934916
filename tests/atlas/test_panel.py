"""Icons lie where their cells are."""

import numpy as np
import pytest

from visioncircuits.atlas import Atlas, Grid, SampledActivations, atlas_panel, mosaic
from visioncircuits.errors import InputError


def drawn(classes: tuple[str, ...] = ()) -> Atlas:
    cells = np.array([[0, 1], [2, 0], [2, 2]])
    attribution = np.eye(3, len(classes), dtype=np.float32)
    grid = Grid(3, cells, np.array([100, 9, 100]), np.zeros((3, 4), np.float32), attribution,
                np.array([0, 1, 2]))  # fmt: skip
    samples = SampledActivations(
        "toy", "conv", np.zeros((3, 4), np.float32), np.array([0, 0, 0]),
        np.zeros((3, 2), np.int64), (5, 5), ("a.jpg",),
    )  # fmt: skip
    return Atlas(samples, np.zeros((3, 2), np.float32), (grid,), classes, {})


ICONS = np.stack([np.full((10, 10, 3), shade, np.uint8) for shade in (0, 90, 180)])


def test_each_icon_is_at_its_row_and_column() -> None:
    pixels = mosaic(drawn().grids[0], ICONS)
    assert pixels.shape == (30, 30, 3)
    assert (pixels[:10, 10:20] == 0).all()
    assert (pixels[20:, :10] == 90).all()
    assert (pixels[20:, 20:] == 180).all()
    assert (pixels[10:20] == 255).all()


def test_icons_of_few_samples_are_smaller() -> None:
    pixels = mosaic(drawn().grids[0], ICONS, sized=True)
    assert (pixels[:10, 10:20] == 0).all()
    assert np.count_nonzero((pixels[20:, :10] == 90).all(2)) == 16


def test_the_panel_names_the_class_of_each_cell() -> None:
    panel = atlas_panel(drawn(("pug", "beer glass", "tabby")), ICONS)
    assert [text.get_text() for text in panel.axes[0].texts] == ["pug", "beer glass", "tabby"]
    assert panel._repr_png_()[1:4] == b"PNG"


def test_icons_of_another_grid_are_refused() -> None:
    with pytest.raises(InputError, match="2 icons for 3 cells"):
        atlas_panel(drawn(), ICONS[:2])
