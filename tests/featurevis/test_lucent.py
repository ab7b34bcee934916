import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.featurevis import (
    NO_TRANSFORMS,
    Settings,
    from_lucent,
    objectives,
    render,
    render_all,
)
from visioncircuits.featurevis.objective import Activations
from visioncircuits.networks import Network, untrained

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("lucent")
    from lucent.modelzoo.inceptionv1.InceptionV1 import InceptionV1
    from lucent.optvis import objectives as lucents
    from lucent.optvis import param
    from lucent.optvis.render import hook_model

VECTOR = torch.linspace(-1, 1, 12)

OBJECTIVES: dict[str, Callable[[], Any]] = {
    "channel": lambda: lucents.channel("shapes", 3),
    "neuron": lambda: lucents.neuron("shapes", 3),
    "neuron at a place": lambda: lucents.neuron("shapes", 3, x=1, y=6),
    "neuron of one picture": lambda: lucents.neuron("shapes", 3, batch=1),
    "direction": lambda: lucents.direction("shapes", VECTOR),
    "direction of a neuron": lambda: lucents.direction_neuron("shapes", VECTOR),
    "weights": lambda: lucents.channel_weight("shapes", VECTOR),
    "a group": lambda: lucents.localgroup_weight("shapes", VECTOR, x=1, y=2, wx=3, wy=2),
    "interpolation": lambda: lucents.channel_interpolate("edges", 1, "shapes", 2),
    "alignment": lambda: lucents.alignment("shapes"),
    "diversity": lambda: lucents.diversity("shapes"),
    "labels": lambda: lucents.Objective(lambda T: -T("labels")[:, 4].mean(), "class"),
    "sum": lambda: lucents.channel("shapes", 3) + lucents.channel("edges", 2),
    "multiple": lambda: 0.5 * lucents.channel("shapes", 3) - 2 * lucents.channel("edges", 2),
    "blur": lambda: lucents.channel("shapes", 3) - 0.1 * lucents.blur_input_each_step(),
}


def lucents_loss(network: Network, objective: Any, pictures: Tensor) -> Tensor:
    """The loss by lucent's own hooks."""
    reader = hook_model(network.module, lambda: pictures)
    network.module(network.preprocessing(pictures))
    loss = objective(reader)
    for module in network.module.modules():
        module._forward_hooks.clear()
    return loss


@pytest.mark.parametrize("case", OBJECTIVES)
def test_lucents_objectives_have_the_values_of_lucent(network: Network, case: str) -> None:
    objective = OBJECTIVES[case]()
    ours = from_lucent(network, objective, pictures=4)
    pictures = torch.rand(4, 3, 32, 32)
    activations = Activations(
        pictures=pictures,
        layers=network.activations(pictures, ours.layers),
        units={},
        network=network,
    )
    torch.testing.assert_close(ours(activations), -lucents_loss(network, objective, pictures))


@pytest.mark.parametrize(
    "case", ["channel", "neuron", "direction", "labels", "sum", "multiple", "blur"]
)
def test_lucents_objectives_can_be_rendered_as_they_are(network: Network, case: str) -> None:
    settings = Settings(size=32, steps=12, transforms=NO_TRANSFORMS, redirected_relu_steps=0)
    found = render(network, OBJECTIVES[case](), settings=settings)
    assert found.history[-1] > found.history[0]
    assert found.objective.startswith("lucent's ")
    assert not found.dead


def test_a_lucent_channel_gives_the_picture_of_our_unit(network: Network) -> None:
    settings = Settings(size=32, steps=5, transforms=NO_TRANSFORMS)
    theirs = from_lucent(network, lucents.channel("shapes", 3))
    assert theirs.name == "lucent's Channel [shapes, 3, None]"
    # The name seeds the noise, so it must be the same.
    ours = replace(objectives.unit("shapes:3"), name=theirs.name)
    found, expected = (
        render(network, objective, settings=settings) for objective in (theirs, ours)
    )
    torch.testing.assert_close(found.picture, expected.picture, atol=1e-4, rtol=0)
    assert found.score == pytest.approx(expected.score, rel=1e-3)


def test_layers_may_have_lucents_names() -> None:
    network = untrained("inceptionv1")
    names = {"mixed3a_1x1_pre_relu_conv": "mixed3a_1x1_pre_relu", "mixed3a": "mixed3a"}
    names |= {"softmax2_pre_activation_matmul": "logits", "labels": "logits"}
    module = InceptionV1(pretrained=False)
    lucents_names = {name.replace(".", "_") for name, _ in module.named_modules()} | {"labels"}
    for theirs, ours in names.items():
        assert theirs in lucents_names
        assert from_lucent(network, lucents.channel(theirs, 0)).layers == (ours,)


