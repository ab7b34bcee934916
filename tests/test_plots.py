"""Every public plot can be drawn into a figure of the user's, and none of its text is hidden."""

import importlib
import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from matplotlib import pyplot
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import AxesImage
from matplotlib.patches import Circle
from matplotlib.text import Text
from PIL import Image
from torch import nn

import visioncircuits
from visioncircuits import (
    atlas,
    attribution,
    circuits,
    comparison,
    datasets,
    dictionaries,
    examples,
    featurevis,
    handwritten,
    hypotheses,
    interventions,
    scrubbing,
    thread,
    toy,
    tuning,
)  # fmt: skip
from visioncircuits.errors import InputError
from visioncircuits.figures import Figure
from visioncircuits.handwritten import load
from visioncircuits.networks import Preprocessing, untrained, wrap
from visioncircuits.stimuli import StimulusSet, edge, named
from visioncircuits.weights import expanded_weights, strongest_inputs

Plot = Callable[..., Any]
UNITS = [f"mixed3b:{unit}" for unit in (41, 108, 321, 358, 413)]
PICTURES = {name: Image.new("RGB", (32, 32), (90, 120, 60)) for name in UNITS}


def tuned(second: StimulusSet | None = None) -> xr.DataArray:
    """Five units, whose peaks lie around the circle."""
    angles = np.arange(0, 360, 10.0)
    peaks = np.array([15, 80, 140, 200, 290])[:, None]
    curves = np.exp(4 * (np.cos(np.radians(angles - peaks)) - 1)) * 123.4
    return xr.DataArray(
        curves, coords={"unit": UNITS, "orientation": angles}, dims=("unit", "orientation")
    )


def over(axis: str, values: list[float]) -> xr.DataArray:
    """The same over a second axis."""
    return tuned().expand_dims({axis: values}).transpose("unit", "orientation", axis)


def radial(**into: Any) -> Any:
    return tuning.radial_panel(tuned(), PICTURES, title="curve detectors of mixed3b", **into)


def joint(**into: Any) -> Any:
    turned = tuned().rename(orientation="rotation").expand_dims(example=[0, 1])
    return tuning.joint_panel(tuning.align(turned), PICTURES, title="curve detectors", **into)


def maps(**into: Any) -> Any:
    curves = named("curves")
    responses = over("radius", list(curves.axes["radius"]))
    return tuning.tuning_maps(
        responses, "orientation", "radius", curves, PICTURES, columns=2, **into
    )


def ratios(**into: Any) -> Any:
    boundaries = named("high-low")
    values = [float(value) for value in boundaries.axes["ratio"]]
    angles = list(boundaries.axes["orientation"])
    responses = over("ratio", values).interp(orientation=angles)
    return tuning.boundary_maps(responses.fillna(0), boundaries, **into)


@cache
def verdict() -> hypotheses.Verdict:
    edges = StimulusSet(edge, {"orientation": range(0, 360, 30), "ink": ("black", "red")})
    effects = hypotheses.effects
    claims = (
        hypotheses.Prediction("responds to one polarity of an edge", effects.echo, most=0.5),
        hypotheses.Prediction("is as narrow as a detector of edges is", effects.width, most=90),
    )
    return hypotheses.judge(
        untrained("bvlc_googlenet"), "conv2d0:7", hypotheses.Hypothesis("edge", edges, claims)
    )


def verdict_panel(**into: Any) -> Any:
    return hypotheses.verdict_panel(verdict(), **into)


@cache
def discovery() -> attribution.Discovery:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 24, 3), nn.ReLU(), nn.Conv2d(24, 2, 3)
    network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    pictures = torch.rand(6, 3, 28, 28)
    return attribution.discover(network, "1", "2:0", pictures, draws=2)


@cache
def explained() -> attribution.Explanation:
    torch.manual_seed(0)
    layers = (
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3),
    )  # fmt: skip
    network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    return attribution.explain(network, torch.rand(1, 3, 24, 24), ["1", "3"], groups=3)


@cache
def matches() -> comparison.Matches:
    few = [named("lines").isel(orientation=[0, 6], width=0)]
    network = untrained("bvlc_googlenet")
    pictures = np.random.default_rng(0).random((2, 3, 64, 64), np.float32)
    return comparison.match(network, "conv2d0", network, "conv2d1", pictures, stimuli=few)


def best_pairs(**into: Any) -> Any:
    rows = [
        {"unit": unit, "partner": f"fire3:{place}", "photographs": 0.7, "stimuli": 0.61}
        for place, unit in enumerate(UNITS)
    ]
    partners = {row["partner"]: PICTURES[UNITS[0]] for row in rows}
    return comparison.pairs_panel(pd.DataFrame(rows), PICTURES, partners, columns=3, **into)


