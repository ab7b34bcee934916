"""What is told of a unit's weights are the network's weights."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from visioncircuits.engine import Work
from visioncircuits.gallery import weighing
from visioncircuits.gallery.plan import weighings
from visioncircuits.gallery.recipe import Recipe
from visioncircuits.gallery.recipe import Weights as Options
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Network, Preprocessing, load, wrap
from visioncircuits.weights import decoded, expanded_weights

NAME = "torchvision:squeezenet1_1"


@pytest.fixture(scope="module")
def network(random_squeezenet: Path) -> Network:
    return load(NAME, checkpoint=random_squeezenet)


def work(network: Network, layer: str, units: tuple[int, ...], **options: Any) -> Work:
    recipe = Recipe(
        title="T",
        network=NAME,
        weights=Options(**options),
        layers=[{"name": layer, "units": "all"}],
    )
    (asked,) = weighings(recipe, network, [Selection(network.layers[layer], units, {}, {})])
    return asked


Told = dict[str, tuple[dict[str, Any], np.ndarray]]


def told(asked: Work, checkpoint: Path) -> Told:
    files = weighing.weigh(asked, checkpoint=checkpoint)
    found = {}
    for feature in asked["features"]:
        stem = weighing.stem(feature)
        pixels = np.asarray(Image.open(io.BytesIO(files[f"{stem}.webp"])).convert("RGB"))
        found[feature] = json.loads(files[f"{stem}.json"]), pixels
    assert len(files) == 2 * len(found)
    return found


def tile(block: dict[str, Any], pixels: np.ndarray, place: int) -> np.ndarray:
    height, width = block["tile"]
    shown = pixels[block["top"] :, place * width :][:height, :width]
    return decoded(shown, block["scale"])


@pytest.fixture(scope="module")
def found(network: Network, random_squeezenet: Path) -> Told:
    return told(work(network, "features.3", (3, 70), connections=9), random_squeezenet)


def test_inputs_are_the_convolutions_own_weights(network: Network, found: Told) -> None:
    data, pixels = found["features.3:70"]
    block = data["inputs"][0]
    assert block["layer"] == "features.3.squeeze_activation"
    kernels = network.module.features[3].expand3x3.weight[70 - 64].detach()
    norms = kernels.flatten(1).norm(dim=1)
    strongest = norms.argsort(descending=True)[:9]
    assert [unit["index"] for unit in block["units"]] == strongest.tolist()
    for place, unit in enumerate(block["units"]):
        kernel = kernels[unit["index"]]
        assert unit["norm"] == pytest.approx(float(kernel.norm()), rel=1e-3)
        assert unit["positive"] == pytest.approx(float(kernel.clamp(min=0).norm()), rel=1e-3)
        assert unit["negative"] == pytest.approx(float(kernel.clamp(max=0).norm()), rel=1e-3)
        shown = tile(block, pixels, place)
        assert np.abs(shown - kernel.numpy()).max() <= 0.0051 * block["scale"]
    assert block["norm"] == pytest.approx(float(kernels.norm()), rel=1e-3)


def test_a_kernel_is_as_large_as_the_unit_needs_not_as_its_layer(found: Told) -> None:
    (one, _), (three, _) = found["features.3:3"], found["features.3:70"]
    assert one["inputs"][0]["kernel"] == [1, 1]
    assert three["inputs"][0]["kernel"] == [3, 3]


def test_every_earlier_layer_is_told_of_down_to_the_picture(found: Told) -> None:
    data, pixels = found["features.3:70"]
    layers = [block["layer"] for block in data["inputs"]]
    assert layers == ["features.3.squeeze_activation", "features.1", "input"]
    assert [unit["index"] in (0, 1, 2) for unit in data["inputs"][2]["units"]] == [True] * 3
    assert data["size"] == list(pixels.shape[:2])


def test_outputs_are_what_the_next_layer_does_with_the_unit(network: Network, found: Told) -> None:
    data, _ = found["features.3:3"]
    (block,) = data["outputs"]
    assert block["layer"] == "features.4.squeeze_activation"
    weights = network.module.features[4].squeeze.weight[:, 3, 0, 0].detach()
    strongest = weights.abs().argsort(descending=True)[:9]
    assert [unit["index"] for unit in block["units"]] == strongest.tolist()
    assert block["units"][0]["norm"] == pytest.approx(float(weights.abs().max()), rel=1e-3)


def test_factors_are_drawn_below_the_connections(found: Told) -> None:
    data, pixels = found["features.3:70"]
    block = data["inputs"][0]
    assert len(block["factors"]) == 2
    assert 0 < block["explained"] < 1
    height, width = block["tile"]
    maps = pixels[block["factors_top"] : block["factors_top"] + height, : 2 * width]
    values = decoded(maps, block["factors_scale"])
    assert np.abs(values).max() == pytest.approx(block["factors_scale"], rel=0.01)
    for factor in block["factors"]:
        weights = [weight for _, weight in factor["units"]]
        assert weights == sorted(weights, reverse=True)


def test_of_a_large_kernel_a_square_is_the_mean_of_several_weights(
    network: Network, random_squeezenet: Path
) -> None:
    asked = work(network, "features.6.expand3x3_activation", (5,), connections=2)
    data, pixels = told(asked, random_squeezenet)["features.6.expand3x3_activation:5"]
    block = data["inputs"][-1]
    assert block["layer"] == "input"
    assert block["mean_of"] == 2
    kernel = expanded_weights(network, "input", "features.6.expand3x3_activation:5").weight[0]
    kernel = kernel[block["units"][0]["index"]].numpy()
    height, width = block["kernel"]
    assert kernel.shape == (height, width)
    means = np.array(
        [
            [kernel[y : y + 2, x : x + 2].mean() for x in range(0, width, 2)]
            for y in range(0, height, 2)
        ]
    )
    assert np.abs(tile(block, pixels, 0) - means).max() <= 0.0051 * block["scale"]


def test_a_unit_is_told_of_the_same_alone(
    network: Network, random_squeezenet: Path, found: Told
) -> None:
    alone = told(work(network, "features.3", (3,), connections=9), random_squeezenet)
    (one, _), (other, _) = alone["features.3:3"], found["features.3:3"]
    for mine, theirs in zip(one["inputs"], other["inputs"], strict=True):
        assert mine["kernel"] == theirs["kernel"]
        assert mine["scale"] == pytest.approx(theirs["scale"], rel=1e-3)


def test_the_recipe_says_how_much_is_told(network: Network, random_squeezenet: Path) -> None:
    asked = work(network, "features.3", (3,), connections=2, layers=1, factors=0)
    data, _ = told(asked, random_squeezenet)["features.3:3"]
    (block,) = data["inputs"]
    assert len(block["units"]) == len(data["outputs"][0]["units"]) == 2
    assert block["factors"] == []


class Sums(nn.Module):
    """A convolution after something that no kernel stands for."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.sigmoid(self.first(x)))


def test_what_cannot_be_followed_is_said_and_the_rest_is_told(
    monkeypatch: pytest.MonkeyPatch, random_squeezenet: Path
) -> None:
    module = Sums()
    with torch.no_grad():
        module.first[0].weight[2] = 0
    network = wrap(module, Preprocessing(), size=24, name="sums")
    monkeypatch.setattr(weighing, "loaded", lambda *_: network)
    data, _ = told(work(network, "second", (1,)), random_squeezenet)["second:1"]
    assert "'sigmoid', which has no linear stand-in" in data["inputs"][0]["untold"]
    data, _ = told(work(network, "first", (1, 2)), random_squeezenet)["first:1"]
    assert data["inputs"][0]["untold"] == ""
    assert "'sigmoid'" in data["outputs"][0]["untold"]
    data, _ = told(work(network, "first", (2,)), random_squeezenet)["first:2"]
    assert "zero" in data["inputs"][0]["untold"]
