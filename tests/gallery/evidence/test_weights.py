"""The weights shown of a unit are the network's weights."""

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
from visioncircuits.gallery.evidence import weights
from visioncircuits.gallery.evidence.kind import stem
from visioncircuits.gallery.recipe import Recipe
from visioncircuits.gallery.recipe_tables import Weights as Options
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Network, Preprocessing, Unit, load, parse, wrap
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
    (requested,) = weights.requests(
        recipe,
        network,
        [Selection(network.layers[layer], tuple(Unit(layer, each) for each in units), {}, {})],
    )
    return requested


Results = dict[str, tuple[dict[str, Any], np.ndarray]]


def computed(network: Network, requested: Work) -> Results:
    files = weights.make(network, requested)
    found = {}
    for feature in requested["features"]:
        name = stem(parse(feature), "weights")
        pixels = np.asarray(Image.open(io.BytesIO(files[f"{name}.webp"])).convert("RGB"))
        found[feature] = json.loads(files[f"{name}.json"]), pixels
    assert len(files) == 2 * len(found)
    return found


def units(block: dict[str, Any]) -> list[dict[str, Any]]:
    """The connections of a layer, which are kept by columns."""
    columns = block["units"]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def tile(block: dict[str, Any], pixels: np.ndarray, place: int) -> np.ndarray:
    height, width = block["tile"]
    shown = pixels[block["top"] :, place * width :][:height, :width]
    return decoded(shown, block["scale"])


@pytest.fixture(scope="module")
def found(network: Network) -> Results:
    return computed(network, work(network, "features.3", (3, 70), connections=9))


def test_inputs_are_the_convolutions_own_weights(network: Network, found: Results) -> None:
    data, pixels = found["features.3:70"]
    block = data["inputs"][0]
    assert block["layer"] == "features.3.squeeze_activation"
    kernels = network.module.features[3].expand3x3.weight[70 - 64].detach()
    norms = kernels.flatten(1).norm(dim=1)
    strongest = norms.argsort(descending=True)[:9]
    assert [unit["index"] for unit in units(block)] == strongest.tolist()
    for place, unit in enumerate(units(block)):
        kernel = kernels[unit["index"]]
        assert unit["norm"] == pytest.approx(float(kernel.norm()), rel=1e-3)
        assert unit["positive"] == pytest.approx(float(kernel.clamp(min=0).norm()), rel=1e-3)
        assert unit["negative"] == pytest.approx(float(kernel.clamp(max=0).norm()), rel=1e-3)
        shown = tile(block, pixels, place)
        assert np.abs(shown - kernel.numpy()).max() <= 0.0051 * block["scale"]
    assert block["norm"] == pytest.approx(float(kernels.norm()), rel=1e-3)


def test_a_kernel_has_the_size_of_the_units_own_kernels_not_of_its_layers_largest(
    found: Results,
) -> None:
    (one, _), (three, _) = found["features.3:3"], found["features.3:70"]
    assert one["inputs"][0]["kernel"] == [1, 1]
    assert three["inputs"][0]["kernel"] == [3, 3]


def test_every_earlier_layer_is_an_input_down_to_the_picture(found: Results) -> None:
    data, pixels = found["features.3:70"]
    layers = [block["layer"] for block in data["inputs"]]
    assert layers == ["features.3.squeeze_activation", "features.1", "input"]
    assert [unit["index"] in (0, 1, 2) for unit in units(data["inputs"][2])] == [True] * 3
    assert data["size"] == list(pixels.shape[:2])


def test_outputs_are_the_next_layers_weights_from_the_unit(
    network: Network, found: Results
) -> None:
    data, _ = found["features.3:3"]
    (block,) = data["outputs"]
    assert block["layer"] == "features.4.squeeze_activation"
    kernels = network.module.features[4].squeeze.weight[:, 3, 0, 0].detach()
    strongest = kernels.abs().argsort(descending=True)[:9]
    assert [unit["index"] for unit in units(block)] == strongest.tolist()
    assert units(block)[0]["norm"] == pytest.approx(float(kernels.abs().max()), rel=1e-3)


def test_factors_are_drawn_below_the_connections(found: Results) -> None:
    data, pixels = found["features.3:70"]
    block = data["inputs"][0]
    assert len(block["factors"]) == 2
    assert 0 < block["explained"] < 1
    height, width = block["tile"]
    maps = pixels[block["factors_top"] : block["factors_top"] + height, : 2 * width]
    values = decoded(maps, block["factors_scale"])
    assert np.abs(values).max() == pytest.approx(block["factors_scale"], rel=0.01)
    for factor in block["factors"]:
        members = [weight for _, weight in factor]
        assert members == sorted(members, reverse=True)


def test_a_pixel_of_a_large_kernel_is_the_mean_of_several_weights(network: Network) -> None:
    requested = work(network, "features.6.expand3x3_activation", (5,), connections=2, layers="all")
    data, pixels = computed(network, requested)["features.6.expand3x3_activation:5"]
    block = data["inputs"][-1]
    assert block["layer"] == "input"
    assert block["mean_of"] == 2
    kernel = expanded_weights(network, "input", "features.6.expand3x3_activation:5").weight[0]
    kernel = kernel[units(block)[0]["index"]].numpy()
    height, width = block["kernel"]
    assert kernel.shape == (height, width)
    means = np.array(
        [
            [kernel[y : y + 2, x : x + 2].mean() for x in range(0, width, 2)]
            for y in range(0, height, 2)
        ]
    )
    assert np.abs(tile(block, pixels, 0) - means).max() <= 0.0051 * block["scale"]


def test_a_unit_alone_has_the_same_weights_as_among_others(
    network: Network, found: Results
) -> None:
    alone = computed(network, work(network, "features.3", (3,), connections=9))
    (one, _), (other, _) = alone["features.3:3"], found["features.3:3"]
    for mine, theirs in zip(one["inputs"], other["inputs"], strict=True):
        assert mine["kernel"] == theirs["kernel"]
        assert mine["scale"] == pytest.approx(theirs["scale"], rel=1e-3)


def test_the_recipe_sets_how_much_is_shown(network: Network) -> None:
    requested = work(network, "features.3", (3,), connections=2, layers=1, factors=0)
    data, _ = computed(network, requested)["features.3:3"]
    (block,) = data["inputs"]
    assert len(units(block)) == len(units(data["outputs"][0])) == 2
    assert block["factors"] == []


class Sums(nn.Module):
    """A convolution after something that no kernel stands for."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x).cumsum(3))


def test_a_layer_without_expanded_weights_has_a_reason_beside_the_others() -> None:
    module = Sums()
    with torch.no_grad():
        module.first[0].weight[2] = 0
    network = wrap(module, Preprocessing(), size=24, name="sums")
    data, _ = computed(network, work(network, "second", (1,)))["second:1"]
    assert "'cumsum', which has no linear replacement" in data["inputs"][0]["reason"]
    data, _ = computed(network, work(network, "first", (1, 2)))["first:1"]
    assert data["inputs"][0]["reason"] == ""
    assert "'cumsum'" in data["outputs"][0]["reason"]
    data, _ = computed(network, work(network, "first", (2,)))["first:2"]
    assert "zero" in data["inputs"][0]["reason"]
