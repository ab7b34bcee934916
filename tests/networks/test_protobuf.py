from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from visioncircuits.networks.protobuf import fields


@given(st.binary(max_size=64))
def test_any_bytes_are_parsed_or_raise_a_value_error(data: bytes) -> None:
    try:
        found: Iterable[tuple[int, int | memoryview]] = list(fields(memoryview(data)))
    except ValueError:
        return
    assert all(isinstance(value, int) or len(value) < len(data) for _, value in found)