def test_dots_in_names_may_be_underscores() -> None:
    network = untrained("torchvision:squeezenet1_1")
    objective = lucents.channel("features_3_squeeze_activation", 2)
    assert from_lucent(network, objective).layers == ("features.3.squeeze_activation",)


def test_invalid_lucent_objectives_are_refused(network: Network) -> None:
    with pytest.raises(InputError, match="'shapes'"):
        from_lucent(network, lucents.channel("shape", 1))
    with pytest.raises(InputError, match="from_lucent"):
        render(network, lucents.channel_interpolate("edges", 1, "shapes", 2))
    with pytest.raises(InputError, match="from_lucent"):
        render(network, lucents.channel("shapes", 1, batch=2))
    with pytest.raises(InputError, match="reads no activations"):
        render(network, lucents.blur_input_each_step())


PARAMETERIZATIONS: dict[str, Callable[[], Any]] = {
    "fourier": lambda: param.image(32),
    "pixels": lambda: param.image(32, fft=False, decorrelate=False),
    "cppn": lambda: param.cppn(32),
    "low resolution": lambda: low_resolution(),
}


def low_resolution() -> Any:
    parameters, draw = param.lowres_tensor((1, 3, 32, 32), (1, 3, 8, 8))
    return parameters, param.to_valid_rgb(draw, decorrelate=True)


@pytest.mark.slow
@pytest.mark.parametrize("case", PARAMETERIZATIONS)
def test_lucents_parameterizations_can_be_used_as_they_are(network: Network, case: str) -> None:
    settings = Settings(
        size=32,
        steps=25,
        transforms=NO_TRANSFORMS,
        redirected_relu_steps=0,
        rate=0.01,
        parameterization=PARAMETERIZATIONS[case],
    )
    state = torch.random.get_rng_state()
    objective = objectives.unit("shapes:3")
    found, again = (render(network, objective, settings=settings) for _ in range(2))
    assert found.history[-1] > found.history[0]
    assert torch.equal(found.picture, again.picture)
    assert torch.equal(torch.random.get_rng_state(), state)
    alone, _ = render_all(network, ["shapes:3", "edges:1"], settings=settings)
    other = render(network, "shapes:3", settings=settings)
    torch.testing.assert_close(alone.picture, other.picture, atol=1e-3, rtol=0)


def test_lucents_batches_draw_several_pictures_of_an_objective(network: Network) -> None:
    settings = Settings(
        size=32,
        steps=8,
        transforms=NO_TRANSFORMS,
        parameterization=lambda: param.image(32, batch=3),
    )
    objective = lucents.channel("shapes", 3) + 10 * lucents.diversity("shapes")
    found = list(render_all(network, [objective], settings=settings))
    assert len(found) == 3
    assert not torch.equal(found[0].picture, found[1].picture)
    again = list(
        render_all(network, [from_lucent(network, objective, pictures=3)], settings=settings)
    )
    assert torch.equal(again[2].picture, found[2].picture)


def test_four_lucent_channels_are_transparent_pictures(network: Network) -> None:
    settings = Settings(
        size=32, steps=3, parameterization=lambda: param.image(32, channels=4, decorrelate=False)
    )
    assert render(network, "shapes:3", settings=settings).picture.shape == (4, 32, 32)


def test_lucents_parameterizations_must_fit(network: Network) -> None:
    def with_(param_f: Callable[[], Any], **options: Any) -> Settings:
        return Settings(steps=2, parameterization=param_f, **options)

    with pytest.raises(InputError, match="make them agree"):
        render(network, "shapes:3", settings=with_(lambda: param.image(32), size=16))
    with pytest.raises(InputError, match="does not divide 1"):
        render(network, "shapes:3", settings=with_(lambda: param.image(32, batch=2), size=32))
    settings = with_(lambda: param.image(32), size=32, start=torch.rand(1, 3, 32, 32))
    with pytest.raises(InputError, match="start from noise"):
        render(network, "shapes:3", settings=settings)


def test_a_record_names_lucents_parameterization(network: Network) -> None:
    settings = Settings(size=32, steps=1, parameterization=low_resolution)
    found = render(network, "shapes:3", settings=settings)
    assert "low_resolution" in found.record["settings"]["parameterization"]
    with pytest.raises(InputError, match="pass parameterization"):
        Settings.from_record(found.record["settings"])
