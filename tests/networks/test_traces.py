"""Graphs by the size of pictures, and errors for sizes that a network cannot take."""

import gc
import weakref

import pytest
import torch
from torch import Tensor, nn

from visioncircuits.errors import InputError
from visioncircuits.networks import traces
from visioncircuits.networks.catalog import untrained
from visioncircuits.networks.fixed_parameters import parameters_fixed
from visioncircuits.networks.network import Network, wrap
from visioncircuits.networks.preprocessing import IMAGENET, Preprocessing


def _small(channels: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 8, 5, 2), nn.ReLU(inplace=True), nn.Conv2d(8, 4, 3), nn.Flatten(1),
        nn.Linear(4 * 12 * 12, 10),
    )  # fmt: skip


@pytest.fixture
def small() -> Network:
    torch.manual_seed(0)
    return wrap(_small(), IMAGENET, name="small", size=32)


@pytest.mark.parametrize("name", ["bvlc_googlenet", "torchvision:squeezenet1_1"])
def test_pictures_that_are_too_small_raise_with_the_stated_size(name: str) -> None:
    network = untrained(name)
    layer = list(network.layers)[-1]
    tiny = torch.rand(1, 3, 7, 9)
    message = r"cannot take pictures of 7x9 pixels \(.+\); the size stated for it is 224x224"
    with pytest.raises(InputError, match=message):
        network.activations(tiny, [layer])
    with pytest.raises(InputError, match=message):
        network.unit_activations(tiny, {layer: torch.tensor([0])})
    with pytest.raises(InputError, match=message):
        network(tiny)
    with pytest.raises(InputError, match=message):
        network.layers_at((7, 9))


def test_pictures_too_small_for_a_deep_layer_may_be_valid_for_an_early_one() -> None:
    found = untrained("bvlc_googlenet").activations(torch.rand(1, 3, 7, 7), ["conv2d0"])["conv2d0"]
    assert found.shape == (1, 64, 4, 4)


def test_pictures_of_another_size_than_a_linear_layers_raise(small: Network) -> None:
    with pytest.raises(InputError, match="cannot take pictures of 40x40 pixels"):
        small(torch.rand(1, 3, 40, 40))


def test_a_wrong_stated_size_raises() -> None:
    network = wrap(_small(), IMAGENET, name="mine")
    with pytest.raises(InputError, match=r"mine fails on a picture of 224x224 pixels, the size"):
        network.layer("0")


