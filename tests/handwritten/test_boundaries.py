import pytest
import torch

from visioncircuits.handwritten import labels
from visioncircuits.networks import Network
from visioncircuits.stimuli import color_contrast, edge, high_low, line

TURNS = torch.arange(0, 180, 15, dtype=torch.float64)
SIGNS = {
    "a line": lambda: line(orientation=TURNS, size=77),
    "an edge": lambda: edge(orientation=TURNS + 90, size=77),
    "a frequency, high ahead": lambda: high_low(orientation=TURNS + 90, ratio=6.0, size=77),
    "a frequency, high behind": lambda: high_low(orientation=TURNS + 270, ratio=6.0, size=77),
    "red and cyan": lambda: color_contrast(orientation=TURNS + 90, hue=0.0, size=77),
    "blue and yellow": lambda: color_contrast(orientation=TURNS + 90, hue=240.0, size=77),
}


@pytest.fixture(scope="module")
def network(circuit) -> Network:
    return circuit("boundaries")


@pytest.mark.parametrize("sign", SIGNS)
def test_a_boundary_is_found_along_its_orientation_by(sign: str, network, answers) -> None:
    found = answers(network, "mixed3b", SIGNS[sign]().picture)
    assert found.argmax(0).tolist() == list(range(12))
    assert found.diagonal().min() > 0.3
    across = found.roll(6, 0).diagonal()
    assert (across < 0.3 * found.diagonal()).all()


def test_texture_and_even_grounds_are_no_boundary(network: Network, answers) -> None:
    speckle = torch.rand(8, 3, 77, 77)
    even = torch.full((1, 3, 77, 77), 0.3)
    for nothing in (speckle, even):
        assert answers(network, "mixed3b", nothing).max() < 0.1


def test_it_joins_four_kinds(network: Network) -> None:
    kinds = {label.kind for label in labels(network, "mixed3a")}
    assert kinds == {"line", "early curve", "high-low", "color contrast"}
