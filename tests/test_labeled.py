"""Labeled arrays and tables keep their kind, are read back as saved, and show themselves."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from visioncircuits.errors import InputError
from visioncircuits.figures import Figure
from visioncircuits.labeled import LabeledArray, LabeledTable


class Lengths(LabeledArray):
    __slots__ = ()
    contents = "lengths"
    dimensions = ("unit",)

    def _picture(self) -> Figure | None:
        return Figure(figsize=(1, 1)) if "angle" in self.dims else None


class Scores(LabeledTable):
    __slots__ = ()
    contents = "scores"
    dimensions = ("condition",)


@pytest.fixture
def lengths() -> Lengths:
    return Lengths(
        np.arange(6, dtype=np.float32).reshape(2, 3),
        dims=("unit", "angle"),
        coords={"unit": ["a:0", "a:1"]},
        attrs={"record": '{"seed": 7}'},
    )


@pytest.fixture
def scores() -> Scores:
    return Scores({"top1": ("condition", np.array([0.5, 0.25]))}, attrs={"record": "{}"})


def test_what_is_selected_and_computed_stays_of_its_kind(lengths: Lengths, scores: Scores) -> None:
    for result in (lengths.sel(unit="a:1"), lengths.max("angle"), lengths + 1):
        assert isinstance(result, Lengths)
    assert isinstance(scores.isel(condition=0), Scores)


def test_what_was_saved_is_read_back(lengths: Lengths, scores: Scores, tmp_path: Path) -> None:
    path = lengths.save(tmp_path / "lengths.nc")
    xr.testing.assert_identical(Lengths.load(path), lengths)
    assert Lengths.load(path).record == {"seed": 7}
    xr.testing.assert_identical(Scores.load(scores.save(tmp_path / "scores.nc")), scores)


def test_a_file_of_another_kind_is_refused(lengths: Lengths, tmp_path: Path) -> None:
    path = lengths.save(tmp_path / "lengths.nc")
    with pytest.raises(InputError, match=r"lengths\.nc holds no scores"):
        Scores.load(path)
    with pytest.raises(InputError, match="there is no file"):
        Lengths.load(tmp_path / "others.nc")
    with pytest.raises(InputError, match=r"name it \.nc"):
        lengths.save(tmp_path / "lengths.csv")
    path.write_bytes(b"no netCDF")
    with pytest.raises(InputError, match="cannot be read as lengths"):
        Lengths.load(path)


def test_a_notebook_shows_the_picture_where_there_is_one(lengths: Lengths) -> None:
    assert lengths._repr_html_().startswith("<img")
    assert "<img" not in lengths.max("angle")._repr_html_()
