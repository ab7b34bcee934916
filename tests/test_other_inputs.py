"""Every tool on networks of channels that are no colors, with planted detectors."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from visioncircuits import featurevis, tuning, weights
from visioncircuits.attribution import gradient_times_activation
from visioncircuits.cli.main import app
from visioncircuits.examples import collect, sheet
from visioncircuits.featurevis import Settings, Visualization, objectives
from visioncircuits.featurevis.transforms import NO_TRANSFORMS
from visioncircuits.hypotheses import Hypothesis, Prediction, effects, find, judge
from visioncircuits.interventions import ablate
from visioncircuits.networks import Network, Preprocessing, wrap
from visioncircuits.stimuli import named

BANDS = tuple(f"B{place}" for place in (1, 2, 3, 4, 5, 6, 7, 8, "8A", 9, 10, 11, 12))
NEAR_INFRARED = 7


def planted(channels: int, at: int, **stated: object) -> Network:
    """A network whose unit 0 looks at vertical edges, dark to bright, in one channel only.

    Unit 1 looks at horizontal edges in channel 0, unit 2 at brightness in all.
    """
    conv = nn.Conv2d(channels, 3, 7)
    across = torch.tensor([-1.0, -1, -1, 0, 1, 1, 1]).expand(7, 7) / 21
    with torch.no_grad():
        conv.weight.zero_()
        conv.bias.zero_()
        conv.weight[0, at], conv.weight[1, 0], conv.weight[2] = across, across.T, 1 / 49 / channels
    layers = (conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    preprocessing = Preprocessing(channels=channels, **stated)
    return wrap(nn.Sequential(*layers), preprocessing, size=32, classes=["water", "forest"])


@pytest.fixture
def satellite() -> Network:
    return planted(13, NEAR_INFRARED, names=BANDS, to_rgb=("B8", "B4", "B3"), range=(0, 10000))


def contrast(picture: torch.Tensor) -> np.ndarray:
    return picture.flatten(1).std(1).numpy()


QUICK = Settings(size=16, steps=48, rate=0.1, transforms=NO_TRANSFORMS)


def test_a_picture_of_a_band_is_in_this_band_and_in_no_other(satellite: Network) -> None:
    found = featurevis.render(satellite, "0:0", settings=QUICK)
    varies = contrast(found.picture)
    assert varies[NEAR_INFRARED] > 0.05
    assert np.delete(varies, NEAR_INFRARED).max() < 0.01
    assert found.strongest_channel == "B8"
    middle = found.picture[NEAR_INFRARED, 6:10]
    assert middle[:, 8:11].mean() > middle[:, 5:8].mean() + 0.2
    opposite = featurevis.render(satellite, objectives.negative(satellite, "0:0"), settings=QUICK)
    middle = opposite.picture[NEAR_INFRARED, 6:10]
    assert middle[:, 8:11].mean() < middle[:, 5:8].mean() - 0.2


def test_a_picture_of_any_parameterization_is_in_the_band(satellite: Network) -> None:
    for drawn in (featurevis.Pixels(), featurevis.Laplacian(levels=2)):
        settings = replace(QUICK, parameterization=drawn)
        varies = contrast(featurevis.render(satellite, "0:0", settings=settings).picture)
        assert varies.argmax() == NEAR_INFRARED
        assert np.delete(varies, NEAR_INFRARED).max() < 0.01


def test_three_channels_with_names_are_not_optimized_as_colors(tmp_path: Path) -> None:
    radar = planted(3, 1, names=("VV", "VH", "DEM"))
    found = featurevis.render(radar, "0:0", settings=QUICK)
    varies = contrast(found.picture)
    assert varies[1] > 0.05
    assert varies[[0, 2]].max() < 0.01
    assert found.record["settings"]["parameterization"]["colors"] is False
    settings = Settings.from_record(found.record["settings"])
    again = featurevis.render(radar, "0:0", settings=settings)
    assert torch.equal(found.picture, again.picture)
    colors = featurevis.render(planted(3, 1), "0:0", settings=QUICK)
    assert contrast(colors.picture)[[0, 2]].min() > 0.05  # of natural pictures, all go together
    back = Visualization.load(found.save(tmp_path / "unit.png"))
    assert back.picture.shape == (3, 16, 16)


def test_tuning_is_to_stimuli_in_the_band_and_to_none_in_others(satellite: Network) -> None:
    inside = tuning.measure(satellite.drawing_in("B8"), "0:0", "edges")
    numbers = tuning.orientation_tuning(inside).isel(unit=0)
    assert abs(float(numbers["orientation"])) % 360 == pytest.approx(0, abs=3)
    for band in ("B1", "B4", "B8A"):
        outside = tuning.measure(satellite.drawing_in(band), "0:0", "edges")
        np.testing.assert_allclose(outside, 0, atol=1e-2)  # of a peak of some 3,000
    assert float(inside.max()) > 1000


def edge() -> Hypothesis:
    return Hypothesis(
        "edge",
        named("edges"),
        (Prediction("responds to one direction of an edge", effects.echo, most=0.1),),
        variants=({}, {"x": 1.0}),
        controls={"noise": named("noise")},
    )


def test_a_hypothesis_holds_in_the_band_only(satellite: Network) -> None:
    assert find(satellite.drawing_in("B8"), "0", edge())["unit"].tolist() == ["0:0"]
    assert find(satellite.drawing_in("B1"), "0", edge())["unit"].tolist() == ["0:1"]
    assert judge(satellite.drawing_in("B4"), "0:0", edge()).status != "supported"


@pytest.mark.slow
def test_kernels_and_attributions_are_of_the_band(satellite: Network) -> None:
    found = weights.expanded_weights(satellite, "input", "0:0")
    norms = found.weight.square().sum((2, 3))[0]
    assert norms.nonzero().flatten().tolist() == [NEAR_INFRARED]
    chosen = weights.expanded_weights(satellite, ["input:B8", "input:3"], "0:0")
    assert torch.equal(chosen.weight, found.weight[:, [NEAR_INFRARED, 3]])
    assert weights.kernel_grid(chosen).mode == "RGB"
    attributed = gradient_times_activation(satellite, "0:0", torch.rand(1, 13, 32, 32))
    share = attributed.values[0].abs().sum((1, 2))
    assert share.nonzero().flatten().tolist() == [NEAR_INFRARED]
    assert attributed.image(most=1).mode == "RGB"


def test_examples_and_ablation_take_pictures_of_the_bands(satellite: Network) -> None:
    pictures = torch.full((6, 13, 32, 32), 0.5)
    pictures[2, NEAR_INFRARED, :, 16:] = 0.9
    pictures[4, 3, :, 16:] = 0.9
    found = collect(satellite, "0:0", pictures)
    assert found.layers["0"].tops.pictures[0, 0] == 2
    sheet(satellite, "0:0", found)
    change = ablate(satellite, ["0:0"], photographs=pictures, controls=0)
    assert change is not None


BUILD = """
import sys
sys.path.insert(0, {folder!r})
from test_other_inputs import BANDS, planted


