import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.stimuli import bar, crossing_lines, diverging_lines, edge, line, line_end

SIZE = 36
ORIENTATIONS = pytest.mark.parametrize("orientation", [0.0, 17.0, 45.0, 152.5])


@ORIENTATIONS
@pytest.mark.parametrize("width", [0.4, 1.67, 7.0])
def test_a_line_is_the_band_along_its_orientation(
    orientation, width, supersampled, assert_close, frame_of
):
    frame = frame_of(orientation)
    twin = supersampled(lambda x, y: np.abs(frame(x, y)[1]) <= width / 2, SIZE, 1.2, 2.7)
    drawn = line(orientation=orientation, width=width, x=1.2, y=2.7, size=SIZE)
    assert_close(drawn.mask[0, 0], twin)


@ORIENTATIONS
def test_an_edge_has_its_ink_behind_it(orientation, supersampled, assert_close, frame_of):
    frame = frame_of(orientation)
    twin = supersampled(lambda x, y: frame(x, y)[0] <= 0, SIZE, -3.1, 0.8)
    assert_close(edge(orientation=orientation, x=-3.1, y=0.8, size=SIZE).mask[0, 0], twin)


@ORIENTATIONS
def test_a_bar_is_a_rectangle(orientation, supersampled, assert_close, frame_of):
    frame = frame_of(orientation)

    def rectangle(x, y):
        u, v = frame(x, y)
        return (np.abs(u) <= 10.2) & (np.abs(v) <= 2.6)

    drawn = bar(orientation=orientation, length=20.4, width=5.2, size=SIZE)
    assert_close(drawn.mask[0, 0], supersampled(rectangle, SIZE), worst=0.1)


@pytest.mark.parametrize("orientation", [0.0, 62.0, 200.0])
def test_a_line_end_is_the_half_of_a_line_that_leads_to_its_origin(
    orientation, supersampled, assert_close, frame_of
):
    frame = frame_of(orientation)

    def half(x, y):
        u, v = frame(x, y)
        return (np.abs(v) <= 1.5) & (u <= 0)

    drawn = line_end(orientation=orientation, width=3.0, x=2.4, size=SIZE)
    assert_close(drawn.mask[0, 0], supersampled(half, SIZE, 2.4), worst=0.1)


@pytest.mark.parametrize("between", [90.0, 35.0])
def test_crossing_lines_are_two_lines(between, supersampled, assert_close, frame_of):
    first, second = frame_of(20.0), frame_of(20.0 + between)

    def cross(x, y):
        return np.minimum(np.abs(first(x, y)[1]), np.abs(second(x, y)[1])) <= 1.2

    drawn = crossing_lines(orientation=20.0, between=between, width=2.4, size=SIZE)
    assert_close(drawn.mask[0, 0], supersampled(cross, SIZE), worst=0.4)


def test_diverging_lines_fan_out_evenly_about_their_orientation(
    supersampled, assert_close, frame_of
):
    frames = [frame_of(70.0 + turn) for turn in (-60.0, -20.0, 20.0, 60.0)]

    def fan(x, y):
        rays = [frame(x, y) for frame in frames]
        return np.any([(np.abs(v) <= 1.0) & (u >= 0) for u, v in rays], axis=0)

    drawn = diverging_lines(orientation=70.0, spread=120.0, count=4, width=2.0, size=SIZE)
    assert_close(drawn.mask[0, 0], supersampled(fan, SIZE), worst=0.4, typical=0.02)


def test_a_batch_of_fans_may_mix_counts():
    mixed = diverging_lines(spread=120.0, count=torch.tensor([2, 5, 3]), size=SIZE).mask
    for mask, count in zip(mixed, (2, 5, 3), strict=True):
        assert torch.equal(mask, diverging_lines(spread=120.0, count=count, size=SIZE).mask[0])


@pytest.mark.parametrize(
    ("draw", "parameters", "message"),
    [
        (line, {"width": 0.0}, "width must be greater than 0"),
        (line, {"width": 40.0, "size": (30, 60)}, "width must be less than the picture's 30"),
        (bar, {"length": 0.0}, "length must be greater than 0"),
        (bar, {"width": 300.0}, "width must be less than the picture's 224"),
        (diverging_lines, {"count": 1}, "count must be from 2 to 64, got 1"),
        (diverging_lines, {"count": 2.5}, "count must be a whole number, got 2.5"),
        (diverging_lines, {"spread": 400.0}, "spread must be from 0 to 360"),
        (edge, {"y": 113.0}, "y must be from -112 to 112, got 113"),
    ],
)
def test_invalid_parameters_are_refused_in_one_sentence(draw, parameters, message):
    with pytest.raises(InputError, match=message):
        draw(**parameters)
