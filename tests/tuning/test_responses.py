import json
import math

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor, nn

from visioncircuits import fingerprint
from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Preprocessing, load, untrained, wrap
from visioncircuits.stimuli import StimulusSet, curve, named
from visioncircuits.tuning import Responses, measure, placement
from visioncircuits.tuning.responses import measured

FEW = named("curves").isel(orientation=slice(0, None, 9))


@pytest.fixture(scope="module")
def network():
    return untrained("bvlc_googlenet", seed=1)


@pytest.mark.parametrize(
    "layer",
    ["conv2d1", "mixed3a", "mixed3b_pre_relu", pytest.param("mixed4a", marks=pytest.mark.slow)],
)
def test_a_small_picture_gives_the_response_to_a_whole_one(network, layer):
    ours = measure(network, layer, FEW)
    middle = network.layer(layer).shape[0] // 2
    y, x = (at - 111.5 for at in network.layer(layer).center((middle, middle)))
    whole = FEW.fix(size=224, x=x, y=y).draw().picture
    theirs = network.activations(whole, [layer])[layer][:, :, middle, middle]
    scale = theirs.abs().max()
    assert scale > 0
    assert np.abs(ours.values.reshape(len(ours), -1).T - theirs.numpy()).max() < 1e-5 * scale


def test_a_small_picture_gives_the_same_response_with_trained_weights(checkpoints):
    network = load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
    ours = measure(network, "mixed3b", FEW)
    y, x = (at - 111.5 for at in network.layer("mixed3b").center((14, 14)))
    whole = FEW.fix(size=224, x=x, y=y).draw().picture
    theirs = network.activations(whole, ["mixed3b"])["mixed3b"][:, :, 14, 14]
    assert np.abs(ours.values.reshape(480, -1).T - theirs.numpy()).max() < 1e-3


def test_padding_that_depends_on_the_size_changes_nothing():
    network = untrained("inceptionv1", seed=1)
    ours = measure(network, "mixed3a", FEW)
    y, x = (at - 111.5 for at in network.layer("mixed3a").center((14, 14)))
    whole = FEW.fix(size=224, x=x, y=y).draw().picture
    theirs = network.activations(whole, ["mixed3a"])["mixed3a"][:, :, 14, 14]
    assert np.abs(ours.values.reshape(256, -1).T - theirs.numpy()).max() < 1e-4 * theirs.max()


def test_the_axes_are_the_coordinates(network):
    found = measure(network, "mixed3a", FEW)
    assert found.dims == ("unit", "orientation", "radius")
    assert found["orientation"].values.tolist() == [0, 90, 180, 270]
    assert found["unit"].values[255] == "mixed3a:255"
    one = measure(network, "mixed3a:7", FEW.sel(orientation=90, radius=25.7))
    assert one.values == pytest.approx(
        found.sel(unit=["mixed3a:7"], orientation=90, radius=25.7).values, rel=1e-4
    )


def test_a_direction_is_its_units_weighted(network):
    weights = torch.randn(256)
    direction = Direction("mixed3a", tuple(weights.tolist()), name="probe")
    found = measure(network, [direction, "mixed3a:3"], FEW)
    units = measure(network, "mixed3a", FEW)
    assert found["unit"].values.tolist() == ["mixed3a:probe", "mixed3a:3"]
    expected = np.tensordot(weights.numpy(), units.values, 1)
    assert np.allclose(found.values[0], expected, atol=1e-4 * np.abs(expected).max())
    assert np.allclose(found.values[1], units.values[3], atol=1e-6)


@pytest.mark.slow
def test_the_response_of_a_neighborhood_is_its_maximum(network):
    reach = 1
    found = measure(network, "mixed3a", FEW, reach=reach)
    placed = placement(network, "mixed3a", reach=reach)
    y, x = placed.shift
    pictures = FEW.fix(size=placed.size, x=x, y=y).draw().picture
    whole = network.activations(pictures, ["mixed3a"])["mixed3a"]
    row, column = placed.position
    near = whole[:, :, row - 1 : row + 2, column - 1 : column + 2].amax((2, 3))
    assert np.allclose(found.values.reshape(256, -1).T, near.numpy(), atol=1e-6)
    assert (found.values >= measure(network, "mixed3a", FEW).values - 1e-6).all()


