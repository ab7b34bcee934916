"""The page of one explained photograph: positions to hover over, groups, ties, classes."""

import io
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from markupsafe import Markup
from PIL import Image
from torch import Tensor

from visioncircuits import __version__
from visioncircuits import files as written
from visioncircuits.attribution import ExactPaths, ExplainedLayer, Explanation
from visioncircuits.attribution.explanation_panel import COLORS, lit, pixels
from visioncircuits.networks import Feature, Unit
from visioncircuits.site import pages
from visioncircuits.site.explanation_diagram import diagram

TOP = 4
"""Units that are listed at a position, in a group, and for or against a class."""

PHOTOGRAPH = "photograph.webp"
"""The file of the photograph."""

ASSETS = "gallery.css", "explanation.css", "gallery.js", "explanation.js"

SIDE, SMALL = 448, 128
"""Pixels: of the photograph, and of a unit's, a group's or a map's picture."""


def worth_a_picture(found: Explanation, *, units: int) -> list[Feature]:
    """Choose what is rendered: all groups, and of each layer some of the units that are listed.

    Parameters
    ----------
    units
        Of each layer, those that are listed at most positions; what leads to a class first.
    """
    chosen: list[Feature] = []
    for layer in found.layers:
        chosen += layer.groups.directions
        listed: Counter[Unit] = Counter()
        for pairs in _at_positions(layer):
            most = pairs[0][1] or 1.0
            listed.update({unit: max(value / most, 0) for unit, value in pairs})
        led = layer.channels()
        for row in led:
            best = row.topk(min(2, len(row))).indices.tolist()
            listed.update({Unit(layer.name, unit): 1e6 for unit in best})
        for group in range(len(layer.groups)):
            listed.update({layer.groups.units(group, 1)[0][0]: 1e5})
        chosen += [unit for unit, _ in listed.most_common(units)]
    return chosen


def write(
    found: Explanation, pictures: Mapping[str, Image.Image], out: Path, *, title: str
) -> Path:
    """Write the page of an explained photograph.

    Parameters
    ----------
    found, pictures, title
        As for `files`.
    out
        The page's folder.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        Where a file cannot be written.
    """
    for name in ASSETS:
        written.write(out / "assets" / name, pages.asset(name))
    for name, content in files(found, pictures, title=title).items():
        written.write(out / name, content)
    return out / "index.html"


def files(
    found: Explanation, pictures: Mapping[str, Image.Image], *, title: str, root: str = ""
) -> dict[str, bytes]:
    """Return the files of the page of an explained photograph, but those of `ASSETS`.

    Parameters
    ----------
    found
        From `explain`.
    pictures
        Of units and groups by name; what has none is listed by its number.
    title
        The photograph's name.
    root
        The folder, from the page's, of `assets`, and of an index to link where it is another.
    """
    photograph = pixels(found.photograph)
    shown = Image.fromarray(photograph)
    height, width = photograph.shape[:2]
    scale = max(SIDE / width, 1)
    large = shown.resize((round(width * scale), round(height * scale)), Image.Resampling.LANCZOS)
    made = {PHOTOGRAPH: _webp(large)}
    paths = {name: f"pictures/{pages.file_name(name)}.webp" for name in pictures}
    for name, picture in pictures.items():
        made[paths[name]] = _webp(_thumbnail(picture))
    for layer in found.layers:
        for group, strength in enumerate(layer.groups.maps):
            drawn = Image.fromarray(lit(photograph, strength))
            made[_map_path(layer.name, group)] = _webp(_thumbnail(drawn))
    layers = [_layer(layer, paths) for layer in found.layers]
    plain = _plain(found, layers)
    page = pages.render(
        "explanation.html",
        found=found,
        title=title,
        root=root,
        photograph=PHOTOGRAPH,
        network=found.record["network"],
        layers=layers,
        classes=list(zip(found.classes, found.probabilities.tolist(), strict=True)),
        colors=COLORS,
        sums=_sums(found),
        data=pages.script(plain),
        diagram=Markup(diagram(found, paths, where=_map_path)),
        size=large.size,
        version=__version__,
    )
    numbers = json.dumps({"record": found.record, **plain}, indent=1)
    return made | {"explanation.json": numbers.encode(), "index.html": page.encode()}


