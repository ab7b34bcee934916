"""Sums of floats are the same to the byte in any order and any groups."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visioncircuits.examples import exact

WHOLE = 2**60
VALUES = st.lists(
    st.integers(-(2**90), 2**90).map(lambda number: float(number) / WHOLE), min_size=1, max_size=12
)


def summed(values: list[float]) -> np.ndarray:
    return exact.exact(np.array(values), 3)


@given(VALUES)
def test_a_sum_is_that_of_fractions(values: list[float]) -> None:
    # those of magnitude below 2**30 and 53 bits can have some below 2**-60, which are dropped
    kept = [Fraction(int(Fraction(value) * WHOLE), WHOLE) for value in values]
    assert exact.fraction(summed(values)) == sum(kept)
    assert float(exact.value(summed(values))) == pytest.approx(float(sum(kept)), rel=1e-15)


@given(VALUES, st.data())
def test_a_sum_has_the_same_bytes_in_any_order_and_groups(
    values: list[float], data: st.DataObject
) -> None:
    parts = [summed([value]) for value in data.draw(st.permutations(values))]
    while len(parts) > 1:
        place = data.draw(st.integers(0, len(parts) - 2))
        parts[place : place + 2] = [exact.add(*parts[place : place + 2])]
    assert parts[0].tobytes() == summed(values).tobytes()


def test_a_thousand_values_are_added_as_exactly_as_one_by_one() -> None:
    values = np.random.default_rng(0).normal(0, 1e4, (1000, 2))
    one_by_one = exact.zero(2, [2])
    for value in values:
        one_by_one = exact.add(one_by_one, exact.exact(value[None], 2))
    assert exact.exact(values, 2).tobytes() == one_by_one.tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_make_a_sum_nan(value: float) -> None:
    sums = exact.add(summed([1.0]), summed([2.0, value]))
    assert np.isnan(exact.value(exact.add(sums, sums)))
