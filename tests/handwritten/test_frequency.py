import pytest
import torch

from visioncircuits.handwritten import labels
from visioncircuits.handwritten.frequency import factors
from visioncircuits.stimuli import StimulusSet, edge, named, sinusoidal_grating

RATIOS = (20, 35, 50)
TURNS = torch.arange(0, 360, 10, dtype=torch.float64)


def boundaries() -> StimulusSet:
    published = named("high-low").isel(orientation=slice(0, 360, 10), ratio=RATIOS)
    return published.fix(size=93, x=0.0, y=0.0)


@pytest.fixture(scope="module")
def tuned(circuit, answers) -> torch.Tensor:
    """Give the detectors' mean answers over frequency ratios: `(orientations, 16)`."""
    found = answers(circuit("high-low"), "mixed3a", boundaries().draw().picture)
    return found.reshape(36, len(RATIOS), 16).mean(1)


def test_every_detector_prefers_high_frequency_on_its_side(circuit, tuned: torch.Tensor) -> None:
    vectors = (tuned * torch.exp(1j * TURNS.deg2rad())[:, None]).sum(0)
    wanted = torch.tensor([label.orientation for label in labels(circuit("high-low"), "mixed3a")])
    preferred = vectors.angle().rad2deg()
    assert ((preferred - wanted + 180) % 360 - 180).abs().max() < 10


def test_no_detector_answers_the_opposite_boundary(tuned: torch.Tensor) -> None:
    opposite = tuned.roll(18, 0)[tuned.argmax(0), range(16)]
    assert (opposite < 0.05 * tuned.amax(0)).all()


def test_one_frequency_everywhere_and_a_bare_edge_are_no_boundary(
    circuit, answers, tuned: torch.Tensor
) -> None:
    turns = TURNS[TURNS < 180]
    for period in (4.0, 8.0, 16.0):
        even = sinusoidal_grating(orientation=turns, period=period, size=61).picture
        assert answers(circuit("high-low"), "mixed3a", even).max() < 0.5 * tuned.max()
    bare = answers(circuit("high-low"), "mixed3a", edge(orientation=TURNS, size=61).picture)
    assert bare.max() < 0.5 * tuned.max()


def test_the_factors_part_high_from_low_frequency(circuit, answers) -> None:
    periods = torch.tensor([4.0, 6.0, 12.0, 16.0], dtype=torch.float64)
    drawn = sinusoidal_grating(period=periods, orientation=30.0, size=29).picture
    high, low = answers(circuit("high-low"), "conv2d2", drawn).T
    assert high[0] > 0.1 > 0.01 > high[2:].max()
    assert low[3] > 0.1 > 0.01 > low[:1].max()


def test_the_two_factors_have_opposite_weights_everywhere(circuit) -> None:
    kernels = circuit("high-low").module.operation("mixed3a_pre_relu").weight
    assert torch.equal(kernels[:, 0], -kernels[:, 1])
    assert [label.kind for label in factors().units] == ["high frequency", "low frequency"]
