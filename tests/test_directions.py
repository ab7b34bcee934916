"""Every tool takes a direction: one along a unit gives what the unit gives."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from visioncircuits import (
    attribution,
    comparison,
    datasets,
    examples,
    featurevis,
    hypotheses,
    interventions,
    networks,
    stimuli,
    tuning,
    weights,
)
from visioncircuits.engine import Store, local
from visioncircuits.networks import (
    Direction,
    Feature,
    Network,
    Preprocessing,
    Unit,
    load,
    parse,
    untrained,
    wrap,
)

LAYER, UNIT, UNITS = "3", 5, 8
EDGES = hypotheses.Hypothesis(
    "edge",
    stimuli.named("edges"),
    (hypotheses.Prediction("one direction", hypotheses.effects.echo, most=0.1),),
    variants=({},),
)
SETTINGS = featurevis.Settings(steps=2, size=24)


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    early, late = nn.Conv2d(3, 6, 5), nn.Conv2d(6, UNITS, 5)
    after = nn.Conv2d(UNITS, 10, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    layers = early, nn.ReLU(), late, nn.ReLU(), *after
    return wrap(nn.Sequential(*layers), Preprocessing(), size=32)


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return torch.rand(8, 3, 40, 40, generator=torch.Generator().manual_seed(1))


def directed(feature: Feature) -> Direction:
    """The direction along a unit, under its name, by which pictures are seeded."""
    return Direction(feature.layer, feature.vector(UNITS), name=str(UNIT))


Tool = Callable[[Network, Feature, torch.Tensor, Path], np.ndarray]


def _check_record(record, feature):
    assert parse(json.loads(json.dumps(record))) == feature


def _render(network, feature, pictures, folder):
    drawn = featurevis.render(network, feature, settings=SETTINGS)
    read = featurevis.Visualization.load(drawn.save(folder / "picture.png"))
    _check_record(read.record.get("direction", str(feature)), feature)
    return drawn.picture.numpy()


def _kept(found, feature):
    layer, row = found.row(feature)
    tops = layer.tops
    return np.stack([tops.values[row], tops.pictures[row], *tops.positions[row].T])


def _collect(network, feature, pictures, folder):
    found = examples.collect(network, feature, pictures, top=3)
    assert found._repr_png_()
    return _kept(examples.Examples.load(found.save(folder / "examples.npz")), feature)


def _survey(network, feature, pictures, folder):
    for place, picture in enumerate(pictures):
        array = (picture.permute(1, 2, 0) * 255).byte().numpy()
        Image.fromarray(array).save(folder / f"{place}.png")
    circuit = "handwritten:color-contrast"  # a survey loads its network by name
    units = load(circuit).layer("conv2d1").units
    other: Feature = Unit("conv2d1", 3)
    if isinstance(feature, Direction):
        other = Direction("conv2d1", other.vector(units), name="probe")
    plan = examples.survey(circuit, other, folder, top=3, shard=3)
    store = Store(folder / "work")
    plan.carry_out(store, workforce=local(workers=1))
    return _kept(plan.joined(store), other)


def _sheet(network, feature, pictures, folder):
    found = examples.collect(network, feature, pictures, top=3)
    figure = examples.sheet(network, feature, found)
    figure.canvas.draw()
    return np.stack([np.asarray(axes.images[0].get_array()) for axes in figure.axes[:3]])


def _save_activations(network, feature, pictures, folder):
    saved = examples.save_activations(network, feature, pictures, folder, dtype="float32")
    return examples.load_activations(saved).values


def _measure(network, feature, pictures, folder):
    responses = tuning.measure(network, feature, _few())
    (record,) = tuning.Responses.load(responses.save(folder / "responses.nc")).record["features"]
    _check_record(record, feature)
    return responses.values


def _few():
    return stimuli.named("lines").isel(orientation=slice(0, None, 12))


def _judge(network, feature, pictures, folder):
    googlenet = untrained("bvlc_googlenet")  # whose receptive fields are large enough
    along = Unit("conv2d0", UNIT).vector(64)
    other = "conv2d0:5" if isinstance(feature, Unit) else Direction("conv2d0", along, name="probe")
    verdict = hypotheses.judge(googlenet, other, EDGES)
    assert networks.read_features(str(verdict.save(folder / "verdict.json"))) == (
        googlenet.feature(other),
    )
    return np.array([outcome.effect for outcome in verdict.outcomes])


def _attribute(network, feature, pictures, folder):
    shown = datasets.photographs(pictures).pictures(32)
    found = attribution.gradient_times_activation(network, feature, shown, to="1")
    read = attribution.Attribution.load(found.save(folder / "attribution.npz"))
    _check_record(read.record["feature"], feature)
    return found.values.numpy()


def _ablate(network, feature, pictures, folder):
    labeled = datasets.photographs(pictures, labels=range(8))
    scores = interventions.ablate(network, feature, labeled, controls=0)
    (record,) = interventions.Scores.load(scores.save(folder / "scores.nc")).record["removed"][
        "ablated"
    ]
    _check_record(record, feature)
    return scores["cross_entropy"].values


def _observe(network, feature, pictures, folder):
    ablations = interventions.unit_ablations(network, "1:2", controls=0)
    observed = interventions.observe(network, feature, pictures, ablations)
    _check_record(observed.record["features"][0], feature)
    return observed["mean"].values


def _discover(network, feature, pictures, folder):
    found = attribution.discover(network, "1", feature, pictures, share=0.5, draws=2)
    read = attribution.Discovery.load(found.save(folder / "discovery.nc"))
    _check_record(read.record["target"], feature)
    return found.attribution.values


def _prefer(network, feature, pictures, folder):
    labeled = datasets.photographs(pictures, labels=[0, 1] * 4)
    found = examples.prefer(network, feature, labeled, classes=1)
    read = examples.Preferences.load(found.save(folder / "preferences.nc"))
    kept = read.record["directions"] or read["unit"].values
    _check_record(*map(str, kept) if isinstance(feature, Unit) else kept, feature)
    return found["activation"].values


def _paths(network, feature, pictures, folder):
    (found,) = attribution.path_contributions(
        network, "input", feature, pictures[:1, :, :32, :32], through="1:0", position=(0, 0)
    )
    read = attribution.Paths.load(found.save(folder / "paths.npz"))
    assert read.directions == ((feature,) if isinstance(feature, Direction) else ())
    return found.contributions.values


def _match(network, feature, pictures, folder):
    found = comparison.match(network, feature, network, "1", pictures)
    (record,), whole = found.record["features"]
    _check_record(record, feature)
    assert whole is None
    return found["photographs"].values


def _expanded_weights(network, feature, pictures, folder):
    found = weights.expanded_weights(network, "1", feature)
    read = weights.ExpandedWeights.load(found.save(folder / "weights.npz"))
    assert read.outputs == (feature,)
    return read.weight.numpy()


def _deviations(network, feature, pictures, folder):
    if isinstance(feature, Unit):
        return tuning.deviations(network, LAYER, pictures).values[[feature.index]]
    return tuning.deviations(network, LAYER, pictures, directions=[feature]).values[[-1]]


TOOLS: list[Tool] = [
    _render, _collect, _survey, _sheet, _save_activations, _measure, _deviations, _judge,
    _attribute, _paths, _prefer, _discover, _ablate, _observe, _match, _expanded_weights,
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.__name__[1:])
def test_a_direction_along_a_unit_gives_what_the_unit_gives(
    network: Network, pictures: torch.Tensor, tmp_path: Path, tool: Tool
) -> None:
    unit = Unit(LAYER, UNIT)
    given = []
    for place, feature in enumerate((unit, directed(unit))):
        folder = tmp_path / str(place)
        folder.mkdir()
        given.append(tool(network, feature, pictures, folder))
    assert np.allclose(*given, atol=1e-5)
