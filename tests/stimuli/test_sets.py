import functools
import json
import math
import pickle
import tracemalloc

import jaxtyping
import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.stimuli import (
    Stimulus,
    StimulusSet,
    curve,
    hue_rotated,
    line,
)

SIZE = 16


@pytest.fixture
def curves() -> StimulusSet:
    return StimulusSet(
        curve,
        {"orientation": range(0, 360, 45), "radius": (10, 20.5, math.inf), "fill": (0, 1)},
        {"size": SIZE},
    )


def checks(*, shade, tint=(0.0, 0.0, 0.0)):
    """A user's family, which returns a bare picture."""
    picture = torch.zeros(len(shade), 3, SIZE, SIZE)
    picture[:, :, ::2, ::2] = shade.float()[:, None, None, None]
    return picture + torch.as_tensor(tint).float().reshape(-1, 3, 1, 1) / 2


def test_a_set_is_a_grid_in_c_order(curves):
    assert curves.dims == ("orientation", "radius", "fill")
    assert curves.shape == (8, 3, 2)
    assert len(curves) == 48
    for flat, (i, j, k) in enumerate(np.ndindex(*curves.shape)):
        if flat % 7:
            continue
        single = curve(
            orientation=curves.axes["orientation"][i],
            radius=curves.axes["radius"][j],
            fill=curves.axes["fill"][k],
            size=SIZE,
        )
        assert torch.equal(curves.draw([flat]).picture, single.picture)


def test_batches_are_the_whole_set_in_order(curves):
    whole = curves.draw()
    indices, pictures = [], []
    for flat, stimulus in curves.batches(7):
        indices += flat
        pictures.append(stimulus.picture)
        assert len(flat) == len(stimulus)
    assert indices == list(range(48))
    assert torch.equal(torch.cat(pictures), whole.picture)
    assert whole.parameters["radius"][:4].tolist() == [10, 10, 20.5, 20.5]


def test_a_million_stimuli_are_cheap_to_make_slice_and_draw_from():
    StimulusSet(
        curve, {"orientation": [0.0, 1.0]}, {"size": SIZE}
    ).check()  # imports are not counted
    tracemalloc.start()
    grid = StimulusSet(
        curve,
        {
            "orientation": np.arange(0, 360, 0.36),
            "radius": np.geomspace(10, 1000, 100),
            "width": np.linspace(1, 4, 10),
        },
        {"size": SIZE},
    )
    part = grid.sel(orientation=slice(90, 180)).isel(width=3, radius=slice(None, None, 10))
    grid.check()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(grid) == 1_000_000
    assert part.shape == (251, 10)
    assert peak < 2_000_000
    last = grid.draw([999_999])
    assert torch.equal(
        last.picture, curve(orientation=359.64, radius=1000.0, width=4.0, size=SIZE).picture
    )


def test_isel_takes_indices_and_sel_takes_values(curves):
    assert curves.isel(radius=2).fixed["radius"] == math.inf
    assert curves.isel(radius=[0, 2]).axes["radius"] == (10.0, math.inf)
    assert curves.isel(orientation=slice(1, None, 3)).axes["orientation"] == (45.0, 180.0, 315.0)
    assert curves.isel(orientation=-1).fixed["orientation"] == 315.0
    assert curves.sel(radius=20.5).dims == ("orientation", "fill")
    assert curves.sel(radius=[20.5, math.inf]).shape == (8, 2, 2)
    assert curves.sel(orientation=slice(45, 135)).axes["orientation"] == (45.0, 90.0, 135.0)
    assert curves.sel(radius=slice(15, None)).axes["radius"] == (20.5, math.inf)
    picked = curves.sel(orientation=90, fill=1)
    assert torch.equal(
        picked.draw().picture,
        curve(
            orientation=90.0, radius=torch.tensor([10, 20.5, math.inf]), fill=1.0, size=SIZE
        ).picture,
    )


def test_fix_and_vary_return_new_sets(curves):
    larger = curves.fix(size=(20, 24), x=1.5, fill=0.5)
    assert larger.dims == ("orientation", "radius")
    assert larger.draw([0]).picture.shape == (1, 3, 20, 24)
    assert larger.draw([0]).parameters["x"].item() == 1.5
    varied = larger.vary(fill=(0, 1), radius=[5])
    assert varied.dims == ("orientation", "radius", "fill")
    assert varied.shape == (8, 1, 2)
    assert curves.shape == (8, 3, 2)
    assert curves.fixed == {"size": SIZE}


