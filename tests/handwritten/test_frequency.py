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
def tuned(circuit, responses) -> torch.Tensor:
    """Return the detectors' mean responses over frequency ratios: `(orientations, 16)`."""
    found = responses(circuit("high-low"), "mixed3a", boundaries().draw().picture)
    return found.reshape(36, len(RATIOS), 16).mean(1)


def test_every_detector_prefers_high_frequency_on_its_side(circuit, tuned: torch.Tensor) -> None:
    vectors = (tuned * torch.exp(1j * TURNS.deg2rad())[:, None]).sum(0)
    expected = torch.tensor([label.orientation for label in labels(circuit("high-low"), "mixed3a")])
    preferred = vectors.angle().rad2deg()
    assert ((preferred - expected + 180) % 360 - 180).abs().max() < 10


def test_no_detector_responds_to_the_opposite_boundary(tuned: torch.Tensor) -> None:
    opposite = tuned.roll(18, 0)[tuned.argmax(0), range(16)]
    assert (opposite < 0.05 * tuned.amax(0)).all()


def test_weak_response_to_a_single_frequency_and_to_an_edge(
    circuit, responses, tuned: torch.Tensor
) -> None:
    turns = TURNS[TURNS < 180]
    for period in (4.0, 8.0, 16.0):
        uniform = sinusoidal_grating(orientation=turns, period=period, size=61).picture
        assert responses(circuit("high-low"), "mixed3a", uniform).max() < 0.5 * tuned.max()
    bare = responses(circuit("high-low"), "mixed3a", edge(orientation=TURNS, size=61).picture)
    assert bare.max() < 0.5 * tuned.max()


def test_factors_separate_high_from_low_frequency(circuit, responses) -> None:
    periods = torch.tensor([4.0, 6.0, 12.0, 16.0], dtype=torch.float64)
    drawn = sinusoidal_grating(period=periods, orientation=30.0, size=29).picture
    high, low = responses(circuit("high-low"), "conv2d2", drawn).T
    assert high[0] > 0.1 > 0.01 > high[2:].max()
    assert low[3] > 0.1 > 0.01 > low[:1].max()


def test_the_two_factors_have_opposite_weights_everywhere(circuit) -> None:
    kernels = circuit("high-low").module.operation("mixed3a_pre_relu").weight
    assert torch.equal(kernels[:, 0], -kernels[:, 1])
    assert [label.kind for label in factors().units] == ["high frequency", "low frequency"]
