import copy

import pytest
import torch
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, shuffled, untrained, wrap


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3, groups=2)
    head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    names = ["cat", "dog"]
    module = nn.Sequential(*layers, *head).eval()
    return wrap(module, Preprocessing(mean=(0.5,) * 3), name="small", size=16, classes=names)


class TestShuffled:
    def test_permutes_each_kernel_and_keeps_all_else(self, network: Network) -> None:
        before, after = network.module.state_dict(), shuffled(network).module.state_dict()
        permuted = {"0.weight", "3.weight", "6.weight"}
        assert {name for name in before if not torch.equal(before[name], after[name])} == permuted
        for name in permuted:
            assert torch.equal(before[name].flatten().sort()[0], after[name].flatten().sort()[0])

    def test_leaves_the_original_as_it_is(self, network: Network) -> None:
        before = copy.deepcopy(network.module.state_dict())
        record = network.record()
        shuffled(network)
        assert all(torch.equal(before[n], v) for n, v in network.module.state_dict().items())
        assert network.record() == record

    def test_is_the_same_for_one_seed_and_another_network_in_records(
        self, network: Network
    ) -> None:
        one, again, other = shuffled(network), shuffled(network), shuffled(network, seed=1)
        assert one.record() == again.record()
        digests = {each.record()["parameters_sha256"] for each in (network, one, other)}
        assert len(digests) == 3
        assert one.name == "small with shuffled weights"
        assert (one.preprocessing, one.size, one.classes) == (
            network.preprocessing, 16, ("cat", "dog"),
        )  # fmt: skip

    def test_computes_with_the_permuted_weights(self, network: Network) -> None:
        pictures = torch.rand(2, 3, 16, 16)
        network(pictures)  # traced, with the original weights
        control = shuffled(network)
        inputs = control.preprocessing(pictures)
        assert torch.allclose(control(pictures), control.module(inputs), atol=1e-6)
        assert not torch.allclose(control(pictures), network(pictures))

    def test_permutes_shared_weights_once(self) -> None:
        first, second = nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3)
        second.weight = first.weight
        control = shuffled(wrap(nn.Sequential(first, second), Preprocessing(), size=16))
        one, two = (control.module.get_parameter(f"{place}.weight") for place in (0, 1))
        assert one is two

    def test_needs_weights(self) -> None:
        with pytest.raises(InputError, match="no convolution or linear layer"):
            shuffled(wrap(nn.Sequential(nn.ReLU()), Preprocessing(), size=16))

    def test_keeps_a_known_architectures_layers(self) -> None:
        network = untrained("bvlc_googlenet")
        assert shuffled(network).layers == network.layers
