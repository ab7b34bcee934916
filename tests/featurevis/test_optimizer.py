import pytest
import torch

from visioncircuits.featurevis import objectives
from visioncircuits.featurevis.optimizer import Adam, picture_generators


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
