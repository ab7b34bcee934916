"""Circuit diagrams: features in columns by layer, connections as lines between them.

A connection's kernel is drawn where the connection enters its output, so that kernels never
overlap.
"""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Literal

from PIL import Image

from visioncircuits.colors import ANCHORS
from visioncircuits.networks import Feature
from visioncircuits.weights.circuit import Circuit, Level
from visioncircuits.weights.pictures import Thumbnails, number, tile

UNIT, KERNEL, SPACE, LINES = 64, 32, 4, 140
"""Pixels: a feature's picture, a kernel, the gap between kernels, the width of the lines' area."""

LABEL, BETWEEN, HEAD, FOOT = 16, 12, 34, 40
WIDEST = 6
"""Pixels: the line width of a level's largest share."""

SWEEPS = 12


@dataclass(frozen=True)
class _Box:
    """A feature's left edge and vertical center, and its height with its kernels."""

    left: float
    middle: float
    height: float


def circuit_diagram(found: Circuit, thumbnails: Thumbnails | None = None) -> str:
    """Draw a circuit as a self-contained SVG document.

    Lines are red for excitation, blue for inhibition, gray for both, and within each level their
    width is their share of the squared weight. The scale of a level's kernels is printed below it,
    the share of a feature's weights that is drawn below the feature. Hovering over a line shows
    its numbers.

    Parameters
    ----------
    thumbnails
        A picture of each feature, by name.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import circuit
    >>> svg = circuit_diagram(circuit(untrained("bvlc_googlenet"), "mixed3b:330", most=3))
    >>> svg.startswith("<svg"), svg.count("<path") >= 4
    (True, True)
    """
    orders = _ordered(found)
    incoming = [_incoming(found, orders, at) for at in range(len(orders))]
    places = _placed(orders, incoming)
    width = max(place.left for place in places.values()) + UNIT + BETWEEN
    height = max(place.middle + place.height / 2 for place in places.values()) + FOOT
    body = [
        *_lines(found, places, incoming),
        *_features(found, places, thumbnails or {}),
        *_headings(found, places, height),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="sans-serif" font-size="11">'
        f"<title>{escape(str(found.feature))}: its circuit</title>"
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(body)}</svg>\n'
    )


def _ordered(found: Circuit) -> list[list[Feature]]:
    """Order each column so that few lines cross: by its neighbors' positions, back and forth."""
    orders = [list(column) for column in found.columns]
    for sweep in range(SWEEPS):
        forwards = sweep % 2 == 0
        for at in range(1, len(orders)) if forwards else range(len(orders) - 2, -1, -1):
            level = found.levels[at - 1 if forwards else at]
            adjacent = orders[at - 1 if forwards else at + 1]
            middles = {feature: (i + 0.5) / len(adjacent) for i, feature in enumerate(adjacent)}
            pull = _pull(level, middles, inputs=forwards)
            orders[at].sort(key=lambda feature: pull.get(feature, 0.5))
    return orders


def _pull(level: Level, middles: dict[Feature, float], *, inputs: bool) -> dict[Feature, float]:
    """Return the average position of each feature's neighbors, weighted by share."""
    sums: dict[Feature, list[float]] = {}
    for source, target, out, into in _drawn(level):
        here, there = (target, source) if inputs else (source, target)
        weight = float(level.share[out, into])
        total = sums.setdefault(here, [0.0, 0.0])
        total[0] += weight * middles[there]
        total[1] += weight
    return {feature: a / b for feature, (a, b) in sums.items()}


def _drawn(level: Level) -> Iterator[tuple[Feature, Feature, int, int]]:
    for out, into in level.drawn.nonzero().tolist():
        yield level.weights.inputs[into], level.weights.outputs[out], out, into


def _incoming(found: Circuit, orders: list[list[Feature]], at: int) -> dict[Feature, list[Feature]]:
    """List each feature's inputs whose kernels are drawn before it, top to bottom."""
    inputs: dict[Feature, list[Feature]] = {feature: [] for feature in orders[at]}
    if at > 0:
        for source, target, _, _ in _drawn(found.levels[at - 1]):
            inputs[target].append(source)
        for sources in inputs.values():
            sources.sort(key=orders[at - 1].index)
    return inputs


def _placed(
    orders: list[list[Feature]], incoming: list[dict[Feature, list[Feature]]]
) -> dict[Feature, _Box]:
    """Spread each column evenly over the height of the tallest."""
    heights = [
        [max(UNIT + 2 * LABEL, len(inputs[f]) * (KERNEL + SPACE)) + BETWEEN for f in order]
        for order, inputs in zip(orders, incoming, strict=True)
    ]
    whole = max(map(sum, heights))
    places, left = {}, float(BETWEEN)
    for column, order in enumerate(orders):
        if column:
            left += UNIT + LINES + KERNEL + SPACE
        room = (whole - sum(heights[column])) / len(order)
        top = float(HEAD)
        for feature, height in zip(order, heights[column], strict=True):
            places[feature] = _Box(left, top + (height + room) / 2, height)
            top += height + room
    return places


