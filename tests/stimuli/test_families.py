"""What holds for every family."""

import inspect
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from visioncircuits import stimuli
from visioncircuits.errors import InputError
from visioncircuits.stimuli import Stimulus

SIZE = 31


def _numbers(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


ANGLES = _numbers(-720.0, 720.0)
SHARES = _numbers(0.0, 1.0)
WIDTHS = _numbers(0.05, 12.0)
RADII = _numbers(0.5, 5000.0) | st.just(math.inf)
COLORS = st.tuples(SHARES, SHARES, SHARES)

PARAMETERS = {
    "curve": {
        "orientation": ANGLES,
        "radius": RADII,
        "length": _numbers(0.5, 500.0) | st.just(math.inf),
        "width": WIDTHS,
        "fill": SHARES,
        "ink": COLORS,
        "ground": COLORS,
    },
    "angle": {
        "orientation": ANGLES,
        "radius": _numbers(20.0, 5000.0) | st.just(math.inf),
        "roundness": SHARES,
        "width": WIDTHS,
        "fill": SHARES,
    },
    "circle": {"radius": _numbers(0.5, 14.0), "width": WIDTHS, "fill": SHARES},
    "double_curve": {
        "orientation": ANGLES,
        "between": ANGLES,
        "separation": _numbers(-25.0, 25.0),
        "radius": RADII,
        "width": WIDTHS,
        "fill": SHARES,
    },
    "spiral": {
        "orientation": ANGLES,
        "pitch": _numbers(8.0, 40.0) | _numbers(-40.0, -8.0),
        "radius": _numbers(1.0, 40.0),
        "width": _numbers(0.05, 4.0),
    },
    "evolute": {
        "orientation": ANGLES,
        "radius": _numbers(1.0, 30.0),
        "width": WIDTHS,
        "fill": SHARES,
    },
    "line": {"orientation": ANGLES, "width": WIDTHS, "ink": COLORS, "ground": COLORS},
    "edge": {"orientation": ANGLES, "ink": COLORS, "ground": COLORS},
    "bar": {"orientation": ANGLES, "length": _numbers(0.1, 60.0), "width": WIDTHS},
    "line_end": {"orientation": ANGLES, "width": WIDTHS},
    "crossing_lines": {"orientation": ANGLES, "between": ANGLES, "width": WIDTHS},
    "diverging_lines": {
        "orientation": ANGLES,
        "spread": _numbers(0.0, 360.0),
        "count": st.integers(2, 7),
        "width": WIDTHS,
    },
    "corner": {
        "orientation": ANGLES,
        "opening": _numbers(1.0, 180.0),
        "width": WIDTHS,
        "fill": SHARES,
    },
    "high_low": {
        "orientation": ANGLES,
        "ratio": _numbers(1.0, 10.0),
        "phase": ANGLES,
        "tile": _numbers(53.0, 300.0),
    },
    "frequency_pattern": {
        "orientation": ANGLES,
        "frequency": _numbers(0.1, 10.0),
        "tile": _numbers(20.0, 200.0),
    },
    "sinusoidal_grating": {
        "orientation": ANGLES,
        "period": _numbers(2.0, 100.0),
        "phase": ANGLES,
        "contrast": SHARES,
        "ink": COLORS,
        "ground": COLORS,
    },
    "square_grating": {
        "orientation": ANGLES,
        "period": _numbers(6.0, 100.0),
        "phase": ANGLES,
        "duty": _numbers(0.3, 0.7),
    },
    "gabor": {
        "orientation": ANGLES,
        "period": _numbers(2.0, 100.0),
        "phase": ANGLES,
        "sigma": _numbers(0.5, 50.0),
    },
    "chirp": {
        "orientation": ANGLES,
        "longest": _numbers(10.0, 100.0),
        "shortest": _numbers(2.0, 10.0),
        "length": _numbers(1.0, 200.0),
        "phase": ANGLES,
    },
    "color_contrast": {
        "orientation": ANGLES,
        "hue": ANGLES,
        "apart": ANGLES,
        "chroma": SHARES,
    },
    "color_center_surround": {
        "radius": _numbers(0.5, 14.0),
        "hue": ANGLES,
        "apart": ANGLES,
        "chroma": SHARES,
    },
    "black_white_vs_color": {
        "orientation": ANGLES,
        "hue": ANGLES,
        "period": _numbers(2.0, 100.0),
        "phase": ANGLES,
        "chroma": SHARES,
    },
    "brightness_gradient": {"orientation": ANGLES, "extent": _numbers(1.0, 300.0)},
    "noise": {
        "seed": st.integers(0, 2**40),
        "orientation": ANGLES,
        "longest": _numbers(10.0, 100.0),
        "shortest": _numbers(2.0, 10.0),
        "contrast": _numbers(0.0, 0.5),
    },
    "hatch": {
        "orientation": ANGLES,
        "between": ANGLES,
        "period": _numbers(8.0, 40.0),
        "width": _numbers(0.05, 6.0),
    },
    "checkerboard": {"orientation": ANGLES, "cell": _numbers(1.42, 40.0)},
    "dots": {
        "orientation": ANGLES,
        "period": _numbers(14.0, 40.0),
        "radius": _numbers(0.5, 4.0),
        "width": _numbers(0.05, 4.0),
        "fill": SHARES,
    },
    "colored_curve": {"orientation": ANGLES, "radius": RADII, "width": WIDTHS, "fill": SHARES},
}

FAMILIES = pytest.mark.parametrize("name", PARAMETERS)
PLACES = _numbers(-10.0, 10.0)


def _draw(name: str, **parameters: object) -> Stimulus:
    return getattr(stimuli, name)(**({"size": SIZE} | parameters))


def test_every_family_is_here():
    families = {
        name
        for name in stimuli.__all__
        if inspect.isfunction(getattr(stimuli, name))
        and "canvas" in inspect.signature(getattr(stimuli, name)).parameters
    }
    assert families == set(PARAMETERS)


@FAMILIES
@settings(max_examples=10, deadline=None, derandomize=True)
@given(data=st.data())
def test_pictures_are_in_range_and_the_same_every_time(name, data):
    parameters = data.draw(st.fixed_dictionaries(PARAMETERS[name]))
    place = {"x": data.draw(PLACES), "y": data.draw(PLACES)}
    size = data.draw(st.tuples(st.integers(21, 40), st.integers(21, 40)))
    drawn = _draw(name, **parameters, **place, size=size)
    assert drawn.picture.shape == (1, 3, *size)
    assert drawn.mask.shape == (1, 1, *size)
    for values in (drawn.picture, drawn.mask):
        assert values.dtype == torch.float32
        assert values.isfinite().all()
        assert values.min() >= 0
        assert values.max() <= 1
    assert torch.equal(_draw(name, **parameters, **place, size=size).picture, drawn.picture)


@FAMILIES
@settings(max_examples=10, deadline=None, derandomize=True)
@given(data=st.data())
def test_turning_a_stimulus_by_90_degrees_turns_its_picture_exactly(name, data):
    parameters = data.draw(st.fixed_dictionaries(PARAMETERS[name]))
    x, y = data.draw(PLACES), data.draw(PLACES)
    height, width = data.draw(st.tuples(st.integers(21, 40), st.integers(21, 40)))
    upright = _draw(name, **parameters, x=x, y=y, size=(height, width))
    if "orientation" in parameters:
        parameters["orientation"] += 90.0
    lying = _draw(name, **parameters, x=-y, y=x, size=(width, height))
    assert torch.equal(torch.rot90(upright.mask, -1, (2, 3)), lying.mask)
    if name != "colored_curve":  # whose hue turns too
        assert torch.equal(torch.rot90(upright.picture, -1, (2, 3)), lying.picture)


@FAMILIES
@settings(max_examples=5, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_batch_is_its_stimuli_one_by_one(name, data):
    many = [data.draw(st.fixed_dictionaries(PARAMETERS[name])) for _ in range(3)]
    places = [data.draw(PLACES) for _ in many]
    parameters = {
        parameter: torch.tensor([each[parameter] for each in many], dtype=torch.float64)
        for parameter in PARAMETERS[name]
    }
    batch = _draw(name, **parameters, x=torch.tensor(places, dtype=torch.float64))
    for index, (each, x) in enumerate(zip(many, places, strict=True)):
        alone = _draw(name, **each, x=x)
        assert torch.equal(batch.picture[index], alone.picture[0])
        assert torch.equal(batch.mask[index], alone.mask[0])
    for parameter in PARAMETERS[name]:
        assert len(batch.parameters[parameter]) == 3


@FAMILIES
@settings(max_examples=5, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_smaller_picture_is_a_crop(name, data):
    parameters = data.draw(st.fixed_dictionaries(PARAMETERS[name]))
    x, y = data.draw(PLACES), data.draw(PLACES)
    small = _draw(name, **parameters, x=x, y=y, size=(23, 26))
    large = _draw(name, **parameters, x=x, y=y, size=(47, 40))
    assert torch.equal(large.picture[:, :, 12:35, 7:33], small.picture)


@FAMILIES
def test_a_stimulus_moves_with_its_place(name):
    still = _draw(name, size=41).picture[..., 10:31, 10:31]
    moved = _draw(name, x=4.0, y=-3.0, size=41).picture[..., 7:28, 14:35]
    assert torch.equal(still, moved)


@FAMILIES
def test_every_default_can_be_drawn_and_seen(name):
    picture = getattr(stimuli, name)().picture
    assert picture.shape == (1, 3, 224, 224)
    assert picture.std() > 0.01


@FAMILIES
def test_numbers_that_are_none_and_unknown_names_are_refused(name):
    parameter = next(p for p in PARAMETERS[name] if p not in {"ink", "ground"})
    with pytest.raises(InputError, match=f"{parameter} must be a finite number, got nan"):
        _draw(name, **{parameter: math.nan})
    with pytest.raises(InputError, match=f"unknown parameter '{parameter}s'"):
        _draw(name, **{parameter + "s": 1.0})
    with pytest.raises(InputError, match="x must be from"):
        _draw(name, x=300.0)


def test_the_parameters_of_a_family_are_known():
    assert stimuli.parameters_of(stimuli.line) == [
        "orientation",
        "width",
        "ink",
        "ground",
        "x",
        "y",
        "size",
        "device",
    ]
    assert stimuli.parameters_of(lambda *, shade, tint=0.0: None) == ["shade", "tint"]
    assert stimuli.parameters_of(lambda **parameters: None) is None
