import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import ndimage

from visioncircuits.errors import InputError
from visioncircuits.featurevis import Objective, objectives
from visioncircuits.featurevis.objectives import Answers
from visioncircuits.networks import Direction, Network, Unit

LAYER = "shapes"


def answers(network: Network, *, pictures: int = 3, units: tuple[Unit, ...] = ()) -> Answers:
    """Random answers of the small network's layers, given as `render` gives them."""
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.tensor(rng.normal(size=(pictures, *shape)), dtype=torch.float32)

    layers = {LAYER: drawn(12, 6, 7), "logits": drawn(5)}
    return Answers(
        pictures=torch.tensor(rng.random((pictures, 3, 9, 11)), dtype=torch.float32),
        layers=layers,
        units={unit: layers[unit.layer][:, unit.index] for unit in units},
        network=network,
    )


@pytest.fixture
def given(one_channel: Network) -> Answers:
    return answers(one_channel)


def values(given: Answers) -> np.ndarray:
    return given.layers[LAYER].numpy()


def close(found: torch.Tensor, expected: object) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_unit_is_its_mean_and_a_neuron_its_value_at_a_place(given: Answers) -> None:
    close(objectives.unit("shapes:4").each(given), values(given)[:, 4].mean((1, 2)))
    close(objectives.neuron("shapes:4").each(given), values(given)[:, 4, 3, 3])
    close(objectives.neuron("shapes:4", (0, 5)).each(given), values(given)[:, 4, 0, 5])
    close(objectives.neuron("shapes:4", (0, 0)).each(given), values(given)[:, 4, 0, 0])


def test_a_place_outside_the_layer_is_refused(given: Answers) -> None:
    for place in ((6, 0), (0, -1)):
        with pytest.raises(InputError, match="6 by 7"):
            objectives.neuron("shapes:4", place).each(given)


def test_units_that_are_read_alone_count_the_same(one_channel: Network) -> None:
    alone = answers(one_channel, units=(Unit(LAYER, 4),))
    whole = answers(one_channel)
    objective = objectives.unit("shapes:4")
    assert objective.units == (Unit(LAYER, 4),)
    assert objective.layers == ()
    assert torch.equal(objective.each(alone), objective.each(whole))


def test_a_logit_is_a_class(given: Answers) -> None:
    close(objectives.logit(2).each(given), given.layers["logits"][:, 2])


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("middle", [False, True])
def test_a_direction_is_dot_times_cosine_to_a_power(
    given: Answers, power: float, middle: bool
) -> None:
    vector = np.random.default_rng(1).normal(size=12)
    feature = Direction(LAYER, tuple(vector))
    expected = []
    for picture in values(given):
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
    close(found.each(given), expected)


def test_neurons_and_units_of_a_direction_are_its_dot_products(given: Answers) -> None:
    vector = np.random.default_rng(1).normal(size=12)
    feature = Direction(LAYER, tuple(vector))
    dots = np.einsum("buyx,u->byx", values(given), vector)
    close(objectives.unit(feature).each(given), dots.mean((1, 2)))
    close(objectives.neuron(feature, (1, 2)).each(given), dots[:, 1, 2])
    of_logits = Direction("logits", (1.0, -1.0, 0.0, 0.0, 0.0))
    logits = given.layers["logits"]
    close(objectives.direction(of_logits).each(given), logits[:, 0] - logits[:, 1])


def test_a_layer_is_its_mean_square(given: Answers) -> None:
    close(objectives.layer(LAYER).each(given), (values(given) ** 2).mean((1, 2, 3)))


def gram(picture: np.ndarray) -> np.ndarray:
    units = len(picture)
    found = np.zeros((units, units))
    for i, j in np.ndindex(units, units):
        found[i, j] = (picture[i] * picture[j]).sum()
    return found / math.sqrt((found**2).sum())


def test_diversity_is_how_little_gram_matrices_resemble_one_another(given: Answers) -> None:
    grams = [gram(picture) for picture in values(given)]
    expected = [
        -np.mean([(grams[i] * grams[j]).sum() for j in range(3) if j != i]) for i in range(3)
    ]
    close(objectives.diversity(LAYER, 3).each(given), expected)


def test_alignment_is_how_little_near_pictures_differ(given: Answers) -> None:
    def apart(i: int, j: int) -> float:
        return float(((values(given)[i] - values(given)[j]) ** 2).mean())

    expected = -(apart(0, 1) + apart(1, 2)) / 2 - apart(0, 2) / 3
    close(objectives.alignment(LAYER, 3, decay=3.0)(given), expected)


def test_interpolation_goes_from_one_to_the_other(given: Answers) -> None:
    first, last = 2 * objectives.unit("shapes:1"), objectives.unit("shapes:2") + 1
    means = values(given).mean((2, 3))
    expected = [
        2 * means[0, 1],
        0.5 * 2 * means[1, 1] + 0.5 * (means[1, 2] + 1),
        means[2, 2] + 1,
    ]
    close(objectives.interpolation(first, last, 3).each(given), expected)


