import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from visioncircuits.stimuli.trigonometry import cosd, sind


def test_sines_and_cosines_are_those_of_radians():
    degrees = torch.linspace(-1000, 1000, 4001, dtype=torch.float64)
    assert torch.allclose(cosd(degrees), torch.cos(torch.deg2rad(degrees)), atol=1e-10)
    assert torch.allclose(sind(degrees), torch.sin(torch.deg2rad(degrees)), atol=1e-10)


@settings(deadline=None, derandomize=True)
@given(st.floats(-1e4, 1e4))
def test_a_quarter_turn_is_exact(angle):
    here, there = (torch.tensor([a], dtype=torch.float64) for a in (angle, angle + 90.0))
    assert cosd(there).item() == -sind(here).item()
    assert sind(there).item() == cosd(here).item()
