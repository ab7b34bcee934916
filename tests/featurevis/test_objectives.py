import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.featurevis import Settings, objectives, render
from visioncircuits.featurevis.objective import Activations
from visioncircuits.networks import Direction, Network, Preprocessing, Unit, wrap

LAYER = "shapes"


def values(activations: Activations) -> np.ndarray:
    return activations.layers[LAYER].numpy()


def close(found: torch.Tensor, expected: object) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_unit_is_its_mean_and_a_neuron_its_value_at_a_position(activations: Activations) -> None:
    close(objectives.unit("shapes:4").each(activations), values(activations)[:, 4].mean((1, 2)))
    close(objectives.neuron("shapes:4").each(activations), values(activations)[:, 4, 3, 3])
    close(objectives.neuron("shapes:4", (0, 5)).each(activations), values(activations)[:, 4, 0, 5])
    close(objectives.neuron("shapes:4", (0, 0)).each(activations), values(activations)[:, 4, 0, 0])


def test_a_position_outside_the_layer_is_refused(activations: Activations) -> None:
    for position in ((6, 0), (0, -1)):
        with pytest.raises(InputError, match="6 by 7"):
            objectives.neuron("shapes:4", position).each(activations)


def test_units_that_are_read_on_their_own_have_the_same_value(activations: Activations) -> None:
    feature = Unit(LAYER, 4)
    own = replace(activations, units={feature: activations.layers[LAYER][:, 4]})
    objective = objectives.unit("shapes:4")
    assert objective.units == (feature,)
    assert objective.layers == ()
    assert torch.equal(objective.each(own), objective.each(activations))


def test_a_logit_is_a_class(activations: Activations) -> None:
    close(objectives.logit(2).each(activations), activations.layers["logits"][:, 2])


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("middle", [False, True])
def test_a_direction_is_dot_times_cosine_to_a_power(
    activations: Activations, power: float, middle: bool
) -> None:
    vector = np.random.default_rng(1).normal(size=12)
    feature = Direction(LAYER, tuple(vector))
    expected = []
    for picture in values(activations):
        scores = []
        for y, x in np.ndindex(6, 7):
            if middle and (y, x) != (3, 3):
                continue
            here = picture[:, y, x]
            dot = here @ vector
            cosine = dot / np.linalg.norm(here) / np.linalg.norm(vector)
            scores.append(dot * max(cosine, 0.1) ** power)
        expected.append(np.mean(scores))
    found = objectives.direction(feature, cosine_power=power, middle=middle)
    close(found.each(activations), expected)


def test_neurons_and_units_of_a_direction_are_its_dot_products(activations: Activations) -> None:
    vector = np.random.default_rng(1).normal(size=12)
    feature = Direction(LAYER, tuple(vector))
    dots = np.einsum("buyx,u->byx", values(activations), vector)
    close(objectives.unit(feature).each(activations), dots.mean((1, 2)))
    close(objectives.neuron(feature, (1, 2)).each(activations), dots[:, 1, 2])
    of_logits = Direction("logits", (1.0, -1.0, 0.0, 0.0, 0.0))
    logits = activations.layers["logits"]
    close(objectives.direction(of_logits).each(activations), logits[:, 0] - logits[:, 1])


def test_a_layer_is_its_mean_square(activations: Activations) -> None:
    close(objectives.layer(LAYER).each(activations), (values(activations) ** 2).mean((1, 2, 3)))


def gram(picture: np.ndarray) -> np.ndarray:
    units = len(picture)
    found = np.zeros((units, units))
    for i, j in np.ndindex(units, units):
        found[i, j] = (picture[i] * picture[j]).sum()
    return found / math.sqrt((found**2).sum())


def test_diversity_is_minus_the_mean_cosine_of_gram_matrices(
    activations: Activations,
) -> None:
    grams = [gram(picture) for picture in values(activations)]
    expected = [
        -np.mean([(grams[i] * grams[j]).sum() for j in range(3) if j != i]) for i in range(3)
    ]
    close(objectives.diversity(LAYER, 3).each(activations), expected)


def test_alignment_is_minus_the_difference_of_near_pictures(activations: Activations) -> None:
    def difference(i: int, j: int) -> float:
        return float(((values(activations)[i] - values(activations)[j]) ** 2).mean())

    expected = -(difference(0, 1) + difference(1, 2)) / 2 - difference(0, 2) / 3
    close(objectives.alignment(LAYER, 3, decay=3.0)(activations), expected)


def test_interpolation_goes_from_one_to_the_other(activations: Activations) -> None:
    first, last = 2 * objectives.unit("shapes:1"), objectives.unit("shapes:2") + 1
    means = values(activations).mean((2, 3))
    expected = [
        2 * means[0, 1],
        0.5 * 2 * means[1, 1] + 0.5 * (means[1, 2] + 1),
        means[2, 2] + 1,
    ]
    close(objectives.interpolation(first, last, 3).each(activations), expected)


