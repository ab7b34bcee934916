"""The nodes and places of traces; values are tested in `test_conformance.py`."""

import pytest
import torch
from torch import Tensor, nn

from tests.networks.traps import TRAPS
from visioncircuits.networks.tracing import Untraceable, trace

PICTURE = torch.rand(1, 3, 24, 24)


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize(
    ("trap", "reasons"),
    [
        ("a gradient of its own", {"cube": "has a gradient of its own (_CubedBackward)"}),
        ("a scripted part", {"a": "is scripted"}),
        ("a choice inside", {"choice": "reads values (__bool__)"}),
        ("reentrant checkpoints", {}),
        ("x.view(batch, -1)", {}),
        ("three dimensions", {}),
        ("kept at the first run", {}),
    ],
)
def test_untraceable_modules_are_listed_with_the_reason(trap: str, reasons: dict[str, str]) -> None:
    assert trace(TRAPS[trap](), PICTURE).opaque == reasons


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize(
    ("trap", "reason"),
    [
        ("scripted", "the network is scripted"),
        ("a choice at the top", "the network reads values"),
        ("a view changed in place", "the network changes"),
    ],
)
def test_an_untraceable_network_raises_the_reason(trap: str, reason: str) -> None:
    with pytest.raises(Untraceable, match=reason):
        trace(TRAPS[trap](), PICTURE)


def test_places_are_named_by_modules_calls_and_functions() -> None:
    assert list(trace(TRAPS["a shared rectifier"](), PICTURE).places) == [
        "input", "stem.conv2d", "stem", "relu.relu", "relu", "a.conv2d", "a", "relu.relu_1",
        "relu_1", "b.conv2d", "b", "add", "relu.relu_2", "relu_2", "mean", "head.linear", "head",
        "output",
    ]  # fmt: skip
    outputs = [n for n in trace(TRAPS["a dict"](), PICTURE).places if n.startswith("output")]
    assert outputs == ["output.out", "output.aux.0", "output.aux.1"]


def test_places_before_an_error_of_torch_can_be_read() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(7, 2))
    graph = trace(module, PICTURE)
    assert isinstance(graph.failure, RuntimeError)
    assert list(graph.places) == ["input", "0.conv2d", "0", "1.flatten", "1"]
    assert torch.equal(graph.run(PICTURE, ["0"])[0]["0"], module[0](PICTURE))


class _Trying(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        try:
            return x.view(-1, 7)
        except RuntimeError:
            return x.relu()


def test_an_error_that_a_module_catches_is_ignored() -> None:
    graph = trace(_Trying(), PICTURE)
    assert graph.failure is None
    assert list(graph.places) == ["input", "relu", "output"]


class _Failing(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise ZeroDivisionError("broken")


def test_a_modules_own_errors_are_raised_and_its_state_is_restored() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Dropout(), _Failing()).train()
    calls: list[int] = []
    module[0].register_forward_hook(lambda *_: calls.append(1))
    with pytest.raises(ZeroDivisionError, match="broken"):
        trace(module, PICTURE)
    assert calls
    assert [len(child._forward_hooks) for child in module] == [1, 0, 0]
    assert not any(child._forward_pre_hooks for child in module.modules())
    assert all(child.training for child in module.modules())
    assert all(parameter.requires_grad for parameter in module.parameters())