def _lines(
    found: Circuit, places: dict[Feature, _Box], incoming: list[dict[Feature, list[Feature]]]
) -> Iterator[str]:
    for at, level in enumerate(found.levels):
        scale, widest = _scale(level), float(level.share[level.drawn].max())
        for source, target, out, into in _drawn(level):
            kernel, share = level.weights.weight[out, into], float(level.share[out, into])
            inputs = incoming[at + 1][target]
            slot = inputs.index(source) - (len(inputs) - 1) / 2
            begin = places[source].left + UNIT, places[source].middle - LABEL
            end = (
                places[target].left - SPACE - KERNEL,
                places[target].middle - LABEL + slot * (KERNEL + SPACE),
            )
            exciting, inhibiting = (
                float(kernel.clamp(min=0).norm()),
                float(kernel.clamp(max=0).norm()),
            )
            title = (
                f"{source} → {target}: L2 norm +{number(exciting)} −{number(inhibiting)}, "
                f"{share:.1%} of the squared weight"
            )
            corner = end[0], end[1] - KERNEL / 2
            yield (
                f"<g><title>{escape(title)}</title>"
                f'<path d="{_curve(begin, end)}" fill="none" stroke="{_ink(exciting, inhibiting)}" '
                f'stroke-width="{1 + (WIDEST - 1) * share / widest:.2f}" stroke-opacity=".8"/>'
                + _image(tile(kernel, scale, 2 * KERNEL), corner, KERNEL, "PNG")
                + _box(corner, KERNEL, 'fill="none" stroke="#ccc" stroke-width=".5"')
                + "</g>"
            )


def _curve(begin: tuple[float, float], end: tuple[float, float]) -> str:
    (x0, y0), (x1, y1), bend = begin, end, LINES / 2
    return f"M{x0:g} {y0:g}C{x0 + bend:g} {y0:g} {x1 - bend:g} {y1:g} {x1:g} {y1:g}"


def _features(found: Circuit, places: dict[Feature, _Box], thumbnails: Thumbnails) -> Iterator[str]:
    shares = _shares(found)
    for feature, place in places.items():
        corner = place.left, place.middle - LABEL - UNIT / 2
        about = f'<g class="feature"><title>{escape(str(feature))}</title>'
        if str(feature) in thumbnails:
            picture = thumbnails[str(feature)].convert("RGB")
            picture = picture.resize((2 * UNIT, 2 * UNIT), Image.Resampling.LANCZOS)
            about += _image(picture, corner, UNIT, "JPEG")
        else:
            about += _box(corner, UNIT, 'fill="#eee"')
        if feature == found.feature:
            about += _box(corner, UNIT, 'fill="none" stroke="#222" stroke-width="2"')
        name = str(feature).removeprefix(f"{feature.layer}:")
        below = corner[1] + UNIT
        about += _text(name, place.left + UNIT / 2, below + 12, "#222")
        if feature in shares:
            about += _text(
                f"{shares[feature]:.0%} drawn", place.left + UNIT / 2, below + 25, "#777"
            )
        yield about + "</g>"


def _shares(found: Circuit) -> dict[Feature, float]:
    """Return the share of each feature's weights that is drawn, away from the center."""
    center = next(i for i, column in enumerate(found.columns) if column == (found.feature,))
    shares: dict[Feature, float] = {}
    for at, level in enumerate(found.levels):
        towards = at < center
        features = level.weights.outputs if towards else level.weights.inputs
        carried = (level.share * level.drawn).sum(1 if towards else 0)
        shares |= dict(zip(features, carried.tolist(), strict=True))
    return shares


def _headings(found: Circuit, places: dict[Feature, _Box], height: float) -> Iterator[str]:
    for column in found.columns:
        yield _text(column[0].layer, places[column[0]].left + UNIT / 2, 18, "#222", weight="bold")
    stops = "".join(
        f'<stop offset="{at / 4}" stop-color="{_hex(color)}"/>' for at, color in enumerate(ANCHORS)
    )
    yield f'<defs><linearGradient id="signed">{stops}</linearGradient></defs>'
    for level in found.levels:
        middle = places[level.weights.outputs[0]].left - SPACE - KERNEL - LINES / 2
        scale = number(_scale(level))
        yield (
            f'<rect x="{middle - 30:g}" y="{height - 24:g}" width="60" height="8" '
            f'fill="url(#signed)"/>'
            + _text(f"−{scale}", middle - 34, height - 16, "#777", anchor="end")
            + _text(f"+{scale}", middle + 34, height - 16, "#777", anchor="start")
        )


def _scale(level: Level) -> float:
    """Return the largest weight of the drawn connections."""
    return float(level.weights.weight[level.drawn].abs().max())


def _ink(exciting: float, inhibiting: float) -> str:
    """Return a line's color: red or blue, grayer the more balanced the two."""
    balance = (exciting**2 - inhibiting**2) / max(exciting**2 + inhibiting**2, 1e-30)
    end, gray = ANCHORS[-1 if balance > 0 else 0], 150.0
    return _hex(gray + abs(balance) * (end - gray))


def _hex(color: object) -> str:
    red, green, blue = (round(float(part)) for part in color)  # type: ignore[attr-defined]
    return f"#{red:02x}{green:02x}{blue:02x}"


def _image(
    picture: Image.Image, corner: tuple[float, float], size: int, kind: Literal["PNG", "JPEG"]
) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=90)
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<image x="{corner[0]:g}" y="{corner[1]:g}" width="{size}" height="{size}" '
        f'href="data:image/{kind.lower()};base64,{data}"/>'
    )


def _box(corner: tuple[float, float], size: int, style: str) -> str:
    return f'<rect x="{corner[0]:g}" y="{corner[1]:g}" width="{size}" height="{size}" {style}/>'


def _text(
    content: str, x: float, y: float, ink: str, *, anchor: str = "middle", weight: str = "normal"
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{ink}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(content)}</text>'
    )
