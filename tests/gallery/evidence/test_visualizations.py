"""Pictures are the same each time, and can be read back with their record."""

import io
from pathlib import Path

import pytest
from PIL import Image

from visioncircuits.engine import Work
from visioncircuits.featurevis import Visualization
from visioncircuits.gallery.evidence.visualizations import make
from visioncircuits.networks import Network, load


@pytest.fixture(scope="module")
def squeezenet(random_squeezenet: Path) -> Network:
    return load("torchvision:squeezenet1_1", checkpoint=random_squeezenet)


@pytest.fixture
def work() -> Work:
    return {
        "network": {"name": "torchvision:squeezenet1_1"},
        "kind": "positive",
        "pictures": 1,
        "lossless": False,
        "thumbnail": True,
        "settings": {"size": 32, "steps": 4, "seed": 0},
        "features": ["features.0:3", "features.0:5"],
    }


def test_a_picture_is_kept_with_its_record_and_a_thumbnail(
    work: Work, squeezenet: Network, tmp_path: Path
) -> None:
    files = make(squeezenet, work)
    assert sorted(files) == [
        f"features.0-{unit}-positive{end}" for unit in (3, 5) for end in ("-small.webp", ".webp")
    ]
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    back = Visualization.load(tmp_path / "features.0-5-positive.webp")
    assert back.feature == "features.0:5"
    assert back.record["network"]["name"] == "torchvision:squeezenet1_1"
    assert back.picture.shape == (3, 32, 32)


def test_the_same_work_gives_the_same_bytes(work: Work, squeezenet: Network) -> None:
    assert make(squeezenet, work) == make(squeezenet, work)


@pytest.mark.parametrize(("size", "lossless"), [(32, False), (80, False), (80, True)])
def test_pictures_above_64_px_are_light_unless_every_pixel_is_kept(
    work: Work, squeezenet: Network, size: int, lossless: bool
) -> None:
    settings = {"size": size, "steps": 2, "seed": 0}
    asked = {**work, "features": ["features.0:3"], "settings": settings, "lossless": lossless}
    kept = make(squeezenet, asked)["features.0-3-positive.webp"]
    exact = make(squeezenet, {**asked, "lossless": True})["features.0-3-positive.webp"]
    assert (kept == exact) == (lossless or size <= 64)
    assert len(kept) <= len(exact)


def test_negative_pictures_lower_what_positive_ones_raise(
    work: Work, squeezenet: Network, tmp_path: Path
) -> None:
    def reached(kind: str) -> float:
        changed = {**work, "kind": kind, "settings": {"size": 32, "steps": 24, "seed": 0}}
        files = make(squeezenet, changed)
        image = Image.open(io.BytesIO(files[f"features.0-3-{kind}.webp"]))
        path = tmp_path / f"{kind}.webp"
        path.write_bytes(files[f"features.0-3-{kind}.webp"])
        assert image.size == (32, 32)
        found = Visualization.load(path)
        return found.score if kind == "positive" else -found.score

    assert reached("negative") < 0 < reached("positive")


def test_there_are_as_many_diverse_pictures_as_requested_and_they_differ(
    work: Work, squeezenet: Network
) -> None:
    changed = {
        **work,
        "kind": "diversity",
        "pictures": 3,
        "settings": {"size": 32, "steps": 8, "seed": 0},
    }
    files = make(squeezenet, changed)
    pictures = [files[f"features.0-3-diversity-{place}.webp"] for place in (1, 2, 3)]
    assert len(set(pictures)) == 3
