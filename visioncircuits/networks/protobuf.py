"""Protobuf's wire format, as far as files of parameters use it, without any code of theirs.

Source: https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FIXED_SIZES = {FIXED64: 8, FIXED32: 4}


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Iterate over a protobuf message's fields: the number, then an integer or the bytes.

    Raises
    ------
    ValueError
        Where a field extends beyond the message, or is of no kind that protobuf still has.

    Examples
    --------
    >>> [(number, value) for number, value in fields(memoryview(bytes([8, 150, 1])))]
    [(1, 150)]
    """
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == BYTES:
            size, at = _varint(message, at)
        elif kind in FIXED_SIZES:
            size = FIXED_SIZES[kind]
        else:
            raise ValueError(f"field {number} is of the unknown kind {kind}")
        if size > len(message) - at:
            raise ValueError(f"field {number} needs {size} bytes and {len(message) - at} are left")
        yield number, message[at : at + size]
        at += size


def packed(values: memoryview) -> Iterator[int]:
    """Iterate over whole numbers that were written one after the other.

    Raises
    ------
    ValueError
        Where the last one is truncated.

    Examples
    --------
    >>> list(packed(memoryview(bytes([3, 150, 1]))))
    [3, 150]
    """
    at = 0
    while at < len(values):
        value, at = _varint(values, at)
        yield value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Read an integer of seven bits a byte, lowest first; return it and where it ends."""
    value = 0
    for place in range(10):
        if at + place >= len(message):
            raise ValueError("a number is truncated")
        byte = message[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("a number is longer than 64 bits")