@cache
def compared(kernels: bool) -> comparison.Compared:
    network = handwritten.curves()
    family = comparison.family(network, ["mixed3b:3", "mixed3b:9"], "curve")
    if not kernels:
        return comparison.compare_tuning(family, family, named("curves"))
    early = comparison.family(network, ["mixed3a:3", "mixed3a:9"], "curve")
    return comparison.compare_kernels(family, early, family, early)


@cache
def collected() -> Any:
    network = untrained("bvlc_googlenet")
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(16, 3, 224, 224, generator=generator)
    return network, examples.collect(network, "conv2d0", pictures, top=12)


@cache
def preferred() -> examples.Preferences:
    pictures = torch.rand(12, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    photographs = [(picture, place % 2) for place, picture in enumerate(pictures)]
    return examples.prefer(untrained("bvlc_googlenet"), "conv2d0", photographs, classes=1)


@cache
def rendered_units() -> list[featurevis.Visualization]:
    units = ["conv2d0:3", "conv2d0:5", "conv2d1:9"]
    return list(featurevis.render_all(untrained("bvlc_googlenet"), units, size=32, steps=1))


@cache
def damage() -> interventions.ClassDamage:
    pictures = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    labeled = datasets.photographs(pictures, labels=[281, 207, 1, 2])
    scores = interventions.ablate(untrained("bvlc_googlenet"), "mixed5a:7", labeled)
    return interventions.damage_by_class(scores)


CURVE = handwritten.Label("curve", 270.0, radius=24.0)


def arc(**into: Any) -> Any:
    return handwritten.contour_panel(handwritten.arc, CURVE, **into)


def follow(**into: Any) -> Any:
    rule = handwritten.along(handwritten.arc, spread=4.0, tolerance=10.0)
    lines = handwritten.around("line", 12, period=180.0)
    return handwritten.rule_panel(rule, lines, CURVE, **into)


def covered(**into: Any) -> Any:
    names = tuple(f"a family of the name {name}" for name in "abcdef")
    found = comparison.Coverage("mixed3a", names, np.eye(6, 9, dtype=bool))
    return comparison.coverage_panel(found, **into)


def seven(**into: Any) -> Any:
    angles, rotations = np.arange(0, 360, 10.0), np.arange(24) * 15.0 - 180
    over_radius = xr.DataArray(
        np.eye(4, 36)[None] * 123.4,
        coords={"unit": UNITS[:1], "radius": [25.7, 57.7, 130.0, 290.0], "orientation": angles},
        dims=("unit", "radius", "orientation"),
        attrs={"stimuli": "curves", "correlation": 0.81},
    )
    joint = xr.DataArray(
        np.eye(5, 24) * 410,
        coords={"unit": UNITS, "rotation": rotations},
        dims=("unit", "rotation"),
        attrs={"photographs": 9},
    )
    weights = expanded_weights(untrained("bvlc_googlenet"), "mixed3a", UNITS[0])
    inputs = strongest_inputs(weights, top=4)
    pictures = {str(each.source): PICTURES[UNITS[0]] for each in inputs}
    found = thread.SevenArguments(
        UNITS[0], PICTURES[UNITS[0]], (np.zeros((91, 91, 3)),) * 9, over_radius, joint, inputs, (),
        over_radius, pictures, {"use": "there is no layer of rectified units after it"},
    )  # fmt: skip
    return thread.seven_arguments_panel(found, **into)


def dimensionality(**into: Any) -> Any:
    tasks = [toy.Task(features=9, hidden=3, sparsity=sparsity) for sparsity in (0.0, 0.5, 0.99)]
    return toy.dimensionality_plot(toy.train(tasks, steps=5, batch=32), **into)


def arrows(**into: Any) -> Any:
    tasks = [toy.Task(features=5, hidden=2, sparsity=n / 8) for n in range(8)]
    return toy.directions_panel(toy.train(tasks, steps=5, batch=32), **into)


def phases(**into: Any) -> Any:
    return toy.phase_panel(toy.phase_diagram(steps=5, batch=32, draws=1), **into)


@cache
def curves() -> toy.Solutions:
    tasks = [toy.Task(features=8, hidden=3, sparsity=0.9)]
    return toy.train(tasks, model=toy.CurveNetwork, steps=2, batch=16)


@cache
def growing() -> circuits.Curves:
    layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    pictures = torch.rand(4, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    study = circuits.measured(circuits.candidates(network, "2:0", ["1"]), pictures)
    return circuits.curves(study, circuits.score(study), draws=1)


@cache
def induced() -> comparison.Induction:
    network = load("high-low")
    early, late = (comparison.theory_by_design(network, each) for each in ("conv2d1", "mixed3a"))
    return comparison.induct(network, "mixed3a", early, later=late, draws=20)


@cache
def halves() -> dictionaries.Split:
    pictures = torch.rand(6, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    return dictionaries.split(untrained("bvlc_googlenet"), "mixed3b:200", pictures)


def scrubbed(**into: Any) -> Any:
    rng = np.random.default_rng(0)
    claims = [
        scrubbing.Claim(name, kind, rng.normal(share, 0.5, (5, 9)), pictures)
        for name, kind, share, pictures in (
            ("early curves and lines", "values", 0.9, 12.5),
            ("early curves and lines", "inputs", 0.7, None),
            ("early curves: direction here from own in steps of 10°", "alternative", 0.95, None),
            ("nothing claimed", "alternative", -1.8, None),
        )
    ]
    arch = scrubbing.Claim("arch", "whole", np.array([[0.97, 0.99]] * 2))
    return scrubbing.scrub_panel(
        scrubbing.Scrubbed(arch, tuple(claims[:2]), tuple(claims[2:]), 0.99), **into
    )


def mapped(**into: Any) -> Any:
    """An atlas of four cells, of which three are kept."""
    cells = np.array([[0, 0], [0, 1], [1, 0]])
    grid = atlas.Grid(
        2, cells, np.array([3, 3, 4]), np.ones((3, 4), np.float32), np.eye(3, dtype=np.float32),
        np.repeat([0, 1, 2], [3, 3, 4]),
    )  # fmt: skip
    drawn = atlas.SampledActivations(
        "toy", "mixed4c", np.ones((10, 4), np.float32), np.zeros(10, np.int64),
        np.zeros((10, 2), np.int64), (4, 4), ("dog.jpg",),
    )  # fmt: skip
    points = np.zeros((10, 2), np.float32)
    made = atlas.Atlas(drawn, points, (grid,), ("pug", "German short-haired pointer", "cup"), {})
    return atlas.atlas_panel(made, np.full((3, 16, 16, 3), 90, np.uint8), **into)


PLOTS: dict[str, Plot] = {
    "atlas_panel": mapped,
    "preference_panel": lambda **into: examples.preference_panel(preferred(), **into),
    "contact_sheet": lambda **into: featurevis.contact_sheet(rendered_units(), **into),
    "class_panel": lambda **into: interventions.class_panel(damage(), most=5, **into),
    "contour_panel": arc,
    "rule_panel": follow,
    "circuit_panel": lambda **into: handwritten.circuit_panel(handwritten.curves(), **into),
    "seven_arguments_panel": seven,
    "radial_panel": radial,
    "joint_panel": joint,
    "tuning_maps": maps,
    "boundary_maps": ratios,
    "verdict_panel": verdict_panel,
    "discovery_panel": lambda **into: attribution.discovery_panel(discovery(), **into),
    "explanation_panel": lambda **into: attribution.explanation_panel(explained(), **into),
    "coverage_panel": covered,
    "curves_panel": lambda **into: circuits.curves_panel(growing(), **into),
    "induction_panel": lambda **into: comparison.induction_panel(induced(), **into),
    "scrub_panel": scrubbed,
    "split_panel": lambda **into: dictionaries.split_panel(halves(), **into),
    "directions_panel": arrows,
    "dimensionality_plot": dimensionality,
    "phase_panel": phases,
    "curve_panel": lambda **into: toy.curve_panel(curves(), **into),
    "matches_panel": lambda **into: comparison.matches_panel(matches(), **into),
    "pairs_panel": best_pairs,
    "compared_panel": lambda **into: comparison.compared_panel(compared(False), **into),
    "compared_panel of kernels": lambda **into: comparison.compared_panel(compared(True), **into),
    "sheet": lambda **into: examples.sheet(
        collected()[0], "conv2d0:7", collected()[1], **into
    ),
}  # fmt: skip


def plots() -> dict[str, Any]:
    """The public functions that return a figure, by name."""
    found = {}
    for path in Path(visioncircuits.__path__[0]).glob("*/__init__.py"):
        package = importlib.import_module(f"visioncircuits.{path.parent.name}")
        for name in getattr(package, "__all__", ()):
            value = getattr(package, name)
            if inspect.isfunction(value):
                returned = str(inspect.signature(value).return_annotation)
                if any(word in returned for word in ("Figure", "Canvas", "Drawn")):
                    found[name] = value
    return found


def parameter(name: str) -> str:
    parameters = inspect.signature(plots()[name.split()[0]]).parameters
    return "ax" if "ax" in parameters else "figure"


def artists(drawn: Any) -> list[tuple[str, str]]:
    """All that is drawn, by kind, and its text; but ticks, which an axis makes as needed."""
    ticks = {id(part) for axis in drawn.findobj(Axis) for part in axis.findobj()}
    found = (each for each in drawn.findobj() if each is not drawn and id(each) not in ticks)
    return [(type(a).__name__, a.get_text() if isinstance(a, Text) else "") for a in found]


def rendered(figure: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Text], Any]:
    """Draw, and return the texts that were drawn, and the renderer."""
    texts: dict[int, Text] = {}
    draw = Text.draw

    def recording(text: Text, *arguments: Any, **options: Any) -> None:
        if text.get_visible() and text.get_text().strip():
            texts[id(text)] = text
        draw(text, *arguments, **options)

    canvas = FigureCanvasAgg(figure)
    with monkeypatch.context() as patched:
        patched.setattr(Text, "draw", recording)
        canvas.draw()
    return list(texts.values()), canvas.get_renderer()


def test_every_public_plot_is_here() -> None:
    assert {name.split()[0] for name in PLOTS} == set(plots())


@pytest.mark.slow
@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_drawn_into_a_place_equals_one_that_is_drawn_alone_and_no_text_is_hidden(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = PLOTS[name]()
    assert isinstance(alone, Figure)
    wide, high = alone.get_size_inches()
    if parameter(name) == "ax":
        size = (2 * wide, high)
        figure = Figure(figsize=size, layout="constrained")
        left, right = figure.subplots(1, 2)
    else:
        size = (1.8 * wide, high)
        figure = Figure(figsize=size)
        left, right = figure.subfigures(1, 2)
    before = artists(right)
    assert PLOTS[name](**{parameter(name): left}) is left
    assert tuple(figure.get_size_inches()) == size
    assert artists(right) == before
    assert artists(left) == artists(alone.axes[0] if parameter(name) == "ax" else alone)
    assert len(figure.axes) == len(alone.axes) + (parameter(name) == "ax")
    assert not pyplot.get_fignums()
    check_texts(alone, monkeypatch)
    if parameter(name) == "ax":
        figure = Figure(figsize=(7, 3.8), layout="constrained")
        for axes in figure.subplots(1, 2):
            PLOTS[name](ax=axes)
    else:
        PLOTS[name](figure=right)
    check_texts(figure, monkeypatch)


def check_texts(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> None:
    """No text runs into another, or a picture, or out of the figure."""
    texts, renderer = rendered(figure, monkeypatch)
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts]
    for text, box in boxes:
        assert figure.bbox.padded(1).contains(*box.min), text
        assert figure.bbox.padded(1).contains(*box.max), text
    extents = np.array([box.extents for _, box in boxes]).reshape(-1, 4)
    touching = touch(extents[:, None], extents) & ~np.eye(len(boxes), dtype=bool)
    assert [(boxes[one][0], boxes[other][0]) for one, other in np.argwhere(touching)] == []
    for picture in figure.findobj(AxesImage):
        covered = covers(picture, extents, renderer)
        assert [boxes[place][0] for place in np.flatnonzero(covered)] == []


def touch(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether two boxes have more than a pixel's edge in common: left, low, right, high each."""
    low = np.maximum(one[..., :2], other[..., :2])
    high = np.minimum(one[..., 2:], other[..., 2:])
    return (high - low > 1).all(-1)


def covers(picture: AxesImage, boxes: np.ndarray, renderer: Any) -> np.ndarray:
    where = picture.get_window_extent(renderer)
    clip = picture.get_clip_path()
    if clip is None or not isinstance(picture.axes.patches[-1], Circle):
        return touch(np.array(where.extents), boxes)
    middle = (where.min + where.max) / 2  # cut to a circle
    nearest = np.clip(middle, boxes[:, :2], boxes[:, 2:])
    return np.hypot(*(nearest - middle).T) < where.width / 2 - 1


def test_another_place_is_refused() -> None:
    with pytest.raises(InputError, match=r"^ax must be axes"):
        radial(ax=Figure())
    with pytest.raises(InputError, match=r"^figure must be a figure or a subfigure"):
        verdict_panel(figure=Figure().subplots())


def test_a_subfigure_without_room_is_refused() -> None:
    small, _ = Figure(figsize=(2, 1)).subfigures(1, 2)
    with pytest.raises(InputError, match=r"1\.0 × 1\.0 inches is too small"):
        joint(figure=small)
