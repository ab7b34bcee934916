from collections.abc import Callable

import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.featurevis import Objective, objectives
from visioncircuits.featurevis.objective import Activations
from visioncircuits.networks import Unit


def close(found: torch.Tensor, expected: object) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


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
def test_objectives_support_arithmetic(case: str, activations: Activations) -> None:
    objective, expected = ALGEBRA[case]
    means = activations.layers["shapes"].numpy().mean((2, 3))
    close(objective.each(activations), [expected(mean[1], mean[2]) for mean in means])


def test_names_are_formulas() -> None:
    assert (2 * (A - B)).name == "2·(unit shapes:1 - unit shapes:2)"
    assert sum([A, B]).name == "unit shapes:1 + unit shapes:2"
    assert (-A).name == "-1·unit shapes:1"
    assert objectives.l2(0.5).name == "-0.5·L2"


def test_a_sum_reads_what_its_parts_read_and_reports_its_first_feature() -> None:
    joined = A + objectives.layer("edges") + objectives.diversity("shapes", 4)
    assert joined.units == (Unit("shapes", 1),)
    assert joined.layers == ("edges", "shapes")
    assert joined.pictures == 4
    assert joined.feature == Unit("shapes", 1)
    assert objectives.layer("edges").feature is None


def test_a_single_number_counts_once_in_a_sum(activations: Activations) -> None:
    shared = objectives.alignment("shapes", 3)
    close((A + shared)(activations), A(activations) + shared(activations))


def test_invalid_arithmetic_is_refused() -> None:
    with pytest.raises(InputError, match="number"):
        A * B
    with pytest.raises(InputError, match="cannot be added"):
        A + "mixed3b:1"
    with pytest.raises(InputError, match="cannot be added"):
        A - "mixed3b:1"
