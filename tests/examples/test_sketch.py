import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from visioncircuits.examples import sketch

VALUES = st.floats(-9e5, 9e5, allow_subnormal=False, width=32)


@given(st.lists(VALUES, min_size=1, max_size=50))
def test_every_value_lies_in_its_bin(values):
    places = sketch.bins(torch.tensor(values)).numpy()
    edges = sketch.edges()
    for value, place in zip(values, places, strict=True):
        if abs(value) < 2.0**-20:
            assert place == sketch.BINS // 2
        else:
            assert edges[place] <= value <= edges[place + 1]


@given(
    st.lists(st.floats(2.0**-18, 9e5, width=32), min_size=1, max_size=80),
    st.floats(0.01, 1),
    st.booleans(),
)
def test_quantiles_are_within_the_stated_error(values, share, negative):
    values = [-value for value in values] if negative else values
    counts = sketch.counted([sketch.bins(torch.tensor([values]).T)])
    found = sketch.quantiles(counts, np.array([share]))[0, 0]
    exact = np.quantile(np.float32(values), share, method="inverted_cdf")
    assert found == pytest.approx(float(exact), rel=sketch.ERROR * 1.001)


def test_units_are_counted_separately():
    values = torch.tensor([[1.0, 1.0, 2.0], [0.0, -5.0, 2.0]])
    counts = sketch.counted([sketch.bins(values.T)])
    assert counts.sum(1).tolist() == [3, 3]
    assert counts[0].max() == 2


@pytest.mark.parametrize("units", [1, 3, 4, 6, 8])
def test_any_number_of_units_is_counted(units):
    values = torch.randn(3000, units, generator=torch.manual_seed(0)).exp() - 1
    places = sketch.bins(values)
    expected = [np.bincount(unit, minlength=sketch.BINS) for unit in places.T]
    assert np.array_equal(sketch.counted(places.split([1700, 1300])), expected)


def test_values_beyond_the_range_are_in_the_last_bin():
    counts = sketch.counted([sketch.bins(torch.tensor([[1e30], [-1e30]]))])
    assert counts[0, 0] == counts[0, -1] == 1
