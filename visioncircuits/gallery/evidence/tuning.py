"""Tuning: responses to sets of stimuli at every orientation, their curves, maps and numbers."""

import base64
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from PIL import Image

from visioncircuits import tuning as measuring
from visioncircuits.engine import Work
from visioncircuits.errors import InputError
from visioncircuits.gallery.contents import FeatureEntry, LayerEntry
from visioncircuits.gallery.evidence import kind
from visioncircuits.gallery.evidence.kind import Build, Kind, Task
from visioncircuits.gallery.evidence.stimuli import ACROSS, stimuli
from visioncircuits.gallery.recipe import Recipe
from visioncircuits.gallery.section import FeaturePage, Section
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Feature, Network
from visioncircuits.site import pages
from visioncircuits.tuning import radial
from visioncircuits.tuning.orientation import period
from visioncircuits.tuning.strip import rows, strip

RESPONSES, REASONS = "responses.nc", "reasons.json"
"""What a piece of work results in: the responses, or why there are none."""

TOGETHER = 1024
"""Features measured at once: one forward pass serves all of a layer."""

POINT = 3.0
"""Degrees between the points of a radial tuning curve's outline."""


@dataclass(frozen=True)
class Tuning:
    """A feature's responses to a set of stimuli, by their orientation and one axis more.

    Attributes
    ----------
    stimuli
        The set's name.
    path
        The file with the responses of all features measured together, from the site's root.
    reason
        Why there are no responses, where there are none.
    period
        Of the orientation, in degrees.
    angles
        The orientations, in degrees.
    curve
        The radial tuning curve: mean positive responses, by orientation.
    numbers
        As `tuning.orientation_tuning` returns them.
    down, values
        The other axis and its values; "" and () where there is none.
    responses
        Responses, by that axis and by orientation.
    """

    stimuli: str
    path: str
    reason: str = ""
    period: float = 360.0
    angles: tuple[float, ...] = ()
    curve: tuple[float, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    down: str = ""
    values: tuple[float, ...] = ()
    responses: tuple[tuple[float, ...], ...] = ()

    @property
    def inactive(self) -> bool:
        """Whether none of the stimuli activates the feature."""
        return not any(value > 0 for row in self.responses for value in row)


def plan(build: Build) -> Task:
    """Plan all measurements of a gallery."""
    return Task(requests(build.recipe, build.network, build.selections), make)


def requests(recipe: Recipe, network: Network, selections: Sequence[Selection]) -> list[Work]:
    """Describe all measurements, by set of stimuli and layer, of those that have positions."""
    return [
        kind.request("tuning", network, selection, stimuli=name, batch=TOGETHER)
        for selection in selections
        if len(selection.layer.shape) == 2
        for name in recipe.tuning.stimuli
    ]


def make(network: Network, work: Work) -> dict[str, bytes]:
    """Measure the responses of a piece of work's features.

    Parameters
    ----------
    network
        That the work was planned with.
    work
        As `plan.batches` describes it.

    Returns
    -------
    dict
        One file: netCDF with the responses, or where the stimuli do not fit the layer JSON with
        the reason.
    """
    features = kind.features(work)
    try:
        responses = measuring.measure(network, features, stimuli(work["stimuli"]))
    except InputError as error:
        why = f"The stimuli cannot be shown to this layer: {error}."
        return {REASONS: json.dumps(dict.fromkeys(map(str, features), why)).encode()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / RESPONSES
        responses.save(path)
        return {RESPONSES: path.read_bytes()}


def read(
    request: Work, features: Sequence[Feature], folder: Path, out: Path
) -> Mapping[Feature, list[Tuning]]:
    """Read the responses of some features, measured together."""
    name = request["stimuli"]
    if (path := folder / REASONS).exists():
        reasons = json.loads(path.read_text("utf-8"))
        at = path.relative_to(out).as_posix()
        return {each: [Tuning(name, at, reason=reasons[str(each)])] for each in features}
    path = folder / RESPONSES
    responses = measuring.Responses.load(path)
    numbers = measuring.orientation_tuning(responses)
    curves = measuring.radial_tuning(responses)
    others = [str(dim) for dim in responses.dims if dim not in ("unit", "orientation")]
    # Of further axes the value counts at which a unit's response is highest.
    maps = responses.max(others[1:]).transpose("unit", *others[:1], "orientation").values
    places = {str(name): place for place, name in enumerate(responses["unit"].values)}
    return {
        feature: [
            Tuning(
                stimuli=name,
                path=path.relative_to(out).as_posix(),
                period=period(responses),
                angles=tuple(responses["orientation"].values.tolist()),
                curve=tuple(curves.values[place].tolist()),
                numbers={str(name): float(values[place]) for name, values in numbers.items()},
                down=others[0] if others else "",
                values=tuple(responses[others[0]].values.tolist()) if others else (),
                responses=tuple(map(tuple, np.atleast_2d(maps[place]).tolist())),
            )
        ]
        for feature in features
        for place in [places[str(feature)]]
    }


def of(entry: FeatureEntry) -> tuple[Tuning, ...]:
    """Return a feature's tuning to each set of stimuli; () where the site shows none."""
    return entry.evidence.get(KIND.name, ())


def orientation(entry: FeatureEntry) -> float | None:
    """Return where tuning to the first set peaks; None where no stimulus activates the feature."""
    first = next(iter(of(entry)), None)
    return None if first is None or first.inactive else first.numbers["orientation"]


def oriented(layer: LayerEntry) -> str:
    """Return the set of stimuli by which a layer's features have orientations; "" without any."""
    names = (of(each)[0].stimuli for each in layer.features if orientation(each) is not None)
    return next(names, "")


def section(page: FeaturePage) -> Section | None:
    """Show the feature's radial tuning curves, heat maps under their stimuli, and numbers."""
    tunings = of(page.entry)
    if not tunings:
        return None
    shown = [each for each in tunings if not (each.reason or each.inactive)]
    assets = {_sheet(each): _stimuli(each.stimuli, each.down) for each in shown}
    highest = max((each.numbers["strongest"] for each in shown), default=0.0)
    body = pages.render(
        "tuning.html",
        blocks=[_block(each, highest) for each in tunings],
        highest=highest,
        unit=str(page.entry),
        root=page.root,
        inner=radial.INNER,
        outer=1 + radial.INNER,
    )
    return Section("Tuning", "tuning", body, assets)


def _block(tuning: Tuning, highest: float) -> dict[str, Any]:
    """Prepare one set of stimuli for the template."""
    if tuning.reason or tuning.inactive:
        return {"tuning": tuning}
    shown = rows(len(tuning.values))
    steps = tuning.angles[1] - tuning.angles[0]
    return {
        "tuning": tuning,
        "sheet": _sheet(tuning),
        "hue": round(tuning.numbers["orientation"] * 360 / tuning.period),
        # Weak tuning is drawn as large as strong tuning, but pale.
        "strength": f"{max(tuning.numbers['strongest'] / highest, 0.15):.2f}",
        "outline": _outline(tuning),
        "map": _map(tuning.responses, highest),
        "rows": [tuning.values[place] for place in shown] if tuning.down else [],
        "angles": [
            (f"{angle:g}", f"{100 * (angle - tuning.angles[0] + steps / 2) / tuning.period:.4g}")
            for angle in np.arange(0, tuning.period, tuning.period / 8)
        ],
        "numbers": _numbers(tuning),
    }


def _numbers(tuning: Tuning) -> list[tuple[str, str]]:
    """Format the numbers, in the order in which they are shown."""
    numbers = tuning.numbers
    values = np.asarray(tuning.responses)
    row, column = np.unravel_index(values.argmax(), values.shape)
    where = f"{tuning.angles[column]:g}°"
    if tuning.down:
        where += f", {tuning.down} {pages.number(tuning.values[row])}"
    opposite = "opposite" if tuning.period == 360 else "perpendicular"
    return [
        ("Orientation", f"{numbers['orientation']:.0f}°"),
        ("Width at half height", f"{numbers['width']:.0f}°"),
        (f"Echo, {opposite}", f"{numbers['echo']:.2f} of the peak"),
        ("Concentration", f"{numbers['concentration']:.2f}"),
        ("Strongest response", f"{pages.number(numbers['strongest'])} at {where}"),
    ]


def _outline(tuning: Tuning) -> str:
    """Compute the corners of the radial tuning curve, for an SVG's polygon."""
    curve = np.asarray(tuning.curve) / max(tuning.curve)
    first = tuning.angles[0]
    places = radial.outline(curve, first=first, period=tuning.period, step=POINT)[:-1]
    return " ".join(f"{x:.3g},{y:.3g}" for x, y in places)


def _map(responses: Sequence[Sequence[float]], highest: float) -> str:
    """Draw responses as a PNG in a data URL, a pixel each: black where they are not above 0."""
    values = np.asarray(responses)
    shares = np.clip(values / highest, 0, 1)
    colors = matplotlib.colormaps["turbo"](shares, bytes=True)[..., :3]
    colors[values <= 0] = 0
    buffer = BytesIO()
    Image.fromarray(colors).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _sheet(tuning: Tuning) -> str:
    return f"assets/stimuli-{tuning.stimuli}.webp"


@cache
def _stimuli(name: str, down: str) -> bytes:
    """Draw the strip of stimuli above the maps: one file for all pages."""
    picture = strip(stimuli(name), down or None, across=ACROSS)
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


KIND = Kind("tuning", plan, read)