def build():
    return planted(13, 7, names=BANDS, to_rgb=("B8", "B4", "B3"), range=(0, 10000))
"""


@pytest.mark.slow
def test_commands_take_channels_by_name_and_values_by_range(tmp_path: Path) -> None:
    network = tmp_path / "bands.py"
    network.write_text(BUILD.format(folder=str(Path(__file__).parent)))
    (tmp_path / "d").mkdir()
    for place in range(4):
        values = np.random.default_rng(place).integers(0, 10000, (13, 32, 32), np.uint16)
        np.save(tmp_path / "d" / f"{place}.npy", values)

    def run(*arguments: str) -> str:
        found = CliRunner().invoke(app, [arguments[0], f"{network}:build", *arguments[1:]])
        assert found.exit_code == 0, (found.output, found.exception)
        return found.output

    out, photos = str(tmp_path / "out"), ["--photographs", str(tmp_path / "d")]
    tuned = run("tune", "0", "--stimuli", "edges", "--channels", "B8", "-o", f"{out}.nc")
    first = next(line for line in tuned.splitlines() if line.startswith("0:"))
    assert first.split()[0] == "0:0"
    drawn = run("render", "0:0", "-o", f"{out}.png", "--steps", "16", "--size", "16")
    assert "most by B8" in drawn
    assert np.load(f"{out}.npy").shape == (13, 16, 16)
    found = run("examples", "0:0", *photos, "--range", "0", "10000", "-o", out, "--workers", "1")
    assert "4 pictures, 0 skipped" in found


def test_a_network_that_states_nothing_says_what_to_state() -> None:
    with pytest.raises(ValueError, match=r"from_rgb=….*network\.drawing_in\(…\)"):
        tuning.measure(planted(13, 7), "0:0", "edges")