def test_an_axis_may_have_one_value_and_a_set_no_axes():
    one = StimulusSet(line, {"width": [2]}, {"size": SIZE})
    assert one.draw().picture.shape == (1, 3, SIZE, SIZE)
    none = one.isel(width=0)
    assert (none.shape, len(none)) == ((), 1)
    assert torch.equal(none.draw().picture, one.draw().picture)
    none.check()


def test_colors_can_be_an_axis():
    inks = StimulusSet(line, {"ink": ("red", "#0000ff"), "width": (1, 2, 3)}, {"size": SIZE})
    drawn = inks.sel(width=3).draw()
    middle = drawn.picture[:, :, SIZE // 2, 0]
    assert middle.tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    assert inks.sel(ink="red").fixed["ink"] == "red"


def test_any_function_can_be_a_family():
    own = StimulusSet(checks, {"shade": (0.25, 0.5), "tint": ("black", "red")})
    drawn = own.draw()
    assert isinstance(drawn, Stimulus)
    assert drawn.picture[:, 0, 0, 0].tolist() == [0.25, 0.75, 0.5, 1.0]
    assert (drawn.mask == 1).all()
    assert drawn.parameters["shade"].tolist() == [0.25, 0.25, 0.5, 0.5]
    own.check()
    assert own.name == "checks"


def test_a_family_with_rotated_hues_can_be_a_set():
    rotated = StimulusSet(
        hue_rotated(curve), {"hue_rotation": (0, 120), "radius": (8, 9)}, {"ink": "red", "size": 8}
    )
    assert rotated.name == "hue_rotated(curve)"
    assert rotated.draw().picture.shape == (4, 3, 8, 8)
    assert "hue_rotated(curve)" in rotated.record()["family"]
    with pytest.raises(InputError, match="unknown parameter of hue_rotated"):
        StimulusSet(hue_rotated(curve), {"hue": (0, 120)})


def test_a_set_can_be_pickled(curves):
    assert torch.equal(pickle.loads(pickle.dumps(curves)).draw().picture, curves.draw().picture)
    rotated = StimulusSet(hue_rotated(curve), {"hue_rotation": (0, 120)}, {"size": 8})
    assert len(pickle.loads(pickle.dumps(rotated))) == 2


def test_a_record_is_json_and_a_digest_follows_what_is_drawn(curves):
    record = curves.record()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["axes"]["radius"] == [10.0, 20.5, "inf"]
    assert record["family"] == "visioncircuits.stimuli.curves.curve"
    same = StimulusSet(curve, dict(curves.axes), {"device": "cpu", "size": SIZE}, name="other")
    assert same.digest == curves.digest
    differing = [
        curves.fix(size=17),
        curves.isel(radius=slice(0, 2)),
        curves.fix(ink=torch.tensor([[0.0, 0.0, 1.0]])),
        StimulusSet(hue_rotated(curve), curves.axes, curves.fixed),
    ]
    assert len({curves.digest, *(each.digest for each in differing)}) == 5


def test_the_digests_of_two_functions_of_one_name_differ():
    def own(*, shade):
        return checks(shade=shade)

    first = StimulusSet(own, {"shade": (0.1, 0.2)}).digest

    def own(*, shade):
        return checks(shade=shade / 2)

    assert StimulusSet(own, {"shade": (0.1, 0.2)}).digest != first
    scope = {}
    exec("def typed(*, shade):\n    return shade", scope)  # this function has no source
    assert len(StimulusSet(scope["typed"], {"shade": (0.1,)}).digest) == 64


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StimulusSet(curve, {"radius": ()}), "radius has no values"),
        (lambda: StimulusSet(curve, {"radius": (1, math.nan)}), "radius has a value that is not"),
        (lambda: StimulusSet(curve, {"radius": (1, 2, 1)}), "radius has the value 1.0 twice"),
        (lambda: StimulusSet(curve, {"radius": (1, "red")}), "radius mixes numbers and colors"),
        (
            lambda: StimulusSet(curve, {"radius": iter([None])}),
            "colors' names, got None",
        ),
        (lambda: StimulusSet(curve, {"ink": "red"}), "ink must have several values"),
        (lambda: StimulusSet(curve, {"ink": ["redd"]}), "unknown color 'redd'"),
        (lambda: StimulusSet(curve, {"radii": (1,)}), "unknown parameter of curve 'radii'; the n"),
        (lambda: StimulusSet(curve, {}, {"sise": 4}), "unknown parameter of curve 'sise'; the nea"),
        (lambda: StimulusSet(curve, {"fill": (0,)}, {"fill": 1}), "fill is both an axis and fixed"),
        (lambda: StimulusSet(functools.partial(curve), {}), "a family needs a name"),
    ],
)
def test_an_invalid_set_is_refused_when_it_is_made(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda s: s.sel(radius=11), "radius has no value 11; the nearest is 10"),
        (lambda s: s.sel(radii=11), "unknown axis of curve 'radii'; the nearest are 'radius'"),
        (lambda s: s.isel(length=0), "unknown axis of curve 'length'"),
        (lambda s: s.isel(radius=3), "radius has 3 values, none at 3"),
        (lambda s: s.isel(radius=slice(3, 3)), "radius has no values"),
        (lambda s: s.sel(radius=slice(11, 12)), "radius has no value from 11 to 12"),
        (lambda s: s.sel(radius=slice(0, 90, 10)), "only numbers have a range, and no step"),
        (lambda s: s.sel(radius="red"), "unknown value of radius 'red'"),
        (lambda s: s.draw([48]), "flat indices of curve run from 0 to 47"),
        (lambda s: s.draw([]), "flat indices of curve run from 0 to 47"),
        (lambda s: list(s.batches(0)), "batch_size must be at least 1, got 0"),
        (lambda s: s.vary(radius=(5, 0)).check(), "radius must be greater than 0, got 0"),
        (lambda s: s.fix(width=99).check(), "width must be less than the picture's 16"),
        (lambda s: s.fix(ink=object()).record(), "ink cannot be recorded"),
    ],
)
def test_invalid_use_of_a_set_is_refused_in_one_sentence(curves, use, message):
    with pytest.raises(InputError, match=message):
        use(curves)


