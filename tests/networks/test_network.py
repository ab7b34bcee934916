import copy
import pickle
from collections.abc import Callable

import jaxtyping
import pytest
import torch
import torchvision
from torch import Tensor, nn

from visioncircuits.errors import InputError
from visioncircuits.networks import identity
from visioncircuits.networks.catalog import load, untrained
from visioncircuits.networks.features import Direction, Unit
from visioncircuits.networks.network import Network, wrap
from visioncircuits.networks.preprocessing import CAFFE, IMAGENET, Preprocessing


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable jaxtyping, as for users: only the library itself checks shapes."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture(scope="module")
def googlenet() -> Network:
    return untrained("bvlc_googlenet")


def _small(channels: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 8, 5, 2), nn.ReLU(inplace=True), nn.Conv2d(8, 4, 3), nn.Flatten(1),
        nn.Linear(4 * 12 * 12, 10),
    )  # fmt: skip


@pytest.mark.parametrize("first", [nn.BatchNorm2d(3), nn.Identity()])
def test_the_gradient_of_one_picture_does_not_depend_on_its_layout(first: nn.Module) -> None:
    # of a batch of one, torch's gradient of batch normalization is wrong for some strides
    network = wrap(nn.Sequential(first, nn.BatchNorm2d(3)), Preprocessing(), size=8)
    read = torch.rand(8, 8, 3).permute(2, 0, 1)[None]  # as photographs are in memory
    found = []
    for picture in (read, read.contiguous()):
        leaf = picture.detach().requires_grad_()
        network.activations(leaf, ["1"])["1"][:, :, 4, 4].square().sum().backward()
        assert leaf.grad is not None
        found.append(leaf.grad)
    assert found[0].nonzero().tolist() == [[0, unit, 4, 4] for unit in range(3)]
    torch.testing.assert_close(*found)


@pytest.fixture
def small() -> Network:
    torch.manual_seed(0)
    return wrap(_small(), IMAGENET, name="small", size=32)


class TestActivations:
    def test_are_those_of_the_module_on_preprocessed_pictures(self, small: Network) -> None:
        pictures = torch.rand(2, 3, 32, 32)
        mean, std = (torch.tensor(v)[:, None, None] for v in (IMAGENET.mean, IMAGENET.std))
        inputs = (pictures - mean) / std
        found = small.activations(pictures, ["0", "2"])
        torch.testing.assert_close(found["0"], small.module[0](inputs))
        torch.testing.assert_close(found["2"], small.module[:3](inputs))
        torch.testing.assert_close(small(pictures), small.module(inputs))

    def test_leave_the_pictures_as_they_were(self, small: Network, googlenet: Network) -> None:
        pictures = torch.rand(1, 3, 32, 32)
        before = pictures.clone()
        for network, layer in ((small, "1"), (googlenet, "mixed3a")):
            network.activations(pictures, [layer])
            network(pictures)
            assert torch.equal(pictures, before)

    @pytest.mark.parametrize("size", [(32, 57), (64, 33)])
    def test_of_pictures_that_are_not_square_have_the_described_shapes(
        self, googlenet: Network, size: tuple[int, int]
    ) -> None:
        found = googlenet.activations(torch.rand(1, 3, *size), ["mixed3b", "mixed5b", "logits"])
        layers = googlenet.layers_at(size)
        assert found["logits"].shape == (1, 1000)
        for name, value in found.items():
            assert value.shape[2:] == layers[name].shape

    def test_of_no_pictures_are_empty(self, googlenet: Network) -> None:
        found = googlenet.activations(torch.rand(0, 3, 64, 64), ["mixed3b", "logits"])
        assert found["mixed3b"].shape == (0, 480, 8, 8)
        assert found["logits"].shape == (0, 1000)

    def test_do_not_depend_on_the_rest_of_the_batch(self, googlenet: Network) -> None:
        pictures = torch.rand(3, 3, 48, 48)
        among = googlenet.activations(pictures, ["mixed4a"])["mixed4a"][1:2]
        alone = googlenet.activations(pictures[1:2], ["mixed4a"])["mixed4a"]
        assert (among - alone).abs().max() <= 1e-5 * alone.abs().max()

    def test_of_doubles_are_computed_in_the_networks_precision(self, small: Network) -> None:
        pictures = torch.rand(1, 3, 32, 32, dtype=torch.float64)
        found = small.activations(pictures, ["2"])["2"]
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, small.activations(pictures.float(), ["2"])["2"])

    def test_can_be_computed_in_double_precision(self) -> None:
        network = wrap(_small().double(), IMAGENET, size=32)
        assert network.layer("2").units == 4
        assert network.activations(torch.rand(1, 3, 32, 32), ["2"])["2"].dtype == torch.float64

    def test_pass_gradients_to_the_pictures_and_to_nothing_else(self, small: Network) -> None:
        pictures = torch.rand(1, 3, 32, 32, requires_grad=True)
        small.activations(pictures, ["2"])["2"].square().sum().backward()
        assert pictures.grad is not None
        assert pictures.grad.abs().max() > 0
        for parameter in small.module.parameters():
            assert parameter.grad is None
            assert parameter.requires_grad

    def test_leave_gradients_that_parameters_had(self) -> None:
        module = _small()
        for parameter in module.parameters():
            parameter.grad = torch.ones_like(parameter)
        pictures = torch.rand(1, 3, 32, 32, requires_grad=True)
        wrap(module, IMAGENET, size=32).activations(pictures, ["2"])["2"].sum().backward()
        assert all((parameter.grad == 1).all() for parameter in module.parameters())

    @pytest.mark.parametrize("channels", [1, 4])
    def test_are_computed_for_any_number_of_channels(self, channels: int) -> None:
        network = wrap(_small(channels), Preprocessing(channels=channels), size=32)
        assert network.layer("0").receptive_field == (5, 5)
        found = network.activations(torch.rand(2, channels, 32, 32), ["1"])
        assert found["1"].shape == (2, 8, 14, 14)

    def test_of_an_unknown_layer_raise_with_the_nearest(self, googlenet: Network) -> None:
        with pytest.raises(InputError, match=r"unknown layer 'mixed3c'; the nearest .*'mixed3b'"):
            googlenet.activations(torch.rand(1, 3, 32, 32), ["mixed3b", "mixed3c"])


