import copy

import pytest
import torch
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, redrawn, untrained, wrap


def network() -> Network:
    layers = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3, groups=2)
    module = nn.Sequential(*layers).eval()
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.fill_(3)
    return wrap(module, Preprocessing(mean=(0.5,) * 3), name="small", size=16)


class TestRedrawn:
    def test_is_the_module_as_torch_initializes_it(self) -> None:
        control = redrawn(network(), seed=4)
        torch.manual_seed(4)
        fresh = nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3, groups=2)
        )
        found = control.module.state_dict()
        assert found.keys() == fresh.state_dict().keys()
        assert all(torch.equal(found[name], value) for name, value in fresh.state_dict().items())
        assert control.name == "untrained small"

    def test_leaves_the_original_and_the_global_generator_as_they_are(self) -> None:
        original = network()
        before = copy.deepcopy(original.module.state_dict())
        original(torch.rand(1, 3, 16, 16))  # traced, with the original weights
        state = torch.get_rng_state()
        control = redrawn(original)
        assert torch.equal(torch.get_rng_state(), state)
        assert all(torch.equal(before[n], v) for n, v in original.module.state_dict().items())
        pictures = torch.rand(2, 3, 16, 16)
        assert torch.allclose(
            control(pictures), control.module(control.preprocessing(pictures)), atol=1e-6
        )

    def test_refuses_parameters_that_nothing_draws(self) -> None:
        class Scale(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.gain = nn.Parameter(torch.ones(3, 1, 1))

            def forward(self, values: torch.Tensor) -> torch.Tensor:
                return values * self.gain

        scaled = wrap(nn.Sequential(Scale(), nn.Conv2d(3, 3, 3)), Preprocessing(), size=16)
        with pytest.raises(InputError, match="parameters of 0 is not known: Scale has no reset"):
            redrawn(scaled)
        with pytest.raises(InputError, match="no parameters"):
            redrawn(wrap(nn.Sequential(nn.ReLU()), Preprocessing(), size=16))

    def test_keeps_a_known_architectures_layers(self) -> None:
        known = untrained("bvlc_googlenet")
        assert redrawn(known).layers == known.layers
