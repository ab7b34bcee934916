import contextlib
import re
import zlib
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
import xarray as xr
from PIL import Image

from visioncircuits.errors import InputError
from visioncircuits.figures import Figure
from visioncircuits.tuning.radial import radial_panel

SVG = "{http://www.w3.org/2000/svg}"


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


@pytest.mark.parametrize("name", ["panel.svg", "panel.PNG", "panel.pdf"])
def test_a_plot_gives_the_same_bytes_again(panel, tmp_path, name):
    panel.save(tmp_path / name)
    first = (tmp_path / name).read_bytes()
    panel._repr_png_()
    panel.save(tmp_path / name)
    assert (tmp_path / name).read_bytes() == first
    assert first.startswith((b"<?xml", b"\x89PNG", b"%PDF"))
    assert b"<dc:date>" not in first
    assert b"CreationDate" not in first


def test_two_plots_in_a_constrained_layout_give_the_same_bytes_again(panel, tmp_path):
    figure = Figure(figsize=(7, 4), layout="constrained")
    upper, lower = figure.subfigures(2, 1)
    for place, axes in enumerate((*upper.subplots(1, 2), lower.subplots())):
        axes.plot([place, 0.3])
        axes.set_ylabel("activation")
    first, second = (figure.save(tmp_path / name).read_bytes() for name in ("a.svg", "b.svg"))
    assert first == second


def test_a_png_has_two_hundred_dots_an_inch_or_as_many_as_asked_for(panel, tmp_path):
    for dpi, options in ((200, {}), (300, {"dpi": 300})):
        panel.save(tmp_path / "panel.png", **options)
        with Image.open(tmp_path / "panel.png") as written:
            assert written.size == (5 * dpi, 5.4 * dpi)
    with pytest.raises(InputError, match="dpi must be above 0"):
        panel.save(tmp_path / "panel.png", dpi=0)


def streams(pdf: bytes) -> bytes:
    """All compressed streams of a PDF, read."""
    found = []
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        with contextlib.suppress(zlib.error):
            found.append(zlib.decompress(match[1]))
    return b"\n".join(found)


def test_a_pdf_embeds_its_fonts_as_truetype_and_its_text_can_be_read(panel, tmp_path):
    written = panel.save(tmp_path / "panel.pdf").read_bytes()
    content = written + streams(written)
    assert b"/FontFile2" in content
    assert b"/Type3" not in content
    # Characters by the codes that are shown: all letters of the plot's text are among them.
    assert b"/ToUnicode" in content
    hexadecimal = re.findall(rb"<([0-9a-fA-F]{4})>", content)
    ranges = re.findall(rb"<(\w{4})> *<(\w{4})> *<(\w{4})>", content)
    known = {chr(int(code, 16)) for code in hexadecimal}
    for first, last, unicode in ranges:
        length = int(last, 16) - int(first, 16)
        known |= {chr(int(unicode, 16) + place) for place in range(length + 1)}
    assert set("meanpositivact") <= known


def test_an_svg_has_text(tmp_path):
    figure = Figure(figsize=(3, 2))
    axes = figure.subplots()
    axes.set(xlabel="orientation, degrees", ylabel="activation")
    written = figure.save(tmp_path / "plot.svg").read_text("utf-8")
    texts = {element.text for element in ElementTree.fromstring(written).iter(f"{SVG}text")}
    assert {"orientation, degrees", "activation"} <= texts


def test_saving_leaves_the_settings_of_matplotlib(panel, tmp_path):
    before = dict(matplotlib.rcParams)
    panel.save(tmp_path / "panel.pdf")
    assert dict(matplotlib.rcParams) == before


def test_another_suffix_is_rejected_before_anything_is_written(panel, tmp_path):
    with pytest.raises(InputError, match=r"name it \.svg, \.png or \.pdf"):
        panel.save(tmp_path / "panel.eps")
    assert not list(tmp_path.iterdir())