def test_likeness_is_dot_times_cosine_to_a_power(activations: Activations) -> None:
    target = np.random.default_rng(1).normal(size=(12, 6, 7))
    for power in (0.0, 2.0):
        expected = []
        for picture in values(activations):
            dot = (picture * target).sum()
            cosine = dot / np.sqrt((picture**2).sum() * (target**2).sum())
            expected.append(dot / target.size * max(cosine, 0.1) ** power)
        tensor = torch.tensor(target, dtype=torch.float32)
        close(objectives.likeness(LAYER, tensor, power=power).each(activations), expected)


def test_penalties_have_the_values_of_their_formulas(activations: Activations) -> None:
    pictures = activations.pictures.numpy()
    close(objectives.l1(2).each(activations), -2 * np.abs(pictures - 0.5).mean((1, 2, 3)))
    close(
        objectives.l2(2, gray=0.3).each(activations), -2 * ((pictures - 0.3) ** 2).mean((1, 2, 3))
    )
    down = np.abs(pictures[:, :, 1:] - pictures[:, :, :-1]).mean((1, 2, 3))
    right = np.abs(pictures[..., 1:] - pictures[..., :-1]).mean((1, 2, 3))
    close(objectives.total_variation(3).each(activations), -3 * (down + right))
    close(objectives.opacity(4).each(activations), -4 * pictures[:, -1].mean((1, 2)))
    row = np.array([1, 4, 6, 4, 1]) / 16
    blurred = ndimage.correlate1d(pictures, row, axis=2, mode="nearest")
    blurred = ndimage.correlate1d(blurred, row, axis=3, mode="nearest")
    close(objectives.blur(5).each(activations), -5 * ((pictures - blurred) ** 2).mean((1, 2, 3)))


def test_a_callable_may_return_a_number_for_each_picture_or_one_for_all(
    activations: Activations,
) -> None:
    each = objectives.of(lambda a: a.layers[LAYER].amax((1, 2, 3)), layers=[LAYER])
    close(each.each(activations), values(activations).max((1, 2, 3)))
    one = objectives.of(lambda a: a.layers[LAYER].sum(), layers=[LAYER])
    close(one.each(activations), [values(activations).sum() / 3] * 3)
    close(one(activations), values(activations).sum())


def test_several_pictures_are_at_least_two() -> None:
    for several in (objectives.diversity, objectives.alignment):
        with pytest.raises(InputError, match="at least 2"):
            several(LAYER, 1)
    with pytest.raises(InputError, match="at least 2"):
        objectives.interpolation(objectives.unit("shapes:1"), objectives.unit("shapes:2"), 1)


def test_a_feature_without_a_number_is_refused() -> None:
    with pytest.raises(InputError, match="layer:number"):
        objectives.unit("shapes")


class Own(nn.Module):
    """A network of a user's own, with a ReLU in place, a function, and branches of both."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 5)
        self.bn = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.left, self.right = nn.Conv2d(8, 6, 3), nn.Conv2d(8, 4, 3)
        self.last = nn.Conv2d(10, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.bn(self.conv(x)))
        x = torch.cat([torch.relu(self.left(x)), self.relu(self.right(x))], 1)
        return F.max_pool2d(F.relu(self.last(x)), 2)


@pytest.fixture
def own() -> Network:
    torch.manual_seed(0)
    return wrap(Own(), Preprocessing(), size=32)


@pytest.mark.parametrize(
    ("feature", "read"),
    [
        ("relu:3", "bn:3"),
        ("relu_1:2", "left:2"),
        ("cat:1", "left:1"),
        ("cat:7", "right:1"),
        ("relu_3:2", "last:2"),
        ("bn:3", "bn:3"),
        ("max_pool2d:1", "max_pool2d:1"),
    ],
)
def test_a_negative_neuron_is_read_before_the_rectifier_of_any_network(
    own: Network, feature: str, read: str
) -> None:
    assert objectives.negative(own, feature).name == f"-1·neuron {read}"


def test_a_negative_neuron_of_a_users_own_network_is_driven_below_zero(own: Network) -> None:
    settings = Settings(size=32, steps=32)
    own.module.last.bias.data -= 0.5  # so that its ReLU is off at first
    for feature in ("relu:3", "relu_3:2", "cat:7"):
        found = render(own, objectives.negative(own, feature), settings=settings)
        assert found.score > 0
        assert not found.dead
        assert found.problem == ""


def test_where_no_value_is_negative_the_problem_says_so(own: Network) -> None:
    own.module.last.bias.data -= 100
    found = render(
        own, objectives.negative(own, "max_pool2d:1"), settings=Settings(size=32, steps=2)
    )
    assert found.problem == "never negative"
