"""Layouts keep neighborhoods, fill the unit square, and are the same for the same seed."""

import sys
from functools import partial
from importlib.metadata import version

import numpy as np
import pytest

from visioncircuits.atlas import lay_out, umap
from visioncircuits.atlas.layout import LAYOUTS, components, described, scaled
from visioncircuits.errors import InputError

CLUSTERS, EACH, UNITS = 8, 40, 24
SLOW = [pytest.mark.slow]


def circle() -> tuple[np.ndarray, np.ndarray]:
    """Clusters whose centers lie on a circle in many dimensions, and the cluster of each sample."""
    random = np.random.default_rng(0)
    plane = np.linalg.qr(random.normal(size=(UNITS, 2)))[0]
    number = np.repeat(np.arange(CLUSTERS), EACH)
    angle = 2 * np.pi * (number + random.uniform(-0.6, 0.6, len(number))) / CLUSTERS
    values = np.stack([np.cos(angle), np.sin(angle)], 1) @ plane.T
    return (values + 0.05 * random.normal(size=values.shape)).astype(np.float32), number


def order(points: np.ndarray, number: np.ndarray) -> list[int]:
    """The clusters in the order of their angles around the middle, from cluster 0 on."""
    centers = np.array([points[number == each].mean(0) for each in range(CLUSTERS)])
    centers -= centers.mean(0)
    found = np.argsort(np.arctan2(centers[:, 1], centers[:, 0])).tolist()
    first = found.index(0)
    turned = [*found[first:], *found[:first]]
    return turned if turned[1] == 1 else [0, *reversed(turned[1:])]


@pytest.mark.parametrize(
    "layout",
    ["pca", "grid", pytest.param("tsne", marks=SLOW), pytest.param("umap", marks=SLOW)],
)
def test_clusters_on_a_circle_keep_their_order(layout: str) -> None:
    values, number = circle()
    assert order(lay_out(values, layout), number) == list(range(CLUSTERS))


@pytest.mark.parametrize(
    "layout",
    ["pca", "grid", pytest.param("tsne", marks=SLOW), pytest.param("umap", marks=SLOW)],
)
def test_the_same_seed_gives_the_same_bytes(layout: str) -> None:
    values, _ = circle()
    assert lay_out(values, layout, seed=2).tobytes() == lay_out(values, layout, seed=2).tobytes()


@pytest.mark.slow
def test_umap_takes_other_options_and_seeds() -> None:
    values, _ = circle()
    first, second = (lay_out(values, partial(umap, neighbors=6), seed=seed) for seed in (0, 1))
    assert first.shape == (len(values), 2)
    assert not np.array_equal(first, second)


def test_outliers_are_moved_to_the_border() -> None:
    points = np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)
    points[0], points[1] = 1e6, -1e6
    found = scaled(points)
    assert found[0].tolist() == [1, 1]
    assert found[1].tolist() == [0, 0]
    assert 0.15 < found[2:].std(0).max() < 0.25


def test_a_grid_holds_equally_many_everywhere() -> None:
    values, _ = circle()
    column, row = np.minimum(lay_out(values, "grid") * 4, 3).astype(int).T
    counts = np.bincount(row * 4 + column, minlength=16)
    assert counts.min() > 0.6 * len(values) / 16
    assert counts.max() < 1.5 * len(values) / 16


def test_components_keep_cosines() -> None:
    values = np.random.default_rng(0).random((30, 6)).astype(np.float32)
    kept = components(values, 6)
    assert np.allclose(kept @ kept.T, values @ values.T, atol=1e-4)


def test_samples_that_are_all_alike_have_a_layout() -> None:
    found = lay_out(np.ones((10, 4), np.float32), "pca")
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (found <= 1).all()


def test_without_umap_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(InputError, match=r"pip install 'visioncircuits\[atlas\]'"):
        lay_out(circle()[0], "umap")


def test_mistakes_are_named() -> None:
    with pytest.raises(InputError, match="unknown layout 'umpa'"):
        lay_out(circle()[0], "umpa")
    with pytest.raises(InputError, match="2 samples have no layout"):
        lay_out(np.ones((2, 4), np.float32), "pca")
    assert set(LAYOUTS) == {"umap", "tsne", "pca", "grid"}


def test_a_record_names_the_package_that_computes_a_layout() -> None:
    assert described("tsne") == {"name": "tsne", "scikit-learn": version("scikit-learn")}
    assert described("grid") == "grid"