def test_positions_count_from_the_center_of_the_receptive_field(network):
    placed = StimulusSet(curve, {"x": (-4.0, 0.0, 4.0), "orientation": (0, 90)}, {"radius": 20.0})
    found = measure(network, "mixed3a", placed)
    assert found["x"].values.tolist() == [-4, 0, 4]
    alone = measure(network, "mixed3a", placed.sel(x=4.0))
    assert np.allclose(found.sel(x=4.0).values, alone.values, atol=1e-6)


def disc(*, radius: Tensor) -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(61.0) - 30, torch.arange(61.0) - 30, indexing="ij")
    inside = (rows.hypot(columns) < radius[:, None, None]).float()
    return inside[:, None].expand(-1, 3, -1, -1).contiguous()


def test_a_users_family_without_a_position_is_drawn_as_it_is(network):
    own = StimulusSet(disc, {"radius": (5, 10, 20)})
    found = measure(network, "mixed3a", own)
    whole = network.activations(own.draw().picture, ["mixed3a"])["mixed3a"]
    assert np.allclose(found.values.T, whole[:, :, 3, 3].numpy(), atol=1e-6)


def test_batches_change_nothing(network):
    one, many = (measure(network, "conv2d2", FEW, batch=batch) for batch in (3, 64))
    assert np.allclose(one.values, many.values, atol=1e-5)


def test_a_saved_measurement_is_read_and_not_repeated(network, tmp_path, monkeypatch):
    path = tmp_path / "curves.nc"
    found = measure(network, "conv2d2", FEW, save=path)
    xr.testing.assert_identical(Responses.load(path), found)
    monkeypatch.setattr("visioncircuits.tuning.responses._all", None)
    done: list[int] = []
    again = measured(network, "conv2d2", FEW, save=path, advance=done.append)
    xr.testing.assert_identical(again, found)
    assert sum(done) == len(FEW)


def test_an_interrupted_measurement_is_resumed(network, tmp_path):
    path = tmp_path / "curves.nc"
    placed: list[int] = []

    def interrupt(more: int) -> None:
        placed.append(more)
        if sum(placed) == 4 * 16 + 2:
            raise KeyboardInterrupt

    many = named("curves").isel(orientation=slice(0, None, 2))  # 72 stimuli, parts of 32
    with pytest.raises(KeyboardInterrupt):
        measured(network, "conv2d1", many, batch=2, save=path, advance=interrupt)
    assert not path.exists()
    drawn: list[int] = []
    original = StimulusSet.draw

    def draw(self, indices=None):
        drawn.append(len(list(indices)))
        return original(self, indices)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StimulusSet, "draw", draw)
        found = measure(network, "conv2d1", many, batch=2, save=path)
    assert sum(count for count in drawn if count == 2) == 72 - 64
    xr.testing.assert_allclose(found, measure(network, "conv2d1", many), atol=1e-5)
    assert [file.name for file in tmp_path.iterdir()] == ["curves.nc"]


def test_another_measurement_replaces_the_file(network, tmp_path):
    path = tmp_path / "curves.nc"
    measure(network, "conv2d1", FEW, save=path)
    other = measure(network, "conv2d2", FEW, save=path)
    xr.testing.assert_identical(Responses.load(path), other)


def test_the_record_holds_how_it_was_measured(network):
    record = json.loads(measure(network, "conv2d1:5", FEW).attrs["record"])
    assert record["network"]["name"] == "untrained bvlc_googlenet"
    assert record["layer"] == "conv2d1"
    assert record["features"] == ["conv2d1:5"]
    assert record["stimuli"]["axes"]["orientation"] == [0, 90, 180, 270]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ("mixed3c", "unknown layer 'mixed3c'"),
        ("mixed3a:256", "units 0 to 255"),
        (["mixed3a:1", "mixed3b:1"], "features of one layer are needed"),
        ([], "no feature is given"),
        ("logits", "before the global pooling"),
    ],
)
def test_features_that_cannot_be_measured_are_rejected(network, features, message):
    with pytest.raises(InputError, match=message):
        measure(network, features, FEW)


def test_a_stimulus_larger_than_the_receptive_field_is_rejected(network):
    with pytest.raises(InputError, match="picture"):
        measure(network, "conv2d1", named("circles"))


def test_a_radius_of_zero_is_rejected(network):
    with pytest.raises(InputError, match="radius"):
        measure(network, "conv2d1", named("curves").vary(radius=(0.0, 10.0)))


def test_responses_that_are_not_finite_are_rejected():
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
    module[0].weight.data[1] = math.nan
    with pytest.raises(InputError, match="the value nan in 1"):
        measure(wrap(module, Preprocessing(), size=32), "1", FEW)


