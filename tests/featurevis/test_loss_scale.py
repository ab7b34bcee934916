"""In float16, gradients that it cannot hold make the same pictures as in float32."""

import pytest
import torch

from visioncircuits.featurevis import (
    Settings,
    Transforms,
    objectives,
    optimizer,
    render,
    render_all,
)
from visioncircuits.featurevis.loss_scale import LossScale
from visioncircuits.networks import Network

SETTINGS = Settings(size=32, steps=40, transforms=Transforms(jitter=2))
SMALLEST = 2.0**-24
"""Of float16."""


class Unscaled(LossScale):
    """Every picture's loss is itself."""

    def __init__(self, pictures: torch.Tensor) -> None:
        super().__init__(pictures)
        self.factors = torch.ones_like(self.factors)

    def update(self, gradients: torch.Tensor) -> None:
        pass


def reached(network: Network, factor: float, *, precision: str) -> float:
    """The activation of a unit by a picture of an objective with gradients of about a factor."""
    computing, objective = network.computing_in(precision), objectives.neuron("shapes:3") * factor
    picture = render(computing, objective, settings=SETTINGS).picture
    return network.activations(picture[None], ["shapes"])["shapes"][0, 3].max().item()


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_float16_reaches_what_float32_reaches(one_channel: Network, factor: float) -> None:
    exact = reached(one_channel, factor, precision="float32")
    assert reached(one_channel, factor, precision="float16") == pytest.approx(exact, rel=0.1)


def test_without_scales_a_small_gradient_is_lost(
    one_channel: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimizer, "LossScale", Unscaled)
    lost = reached(one_channel, 1e-6, precision="float16")
    assert lost < 0.5 * reached(one_channel, 1e-6, precision="float32")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_in_other_precisions_there_are_no_scales(
    one_channel: Network, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(optimizer, "LossScale")
    render(one_channel.computing_in(precision), "shapes:3", settings=SETTINGS, steps=1)


def test_each_picture_has_a_scale_of_its_own(one_channel: Network) -> None:
    network = one_channel.computing_in("float16")
    asked = [objectives.neuron("shapes:3") * 1e-7, objectives.neuron("shapes:4") * 1e6]
    together = list(render_all(network, asked, settings=SETTINGS))
    for both, objective in zip(together, asked, strict=True):
        alone = render(network, objective, settings=SETTINGS)
        assert torch.allclose(both.picture, alone.picture, atol=0.05)


def test_scales_follow_what_fits() -> None:
    scale = LossScale(torch.zeros(3, 1, 2, 2))
    before = scale.factors.clone()
    fits = torch.full((1, 2, 2), SMALLEST)
    too_much = torch.full((1, 2, 2), 1.0)
    too_much[0, 1, 1] = torch.nan
    for _ in range(31):
        scale.update(torch.stack([fits, too_much, torch.zeros(1, 2, 2)]))
    changed = (scale.factors / before).tolist()
    assert changed[0] == 2.0
    assert scale.factors.tolist()[1:] == [2.0**-14, 2.0**60]


def test_a_gradient_that_overflowed_moves_nothing() -> None:
    scale = LossScale(torch.zeros(2, 1, 2, 2))
    pictures = torch.ones(2, 1, 2, 2, requires_grad=True)
    weights = torch.tensor([1.0, torch.inf])[:, None, None, None] * scale.factors[0]
    (gradient,) = torch.autograd.grad((scale.undone(pictures) * weights).sum(), pictures)
    assert gradient[:, 0, 0, 0].tolist() == [1.0, 0.0]
