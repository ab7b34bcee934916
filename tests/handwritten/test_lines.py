import torch

from visioncircuits.handwritten import labels
from visioncircuits.stimuli import crossing_lines, diverging_lines, line, noise


def test_every_line_prefers_its_orientation(circuit, responses) -> None:
    turns = torch.arange(0, 180, 5, dtype=torch.float64)
    found = responses(circuit("lines"), "mixed3a", line(orientation=turns, size=45).picture)
    vectors = (found * torch.exp(2j * turns.deg2rad())[:, None]).sum(0)
    preferred = vectors.angle().rad2deg() / 2
    expected = torch.tensor([label.orientation for label in labels(circuit("lines"), "mixed3a")])
    assert ((preferred - expected + 90) % 180 - 90).abs().max() < 5
    across = found.roll(18, 0)  # 90 degrees
    assert not across[found.argmax(0), range(12)].any()


def test_weak_response_to_texture_without_orientation(circuit, responses) -> None:
    network = circuit("lines")
    straight = responses(network, "mixed3a", line(orientation=45.0, size=45).picture).max()
    texture = noise(seed=torch.arange(8.0), longest=8.0, size=45).picture
    assert responses(network, "mixed3a", texture).max() < 0.5 * straight


def test_every_divergence_prefers_lines_that_diverge_in_its_direction(circuit, responses) -> None:
    network = circuit("line-divergence")
    expected = torch.tensor(
        [label.orientation for label in labels(network, "mixed3a")], dtype=torch.float64
    )
    turns = expected.deg2rad()
    fans = diverging_lines(
        orientation=expected,
        spread=60.0,
        count=3,
        x=-16 * turns.cos(),
        y=-16 * turns.sin(),
        size=45,
    ).picture
    found = responses(network, "mixed3a", fans)
    assert found.argmax(0).tolist() == list(range(16))
    opposite = found.roll(8, 0).diagonal()
    assert (opposite < 0.05 * found.diagonal()).all()


def test_weak_divergence_response_to_crossing_and_straight_lines(circuit, responses) -> None:
    network = circuit("line-divergence")
    turns = torch.arange(0, 180, 15, dtype=torch.float64)
    fan = diverging_lines(orientation=0.0, spread=60.0, count=3, x=-16.0, size=45).picture
    best = responses(network, "mixed3a", fan).max()
    for drawn in (crossing_lines(orientation=turns, size=45), line(orientation=turns, size=45)):
        assert responses(network, "mixed3a", drawn.picture).max() < 0.5 * best