class TestUnitActivations:
    @pytest.mark.parametrize("layer", ["mixed3a", "mixed3b_pool_reduce", "logits"])
    def test_are_the_activations_indexed(self, googlenet: Network, layer: str) -> None:
        pictures = torch.rand(2, 3, 40, 40)
        units = torch.tensor([40, 2, 7, 2])
        found = googlenet.unit_activations(pictures, {layer: units})[layer]
        whole = googlenet.activations(pictures, [layer])[layer]
        assert (found - whole[:, units]).abs().max() <= 1e-5 * whole.abs().max()

    def test_are_computed_for_any_module(self, small: Network) -> None:
        pictures, units = torch.rand(2, 3, 32, 32), torch.tensor([3, 0])
        found = small.unit_activations(pictures, {"2": units, "4": units})
        whole = small.activations(pictures, ["2", "4"])
        for name, values in whole.items():
            torch.testing.assert_close(found[name], values[:, units])

    @pytest.mark.parametrize("units", [[256], [-1, 3], []])
    def test_of_unknown_units_raise(self, googlenet: Network, units: list[int]) -> None:
        indices = torch.tensor(units, dtype=torch.int64)
        with pytest.raises(InputError, match=r"mixed3a has units 0 to 255; ask for one or more"):
            googlenet.unit_activations(torch.rand(1, 3, 32, 32), {"mixed3a": indices})

    def test_of_an_unknown_layer_raise(self, googlenet: Network) -> None:
        with pytest.raises(InputError, match="unknown layer 'mixed3'"):
            googlenet.unit_activations(torch.rand(1, 3, 32, 32), {"mixed3": torch.tensor([0])})


class TestInvalidPictures:
    @pytest.mark.usefixtures("unchecked")
    @pytest.mark.parametrize(
        ("pictures", "message"),
        [
            (torch.zeros(1, 3, 32, 32, dtype=torch.uint8), "not uint8; write pictures / 255"),
            (torch.zeros(1, 3, 32, 32, dtype=torch.int64), "not int64"),
            (torch.zeros(1, 1, 32, 32), r"\(batch, 3, height, width\), not \(1, 1, 32, 32\)"),
            (torch.zeros(3, 32, 32), r"not \(3, 32, 32\)"),
        ],
    )
    def test_raise_one_sentence(self, googlenet: Network, pictures: Tensor, message: str) -> None:
        units = {"mixed3a": torch.tensor([0])}
        for call in (
            lambda: googlenet(pictures),
            lambda: googlenet.activations(pictures, ["mixed3a"]),
            lambda: googlenet.unit_activations(pictures, units),
        ):
            with pytest.raises(InputError, match=message):
                call()


def test_concatenated_layers_have_branches(googlenet: Network) -> None:
    assert googlenet.branches("mixed3b") == {
        "mixed3b_1x1": range(128),
        "mixed3b_3x3": range(128, 320),
        "mixed3b_5x5": range(320, 416),
        "mixed3b_pool_reduce": range(416, 480),
    }
    assert googlenet.branches("conv2d0") == {}
    assert wrap(_small(), IMAGENET, size=32).branches("0") == {}
    with pytest.raises(InputError, match="unknown layer"):
        googlenet.branches("mixed9z")


