import torch

from visioncircuits.handwritten import labels
from visioncircuits.stimuli import crossing_lines, diverging_lines, line, noise


def test_every_line_prefers_its_orientation(circuit, answers) -> None:
    turns = torch.arange(0, 180, 5, dtype=torch.float64)
    found = answers(circuit("lines"), "mixed3a", line(orientation=turns, size=45).picture)
    vectors = (found * torch.exp(2j * turns.deg2rad())[:, None]).sum(0)
    preferred = vectors.angle().rad2deg() / 2
    wanted = torch.tensor([label.orientation for label in labels(circuit("lines"), "mixed3a")])
    assert ((preferred - wanted + 90) % 180 - 90).abs().max() < 5
    across = found.roll(18, 0)  # 90 degrees
    assert not across[found.argmax(0), range(12)].any()


def test_texture_without_orientation_is_no_line(circuit, answers) -> None:
    network = circuit("lines")
    straight = answers(network, "mixed3a", line(orientation=45.0, size=45).picture).max()
    speckle = noise(seed=torch.arange(8.0), longest=8.0, size=45).picture
    assert answers(network, "mixed3a", speckle).max() < 0.5 * straight


def test_every_divergence_prefers_lines_that_part_its_way(circuit, answers) -> None:
    network = circuit("line-divergence")
    wanted = torch.tensor(
        [label.orientation for label in labels(network, "mixed3a")], dtype=torch.float64
    )
    turns = wanted.deg2rad()
    fans = diverging_lines(
        orientation=wanted,
        spread=60.0,
        count=3,
        x=-16 * turns.cos(),
        y=-16 * turns.sin(),
        size=45,
    ).picture
    found = answers(network, "mixed3a", fans)
    assert found.argmax(0).tolist() == list(range(16))
    opposite = found.roll(8, 0).diagonal()
    assert (opposite < 0.05 * found.diagonal()).all()


def test_lines_that_cross_or_run_straight_do_not_diverge(circuit, answers) -> None:
    network = circuit("line-divergence")
    turns = torch.arange(0, 180, 15, dtype=torch.float64)
    fan = diverging_lines(orientation=0.0, spread=60.0, count=3, x=-16.0, size=45).picture
    best = answers(network, "mixed3a", fan).max()
    for drawn in (crossing_lines(orientation=turns, size=45), line(orientation=turns, size=45)):
        assert answers(network, "mixed3a", drawn.picture).max() < 0.5 * best
