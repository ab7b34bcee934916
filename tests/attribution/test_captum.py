"""Our attributions beside Captum's, and Captum's methods on our features."""

import warnings

import pytest
import torch

from visioncircuits.attribution import (
    FeatureValue,
    gradient_times_activation,
    integrated_gradients,
    path_contributions,
)
from visioncircuits.errors import InputError
from visioncircuits.networks import untrained

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    captum = pytest.importorskip("captum.attr")

PLACE = (4, 5)


@pytest.fixture(scope="module")
def network():
    return untrained("bvlc_googlenet", seed=3)


@pytest.fixture(scope="module")
def pictures():
    return torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def value(network):
    return FeatureValue(network, "mixed3b:200", position=PLACE)


def close(ours, theirs):
    theirs = theirs.detach()
    return torch.allclose(ours, theirs, atol=1e-4 * float(theirs.abs().max()))


@pytest.mark.parametrize("layer", ["conv2d2", "mixed3a"])
def test_gradient_times_activation_is_captum_s(network, pictures, value, layer):
    ours = gradient_times_activation(
        network, "mixed3b:200", pictures, to=layer, position=PLACE
    ).values
    method = captum.LayerGradientXActivation(value, network.module.get_submodule(layer))
    theirs = method.attribute(pictures)
    assert theirs.abs().max() > 0
    assert close(ours, theirs)


def test_integrated_gradients_are_captum_s(network, pictures, value):
    ours = integrated_gradients(
        network, "mixed3b:200", pictures, position=PLACE, baseline=0.5, steps=8
    ).values
    theirs = captum.IntegratedGradients(value).attribute(
        pictures, baselines=0.5, n_steps=8, method="riemann_middle"
    )
    assert close(ours, theirs)


def test_paths_add_up_to_captum_s_gradient_times_activation(network, pictures, value):
    found = path_contributions(
        network, "mixed3a", "mixed3b:200", pictures, position=PLACE,
        through="mixed3b_3x3_bottleneck",
    )  # fmt: skip
    method = captum.LayerGradientXActivation(value, network.module.get_submodule("mixed3a"))
    theirs = method.attribute(pictures).sum((2, 3))
    assert theirs.abs().max() > 0
    for paths, expected in zip(found, theirs, strict=True):
        ours = torch.tensor(paths.contributions.sum("mixed3b_3x3_bottleneck").values)
        assert close(ours, expected)


@pytest.mark.slow
def test_a_method_that_is_captum_s_alone_adds_up_on_our_features(network, pictures, value):
    layer = network.module.get_submodule("mixed3a")
    conductance = captum.LayerConductance(value, layer).attribute(
        pictures, baselines=0.5, n_steps=50
    )
    with torch.no_grad():
        whole = value(pictures) - value(torch.full_like(pictures, 0.5))
    assert torch.allclose(
        conductance.sum((1, 2, 3)).float(), whole, atol=0.05 * float(whole.abs().max())
    )


def test_a_neuron_s_position_is_required_where_there_is_one(network):
    assert FeatureValue(network, "logits:7")(torch.rand(1, 3, 224, 224)).shape == (1,)
    with pytest.raises(InputError, match="give the position"):
        FeatureValue(network, "mixed3b:200")
    with pytest.raises(InputError, match="leave the position out"):
        FeatureValue(network, "logits:7", position=(0, 0))
