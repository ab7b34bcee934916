"""Dataset examples, on a unit's page: what drives it in photographs, how often, how strongly."""

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import Any

from visioncircuits.gallery import illustrating, pages
from visioncircuits.gallery.contents import DatasetExamples, Example
from visioncircuits.gallery.section import Section, UnitPage


def examples(page: UnitPage) -> Section | None:
    """Show the unit's strongest and weakest examples, the histogram and a quilt along it."""
    told = page.unit.examples
    if told is None:
        return None
    tops, bottoms = len(told.tops), len(told.bottoms)
    quilt = []
    place = tops + bottoms
    for column in told.quilt:
        quilt.append(_tiles(column, told, place))
        place += len(column)
    body = pages.render(
        "examples.html",
        told=told,
        groups=[
            ("Strongest", _tiles(told.tops, told, 0)),
            ("Weakest", _tiles(told.bottoms, told, tops)),
        ],
        quilt=quilt,
        crop_rows=_rows(place),
        whole_rows=_rows(tops + bottoms),
        columns=illustrating.COLUMNS,
        frame=illustrating.FRAME,
        sides={"crop": illustrating.CROP, "whole": illustrating.WHOLE},
        value="Activation" if told.rectified else "Pre-activation",
        density=_density(told.density),
        decades=_decades(told.density),
        shares=_bars(_scaled(told.shares)),
        ticks=[
            (pages.number(step), f"{100 * at / (len(told.steps) - 1):.4g}")
            for at, step in enumerate(told.steps)
        ],
        numbers=_numbers(told),
        root=page.root,
    )
    return Section("Dataset examples", "examples", body)


def _tiles(examples: Sequence[Example], told: DatasetExamples, first: int) -> list[dict[str, Any]]:
    """Say of each where its tile is on the sheets, and its crop in the whole picture, in %."""
    tiles = []
    for place, each in enumerate(examples, first):
        row, column = divmod(place, illustrating.COLUMNS)
        left, top, side = each.box
        right, bottom = (min(edge + side, told.size) for edge in (left, top))
        left, top = max(left, 0), max(top, 0)
        box = [f"{100 * v / told.size:.4g}%" for v in (left, top, right - left, bottom - top)]
        tiles.append({"told": each, "at": (column, row), "box": box})
    return tiles


def _rows(tiles: int) -> int:
    return ceil(tiles / illustrating.COLUMNS)


def _density(density: Sequence[float]) -> str:
    """Draw bars of which a decade more is as much higher everywhere."""
    low, high = _range(density)
    return _bars([(log10(value) - low) / (high - low) if value else 0.0 for value in density])


def _decades(density: Sequence[float]) -> list[tuple[int, str]]:
    """Name the powers of ten on the axis, at most six, and their heights in %."""
    low, high = _range(density)
    return [
        (power, f"{100 * (power - low) / (high - low):.4g}")
        for power in range(low, high + 1, ceil((high - low) / 5))
    ]


def _range(density: Sequence[float]) -> tuple[int, int]:
    powers = [log10(value) for value in density if value]
    return floor(min(powers)), max(ceil(max(powers)), floor(min(powers)) + 1)


def _scaled(values: Sequence[float]) -> list[float]:
    highest = max(values)
    return [value / highest if highest else 0.0 for value in values]


def _bars(heights: Sequence[float]) -> str:
    """Give an SVG path of bars, each 1 wide and at most 1 high, standing at 1."""
    drawn = (
        f"M{place} 1V{1 - height:.4g}h1V1z" for place, height in enumerate(heights) if height > 0
    )
    return "".join(drawn)


def _numbers(told: DatasetExamples) -> list[tuple[str, str]]:
    quantiles = " · ".join(
        f"{100 * share:g} %: {pages.number(value)}" for share, value in told.quantiles
    )
    classes = ", ".join(f"{name} {pages.number(value)}" for name, value in told.classes)
    rows = [
        ("Fires at", f"{100 * told.firing:.3g} % of positions"),
        ("Mean", pages.number(told.mean)),
        ("Standard deviation", pages.number(told.deviation)),
        ("Quantiles", quantiles),
        ("Classes that drive it most, by mean highest activation", classes),
    ]
    return [(name, value) for name, value in rows if value]
