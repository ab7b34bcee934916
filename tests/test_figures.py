import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot
from PIL import Image

from visioncircuits.errors import InputError
from visioncircuits.tuning.radial import radial_panel


@pytest.fixture
def panel():
    angles = np.arange(0, 360, 15)
    return radial_panel(
        xr.DataArray(
            np.exp(4 * np.cos(np.radians(angles - np.array([[30], [200]])))),
            coords={"unit": ["a:0", "a:1"], "orientation": angles},
            dims=("unit", "orientation"),
        )
    )


@pytest.mark.parametrize("name", ["panel.svg", "panel.PNG"])
def test_a_plot_gives_the_same_bytes_again(panel, tmp_path, name):
    panel.save(tmp_path / name)
    first = (tmp_path / name).read_bytes()
    panel.save(tmp_path / name)
    assert (tmp_path / name).read_bytes() == first
    assert first.startswith(b"<?xml" if name.endswith("svg") else b"\x89PNG")
    assert b"<dc:date>" not in first


def test_a_png_has_two_hundred_dots_an_inch(panel, tmp_path):
    panel.save(tmp_path / "panel.png")
    with Image.open(tmp_path / "panel.png") as written:
        assert written.size == (1000, 1060)


def test_no_plot_enters_the_global_list_of_figures(panel):
    assert not pyplot.get_fignums()


def test_another_suffix_is_rejected_before_anything_is_written(panel, tmp_path):
    with pytest.raises(InputError, match=r"name it \.svg or \.png"):
        panel.save(tmp_path / "panel.pdf")
    assert not list(tmp_path.iterdir())
