import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from visioncircuits.attribution import (
    Attribution,
    gradient_times_activation,
    integrated_gradients,
    overlay,
)
from visioncircuits.errors import InputError
from visioncircuits.networks import Preprocessing, untrained, wrap


@pytest.fixture(scope="module")
def network():
    return untrained("bvlc_googlenet", seed=3)


@pytest.fixture(scope="module")
def pictures():
    return torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))


def test_of_a_linear_step_gradient_times_activation_is_exact(network, pictures):
    found = gradient_times_activation(
        network, "mixed3b_1x1_pre_relu:9", pictures, to="mixed3a", position=(4, 5)
    )
    bias = network.module.get_submodule("mixed3b_1x1_pre_relu").bias[9]
    assert torch.allclose(found.values.sum((1, 2, 3)) + bias, found.activation, atol=1e-4)
    assert (found.values[:, :, 4, 5] != 0).any()
    found.values[:, :, 4, 5] = 0
    assert found.values.abs().max() == 0


@pytest.mark.parametrize(
    "to", [pytest.param("input", marks=pytest.mark.slow), "conv2d2", "mixed3a"]
)
def test_integrated_gradients_are_complete(network, pictures, to):
    found = integrated_gradients(network, "mixed3b:9", pictures, to=to, steps=64)
    whole = (found.activation - found.baseline).abs().max()
    assert found.remainder.abs().max() < 0.03 * whole


def test_they_agree_with_small_changes_of_the_layer(network, pictures):
    found = gradient_times_activation(network, "mixed3a:5", pictures[:1], position=(6, 6))
    generator = torch.Generator().manual_seed(1)
    step = 1e-3 * torch.randn(1, 3, 96, 96, generator=generator)

    def measured(changed: torch.Tensor) -> torch.Tensor:
        return network.activations(changed.double(), ["mixed3a"])["mixed3a"][0, 5, 6, 6]

    numeric = measured(pictures[:1] + step) - measured(pictures[:1] - step)
    gradient = found.values / pictures[:1]
    assert float(2 * (gradient * step).sum()) == pytest.approx(float(numeric), rel=0.1)


def test_a_logit_is_explained_without_a_position(network, pictures):
    picture = torch.nn.functional.interpolate(pictures[:1], size=224)
    found = gradient_times_activation(network, "logits:207", picture, to="mixed5b")
    assert found.values.shape == (1, 1024, 7, 7)
    bias = network.module.get_submodule("logits").bias[207]
    assert float(found.values.sum() + bias) == pytest.approx(
        float(found.activation), rel=1e-3, abs=1e-4
    )


def test_any_module_will_do():
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Conv2d(4, 2, 3)
    )
    network = wrap(module, Preprocessing(), size=32)
    found = gradient_times_activation(network, "2:1", torch.rand(1, 3, 32, 32), to="1")
    assert float(found.values.sum() + module[2].bias[1].detach()) == pytest.approx(
        float(found.activation), abs=1e-5
    )


@pytest.mark.parametrize(
    ("feature", "options", "message"),
    [
        ("mixed3a:1", {"to": "mixed3b"}, "does not depend on mixed3b"),
        ("mixed3a:1", {"to": "mixed3a"}, "does not depend on mixed3a"),
        ("mixed3a:1", {"position": (12, 0)}, "12 × 12 neurons"),
        ("mixed3a:1", {"to": "nowhere"}, "unknown layer"),
        ("logits:1", {"position": (0, 0)}, "leave the position out"),
    ],
)
def test_what_cannot_be_explained_is_refused(network, pictures, feature, options, message):
    picture = (
        torch.nn.functional.interpolate(pictures, size=224) if "logits" in feature else pictures
    )
    with pytest.raises(InputError, match=message):
        gradient_times_activation(network, feature, picture, **options)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures_of_any_channels_are_overlaid(channels):
    picture, values = torch.rand(channels, 32, 48), torch.randn(5, 4, 6)
    image = overlay(picture, values, scale=1)
    assert image.size == (48 + 4 + 48, 32)
    left = torch.from_numpy(np.array(image)[:, :48]).permute(2, 0, 1) / 255
    expected = picture if channels == 3 else picture.mean(0, keepdim=True).expand(3, -1, -1)
    assert (left - expected).abs().max() < 0.01


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_an_attribution_shows_its_first_pictures_and_is_read_back(tmp_path, suffix):
    pictures = torch.rand(6, 3, 64, 64)
    found = gradient_times_activation(
        untrained("bvlc_googlenet"), "mixed3a:5", pictures, to="conv2d2"
    )
    with Image.open(io.BytesIO(found._repr_png_())) as image:
        assert image.size == (4 * (2 * 64 + 4) + 3 * 12, 64 + 24)
    again = Attribution.load(found.save(tmp_path / f"found{suffix}"))
    assert (again.feature, again.to) == (found.feature, found.to)
    assert again.record == json.loads(json.dumps(found.record))
    for name in ("pictures", "values", "activation", "baseline"):
        assert torch.equal(getattr(again, name), getattr(found, name))


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_an_attribution_of_any_value_shows_itself(value):
    values = torch.full((1, 2, 4, 4), value)
    found = Attribution("a:1", "b", torch.rand(1, 3, 8, 8), values, values[0, 0, 0, :1],
                        values[0, 0, 0, :1], {})  # fmt: skip
    assert found._repr_png_()
