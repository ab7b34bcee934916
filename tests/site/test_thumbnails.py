"""Thumbnails of thousands of units fit on one sheet."""

from io import BytesIO

from PIL import Image

from visioncircuits.site import thumbnails


def test_a_sheet_holds_the_units_of_a_wide_layer() -> None:
    sheet = Image.open(BytesIO(thumbnails.sheet([None] * 4096)))
    column, row = thumbnails.position(4095)
    side = thumbnails.SIDE
    assert (column + 1) * side <= sheet.width <= 16_383
    assert (row + 1) * side == sheet.height
