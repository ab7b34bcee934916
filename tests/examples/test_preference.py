"""Units that prefer classes: areas and intervals against slow counts, and photographs of dogs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from visioncircuits import datasets
from visioncircuits.errors import InputError
from visioncircuits.examples import Preferences, prefer, preference_panel
from visioncircuits.examples.roc import auc, intervals
from visioncircuits.networks import Direction, Network, Preprocessing, load, untrained, wrap

DOGS = range(151, 269)


def scores(positive: float, negative: float) -> float:
    """A pair's part in the area."""
    return 1.0 if positive > negative else 0.5 if positive == negative else 0.0


def counted(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """The score of every pair, of one unit, one by one."""
    return np.array([[scores(p, n) for n in negatives] for p in positives])


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Rectified values of five units with many ties, of 13 positives and 29 negatives."""
    rng = np.random.default_rng(0)
    shift = np.linspace(-1, 2, 5)
    values = rng.normal(shift, 1, (13, 5)), rng.normal(0, 1, (29, 5))
    return tuple(np.maximum(each, 0).round(1) for each in values)  # type: ignore[return-value]


def test_the_area_is_the_share_of_pairs(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    expected = [counted(*unit).mean() for unit in zip(*(each.T for each in drawn), strict=True)]
    assert auc(*drawn) == pytest.approx(expected)


def test_the_interval_is_that_of_a_share_with_delongs_variance() -> None:
    from scipy.stats import binomtest

    one, other = np.arange(16.0)[:, None] * 3, np.arange(16.0)[:, None] * 3 - 12.5
    pairs = counted(one[:, 0], other[:, 0])
    area = pairs.mean()
    variance = pairs.mean(1).var(ddof=1) / 16 + pairs.mean(0).var(ddof=1) / 16
    trials = area * (1 - area) / variance
    assert 16 < trials < 32
    around = [binomtest(round(area * n), n).proportion_ci(0.95) for n in (16, 32)]
    (low,), (high,) = intervals(one, other)
    assert around[0].low < low < around[1].low
    assert around[1].high < high < around[0].high
    # a share of k in n is exceeded with probability 2.5 % at its bounds, also between whole numbers
    from scipy.special import betainc

    hits = area * trials
    assert betainc(hits, trials - hits + 1, low) == pytest.approx(0.025)
    assert betainc(hits + 1, trials - hits, high) == pytest.approx(0.975)


@pytest.mark.parametrize("area", [0.5, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("counts", [(118, 882), (5, 200), (20, 20), (9, 45)])
@pytest.mark.parametrize("rectified", [False, True])
def test_intervals_hold_the_area_as_often_as_they_promise(
    area: float, counts: tuple[int, int], rectified: bool
) -> None:
    from scipy.stats import norm

    rng = np.random.default_rng(0)
    shift, samples = norm.ppf(area) * 2**0.5, 1000

    def draw(mean: float, *shape: int) -> np.ndarray:
        values = rng.normal(mean, 1, shape)
        return np.maximum(values - 0.5, 0) if rectified else values

    true = auc(draw(shift, 100_000, 1), draw(0, 100_000, 1))[0] if rectified else area
    values = draw(shift, counts[0], samples), draw(0, counts[1], samples)
    low, high = intervals(*values)
    assert ((low <= true) & (true <= high)).mean() >= 0.95
    low, high = intervals(*values, level=1 - 0.05 / 500)
    assert ((low <= true) & (true <= high)).mean() >= 0.999


def test_a_perfect_unit_and_a_constant_one_have_intervals_of_some_width() -> None:
    positives, negatives = np.array([[1.0, 0.0]] * 6), np.array([[0.0, 0.0]] * 30)
    assert auc(positives, negatives).tolist() == [1.0, 0.5]
    low, high = intervals(positives, negatives)
    assert (low < [0.8, 0.25]).all()
    assert high.tolist() == pytest.approx([1.0, 1 - low[1]])


@pytest.fixture(scope="module")
def network() -> Network:
    """Its units are the channels of the picture, and the mean over positions."""
    module = nn.Sequential(nn.Identity(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return wrap(module, Preprocessing(), size=8, classes=["cat", "red thing", "dog"])


def painted(*classes: int | None) -> list[tuple[torch.Tensor, int | None]]:
    """Noise in which a photograph of class 1 has one red pixel."""
    pictures = []
    for place, label in enumerate(classes):
        generator = torch.Generator().manual_seed(place)
        pixels = 0.5 * torch.rand(3, 8, 8, generator=generator)
        if label == 1:
            pixels[0, 2, place % 8] = 0.9
        pictures.append((pixels, label))
    return pictures


def test_the_unit_that_prefers_the_class_is_first_with_all_values(network: Network) -> None:
    classes = [0, 1, 2, 1, 0, 2, 1, 2, None]
    photographs = painted(*classes)
    found = prefer(network, "0", photographs, classes="red thing", batch=3)
    assert isinstance(found, Preferences)
    assert str(found["unit"].values[0]) == "0:0"
    assert found["preferred"].values.tolist() == [label == 1 for label in classes[:8]]
    strongest = torch.stack([pixels[0].max() for pixels, _ in photographs[:8]]).numpy()
    assert np.allclose(found["activation"].sel(unit="0:0"), strongest)
    rows = found.summary()
    assert rows is not None
    assert rows["auc"].is_monotonic_decreasing
    assert rows.loc["0:0", "auc"] == 1
    assert rows.loc["0:0", "inside"] == pytest.approx(0.9)
    assert rows.loc["0:0", "outside"] == pytest.approx(strongest[[0, 2, 4, 5, 7]].mean())
    assert found.record["unlabeled"] == 1
    assert found.record["classes"] == [1]


def test_features_of_several_layers_and_directions_are_ranked_together(network: Network) -> None:
    photographs = painted(0, 1, 2, 1, 0, 2, 1)
    opponent = Direction("0", [1.0, -1.0, 0.0], name="red against green")
    found = prefer(network, ["2", opponent, "0:0", "0:0"], photographs, classes=[1])
    assert {*map(str, found["unit"].values)} == {"2:0", "2:1", "2:2", str(opponent), "0:0"}
    pixels = torch.stack([each for each, _ in photographs])
    expected = (pixels[:, 0] - pixels[:, 1]).flatten(1).amax(1)
    assert np.allclose(found["activation"].sel(unit=str(opponent)), expected)
    assert np.allclose(found["activation"].sel(unit="2:1"), pixels[:, 1].mean((1, 2)))


def test_intervals_are_wider_the_more_features_are_compared(network: Network) -> None:
    photographs = painted(*[0, 1] * 6)
    alone = prefer(network, "0:1", photographs, classes=1)
    among = prefer(network, "0", photographs, classes=1).sel(unit=["0:1"])
    assert float(alone["auc"][0]) == float(among["auc"][0])
    assert float(among["low"][0]) < float(alone["low"][0]) < float(alone["auc"][0])


def test_a_damaged_photograph_is_left_out_and_named(squares: Path) -> None:
    small = untrained("bvlc_googlenet")
    found = prefer(small, "conv2d0", datasets.photographs(squares), classes=["a", "b"])
    assert found.sizes["photograph"] == 18
    assert found["preferred"].values.tolist() == [True] * 14 + [False] * 4
    assert len(found.record["skipped"]) == 1


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([None, None], 1, "no photograph has a class; begin names with"),
        ([0, 0, 0, 1], 1, "1 photographs of these classes and 3 of others; two of each"),
        ([1, 1, 1], 1, "3 photographs of these classes and 0 of others"),
        ([0, 1], "wolf", "unknown class 'wolf'"),
        ([0, 1], 3, "no class 3; their numbers are 0 to 2"),
    ],
)
def test_photographs_without_the_classes_raise(
    network: Network, labels: list[int | None], classes: object, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        prefer(network, "0", painted(*labels), classes=classes)  # type: ignore[arg-type]


@pytest.mark.slow
def test_preferences_are_saved_and_shown(network: Network, tmp_path: Path) -> None:
    found = prefer(network, "0", painted(*[0, 1, 2] * 3), classes="dog")
    loaded = Preferences.load(found.save(tmp_path / "dogs.nc"))
    assert loaded.identical(found)
    assert json.loads(loaded.attrs["record"]) == found.record
    for shown in (loaded, loaded.isel(unit=[0]), loaded[["auc"]], loaded.isel(photograph=0)):
        assert "xarray" in shown._repr_html_()
    assert "<img" in loaded._repr_html_()
    assert "<img" not in loaded[["auc", "low"]]._repr_html_()
    with pytest.raises(InputError, match="no preferences to draw"):
        preference_panel(loaded.isel(unit=[]))


@pytest.mark.images
@pytest.mark.weights
@pytest.mark.slow
def test_units_of_mixed4d_prefer_dogs_in_a_thousand_photographs(
    checkpoints: Path, photographs: Path
) -> None:
    network = load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
    found = prefer(network, "mixed4d", photographs, classes=DOGS)
    assert (int(found["preferred"].sum()), found.sizes["photograph"]) == (118, 1000)
    rows = found.summary()
    assert rows is not None
    assert rows.index[:8].tolist() == [  # which the page on dog heads starts from
        "mixed4d:476", "mixed4d:161", "mixed4d:224", "mixed4d:520", "mixed4d:238", "mixed4d:365",
        "mixed4d:483", "mixed4d:268",
    ]  # fmt: skip
    assert rows.loc["mixed4d:476", ["auc", "low", "high"]].tolist() == pytest.approx(
        [0.927, 0.840, 0.976], abs=0.003
    )
    own = found["activation"].sel(unit="mixed4d:476").values
    preferred = found["preferred"].values
    expected = counted(own[preferred], own[~preferred]).mean()
    assert rows.loc["mixed4d:476", "auc"] == pytest.approx(expected)