class _Asserts(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[-1] == 32
        torch._assert(x.shape[-2] == 32, "Input height does not match")
        return super().forward(x)


@pytest.mark.parametrize(
    ("size", "reason"), [((40, 32), "Input height does not match"), ((32, 40), "assert")]
)
def test_sizes_that_a_module_refuses_raise_with_the_stated_one(
    size: tuple[int, int], reason: str
) -> None:
    network = wrap(_Asserts(3, 4, 3), Preprocessing(), name="mine", size=32)
    message = rf"mine cannot take pictures of \d+x\d+ pixels \(.*{reason}.*\); the size stated"
    for use in (network.layers_at, lambda size: network(torch.rand(1, 3, *size))):
        with pytest.raises(InputError, match=message):
            use(size)
    with pytest.raises(InputError, match="mine fails on a picture of 64x64 pixels, the size"):
        assert wrap(network.module, Preprocessing(), name="mine", size=64).layers


def test_errors_for_other_reasons_are_raised_as_they_are(small: Network) -> None:
    assert small.layers

    def fail(*_: object) -> None:
        raise RuntimeError("another reason")

    small.module[1].register_forward_hook(fail)
    with pytest.raises(RuntimeError, match="another reason"):
        small.activations(torch.rand(1, 3, 32, 32), ["2"])


def test_a_module_is_traced_again_after_it_has_changed(small: Network) -> None:
    pictures = torch.rand(1, 3, 32, 32)
    before = small.activations(pictures, ["2"])["2"]
    handle = small.module[1].register_forward_hook(lambda _m, _i, out: out * 0)
    after = small.activations(pictures, ["2"])["2"]
    torch.testing.assert_close(after, small.module[2].bias[:, None, None].expand_as(after))
    handle.remove()
    assert torch.equal(small.activations(pictures, ["2"])["2"], before)
    small.module[1] = nn.Tanh()
    small.module.append(nn.Softmax(1))
    assert "5" in small.layers
    expected = small.module[:3](small.preprocessing(pictures))
    torch.testing.assert_close(small.activations(pictures, ["2"])["2"], expected)


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_a_scripted_network_has_its_output_and_the_reason_for_nothing_else() -> None:
    module = torch.jit.script(_small()[:2])
    network = wrap(module, Preprocessing(), size=32)
    pictures = torch.rand(2, 3, 32, 32)
    assert list(network.layers) == ["output"]
    found = network.activations(pictures, ["output"])["output"]
    torch.testing.assert_close(found, module(pictures))
    message = "unknown layer '0'; known are 'output'; .* because the network is scripted"
    with pytest.raises(InputError, match=message):
        network.activations(pictures, ["0"])


class TestNetworksOfOneDefinition:
    def test_are_traced_once_and_each_computes_with_its_own_weights(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = untrained("bvlc_googlenet", seed=1)
        described = first.layers_at(64)
        monkeypatch.setattr(traces, "trace", _refuse)
        monkeypatch.setattr(traces, "receptive_fields", _refuse)
        second = untrained("bvlc_googlenet", seed=2)
        assert second.layers_at(64) == described
        pictures = torch.rand(2, 3, 64, 64)
        for network in (second, first):
            expected = network.module(network.preprocessing(pictures))
            torch.testing.assert_close(network(pictures), expected)

    def test_do_not_keep_each_others_weights(self) -> None:
        network = untrained("bvlc_googlenet", seed=1)
        assert network.layers_at(64)
        weights = weakref.ref(network.module.operation("conv2d0_pre_relu").weight)
        del network
        gc.collect()
        assert weights() is None

    @pytest.mark.parametrize("change", ["stride", "hook", "module", "forward", "dtype"])
    def test_have_nothing_in_common_with_one_that_differs(self, change: str) -> None:
        assert untrained("bvlc_googlenet").layers_at(64)
        changed = untrained("bvlc_googlenet")
        pool = changed.module.operation("maxpool0")
        match change:
            case "stride":
                pool.stride = 1
            case "hook":
                pool.register_forward_hook(lambda _module, _inputs, out: out[..., ::2, ::2])
            case "module":
                changed.module.maxpool0 = nn.Sequential(pool, nn.MaxPool2d(2))
            case "forward":
                pool.forward = lambda x: x[..., ::4, ::4]
            case "dtype":
                changed.module.double()
        pictures = torch.rand(1, 3, 64, 64)
        inputs = changed.preprocessing(pictures).to(next(changed.module.parameters()).dtype)
        seen = []
        with changed.module.operation("conv2d1_pre_relu").register_forward_pre_hook(
            lambda _module, taken: seen.append(taken[0])
        ):
            expected = changed.module(inputs)
        torch.testing.assert_close(changed(pictures), expected)
        assert changed.layer_at("localresponsenorm0", 64).shape == seen[0].shape[2:]


def _refuse(*_: object) -> None:
    raise AssertionError("was traced again")


def test_with_parameters_fixed_a_module_is_compared_once(
    small: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    monkeypatch.setattr(traces, "structure", lambda module: compared.append(module) or [module])
    pictures = torch.rand(2, 3, 32, 32)
    for _ in range(2):
        compared.clear()
        with parameters_fixed():
            for _ in range(3):
                small.activations(pictures, ["1"])
        assert compared == [small.module]
    compared.clear()
    small.activations(pictures, ["1"])
    assert compared
