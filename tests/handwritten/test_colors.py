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


def test_every_color_contrast_prefers_its_hues_and_orientation(circuit, answers) -> None:
    network = circuit("color-contrast")
    units = labels(network, "mixed3a")
    drawn = torch.cat([edges(orientation=TURNS, hue=label, size=45).picture for label in HUES])
    found = answers(network, "mixed3a", drawn)
    for unit, label in enumerate(units):
        best = int(found[:, unit].argmax())
        here = (TURNS[best % 8].item(), HUES[best // 8])
        turned = ((here[0] + 180) % 360, (here[1] + 180) % 360)  # the same picture
        assert (label.orientation, label.hue) in (here, turned)


def test_gray_edges_have_no_color_contrast(circuit, answers) -> None:
    gray = edge(orientation=TURNS, size=45).picture
    colored = edges(orientation=TURNS, size=45).picture
    network = circuit("color-contrast")
    best = answers(network, "mixed3a", colored).max()
    assert answers(network, "mixed3a", gray).max() < 1e-3 * best


@pytest.mark.parametrize("radius", [6.0, 10.0])
def test_every_centre_surround_prefers_its_hue(circuit, answers, radius: float) -> None:
    drawn = torch.cat([spots(radius=radius, hue=label, size=45).picture for label in HUES])
    found = answers(circuit("color-center-surround"), "mixed3a", drawn)
    assert found.argmax(0).tolist() == list(range(8))
    assert not found.roll(4, 0).diagonal().any()  # the opposite hue amid this one


def test_one_hue_everywhere_is_no_centre(circuit, answers) -> None:
    even = hue(torch.tensor(HUES))[:, :, None, None].expand(-1, -1, 45, 45).float()
    assert answers(circuit("color-center-surround"), "mixed3a", even).max() < 1e-3


def test_black_and_white_is_contrast_without_color(circuit, answers) -> None:
    network = circuit("black-and-white")
    gray = sinusoidal_grating(orientation=TURNS, size=45).picture
    colors = torch.cat(
        [
            sinusoidal_grating(ink=hue(each), ground=hue(each + 180), size=45).picture
            for each in HUES
        ]
    )
    plain = torch.full((1, 3, 45, 45), 0.5)
    assert answers(network, "mixed3a", gray)[:, 0].min() > 1
    for nothing in (colors, plain):
        assert not answers(network, "mixed3a", nothing)[:, 0].any()


@pytest.mark.parametrize("label", HUES)
def test_sides_of_black_and_white_are_told_from_sides_of_any_color(
    circuit, answers, label: float
) -> None:
    drawn = black_white_vs_color(orientation=TURNS, hue=label, size=45).picture
    found = answers(circuit("black-and-white"), "mixed3a", drawn)[:, 1:]
    assert found.argmax(0).tolist() == list(range(8))
    assert not found.roll(4, 0).diagonal().any()
