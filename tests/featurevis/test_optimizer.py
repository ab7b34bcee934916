import copy

import pytest
import torch
from torch import nn

from visioncircuits.featurevis import (
    NO_TRANSFORMS,
    Settings,
    Transforms,
    objectives,
    render,
    render_all,
)
from visioncircuits.featurevis.optimizer import Adam, picture_generators
from visioncircuits.networks import Network, Preprocessing, wrap

SETTINGS = Settings(size=32, steps=6, transforms=Transforms(jitter=2))


def test_the_optimizer_is_torchs_adam() -> None:
    ours, theirs = torch.randn(4, 5), torch.randn(4, 5)
    theirs.copy_(ours)
    adam = Adam([ours], 0.05, warmup=0)
    reference = torch.optim.Adam([theirs.requires_grad_()], lr=0.05)
    for step in range(20):
        gradient = torch.randn(4, 5) * 10.0 ** -(step % 4)
        adam.step([gradient])
        theirs.grad = gradient.clone()
        reference.step()
    torch.testing.assert_close(ours, theirs.detach())


def test_steps_lengthen_while_the_optimizer_warms_up() -> None:
    value = torch.zeros(1)
    adam = Adam([value], 0.5, warmup=4)
    steps = []
    for _ in range(6):
        before = value.clone()
        adam.step([torch.ones(1)])  # for a constant gradient Adam's step is its rate
        steps.append((before - value).item())
    assert steps == pytest.approx([0.125, 0.25, 0.375, 0.5, 0.5, 0.5], rel=1e-4)


def test_generators_depend_on_the_objective_and_the_seed_alone() -> None:
    objective = objectives.neuron("shapes:3")
    single = picture_generators([objective], 5)
    among = picture_generators([objectives.layer("edges"), objective], 5)
    assert torch.equal(single[0].get_state(), among[1].get_state())
    assert not torch.equal(single[0].get_state(), among[0].get_state())
    assert not torch.equal(single[0].get_state(), picture_generators([objective], 6)[0].get_state())


def inactive(*, weight: float) -> Network:
    """A network of which no unit is active on gray noise."""
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
    nn.init.constant_(module[0].weight, weight)
    nn.init.constant_(module[0].bias, -1.0)
    return wrap(module, Preprocessing(mean=(0.5,)), size=16)


def test_a_unit_that_no_gradient_reaches_is_dead() -> None:
    settings = Settings(size=16, steps=4, redirected_relu_steps=4)
    found = list(render_all(inactive(weight=0.0), ["1:0", "1:1"], settings=settings))
    assert [v.dead for v in found] == [True, True]
    assert all(v.activation == 0 for v in found)
    assert render(inactive(weight=1.0), "1:0", settings=settings).dead is False


def test_a_dead_unit_is_reported_in_a_batch_and_despite_penalties() -> None:
    network = inactive(weight=1.0)
    network.module[0].weight.data[0] = 0
    settings = Settings(size=16, steps=4, penalty=objectives.l2(1.0))
    both = [objectives.unit(f"1:{unit}") + objectives.l2(1.0) for unit in (0, 1)]
    assert [v.dead for v in render_all(network, both, settings=settings)] == [True, False]


def test_redirected_relus_activate_a_unit_that_is_inactive_on_gray() -> None:
    network = inactive(weight=1.0)
    without = Settings(size=16, steps=30, transforms=NO_TRANSFORMS, redirected_relu_steps=0)
    redirected = Settings(size=16, steps=30, transforms=NO_TRANSFORMS, redirected_relu_steps=16)
    assert render(network, "1:0", settings=without).dead
    assert render(network, "1:0", settings=without).activation == 0
    found = render(network, "1:0", settings=redirected)
    assert not found.dead
    assert found.activation > 1
    assert found.problem == ""


def test_pictures_that_show_nothing_of_their_unit_have_a_problem() -> None:
    """Dead; inactive, though redirected ReLUs give gradients; and as active on any noise."""
    network = inactive(weight=1.0)
    network.module[0].weight.data[1] *= 1e-4
    settings = Settings(size=16, steps=8, redirected_relu_steps=8)
    assert render(inactive(weight=0.0), "1:1", settings=settings).problem == "no gradient"
    found = render(network, "1:1", settings=settings)
    assert (found.dead, found.activation, found.problem) == (False, 0.0, "never active")
    assert "never active" in repr(found)
    network.module[0].bias.data[1] = 1.0
    found = render(network, "1:1", settings=settings)
    assert found.activation > 0.9
    assert found.problem == "no gain"


def test_redirected_relu_steps_are_counted_for_each_picture() -> None:
    network = inactive(weight=1.0)
    network.module[0].bias.data[0] = -40.0  # reached after many steps; white contributes 27
    network.module[0].weight.data[0] = 4.0
    settings = Settings(size=16, steps=120, transforms=NO_TRANSFORMS, redirected_relu_steps=2)
    late, early = render_all(network, ["1:0", "1:1"], settings=settings)
    assert late.history[20] == 0
    assert early.history[20] > 0
    assert late.activation > 1
    single = render(network, "1:1", settings=settings)
    torch.testing.assert_close(single.picture, early.picture, atol=1e-5, rtol=0)


def test_gradient_contexts_do_not_change_the_network(network: Network) -> None:
    pictures = torch.rand(1, 3, 32, 32)
    before = network.activations(pictures, ["shapes", "logits"])
    settings = Settings(size=32, steps=3, averaged_pools=True)
    averaged = render(network, "shapes:3", settings=settings)
    plain = render(network, "shapes:3", settings=Settings(size=32, steps=3))
    assert not torch.equal(averaged.picture, plain.picture)
    after = network.activations(pictures, ["shapes", "logits"])
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(parameter.grad is None for parameter in network.module.parameters())
    assert not any(module._forward_hooks for module in network.module.modules())


@pytest.mark.parametrize("parameter", ["weight", "bias"])
def test_a_unit_that_is_nan_is_dead_and_its_picture_is_finite(
    network: Network, parameter: str
) -> None:
    module = copy.deepcopy(network.module)
    with torch.no_grad():
        getattr(module.get_submodule("shapes_pre_relu"), parameter)[1] = torch.nan
    found = render(wrap(module, network.preprocessing, size=32), "shapes:1", settings=SETTINGS)
    assert found.dead
    assert found.picture.isfinite().all()


def test_a_unit_that_is_nan_does_not_affect_its_batch(network: Network) -> None:
    module = copy.deepcopy(network.module)
    with torch.no_grad():
        module.get_submodule("shapes_pre_relu").bias[1] = torch.nan
    broken = wrap(module, network.preprocessing, size=32)
    _, expected = render_all(network, ["shapes:1", "shapes:3"], settings=SETTINGS)
    _, found = render_all(broken, ["shapes:1", "shapes:3"], settings=SETTINGS)
    assert not found.dead
    torch.testing.assert_close(found.picture, expected.picture, atol=1e-4, rtol=0)
