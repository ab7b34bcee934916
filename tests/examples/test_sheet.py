import pytest
import torch
from torch import nn

from visioncircuits.datasets import Photographs, photographs
from visioncircuits.errors import InputError
from visioncircuits.examples import Examples, collect, expected_value, sheet
from visioncircuits.examples.overview import overview
from visioncircuits.networks import Direction, Preprocessing, parse, untrained, wrap


@pytest.fixture(scope="module")
def network():
    return untrained("bvlc_googlenet", seed=2)


@pytest.fixture(scope="module")
def pictures():
    return torch.rand(6, 3, 96, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def found(network, pictures):
    return collect(network, "conv2d2:5", pictures, top=3)


def test_shares_of_the_mean_activation_sum_to_one(network, pictures, found):
    shown = photographs(pictures).pictures(network.size)
    values = network.activations(shown, ["conv2d2"])["conv2d2"].transpose(0, 1).flatten(1)
    unit = int(values.mean(1).argmax())
    middles, shares = expected_value(found.layers["conv2d2"], unit)
    assert shares.sum() == pytest.approx(1)
    high = float(values[unit].quantile(0.9))
    expected = values[unit][values[unit] > high].sum() / values[unit].sum()
    assert shares[middles > high].sum() == pytest.approx(float(expected), abs=0.03)


def test_a_sheet_reads_each_photograph_once(network, found, monkeypatch):
    names: list[str] = []
    read = Photographs.read

    def noted(self: Photographs, name: str, size: int) -> torch.Tensor:
        names.append(name)
        return read(self, name, size)

    monkeypatch.setattr(Photographs, "read", noted)
    figure = sheet(network, "conv2d2:5", found)
    assert len(figure.axes) > 3 + 2
    assert len(set(names)) == len(names)


def test_a_unit_without_examples_raises(network, found):
    with pytest.raises(InputError, match="no examples of mixed3a, only of conv2d2"):
        sheet(network, "mixed3a:5", found)
    with pytest.raises(InputError, match="units 0 to 191"):
        sheet(network, "conv2d2:500", found)


def test_a_notebook_shows_the_examples_that_were_asked_for(found):
    png = found._repr_png_()
    assert png is not None
    assert png.startswith(b"\x89PNG")


def test_loaded_examples_need_the_photographs_again(network, pictures, found, tmp_path):
    loaded = type(found).load(found.save(tmp_path / "examples.npz"))
    assert loaded._repr_png_() is None
    with pytest.raises(InputError, match="pass the photographs"):
        sheet(network, "conv2d2:5", loaded)
    assert len(sheet(network, "conv2d2:5", loaded, photographs(pictures)).axes) > 5


def test_a_network_of_one_channel_has_its_examples_in_gray():
    module = nn.Sequential(nn.Conv2d(1, 3, 7), nn.ReLU())
    network = wrap(module, Preprocessing(channels=1), size=24)
    examples = collect(network, "1:1", torch.rand(4, 3, 24, 24))
    for figure in (sheet(network, "1:1", examples), overview(examples, examples.shown)):
        shown = [image.get_array() for axes in figure.axes for image in axes.images]
        assert len(shown) >= 4
        assert all((pixels == pixels[..., :1]).all() for pixels in shown)


@pytest.mark.slow
def test_pictures_of_two_channels_are_shown_as_their_mean():
    module = nn.Sequential(nn.Conv2d(2, 3, 7), nn.ReLU())
    network = wrap(module, Preprocessing(channels=2), size=24)
    examples = collect(network, "1:1", torch.rand(4, 2, 24, 24))
    (axes, *_) = sheet(network, "1:1", examples).axes
    assert axes.images[0].get_array().shape == (96, 96, 3)


@pytest.mark.slow
def test_examples_of_a_direction_are_the_largest_projections(network, pictures, tmp_path):
    probe = Direction("mixed3a", torch.randn(256, generator=torch.Generator().manual_seed(0)))
    found = collect(network, [probe, "conv2d2:5"], pictures, top=2)
    shown = photographs(pictures).pictures(network.size)
    maps = torch.einsum(
        "u,buyx->byx", probe.vector(256), network.activations(shown, ["mixed3a"])["mixed3a"]
    )  # after the rectifier
    highest, order = maps.flatten(1).amax(1).sort(descending=True)
    tops = found.layers["mixed3a:direction"].tops
    assert tops.pictures[0].tolist() == order[:2].tolist()
    assert torch.allclose(torch.from_numpy(tops.values[0]), highest[:2], rtol=1e-4)
    assert list(found.layers) == ["conv2d2", "mixed3a:direction"]
    assert found._repr_png_()
    loaded = Examples.load(found.save(tmp_path / "examples.npz"))
    assert parse(loaded.record["directions"]["mixed3a:direction"]) == probe
    sheet(network, probe, loaded, pictures)


def test_other_directions_than_those_collected_are_refused(network, pictures):
    one, other = (Direction("conv2d2", row) for row in torch.eye(192)[:2])
    with pytest.raises(InputError, match="two features are named conv2d2:direction"):
        collect(network, [one, other], pictures)
    found = collect(network, one, pictures, top=1)
    for feature in (other, Direction("conv2d2", one.weights, name="other")):
        with pytest.raises(InputError, match=r"there are no examples of conv2d2:.*; collect them"):
            sheet(network, feature, found)
    with pytest.raises(InputError, match="no examples of conv2d2, only of conv2d2:direction"):
        sheet(network, "conv2d2:0", found)
    with pytest.raises(InputError, match="logits has no positions"):
        collect(network, Direction("logits", torch.ones(1000)), pictures)