def test_a_file_must_be_netcdf(network, tmp_path):
    with pytest.raises(InputError, match=r"name it \.nc"):
        measure(network, "conv2d1", FEW, save=tmp_path / "curves.csv")


def test_a_users_family_may_have_a_position_and_a_size_without_a_device(network):
    def spot(*, radius: Tensor, x: float, y: float, size: int) -> Tensor:
        rows, columns = torch.meshgrid(*[torch.arange(size) - (size - 1) / 2] * 2, indexing="ij")
        inside = (rows - y) ** 2 + (columns - x) ** 2 < radius[:, None, None] ** 2
        return inside.float()[:, None].expand(-1, 3, -1, -1)

    found = measure(network, "mixed3a", StimulusSet(spot, {"radius": (4.0, 9.0)}))
    placed = placement(network, "mixed3a")
    y, x = placed.shift
    drawn = spot(radius=torch.tensor([4.0, 9.0]), x=x, y=y, size=placed.size[0])
    row, column = placed.position
    whole = network.activations(drawn, ["mixed3a"])["mixed3a"][:, :, row, column]
    assert np.allclose(found.values.T, whole.numpy(), atol=1e-5)


def test_networks_of_one_channel_get_the_same_stimuli_in_gray():
    module = nn.Sequential(nn.Conv2d(1, 4, 5), nn.ReLU())
    network = wrap(module, Preprocessing(channels=1), size=32)
    found = measure(network, "0", FEW.fix(ink="red"))
    colors = FEW.fix(ink="red", size=5).draw().picture
    luma = torch.einsum("bchw,c->bhw", colors, torch.tensor([0.299, 0.587, 0.114]))[:, None]
    assert np.allclose(
        found.values.reshape(4, -1).T, module[0](luma)[:, :, 0, 0].detach().numpy(), atol=1e-5
    )


def test_a_measurement_by_other_code_is_repeated(network, tmp_path, monkeypatch):
    path = tmp_path / "tuning.nc"
    measure(network, "conv2d0", FEW, save=path)
    monkeypatch.setattr(fingerprint, "code", lambda: "mended")
    measure(network, "conv2d0", FEW, save=path)
    assert json.loads(Responses.load(path).attrs["record"])["code"] == "mended"


def labeled(values, **axes):
    units = [f"a:{place}" for place in range(len(values))]
    return Responses(values, dims=("unit", *axes), coords={"unit": units, **axes})


@pytest.mark.parametrize(
    ("responses", "drawn"),
    [
        (labeled(np.ones((1, 4)), orientation=[0, 90, 180, 270]), True),
        (labeled(np.ones((2, 4)), orientation=[0, 45, 90, 135]), True),
        (labeled(np.ones((20, 4, 2)), orientation=[0, 90, 180, 270], radius=[5, np.inf]), True),
        (labeled(np.array([[1.0] * 4, [np.nan] * 4]), orientation=[0, 90, 180, 270]), True),
        (labeled(-np.ones((2, 4)), orientation=[0, 90, 180, 270]), False),
        (labeled(np.full((2, 4), np.nan), orientation=[0, 90, 180, 270]), False),
        (labeled(np.ones((2, 2)), orientation=[0, 90]), False),
        (labeled(np.ones((2, 4)), orientation=[0, 10, 40, 90]), False),
        (labeled(np.ones((2, 3)), ink=["red", "green", "blue"]), False),
        (labeled(np.ones((2, 4)), orientation=[0, 90, 180, 270]).isel(unit=0), False),
    ],
)
def test_responses_show_curves_where_they_can_be_drawn_and_always_the_values(responses, drawn):
    shown = responses._repr_html_()
    assert shown.startswith("<img") == drawn
    assert "xarray" in shown


def test_a_set_is_given_by_name_or_as_a_file(tmp_path):
    network = untrained("bvlc_googlenet")
    path = tmp_path / "bent.toml"
    path.write_text('stimuli = "curves"\n[axes]\norientation = [0, 90]\n[fixed]\nradius = 30\n')
    given = named("curves").fix(radius=30).vary(orientation=[0, 90])
    by_file = measure(network, "conv2d0:5", path)
    xr.testing.assert_identical(by_file, measure(network, "conv2d0:5", given))
    assert dict(by_file.sizes) == {"unit": 1, "orientation": 2}
    assert measure(network, "conv2d0:5", "edges").sizes["orientation"] == 72
    with pytest.raises(InputError, match="unknown stimulus set 'edgs'"):
        measure(network, "conv2d0:5", "edgs")
