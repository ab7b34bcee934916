"""The diagram of an explained photograph: groups of every layer, and what they led to, as SVG."""

from collections.abc import Callable, Iterator, Mapping

from markupsafe import escape
from torch import Tensor

from visioncircuits.attribution import Explanation
from visioncircuits.attribution.explanation_panel import COLORS

TILE, GAP, HEAD, LABEL, WIDE = 64, 12, 26, 190, 1240
"""Pixels: a picture, between groups, above the first, a class's name, the whole."""

APART, LEAST_APART = 150, 70
"""Pixels between layers: where there is room for it, and at least."""

LEAST = 0.04
"""Of the strongest line of its column, what is drawn."""


def diagram(
    found: Explanation, paths: Mapping[str, str], *, where: Callable[[str, int], str]
) -> str:
    """Draw the earliest layer on the left, classes on the right, and lines for attribution.

    A group is its map and, where there is one, its picture. Lines are as wide as the attribution,
    scaled to the strongest between the two columns. `where` names the picture of a group's map.
    """
    pictured = any(str(d) in paths for layer in found.layers for d in layer.groups.directions)
    wide = TILE * (2 if pictured else 1) + 4
    lengths = [len(layer.groups) for layer in found.layers] + [len(found.classes)]
    high = HEAD + max(lengths) * (TILE + GAP)
    room = (WIDE - LABEL) / len(found.layers) - wide
    apart = int(min(max(room, LEAST_APART), APART))
    lefts = [place * (wide + apart) for place in range(len(lengths))]
    width = lefts[-1] + LABEL

    def middle(column: int, row: int) -> float:
        return HEAD + (high - HEAD) * (row + 0.5) / lengths[column]

    def lines() -> Iterator[str]:
        ties = [each.values for each in found.ties] + [found.layers[-1].by_group().T]
        for column, values in enumerate(ties):
            ends = lefts[column] + wide, lefts[column + 1]
            yield from _lines(values, ends, column, middle)

    def nodes() -> Iterator[str]:
        for column, layer in enumerate(found.layers):
            yield f'<text class="head" x="{lefts[column]}" y="14">{escape(layer.name)}</text>'
            for row, direction in enumerate(layer.groups.directions):
                top, left = middle(column, row) - TILE / 2, lefts[column]
                label = escape(f"{layer.name}, group {row + 1}: units {direction.name}")
                yield (
                    f'<g class="node" tabindex="0" role="button" aria-label="{label}" '
                    f'data-column="{column}" data-row="{row}"><title>{label}</title>'
                    f'<rect x="{left - 2}" y="{top - 2:.1f}" width="{wide + 4}" '
                    f'height="{TILE + 4}" rx="4"/>'
                )
                yield _image(where(layer.name, row), left, top)
                if str(direction) in paths:
                    yield _image(paths[str(direction)], left + TILE + 4, top)
                yield (
                    f'<rect class="number" x="{left}" y="{top:.1f}" width="15" height="16"/>'
                    f'<text class="number" x="{left + 7.5}" y="{top + 12:.1f}">{row + 1}</text></g>'
                )
        yield f'<text class="head" x="{lefts[-1]}" y="14">classes</text>'
        for row, name in enumerate(found.classes):
            at = middle(len(found.layers), row)
            color = COLORS[row % len(COLORS)]
            yield (
                f'<g class="node" tabindex="0" role="button" aria-label="{escape(name)}" '
                f'data-column="{len(found.layers)}" data-row="{row}">'
                f'<rect x="{lefts[-1] - 2}" y="{at - 14:.1f}" width="{LABEL}" height="28" rx="4"/>'
                f'<rect class="class" x="{lefts[-1] + 4}" y="{at - 5:.1f}" width="10" height="10" '
                f'fill="{color}"/>'
                f'<text x="{lefts[-1] + 20}" y="{at + 4.5:.1f}">{escape(_brief(name))}</text></g>'
            )

    return (
        f'<svg class="diagram" viewBox="-4 0 {width + 8} {high + 4}" role="group" '
        f'style="max-width: {width + 8}px; min-width: {round(0.55 * width)}px" '
        f'aria-label="Groups and what they led to">'
        f"{''.join(lines())}{''.join(nodes())}</svg>"
    )


def _lines(
    values: Tensor,
    ends: tuple[float, float],
    column: int,
    middle: Callable[[int, int], float],
) -> Iterator[str]:
    scale = float(values.abs().max()) or 1.0
    left, right = ends
    bend = (right - left) / 2
    for before, row in enumerate(values.tolist()):
        for after, value in enumerate(row):
            share = value / scale
            if abs(share) < LEAST:
                continue
            start, end = middle(column, before), middle(column + 1, after)
            yield (
                f'<path class="tie {"raised" if share > 0 else "lowered"}" '
                f'data-from="{column}-{before}" data-to="{column + 1}-{after}" '
                f'd="M{left} {start:.1f}C{left + bend} {start:.1f} {right - bend} {end:.1f} '
                f'{right} {end:.1f}" stroke-width="{0.5 + 9 * abs(share):.1f}"/>'
            )


def _image(path: str, left: float, top: float) -> str:
    place = f'x="{left:.0f}" y="{top:.1f}" width="{TILE}" height="{TILE}"'
    return f'<image href="{escape(path)}" {place}/>'


def _brief(name: str) -> str:
    return name if len(name) < 24 else f"{name[:22]}…"