def test_a_family_that_does_not_draw_pictures_is_refused():
    def one(*, shade):
        return torch.zeros(1, 3, 4, 4)

    def double(*, shade):
        return torch.zeros(len(shade), 3, 4, 4, dtype=torch.float64)

    def bright(*, shade):
        return torch.full((len(shade), 3, 4, 4), 255.0)

    for family, message in (
        (one, r"one must draw float32 pictures \(2, 3, height, width\) for 2 .* \(1, 3, 4, 4\)"),
        (double, "double must draw float32 pictures .* got torch.float64"),
        (bright, r"bright must draw pictures in \[0, 1\], got values from 255 to 255"),
    ):
        with pytest.raises(InputError, match=message):
            StimulusSet(family, {"shade": (0, 1)}).check()


@pytest.mark.parametrize("index", [2, np.int64(2), np.array(2), torch.tensor(2)], ids=repr)
def test_an_index_may_be_any_whole_number(curves, index):
    name, values = next(iter(curves.axes.items()))
    one = curves.isel(**{name: index})
    assert name not in one.axes
    assert one.fixed[name] == values[2]
    assert list(curves.isel(**{name: np.array([0, 2])}).axes[name]) == [values[0], values[2]]


def test_a_value_may_be_any_number(curves):
    name, values = next(iter(curves.axes.items()))
    assert curves.sel(**{name: np.int64(values[0])}).record() == curves.isel(**{name: 0}).record()
    assert curves.fix(**{name: np.int64(2)}).record() == curves.fix(**{name: 2}).record()


@pytest.mark.parametrize("index", [1.5, None, "first", [0.5]])
def test_an_index_that_is_no_whole_number_is_refused(curves, index, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    name = next(iter(curves.axes))
    with pytest.raises(InputError, match=f"{name} has .* values, none at"):
        curves.isel(**{name: index})


@pytest.mark.parametrize(
    ("values", "extended"),
    [
        ((10, 20, 40), (5, 10, 20, 40, 80)),
        ((10, 20, 30), (0, 10, 20, 30, 40)),
        ((2, 4), (1, 2, 4, 8)),
        ((0, 1), (-1, 0, 1, 2)),
        ((40, 20, 10), (80, 40, 20, 10, 5)),
        ((1, 2, 6), (0.5, 1, 2, 6, 18)),
    ],
)
def test_an_axis_is_extended_by_its_own_step(values, extended):
    grid = StimulusSet(line, {"width": values, "orientation": (0, 45)})
    longer = grid.extended("width", before=1, after=1)
    assert longer.axes["width"] == pytest.approx(extended)
    assert longer.dims == grid.dims
    assert grid.extended("width").axes == grid.axes


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"radius": (10, 20, math.inf)}, "cannot be extended beyond inf"),
        ({"radius": (10,)}, "two numbers or more"),
        ({"radius": (10, 20), "ink": ("red", "blue")}, "ink cannot be extended"),
    ],
)
def test_an_axis_without_a_step_cannot_be_extended(axes, message):
    with pytest.raises(InputError, match=message):
        StimulusSet(curve, axes).extended(list(axes)[-1], after=1)
