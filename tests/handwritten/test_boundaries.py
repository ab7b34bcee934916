import pytest
import torch

from visioncircuits.handwritten import labels
from visioncircuits.networks import Network
from visioncircuits.stimuli import color_contrast, edge, high_low, line

TURNS = torch.arange(0, 180, 15, dtype=torch.float64)
CUES = {
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


@pytest.mark.parametrize("cue", CUES)
def test_every_boundary_prefers_its_orientation_for(cue: str, network, responses) -> None:
    found = responses(network, "mixed3b", CUES[cue]().picture)
    assert found.argmax(0).tolist() == list(range(12))
    assert found.diagonal().min() > 0.3
    across = found.roll(6, 0).diagonal()
    assert (across < 0.3 * found.diagonal()).all()


def test_no_response_to_texture_and_uniform_pictures(network: Network, responses) -> None:
    texture = torch.rand(8, 3, 77, 77)
    uniform = torch.full((1, 3, 77, 77), 0.3)
    for picture in (texture, uniform):
        assert responses(network, "mixed3b", picture).max() < 0.1


def test_four_kinds_of_sources(network: Network) -> None:
    kinds = {label.kind for label in labels(network, "mixed3a")}
    assert kinds == {"line", "early curve", "high-low", "color contrast"}
