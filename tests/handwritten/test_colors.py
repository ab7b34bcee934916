import pytest
import torch

from visioncircuits.handwritten import labels
from visioncircuits.handwritten.color import HUES
from visioncircuits.stimuli import (
    black_white_vs_color,
    edge,
    hue,
    sinusoidal_grating,
)
from visioncircuits.stimuli import color_center_surround as spots
from visioncircuits.stimuli import color_contrast as edges

TURNS = torch.arange(0, 360, 45, dtype=torch.float64)


def test_every_color_contrast_prefers_its_hues_and_orientation(circuit, responses) -> None:
    network = circuit("color-contrast")
    units = labels(network, "mixed3a")
    drawn = torch.cat([edges(orientation=TURNS, hue=label, size=45).picture for label in HUES])
    found = responses(network, "mixed3a", drawn)
    for unit, label in enumerate(units):
        best = int(found[:, unit].argmax())
        here = (TURNS[best % 8].item(), HUES[best // 8])
        opposite = ((here[0] + 180) % 360, (here[1] + 180) % 360)  # the same picture
        assert (label.orientation, label.hue) in (here, opposite)


def test_gray_edges_have_no_color_contrast(circuit, responses) -> None:
    gray = edge(orientation=TURNS, size=45).picture
    colored = edges(orientation=TURNS, size=45).picture
    network = circuit("color-contrast")
    best = responses(network, "mixed3a", colored).max()
    assert responses(network, "mixed3a", gray).max() < 1e-3 * best


@pytest.mark.parametrize("radius", [6.0, 10.0])
def test_every_center_surround_prefers_its_hue(circuit, responses, radius: float) -> None:
    drawn = torch.cat([spots(radius=radius, hue=label, size=45).picture for label in HUES])
    found = responses(circuit("color-center-surround"), "mixed3a", drawn)
    assert found.argmax(0).tolist() == list(range(8))
    assert not found.roll(4, 0).diagonal().any()  # the opposite hue amid this one


def test_no_center_surround_response_to_uniform_color(circuit, responses) -> None:
    uniform = hue(torch.tensor(HUES))[:, :, None, None].expand(-1, -1, 45, 45).float()
    assert responses(circuit("color-center-surround"), "mixed3a", uniform).max() < 1e-3


def test_black_and_white_responds_to_contrast_without_color(circuit, responses) -> None:
    network = circuit("black-and-white")
    gray = sinusoidal_grating(orientation=TURNS, size=45).picture
    colors = torch.cat(
        [
            sinusoidal_grating(ink=hue(each), ground=hue(each + 180), size=45).picture
            for each in HUES
        ]
    )
    plain = torch.full((1, 3, 45, 45), 0.5)
    assert responses(network, "mixed3a", gray)[:, 0].min() > 1
    for picture in (colors, plain):
        assert not responses(network, "mixed3a", picture)[:, 0].any()


@pytest.mark.parametrize("label", HUES)
def test_every_black_and_white_vs_color_prefers_its_orientation(
    circuit, responses, label: float
) -> None:
    drawn = black_white_vs_color(orientation=TURNS, hue=label, size=45).picture
    found = responses(circuit("black-and-white"), "mixed3a", drawn)[:, 1:]
    assert found.argmax(0).tolist() == list(range(8))
    assert not found.roll(4, 0).diagonal().any()