def test_likeness_is_dot_times_cosine_to_a_power(given: Answers) -> None:
    target = np.random.default_rng(1).normal(size=(12, 6, 7))
    for power in (0.0, 2.0):
        expected = []
        for picture in values(given):
            dot = (picture * target).sum()
            cosine = dot / np.sqrt((picture**2).sum() * (target**2).sum())
            expected.append(dot / target.size * max(cosine, 0.1) ** power)
        wanted = torch.tensor(target, dtype=torch.float32)
        close(objectives.likeness(LAYER, wanted, power=power).each(given), expected)


def test_penalties_are_what_they_are_called(given: Answers) -> None:
    pictures = given.pictures.numpy()
    close(objectives.l1(2).each(given), -2 * np.abs(pictures - 0.5).mean((1, 2, 3)))
    close(objectives.l2(2, gray=0.3).each(given), -2 * ((pictures - 0.3) ** 2).mean((1, 2, 3)))
    down = np.abs(pictures[:, :, 1:] - pictures[:, :, :-1]).mean((1, 2, 3))
    right = np.abs(pictures[..., 1:] - pictures[..., :-1]).mean((1, 2, 3))
    close(objectives.total_variation(3).each(given), -3 * (down + right))
    close(objectives.opacity(4).each(given), -4 * pictures[:, -1].mean((1, 2)))
    row = np.array([1, 4, 6, 4, 1]) / 16
    blurred = ndimage.correlate1d(pictures, row, axis=2, mode="nearest")
    blurred = ndimage.correlate1d(blurred, row, axis=3, mode="nearest")
    close(objectives.blur(5).each(given), -5 * ((pictures - blurred) ** 2).mean((1, 2, 3)))


def test_a_callable_may_give_a_number_a_picture_or_one_for_all(given: Answers) -> None:
    each = objectives.of(lambda a: a.layers[LAYER].amax((1, 2, 3)), layers=[LAYER])
    close(each.each(given), values(given).max((1, 2, 3)))
    one = objectives.of(lambda a: a.layers[LAYER].sum(), layers=[LAYER])
    close(one.each(given), [values(given).sum() / 3] * 3)
    close(one(given), values(given).sum())


A, B = objectives.unit("shapes:1"), objectives.unit("shapes:2")
ALGEBRA: dict[str, tuple[Objective, Callable[[float, float], float]]] = {
    "sum": (A + B, lambda a, b: a + b),
    "difference": (A - B, lambda a, b: a - b),
    "multiple": (3 * A, lambda a, b: 3 * a),
    "multiple from the right": (A * 3, lambda a, b: a * 3),
    "negation": (-A, lambda a, b: -a),
    "quotient": (A / 4, lambda a, b: a / 4),
    "number added": (1 + A + 1, lambda a, b: a + 2),
    "number subtracted": (A - 1, lambda a, b: a - 1),
    "of python's sum": (sum([A, B, A]), lambda a, b: 2 * a + b),
    "brackets": (2 * (A - 3 * (A + B)) / 5, lambda a, b: 2 * (a - 3 * (a + b)) / 5),
}


@pytest.mark.parametrize("case", ALGEBRA)
def test_objectives_can_be_calculated_with(case: str, given: Answers) -> None:
    objective, expected = ALGEBRA[case]
    means = values(given).mean((2, 3))
    close(objective.each(given), [expected(mean[1], mean[2]) for mean in means])


def test_names_say_what_was_calculated() -> None:
    assert (2 * (A - B)).name == "2·(unit shapes:1 - unit shapes:2)"
    assert sum([A, B]).name == "unit shapes:1 + unit shapes:2"
    assert (-A).name == "-1·unit shapes:1"
    assert objectives.l2(0.5).name == "-0.5·L2"


def test_a_sum_reads_what_its_parts_read_and_reports_its_first_feature() -> None:
    joined = A + objectives.layer("edges") + objectives.diversity(LAYER, 4)
    assert joined.units == (Unit(LAYER, 1),)
    assert joined.layers == ("edges", LAYER)
    assert joined.pictures == 4
    assert joined.feature == Unit(LAYER, 1)
    assert objectives.layer("edges").feature is None


def test_what_is_shared_counts_once_in_a_sum(given: Answers) -> None:
    shared = objectives.alignment(LAYER, 3)
    close((A + shared)(given), A(given) + shared(given))


def test_what_cannot_be_calculated_is_refused() -> None:
    with pytest.raises(InputError, match="number"):
        A * B
    with pytest.raises(InputError, match="cannot be added"):
        A + "mixed3b:1"
    with pytest.raises(InputError, match="cannot be added"):
        A - "mixed3b:1"
    for several in (objectives.diversity, objectives.alignment):
        with pytest.raises(InputError, match="at least 2"):
            several(LAYER, 1)
    with pytest.raises(InputError, match="at least 2"):
        objectives.interpolation(A, B, 1)
    with pytest.raises(InputError, match="layer:number"):
        objectives.unit("shapes")
