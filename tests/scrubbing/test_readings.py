"""What a variable is on each picture: bins by hand, and curves as they are drawn."""

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.scrubbing import Contour, Reading
from visioncircuits.scrubbing.readings import Site
from visioncircuits.stimuli import curve

NOWHERE = np.zeros((1, 1, 2))


def codes(reading: Reading, numbers: list[float]) -> list[int]:
    site = Site({"x": np.array(numbers)}.__getitem__, None, NOWHERE)
    found: list[int] = reading.codes(site).ravel().tolist()
    return found


def test_numbers_are_read_as_they_are_or_in_bins() -> None:
    numbers = [0.0, 4.0, 6.0, 14.0, 16.0]
    assert codes(Reading("x"), numbers) == [0, 1, 2, 3, 4]
    assert codes(Reading("x", step=10), numbers) == [0, 0, 1, 1, 2]
    assert codes(Reading("x", edges=(5.0, 15.0)), numbers) == [0, 0, 1, 1, 2]
    assert codes(Reading("x", bins=2), numbers) == [0, 0, 0, 1, 1]
    assert codes(Reading("x", bins=4), [0.0, 0.0, 0.0, 0.0, 1.0]) == [0, 0, 0, 0, 1]
    assert codes(Reading("x"), [np.inf, 1.0, np.inf]) == [1, 0, 1]


def test_coarser_bins_join_finer_ones() -> None:
    numbers = np.linspace(0, 20, 50).tolist()
    for reading in (Reading("x", edges=(3.0, 6.0, 9.0)), Reading("x", bins=6)):
        coarser = reading.coarser()
        assert coarser is not None
        fine, coarse = codes(reading, numbers), codes(coarser, numbers)
        assert len(set(coarse)) < len(set(fine))
        assert len(set(zip(fine, coarse, strict=True))) == len(set(fine))
    assert Reading("x", step=5).coarser() == Reading("x", step=10)
    assert Reading("x").coarser() is None


def test_a_curve_passes_where_it_is_drawn() -> None:
    orientation, radius = np.array([20.0, 250.0, 115.0]), np.array([12.0, 30.0, np.inf])
    size, width = 33, 3.0
    drawn = [
        curve(orientation=turn, radius=r, width=width, size=size).mask[0, 0].numpy()
        for turn, r in zip(orientation, radius, strict=True)
    ]
    at = np.arange(size) - (size - 1) / 2.0
    offsets = np.stack(np.meshgrid(at, at, indexing="ij"), -1)
    site = Site({"orientation": orientation, "radius": radius}.__getitem__, None, offsets)
    found = Contour(step=360, within=width / 2).codes(site)[:, 0]
    nothing = found.min()
    for mask, passes in zip(drawn, found != nothing, strict=True):
        assert passes[mask == 1].all()
        assert not passes[mask == 0].any()


def test_a_curve_turns_along_itself() -> None:
    number = {"orientation": np.array([0.0]), "radius": np.array([10.0])}.__getitem__
    quarter = np.array([[[0.0, 0.0], [10.0, -10.0], [0.0, -20.0]]])  # y, x from the apex
    found = Contour(step=90, within=1).codes(Site(number, None, quarter)).ravel()
    own = np.array([90.0])
    relative = Contour(step=90, within=1, relative=True).codes(Site(number, own, quarter))
    assert found.tolist() == [0, 1, 2]  # right, down, left
    assert relative.ravel().tolist() == [1, 0, 1]  # 90, 0 and 90 degrees from down


def test_each_unit_has_its_own_angle() -> None:
    turns = np.array([0.0, 90.0, 180.0, 270.0])
    site = Site({"orientation": turns}.__getitem__, np.array([0.0, 90.0]), NOWHERE)
    found = Reading("orientation", relative=True).codes(site)[:, :, 0, 0]
    assert found.T.tolist() == [[0, 1, 2, 1], [1, 0, 1, 2]]
    half = Reading("orientation", relative=True, period=180.0).codes(site)[:, 0, 0, 0]
    assert half.tolist() == [0, 1, 0, 1]


def test_bins_that_are_none_are_refused() -> None:
    with pytest.raises(InputError, match="several kinds"):
        Reading("x", step=1, bins=2)
    with pytest.raises(InputError, match="step of x must be a finite number above 0"):
        Reading("x", step=0)
    with pytest.raises(InputError, match="number of bins of x"):
        Reading("x", bins=0)
    with pytest.raises(InputError, match="distance above 0"):
        Contour(step=10, within=0)
    site = Site({"x": np.array([0.0, 1.0])}.__getitem__, None, NOWHERE)
    with pytest.raises(InputError, match="give the variable orientations"):
        Reading("x", relative=True).codes(site)
