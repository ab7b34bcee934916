"""What a unit's page tells of its tuning is what was measured."""

import base64
import io
import re
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import xarray as xr
from PIL import Image

from visioncircuits import tuning
from visioncircuits.gallery import measuring, sets, tuned
from visioncircuits.gallery.contents import Gallery, Tuning
from visioncircuits.gallery.section import Section, UnitPage
from visioncircuits.stimuli import named

ANGLES = np.arange(0, 360, 10.0)
RADII = np.array([290.0, 129.5, 57.7, 25.7])


def responses(*peaks: float) -> xr.DataArray:
    """Units that answer most to some angles, and to the third radius; then a silent one."""
    bumps = [np.exp(8 * (np.cos(np.radians(ANGLES - peak)) - 1)) - 0.2 for peak in peaks]
    answers = np.stack([*bumps, np.full(36, -1.0)])[..., None] * np.array([2.0, 5.0, 9.0, 1.0])
    names = [f"mixed3b:{unit}" for unit in range(len(answers))]
    return xr.DataArray(
        answers.astype(np.float32),
        coords={"unit": names, "orientation": ANGLES, "radius": RADII},
        dims=("unit", "orientation", "radius"),
        attrs={"record": "{}"},
    )


@pytest.fixture
def told(tmp_path: Path) -> dict[str, Tuning]:
    folder = tmp_path / "tuning" / "work"
    tuning.write_responses(responses(40, 263), folder / measuring.RESPONSES)
    return dict(measuring.told("curves", folder, tmp_path))


def section(gallery: Gallery, *tunings: Tuning) -> Section | None:
    layer = gallery.layers[1]
    return tuned.tuning(UnitPage(gallery, layer, replace(layer.units[0], tunings=tunings)))


def test_what_is_told_is_what_was_measured(told: dict[str, Tuning]) -> None:
    unit = told["mixed3b:1"]
    assert (unit.path, unit.period, unit.down) == ("tuning/work/responses.nc", 360.0, "radius")
    assert unit.values == tuple(RADII)
    assert unit.numbers["orientation"] == pytest.approx(263, abs=1)
    measured = responses(40, 263)
    assert np.allclose(unit.responses, measured.values[1].T)
    assert np.allclose(unit.curve, measured.values[1].clip(0).mean(1))
    assert not unit.silent
    assert told["mixed3b:2"].silent


def test_the_map_has_the_answers_in_its_pixels(gallery: Gallery, told: dict[str, Tuning]) -> None:
    unit = told["mixed3b:0"]
    shown = section(gallery, unit)
    assert shown is not None
    (data,) = re.findall(r"data:image/png;base64,([\w+/=]+)", shown.body)
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        pixels = np.asarray(picture)
    answers = np.array(unit.responses)
    turbo = matplotlib.colormaps["turbo"](answers / answers.max(), bytes=True)[..., :3]
    assert (pixels[answers > 0] == turbo[answers > 0]).all()
    assert (pixels[answers <= 0] == 0).all()


def test_the_outline_reaches_furthest_where_the_curve_peaks(
    gallery: Gallery, told: dict[str, Tuning]
) -> None:
    shown = section(gallery, told["mixed3b:1"])
    assert shown is not None
    (points,) = re.findall(r'polygon points="([^"]+)"', shown.body)
    x, y = np.array([point.split(",") for point in points.split()], float).T
    furthest = np.hypot(x, y).argmax()
    assert np.hypot(x, y)[furthest] == pytest.approx(1.3, abs=0.01)
    assert np.degrees(np.arctan2(y, x))[furthest] % 360 == pytest.approx(263, abs=3)
    assert "--hue:263" in shown.body


def test_numbers_are_written_out(gallery: Gallery, told: dict[str, Tuning]) -> None:
    shown = section(gallery, told["mixed3b:1"])
    assert shown is not None
    rows = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", shown.body))
    assert rows["Orientation"] == "263°"
    assert rows["Strongest answer"] == "7.1 at 260°, radius 57.7"
    assert rows["Echo, opposite"] == "0.00 of the peak"
    assert rows["All units"] == '<a href="../../tuning/work/responses.nc">netCDF</a>'


def test_maps_of_several_sets_have_one_scale(gallery: Gallery, told: dict[str, Tuning]) -> None:
    strong = told["mixed3b:0"]
    weak = replace(
        strong,
        stimuli="filled-curves",
        numbers={**strong.numbers, "strongest": strong.numbers["strongest"] / 4},
        responses=tuple(tuple(a / 4 for a in row) for row in strong.responses),
    )
    shown = section(gallery, strong, weak)
    assert shown is not None
    brightest = []
    for data in re.findall(r"data:image/png;base64,([\w+/=]+)", shown.body):
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            brightest.append(tuple(np.asarray(picture)[2, 4]))
    turbo = matplotlib.colormaps["turbo"](np.array([1.0, 0.25]), bytes=True)[:, :3]
    assert brightest == [tuple(color) for color in turbo]
    assert re.findall("--strength:([0-9.]+)", shown.body) == ["1.00", "0.25"]
    assert set(shown.assets) == {"assets/stimuli-curves.webp", "assets/stimuli-filled-curves.webp"}


def test_the_stimuli_are_one_picture_for_all_units(
    gallery: Gallery, told: dict[str, Tuning]
) -> None:
    first, second = (section(gallery, told[f"mixed3b:{unit}"]) for unit in (0, 1))
    assert first is not None
    assert second is not None
    assert first.assets == second.assets
    with Image.open(io.BytesIO(first.assets["assets/stimuli-curves.webp"])) as picture:
        assert picture.size == (36 * 60, 4 * 60)
    assert 'src="../../assets/stimuli-curves.webp"' in first.body


def test_a_unit_that_nothing_drives_is_said_to_be_so(
    gallery: Gallery, told: dict[str, Tuning]
) -> None:
    shown = section(gallery, told["mixed3b:2"])
    assert shown is not None
    assert "None of these stimuli drives it." in shown.body
    assert not shown.assets
    assert section(gallery) is None


def test_a_set_without_another_axis_has_a_map_of_one_row(gallery: Gallery, tmp_path: Path) -> None:
    edges = responses(40).isel(radius=2, drop=True)
    tuning.write_responses(edges, tmp_path / "work" / measuring.RESPONSES)
    told = measuring.told("edges", tmp_path / "work", tmp_path)["mixed3b:0"]
    assert (told.down, told.values, len(told.responses)) == ("", (), 1)
    shown = section(gallery, told)
    assert shown is not None
    assert 'class="map flat"' in shown.body
    with Image.open(io.BytesIO(shown.assets["assets/stimuli-edges.webp"])) as picture:
        assert picture.size == (36 * 60, 60)


@pytest.mark.parametrize("name", sets.oriented())
def test_every_set_that_can_be_told_of_is_small_and_goes_around(name: str) -> None:
    stimuli = sets.stimuli(name)
    angles = np.array(stimuli.axes["orientation"])
    assert len(angles) <= sets.ACROSS
    steps = np.diff(angles)
    assert np.allclose(steps, steps[0])
    assert len(angles) * steps[0] in (180, 360)
    assert set(stimuli.axes) == set(named(name).axes)
