"""Facets: the objective against a twin by hand, fits of planted directions, and files."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from visioncircuits import datasets
from visioncircuits.errors import InputError
from visioncircuits.featurevis import Facet, Settings, faceted, facets, objectives, render_all
from visioncircuits.featurevis.objective import Objective
from visioncircuits.featurevis.optimizer import read
from visioncircuits.networks import Direction, Network, Preprocessing, load, read_features, wrap

from .conftest import operations

UNIT = "shapes:4"
WEIGHTS = (0.5, 2.0, 5.0)
STRIPES = Facet(
    "stripes",
    (
        Direction("edges", np.random.default_rng(0).normal(size=8)),
        Direction("pool", np.random.default_rng(1).normal(size=8)),
    ),
)


def pictures(count: int = 3) -> torch.Tensor:
    return torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(3))


def squared() -> Objective:
    """An objective with derivatives of second order, which rectifiers alone have not."""
    return objectives.of(lambda a: a.layers["shapes"].square().mean((1, 2, 3)), layers=["shapes"])


def twin(
    inputs: torch.Tensor, weights: tuple[float, ...], gray: float, *, constant: bool
) -> torch.Tensor:
    """The same by hand, with the gradient as a constant or differentiated too."""
    layers = operations()
    prepared = (inputs - 0.5) / 0.25
    edges = layers["edges_pre_relu"](prepared).relu()
    pool = layers["pool"](edges)
    shapes = layers["shapes_pre_relu"](pool).relu()
    values = shapes.square().mean((1, 2, 3))
    gradients = torch.autograd.grad(values.sum(), (edges, pool), create_graph=not constant,
                                    retain_graph=True)  # fmt: skip
    along = torch.zeros(len(inputs))
    for direction, maps, gradient in zip(STRIPES.directions, (edges, pool), gradients, strict=True):
        weighed = torch.tensor(direction.weights) / np.abs(direction.weights).max()
        along += (weighed[:, None, None] * maps * gradient.clamp_min(0)).sum((1, 2, 3)).float()
    total = values + torch.tensor(weights) * 5 / 2 * along
    return total - gray * total.detach().abs() * (inputs - 0.5).square().mean((1, 2, 3))


@pytest.mark.parametrize("gray", [0.0, 10.0])
def test_value_and_gradient_are_those_of_the_formula_with_a_constant_gradient(
    network: Network, gray: float
) -> None:
    objective = faceted(network, squared(), STRIPES, weights=WEIGHTS, gray=gray)
    inputs = pictures().requires_grad_()
    (activations,) = read(network, inputs, inputs, [objective])
    found, expected = objective.each(activations), twin(inputs, WEIGHTS, gray, constant=True)
    torch.testing.assert_close(found, expected)
    (gradient,) = torch.autograd.grad(found.sum(), inputs)
    (by_hand,) = torch.autograd.grad(expected.sum(), inputs)
    torch.testing.assert_close(gradient, by_hand, rtol=1e-4, atol=1e-7)
    whole = twin(inputs, WEIGHTS, gray, constant=False)
    (through,) = torch.autograd.grad(whole.sum(), inputs)
    assert (gradient - through).norm() > 0.1 * gradient.norm()


def test_a_weight_of_zero_is_the_objective_without_a_facet(network: Network) -> None:
    goals = [faceted(network, UNIT, STRIPES, weights=[0], gray=0), objectives.neuron(UNIT)]
    inputs = pictures(1).repeat(2, 1, 1, 1).requires_grad_()
    found, expected = (
        goal.each(own)
        for goal, own in zip(goals, read(network, inputs, inputs, goals), strict=True)
    )
    torch.testing.assert_close(found, expected)


def test_objectives_of_one_batch_take_their_own_gradients(network: Network) -> None:
    goals = [
        objectives.neuron(UNIT),
        faceted(network, UNIT, STRIPES, weights=WEIGHTS),
        faceted(network, "shapes:7", STRIPES, weights=[3]),
    ]
    inputs = pictures(5).requires_grad_()
    together = read(network, inputs, inputs, goals)
    for goal, own, part in zip(goals, together, (inputs[:1], inputs[1:4], inputs[4:]), strict=True):
        (alone,) = read(network, part, part, [goal])
        torch.testing.assert_close(goal.each(own), goal.each(alone))


def test_pictures_are_steered_and_their_record_holds_the_directions(network: Network) -> None:
    first = Facet("first", (Direction("edges", np.eye(8)[0] - 0.1),))
    last = Facet("last", (Direction("edges", np.eye(8)[7] - 0.1),))
    settings = Settings(size=32, steps=24, rate=0.1)
    drawn = {
        facet.name: list(
            render_all(
                network, faceted(network, squared(), facet, weights=[20] * 4), settings=settings
            )
        )
        for facet in (first, last)
    }
    means = {
        name: network.activations(torch.stack([each.picture for each in shown]), ["edges"])[
            "edges"
        ].mean((0, 2, 3))
        for name, shown in drawn.items()
    }
    assert means["first"][0] > means["last"][0]
    assert means["last"][7] > means["first"][7]
    (record,) = drawn["first"][0].record["directions"]
    assert Direction(**record) == first.directions[0]
    assert not drawn["first"][0].dead


def test_a_layer_that_does_not_come_before_the_unit_is_refused(network: Network) -> None:
    for layer, units in (("logits", 5), ("shapes", 12)):
        facet = Facet("late", (Direction(layer, np.ones(units)),))
        with pytest.raises(InputError, match=f"{layer}, which does not come before shapes"):
            faceted(network, UNIT, facet)
    with pytest.raises(InputError, match="has 7 weights, but edges has 8 units"):
        faceted(network, UNIT, Facet("short", (Direction("edges", np.ones(7)),)))
    with pytest.raises(InputError, match="one picture"):
        faceted(network, objectives.diverse(UNIT, 2), STRIPES)
    with pytest.raises(InputError, match="finite"):
        faceted(network, UNIT, STRIPES, weights=[float("nan")])
    with pytest.raises(InputError, match="one for each of some layers"):
        Facet("twice", STRIPES.directions[:1] * 2)


@pytest.fixture
def colors() -> Network:
    """A network whose first layer is its input, so that a facet's direction is a color."""
    first = nn.Conv2d(3, 3, 1, bias=False)
    nn.init.dirac_(first.weight)
    return wrap(
        nn.Sequential(OrderedDict(colors=first, mixed=nn.Conv2d(3, 4, 3))),
        Preprocessing(), size=16,
    )  # fmt: skip


