import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.stimuli import checkerboard, dots, hatch, noise

SIZE = 36


def _from_multiple(values, period):
    return np.abs(values - period * np.round(values / period))


@pytest.mark.parametrize(("shortest", "longest"), [(4.0, 6.0), (8.0, 24.0)])
def test_noise_keeps_to_its_band_and_contrast(shortest, longest):
    size = 128
    picture = noise(
        seed=torch.arange(2), shortest=shortest, longest=longest, contrast=0.1, size=size
    ).mask[:, 0]
    assert picture.std(dim=(1, 2)).tolist() == pytest.approx([0.1] * 2, rel=0.2)
    window = torch.hann_window(size)
    power = torch.fft.fft2((picture - 0.5) * window * window[:, None]).abs().square().mean(0)
    y, x = torch.meshgrid(torch.fft.fftfreq(size), torch.fft.fftfreq(size), indexing="ij")
    frequency = torch.hypot(x, y)
    inside = (frequency > 1 / longest - 0.02) & (frequency < 1 / shortest + 0.02)
    assert power[inside].sum() / power.sum() > 0.999


def test_seeds_make_noises_that_have_nothing_in_common():
    first, second = noise(seed=torch.tensor([1, 2]), size=96).mask.flatten(1)
    assert abs(torch.corrcoef(torch.stack([first, second]))[0, 1].item()) < 0.15


def test_noise_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    noise(seed=5, size=8)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("between", [90.0, 45.0])
def test_a_hatch_is_two_sets_of_lines(between, supersampled, assert_close, frame_of):
    first, second = frame_of(15.0), frame_of(15.0 + between)

    def lines(x, y):
        across = [_from_multiple(frame(x, y)[1], 9.0) for frame in (first, second)]
        return np.minimum(*across) <= 1.0

    drawn = hatch(orientation=15.0, between=between, period=9.0, width=2.0, size=SIZE)
    assert_close(drawn.mask[0, 0], supersampled(lines, SIZE), worst=0.35, typical=0.015)


@pytest.mark.parametrize("orientation", [0.0, 33.0])
@pytest.mark.parametrize("cell", [2.3, 5.5])
def test_a_checkerboard_has_ink_where_both_or_neither_coordinate_is_even(
    orientation, cell, supersampled, assert_close, frame_of
):
    frame = frame_of(orientation)

    def board(x, y):
        u, v = frame(x, y)
        return (np.floor(u / cell) + np.floor(v / cell)) % 2 == 0

    drawn = checkerboard(orientation=orientation, cell=cell, size=SIZE)
    # where four squares meet within a pixel, its share is not the two edges' product
    assert_close(drawn.mask[0, 0], supersampled(board, SIZE), worst=0.25, typical=0.03)


@pytest.mark.parametrize(("width", "fill"), [(0.0, 1.0), (1.5, 0.0)])
def test_dots_stand_on_a_square_grid(width, fill, supersampled, assert_close, frame_of):
    frame, radius, period = frame_of(28.0), 5.0, 14.0

    def rings(x, y):
        rho = np.hypot(*(_from_multiple(axis, period) for axis in frame(x, y)))
        return (rho <= radius + width / 2) & ((rho >= radius - width / 2) | (fill > 0))

    drawn = dots(orientation=28.0, period=period, radius=radius, width=width, fill=fill, size=SIZE)
    assert_close(drawn.mask[0, 0], supersampled(rings, SIZE), worst=0.06)


@pytest.mark.parametrize(
    ("draw", "parameters", "message"),
    [
        (noise, {"seed": 1.5}, "seed must be a whole number from 0, got 1.5"),
        (noise, {"seed": -1}, "seed must be a whole number from 0, got -1"),
        (noise, {"shortest": 1.0}, "shortest must be at least 2"),
        (noise, {"longest": 3.0}, "longest must be at least the shortest period"),
        (noise, {"contrast": 0.7}, "contrast must be from 0 to 0.5"),
        (hatch, {"width": 9.0}, "period must be at least the width and 2 pixels more"),
        (checkerboard, {"cell": 1.0}, "cell must be at least 1.42"),
        (dots, {"radius": 6.0}, "period must be at least a dot's diameter"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(draw, parameters, message):
    with pytest.raises(InputError, match=message):
        draw(**parameters)
