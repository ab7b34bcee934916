"""The tuning shown on a unit's page is what was measured."""

import base64
import io
import re
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from visioncircuits.gallery.contents import Gallery
from visioncircuits.gallery.evidence import stimuli
from visioncircuits.gallery.evidence import tuning as evidence
from visioncircuits.gallery.evidence.tuning import Tuning
from visioncircuits.gallery.section import FeaturePage, Section
from visioncircuits.networks import Unit
from visioncircuits.stimuli import named
from visioncircuits.tuning import Responses

ANGLES = np.arange(0, 360, 10.0)
RADII = np.array([290.0, 129.5, 57.7, 25.7])


def responses(*peaks: float) -> Responses:
    """Units that prefer some angles, and the third radius; then an inactive one."""
    bumps = [np.exp(8 * (np.cos(np.radians(ANGLES - peak)) - 1)) - 0.2 for peak in peaks]
    values = np.stack([*bumps, np.full(36, -1.0)])[..., None] * np.array([2.0, 5.0, 9.0, 1.0])
    names = [f"mixed3b:{unit}" for unit in range(len(values))]
    return Responses(
        values.astype(np.float32),
        coords={"unit": names, "orientation": ANGLES, "radius": RADII},
        dims=("unit", "orientation", "radius"),
        attrs={"record": "{}"},
    )


@pytest.fixture
def measured(tmp_path: Path) -> dict[str, Tuning]:
    folder = tmp_path / "tuning" / "work"
    responses(40, 263).save(folder / evidence.RESPONSES)
    return read("curves", folder, tmp_path, 3)


def read(name: str, folder: Path, out: Path, units: int) -> dict[str, Tuning]:
    """Read what was measured of the first units of mixed3b."""
    features = [Unit("mixed3b", index) for index in range(units)]
    found = evidence.read({"stimuli": name}, features, folder, out)
    return {str(unit): one for unit, (one,) in found.items()}


def section(gallery: Gallery, *tunings: Tuning) -> Section | None:
    layer = gallery.layers[1]
    unit = replace(layer.features[0], evidence={"tuning": tunings})
    return evidence.section(FeaturePage(gallery, layer, unit))


def test_the_tuning_read_is_what_was_measured(measured: dict[str, Tuning]) -> None:
    unit = measured["mixed3b:1"]
    assert (unit.path, unit.period, unit.down) == ("tuning/work/responses.nc", 360.0, "radius")
    assert unit.values == tuple(RADII)
    assert unit.numbers["orientation"] == pytest.approx(263, abs=1)
    given = responses(40, 263)
    assert np.allclose(unit.responses, given.values[1].T)
    assert np.allclose(unit.curve, given.values[1].clip(0).mean(1))
    assert not unit.inactive
    assert measured["mixed3b:2"].inactive


def test_the_pixels_of_the_map_are_the_responses(
    gallery: Gallery, measured: dict[str, Tuning]
) -> None:
    unit = measured["mixed3b:0"]
    shown = section(gallery, unit)
    assert shown is not None
    (data,) = re.findall(r"data:image/png;base64,([\w+/=]+)", shown.body)
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        pixels = np.asarray(picture)
    values = np.array(unit.responses)
    turbo = matplotlib.colormaps["turbo"](values / values.max(), bytes=True)[..., :3]
    assert (pixels[values > 0] == turbo[values > 0]).all()
    assert (pixels[values <= 0] == 0).all()


def test_the_outline_reaches_furthest_where_the_curve_peaks(
    gallery: Gallery, measured: dict[str, Tuning]
) -> None:
    shown = section(gallery, measured["mixed3b:1"])
    assert shown is not None
    (points,) = re.findall(r'polygon points="([^"]+)"', shown.body)
    x, y = np.array([point.split(",") for point in points.split()], float).T
    furthest = np.hypot(x, y).argmax()
    assert np.hypot(x, y)[furthest] == pytest.approx(1.3, abs=0.01)
    assert np.degrees(np.arctan2(y, x))[furthest] % 360 == pytest.approx(263, abs=3)
    assert "--hue:263" in shown.body


def test_numbers_are_written_out(gallery: Gallery, measured: dict[str, Tuning]) -> None:
    shown = section(gallery, measured["mixed3b:1"])
    assert shown is not None
    rows = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", shown.body))
    assert rows["Orientation"] == "263°"
    assert rows["Strongest response"] == "7.1 at 260°, radius 57.7"
    assert rows["Echo, opposite"] == "0.00 of the peak"
    assert rows["All units"] == '<a href="../../tuning/work/responses.nc">netCDF</a>'


def test_maps_of_several_sets_have_one_scale(gallery: Gallery, measured: dict[str, Tuning]) -> None:
    strong = measured["mixed3b:0"]
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
    gallery: Gallery, measured: dict[str, Tuning]
) -> None:
    first, second = (section(gallery, measured[f"mixed3b:{unit}"]) for unit in (0, 1))
    assert first is not None
    assert second is not None
    assert first.assets == second.assets
    with Image.open(io.BytesIO(first.assets["assets/stimuli-curves.webp"])) as picture:
        assert picture.size == (36 * 60, 4 * 60)
    assert 'src="../../assets/stimuli-curves.webp"' in first.body


def test_a_unit_that_no_stimulus_activates_is_shown_as_such(
    gallery: Gallery, measured: dict[str, Tuning]
) -> None:
    shown = section(gallery, measured["mixed3b:2"])
    assert shown is not None
    assert "None of these stimuli drives it." in shown.body
    assert not shown.assets
    assert section(gallery) is None


def test_a_set_without_another_axis_has_a_map_of_one_row(gallery: Gallery, tmp_path: Path) -> None:
    edges = responses(40).isel(radius=2, drop=True)
    edges.save(tmp_path / "work" / evidence.RESPONSES)
    unit = read("edges", tmp_path / "work", tmp_path, 1)["mixed3b:0"]
    assert (unit.down, unit.values, len(unit.responses)) == ("", (), 1)
    shown = section(gallery, unit)
    assert shown is not None
    assert 'class="map flat"' in shown.body
    with Image.open(io.BytesIO(shown.assets["assets/stimuli-edges.webp"])) as picture:
        assert picture.size == (36 * 60, 60)


@pytest.mark.parametrize("name", stimuli.oriented())
def test_every_set_that_can_be_shown_is_small_and_turns_around(name: str) -> None:
    thinned = stimuli.stimuli(name)
    angles = np.array(thinned.axes["orientation"])
    assert len(angles) <= stimuli.ACROSS
    steps = np.diff(angles)
    assert np.allclose(steps, steps[0])
    assert len(angles) * steps[0] in (180, 360)
    assert set(thinned.axes) == set(named(name).axes)
