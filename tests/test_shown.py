"""Results show themselves in a notebook: a picture, a diagram or a table, without a network."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from visioncircuits import attribution, comparison, weights
from visioncircuits.hypotheses import Hypothesis, Prediction, effects, judge
from visioncircuits.networks import Network, untrained
from visioncircuits.stimuli import StimulusSet, edge, named
from visioncircuits.tuning import measure


@pytest.fixture(scope="module")
def network() -> Network:
    return untrained("bvlc_googlenet", seed=1)


def expanded(network: Network) -> weights.ExpandedWeights:
    return weights.expanded_weights(network, "conv2d1", ["conv2d2:7", "conv2d2:9"])


def verdict(network: Network) -> Any:
    edges = StimulusSet(edge, {"orientation": range(0, 360, 30), "ink": ("black", "red")})
    claims = Prediction("one polarity", effects.echo, most=0.5)
    return judge(network, "conv2d0:7", Hypothesis("edge", edges, (claims,)))


PICTURES: dict[str, Callable[[Network], Any]] = {
    "weights": expanded,
    "factors": lambda network: weights.one_sided_nmf(expanded(network), 2),
    "positions": lambda network: weights.position_view(expanded(network), "conv2d2:7"),
    "attribution": lambda network: attribution.gradient_times_activation(
        network, "conv2d2:7", torch.rand(2, 3, 64, 64), to="conv2d0"
    ),
    "discovery": lambda network: attribution.discover(
        network, "conv2d0", "conv2d1:7", torch.rand(4, 3, 224, 224), draws=1
    ),
    "coverage": lambda network: comparison.covered_by_families(
        network, "mixed3a", {"curves": [3, 5]}
    ),
    "stimuli": lambda network: named("curves"),
    "verdict": verdict,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_a_result_is_shown_as_a_picture(network: Network, name: str) -> None:
    assert PICTURES[name](network)._repr_png_().startswith(b"\x89PNG")


def test_a_circuit_is_shown_as_its_diagram(network: Network) -> None:
    found = weights.circuit(network, "mixed3a:7", inputs=1, most=3)
    assert found._repr_svg_() == weights.circuit_diagram(found)


def test_tuning_is_shown_as_radial_curves_above_its_values(network: Network) -> None:
    few = named("curves").isel(orientation=slice(0, None, 3), radius=0)
    responses = measure(network, ["mixed3a:7"], few)
    assert responses._repr_html_().startswith("<img")
    assert "<img" not in responses.max("orientation")._repr_html_()


def test_paths_are_shown_as_a_table_of_the_strongest(network: Network) -> None:
    (found,) = attribution.path_contributions(
        network, "conv2d0", "conv2d2:7", torch.rand(1, 3, 64, 64), through=["conv2d1"]
    )
    first = [f"<td>{unit}</td>" for unit in found.strongest(1)[0][0]]
    assert "".join(found._repr_html_().split()).count("".join(first)) == 1