def noise(count: int, seed: int, *, red: float) -> torch.Tensor:
    drawn = torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    brightness = torch.rand(count, 3, 1, 1, generator=torch.Generator().manual_seed(seed + 1))
    drawn = 0.2 * drawn + 0.5 * brightness
    drawn[:, 0] = 0.1 * drawn[:, 0] + red
    return drawn


def test_a_fit_recovers_what_the_kinds_differ_in(colors: Network) -> None:
    facet = facets.fit(colors, "colors", noise(40, 0, red=0.7), noise(30, 5, red=0.1), name="red")
    (direction,) = facet.directions
    cosine = direction.weights[0] / np.linalg.norm(direction.weights)
    assert cosine > 0.95
    assert facet.accuracies["colors"] == 1
    assert facet.record["counts"] == {"positive": 40, "negative": 30}


def test_kinds_that_do_not_differ_are_not_told_apart_where_they_are_held_out(
    colors: Network,
) -> None:
    facet = facets.fit(colors, "colors", noise(60, 0, red=0.5), noise(20, 5, red=0.5))
    assert 0.3 < facet.accuracies["colors"] < 0.7


def test_a_facet_is_read_as_it_was_saved_and_by_all_tools(colors: Network, tmp_path: Path) -> None:
    facet = facets.fit(
        colors, ["colors", "mixed"], noise(9, 0, red=0.7), noise(9, 5, red=0.1), name="red"
    )
    path = facet.save(tmp_path / "red.json")
    assert Facet.load(path) == facet
    assert read_features(str(path)) == facet.directions
    np.save(tmp_path / "blue.npy", [0.0, 0.0, 1.0])
    loaded = Facet.load(f"colors:{tmp_path}/blue.npy")
    assert (loaded.name, loaded.layers) == ("blue", ("colors",))
    (tmp_path / "unit.json").write_text('["colors:1"]')
    with pytest.raises(InputError, match="holds units"):
        Facet.load(tmp_path / "unit.json")


def test_photographs_of_both_kinds_too_few_and_none_are_refused(
    colors: Network, tmp_path: Path
) -> None:
    for place in range(3):
        (tmp_path / "a").mkdir(exist_ok=True)
        pixels = np.random.default_rng(place).integers(0, 255, (16, 16, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "a" / f"{place}.png")
    with pytest.raises(InputError, match="3 of 3 positives are among the negatives"):
        facets.fit(colors, "colors", tmp_path / "a", tmp_path / "a")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no photographs"):
        facets.fit(colors, "colors", tmp_path / "a", tmp_path / "empty")
    with pytest.raises(InputError, match="1 positives and 9 negatives"):
        facets.fit(colors, "colors", noise(1, 0, red=0.5), noise(9, 5, red=0.5))
    with pytest.raises(InputError, match="unknown layer"):
        facets.fit(colors, "color", noise(2, 0, red=0.5), noise(9, 5, red=0.5))


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.images
def test_a_unit_of_dogs_and_cars_shows_either_as_its_facet_has_it(
    checkpoints: Path, photographs: Path
) -> None:
    network = load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
    given = datasets.photographs(photographs)
    dogs = list(range(151, 269, 5))
    cars = [407, 436, 468, 511, 609, 627, 656, 661, 675, 717, 734, 751, 817, 829, 864, 867, 874]
    kinds = {"dogs": given.part(dogs), "cars": given.part(cars)}
    shares = {}
    for own, other in (("dogs", "cars"), ("cars", "dogs")):
        facet = facets.fit(network, "mixed4b", kinds[own], kinds[other], name=own)
        assert facet.accuracies["mixed4b"] > 0.9
        drawn = render_all(
            network,
            faceted(network, "mixed4e:521", facet, weights=[5, 5]),
            settings=Settings(size=96, steps=32),
        )
        with torch.inference_mode():
            classes = network(torch.stack([each.picture for each in drawn])).softmax(1)
        shares[own] = classes[:, range(151, 269)].sum() - classes[:, cars].sum()
    assert shares["dogs"] > shares["cars"]