def _map_path(layer: str, group: int) -> str:
    return f"maps/{pages.file_name(layer)}-{group}.webp"


def _plain(found: Explanation, layers: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "classes": list(found.classes),
        "logits": _rounded(found.logits),
        "probabilities": _rounded(found.probabilities),
        "layers": layers,
        "unattributed": _rounded(found.unattributed()),
        "ties": [
            {"values": _rounded(ties.values), "activation": _rounded(ties.activation)}
            for ties in found.ties
        ],
    }


def _layer(layer: ExplainedLayer, paths: Mapping[str, str]) -> dict[str, Any]:
    """Return all that a page shows of a layer as JSON holds it."""
    groups, led, channels = layer.groups, layer.by_group(), layer.channels()
    return {
        "name": layer.name,
        "rows": layer.activations.shape[1],
        "columns": layer.activations.shape[2],
        "explained": groups.explained,
        "converged": groups.converged,
        "positions": [
            [[unit.index, _short(value)] for unit, value in pairs] for pairs in _at_positions(layer)
        ],
        "spatial": _rounded(layer.spatial().flatten(1)),
        "groups": [
            {
                "name": direction.name,
                "picture": paths.get(str(direction)),
                "where": _map_path(layer.name, place),
                "map": _rounded(groups.maps[place].flatten() / groups.maps[place].max()),
                "units": [[unit.index, _short(w)] for unit, w in groups.units(place, TOP)],
                "led": _rounded(led[:, place]),
            }
            for place, direction in enumerate(groups.directions)
        ],
        "strongest": float(torch.cat([led, layer.remainder()[:, None]], 1).abs().max()),
        "remainder": _rounded(layer.remainder()),
        "total": _rounded(channels.sum(1)),
        "channels": [_channels(row) for row in channels],
        "pictures": {
            name.rpartition(":")[2]: path
            for name, path in paths.items()
            if name.rpartition(":")[0] == layer.name and name.rpartition(":")[2].isdigit()
        },
    }


def _sums(found: Explanation) -> list[dict[str, list[float]]]:
    """Return of each layer what adds up to the logits, line by line."""
    beside = "biases" if found.record["slope"] == ExactPaths().name else "not attributed"
    return [
        {
            "groups": layer.by_group().sum(1).tolist(),
            "the rest": layer.remainder().tolist(),
            f"all of {layer.name}": layer.channels().sum(1).tolist(),
            beside: left.tolist(),
            "the logit": found.logits.tolist(),
        }
        for layer, left in zip(found.layers, found.unattributed(), strict=True)
    ]


def _channels(row: Tensor) -> dict[str, list[list[float]]]:
    """Return the units that led to a class most, for and against."""
    count = min(TOP + 2, len(row))
    return {
        side: [[unit, _short(sign * value)] for value, unit in zip(*_listed(ends), strict=True)]
        for side, sign, ends in (("for", 1, row.topk(count)), ("against", -1, (-row).topk(count)))
    }


def _listed(ends: Any) -> tuple[list[float], list[int]]:
    return ends.values.tolist(), ends.indices.tolist()


def _at_positions(layer: ExplainedLayer) -> list[list[tuple[Unit, float]]]:
    """List the strongest units at every position, row by row."""
    _, rows, columns = layer.activations.shape
    return [layer.strongest(row, column, TOP) for row in range(rows) for column in range(columns)]


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _rounded(values: Tensor) -> Any:
    """Return nested lists of four digits."""
    if values.ndim > 1:
        return [_rounded(row) for row in values]
    return [_short(value) for value in values.tolist()]


def _thumbnail(picture: Image.Image) -> Image.Image:
    return picture.convert("RGB").resize((SMALL, SMALL), Image.Resampling.LANCZOS)


def _webp(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=88)
    return buffer.getvalue()
