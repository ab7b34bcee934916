import pytest

from visioncircuits.site.pages import brief, number


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("exponent", [-99, -12, -10, -9, -6, -4])
@pytest.mark.parametrize("mantissa", [1.0, 8.64, 9.96])
def test_numbers_below_a_thousandth_have_at_most_seven_characters_and_keep_their_value(
    sign: int, exponent: int, mantissa: float
) -> None:
    value = sign * mantissa * 10.0**exponent
    text = brief(value)
    assert number(value) == text
    assert len(text) <= 7
    assert float(text.replace("−", "-")) == pytest.approx(
        value, rel=0.06 if exponent < -9 else 0.01
    )
