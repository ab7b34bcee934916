"""Whole numbers are stored in few bytes, and none is changed."""

import io

import numpy as np
import pytest

from visioncircuits.examples.packing import packed


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([0, 255], "uint8"),
        ([-1, 127], "int8"),
        ([-1, 128], "int16"),
        ([-1, 2**62 + 1], "int64"),
        ([0, 2**62 + 1], "uint64"),
    ],
)
def test_whole_numbers_take_as_few_bytes_as_they_need(values: list[int], dtype: str) -> None:
    with np.load(io.BytesIO(packed({"numbers": np.array(values)}))) as stored:
        assert stored["numbers"].dtype == dtype
        assert stored["numbers"].tolist() == values


def test_only_what_becomes_two_fifths_smaller_is_compressed() -> None:
    random = np.random.default_rng(0).integers(0, 256, 1000).astype(np.uint8)
    packed_arrays = packed({"random": random, "alike": np.zeros(1000, np.uint8)})
    assert 1000 < len(packed_arrays) < 2000
    with np.load(io.BytesIO(packed_arrays)) as stored:
        assert stored["random"].tolist() == random.tolist()
        assert not stored["alike"].any()