class TestFeatures:
    def test_are_read_and_checked(self, googlenet: Network) -> None:
        assert googlenet.feature("mixed3b:479") == Unit("mixed3b", 479)
        direction = Direction("conv2d0", (0.5,) * 64)
        assert googlenet.feature(direction) == direction

    @pytest.mark.parametrize(
        ("feature", "message"),
        [
            ("mixed3b:480", "mixed3b has units 0 to 479"),
            (
                "mixed3:1",
                "unknown layer 'mixed3'; the nearest are .* the network is untrained bvlc",
            ),
            ("mixed3b", "is not a unit"),
            (Direction("conv2d0", (1.0,)), "has 1 weights, but conv2d0 has 64 units"),
        ],
    )
    def test_that_are_unknown_raise(
        self, googlenet: Network, feature: str | Direction, message: str
    ) -> None:
        with pytest.raises(InputError, match=message):
            googlenet.feature(feature)


class TestModules:
    def test_are_run_as_in_evaluation_and_left_in_training(self) -> None:
        module = torchvision.models.resnet18().train()
        network = wrap(module, IMAGENET, size=64)
        pictures = torch.rand(2, 3, 64, 64)
        found = network(pictures)
        assert all(child.training for child in module.modules())
        assert all(p.requires_grad for p in module.parameters())
        expected = module.eval()(network.preprocessing(pictures))
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)

    def test_keep_their_statistics(self) -> None:
        module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.9))
        network = wrap(module, IMAGENET, size=16)
        before = copy.deepcopy(module.state_dict())
        pictures = torch.rand(2, 3, 16, 16)
        first, second = (network.activations(pictures, ["2"])["2"] for _ in range(2))
        assert torch.equal(first, second)
        assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())

    def test_are_moved_as_a_copy(self, small: Network) -> None:
        assert small.to("cpu") is small
        assert small.to(torch.device("cpu")) is small
        moved = small.to("meta")
        assert (moved.device.type, small.device.type) == ("meta", "cpu")
        assert moved.name == small.name
        assert small.layers == moved.layers == copy.deepcopy(moved).layers

    @pytest.mark.parametrize("device", ["nowhere", "cpu:nought"])
    def test_raise_for_a_device_that_does_not_exist(self, small: Network, device: str) -> None:
        with pytest.raises(InputError, match=f"device {device} cannot be used here .*; try cpu"):
            small.to(device)

    @pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
    def test_raise_for_a_missing_gpu(self, small: Network) -> None:
        with pytest.raises(InputError, match="device cuda cannot be used here"):
            small.to("cuda")

    def test_without_parameters_are_where_their_buffers_are(self) -> None:
        module = nn.Module()
        module.register_buffer("kernel", torch.zeros(1, device="meta"))
        assert wrap(module, IMAGENET).device.type == "meta"
        assert wrap(nn.ReLU(), IMAGENET).device.type == "cpu"

    def test_are_shown_without_being_run(self, small: Network) -> None:
        assert repr(small) == "Network('small', 32 px, on cpu)"
        assert small._traced is None

    @pytest.mark.parametrize("described", [False, True], ids=["undescribed", "described"])
    @pytest.mark.parametrize(
        "make",
        [
            lambda: wrap(_small(), IMAGENET, size=32),
            lambda: untrained("bvlc_googlenet"),
            pytest.param(lambda: untrained("inceptionv1"), marks=pytest.mark.slow),
            pytest.param(lambda: untrained("torchvision:resnet18"), marks=pytest.mark.slow),
            lambda: load("handwritten:curves"),
        ],
        ids=["wrapped", "bvlc_googlenet", "inceptionv1", "resnet18", "handwritten"],
    )
    def test_compute_the_same_as_copies_pickled_or_not(
        self, make: Callable[[], Network], described: bool
    ) -> None:
        network = make()
        if described:
            assert network.layers
        pictures = torch.rand(1, network.preprocessing.channels, network.size, network.size)
        logits = network(pictures)
        for other in (
            pickle.loads(pickle.dumps(network)),
            copy.deepcopy(network),
            copy.deepcopy(network.computing_in("bfloat16")).computing_in("float32"),
        ):
            assert other.record() == network.record()
            assert torch.equal(other(pictures), logits)
            assert other.layers == network.layers


def test_the_record_is_plain_data() -> None:
    module = _small()
    network = Network(module, CAFFE, name="mine", size=32)
    assert network.record() == {
        "name": "mine",
        "checkpoint_sha256": None,
        "parameters_sha256": identity.parameters(module),
        "preprocessing": CAFFE.record(),
    }
