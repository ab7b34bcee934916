"""An atlas is made once, saved whole, and the same for the same seed."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visioncircuits.atlas import Atlas, aligned, atlas, load, save
from visioncircuits.datasets import Photographs
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, untrained

OPTIONS: dict[str, Any] = {
    "per_photograph": 20, "layout": "pca", "sides": [2, 4], "least": 3, "of_each": 4,
}  # fmt: skip


@pytest.fixture(scope="module")
def made(network: Network, photographs: Photographs) -> Atlas:
    return atlas(network, "1", photographs, **OPTIONS)


def test_an_atlas_has_all_of_its_parts(made: Atlas) -> None:
    assert repr(made) == "Atlas(small 1: 240 of 12 photographs; 2 × 2, 4 × 4; 3 classes)"
    assert made.points.shape == (240, 2)
    assert made.classes == ("beer glass", "tabby", "pug")
    for grid in made.grids:
        assert grid.attribution.shape == (len(grid), 3)
        assert np.isfinite(grid.attribution).all()
    assert [each["side"] for each in made.record["dependence"]] == [2, 4]


def test_the_same_seed_gives_the_same_bytes(
    made: Atlas, network: Network, photographs: Photographs, tmp_path: Path
) -> None:
    again = atlas(network, "1", photographs, **OPTIONS, folder=tmp_path / "again")
    saved = save(made, tmp_path / "first").read_bytes()
    assert (tmp_path / "again" / "atlas.safetensors").read_bytes() == saved
    assert save(again, tmp_path / "third").read_bytes() == saved


def test_an_atlas_is_read_back_as_it_was(made: Atlas, tmp_path: Path) -> None:
    save(made, tmp_path)
    found = load(tmp_path)
    assert found.classes == made.classes
    assert found.record == made.record
    assert np.array_equal(found.points, made.points)
    for one, other in zip((found.samples, *found.grids), (made.samples, *made.grids), strict=True):
        for field in dataclasses.fields(one):
            value, known = getattr(one, field.name), getattr(other, field.name)
            if isinstance(known, np.ndarray):
                assert value.dtype == known.dtype
                assert np.array_equal(value, known)
            else:
                assert value == known


def test_a_finished_atlas_is_not_made_again_and_another_not_written_over(
    network: Network, photographs: Photographs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = atlas(network, "1", photographs, **OPTIONS, folder=tmp_path)
    monkeypatch.setattr("visioncircuits.atlas.building.sample", None)
    again = atlas(network, "1", photographs, **OPTIONS, folder=tmp_path)
    assert np.array_equal(first.points, again.points)
    with pytest.raises(InputError, match="has another atlas"):
        atlas(network, "1", photographs, **OPTIONS | {"seed": 1}, folder=tmp_path)


def test_what_cannot_be_attributed_is_refused_before_work_starts(
    photographs: Photographs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visioncircuits.atlas.building.sample", None)
    with pytest.raises(InputError, match="no derivative in forward mode; name the classes"):
        atlas(untrained("bvlc_googlenet"), "conv2d1", photographs)


def test_photographs_in_another_order_are_another_atlas(
    network: Network, photographs: Photographs, tmp_path: Path
) -> None:
    options: dict[str, Any] = {**OPTIONS, "classes": (), "folder": tmp_path}
    atlas(network, "1", photographs, **options)
    with pytest.raises(InputError, match="has another atlas"):
        atlas(network, "1", photographs.part(range(11, -1, -1)), **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sides": [0]}, "sides must be"),
        ({"least": 0}, "least must be"),
        ({"of_each": 0}, "of_each must be"),
        ({"classes": "tabby"}, "not 'tabby'"),
        ({"classes": ["lion"]}, "lion"),
    ],
)
def test_wrong_options_are_refused_before_there_are_samples(
    network: Network, photographs: Photographs, monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any], message: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("visioncircuits.atlas.building.sample", None)
    monkeypatch.setattr(sys.modules[aligned.__module__], "sample_at", None)
    with pytest.raises(InputError, match=message):
        atlas(network, "1", photographs, layout="pca", **options)
    with pytest.raises(InputError, match=message):
        aligned([(network, "1"), (network, "4")], photographs, edge=0, layout="pca", **options)


def test_a_damaged_file_is_named(made: Atlas, tmp_path: Path) -> None:
    path = save(made, tmp_path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path)
