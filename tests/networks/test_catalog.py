from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from visioncircuits.errors import InputError
from visioncircuits.networks.catalog import available, load, untrained
from visioncircuits.networks.inceptionv1 import VARIANTS, inceptionv1
from visioncircuits.networks.network import Network
from visioncircuits.networks.preprocessing import CAFFE, IMAGENET, TENSORFLOW, Preprocessing


@pytest.fixture(autouse=True)
def folder(nothing_stored: Path) -> Path:
    """The empty folder of checkpoints."""
    return nothing_stored


def _same(network: Network, parameters: dict[str, torch.Tensor]) -> bool:
    state = network.module.state_dict()
    return set(state) == set(parameters) and all(
        torch.equal(state[name], parameters[name]) for name in state
    )


class TestInceptionV1:
    @pytest.mark.parametrize(
        ("name", "preprocessing"), [("inceptionv1", TENSORFLOW), ("bvlc_googlenet", CAFFE)]
    )
    def test_is_loaded_by_name_from_the_folder(
        self, folder: Path, name: str, preprocessing: Preprocessing
    ) -> None:
        parameters = inceptionv1(VARIANTS[name]).state_dict()
        save_file(parameters, folder / f"{name}.safetensors")
        network = load(name)
        assert _same(network, parameters)
        assert (network.name, network.preprocessing, network.size) == (name, preprocessing, 224)
        assert network.checkpoint is not None
        assert network.checkpoint.path == folder / f"{name}.safetensors"
        digest = sha256((folder / f"{name}.safetensors").read_bytes()).hexdigest()
        assert network.record()["checkpoint_sha256"] == digest

    @pytest.mark.weights
    def test_of_bvlc_is_loaded_from_a_file(self, checkpoints: Path) -> None:
        network = load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
        assert network.layer("mixed4a").units == 512
        assert network.classes is not None
        assert len(network.classes) == 1000

    @pytest.mark.parametrize("name", ["inceptionv1", "bvlc_googlenet"])
    def test_without_a_checkpoint_raises_with_the_folder(self, name: str, folder: Path) -> None:
        with pytest.raises(InputError, match=f"no checkpoint of '{name}' in .*{folder}"):
            load(name)

    def test_is_not_loaded_from_a_file_of_the_other_variant(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.safetensors"
        save_file(inceptionv1(VARIANTS["bvlc_googlenet"]).state_dict(), path)
        with pytest.raises(InputError, match=r"mine.safetensors is for another network"):
            load("inceptionv1", checkpoint=path)


class TestHandwritten:
    def test_is_loaded_by_name(self) -> None:
        assert load("handwritten:curves").name == "handwritten:curves"

    def test_with_an_unknown_name_raises(self) -> None:
        with pytest.raises(InputError, match="unknown handwritten network 'line'"):
            load("handwritten:line")

    def test_takes_no_checkpoint(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="handwritten:curves takes no checkpoint"):
            load("handwritten:curves", checkpoint=tmp_path / "a.pth")


def test_an_unknown_name_raises_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown network 'inceptionv2'; .*'inceptionv1'"):
        load("inceptionv2")
    with pytest.raises(InputError, match=r"unknown network 'resnet18'; .*torchvision:NAME"):
        load("resnet18")
    with pytest.raises(InputError, match=r"unknown network 'handwriten:curves'; .*'handwritten:c"):
        load("handwriten:curves")


@pytest.mark.parametrize("name", ["torchvision:", "torchvision", "handwritten:", "", ":"])
def test_half_a_name_raises(name: str) -> None:
    with pytest.raises(InputError, match=f"unknown network '{name}'"):
        load(name)


def test_an_unknown_device_raises() -> None:
    with pytest.raises(InputError, match="device nowhere cannot be used here"):
        load("handwritten:curves", device="nowhere")


class TestAvailable:
    def test_lists_networks_and_their_checkpoints(self, folder: Path) -> None:
        (folder / "squeezenet1_1.pth").write_bytes(b"")
        entries = {entry.name: entry for entry in available()}
        assert list(entries)[:3] == ["inceptionv1", "bvlc_googlenet", "handwritten:curves"]
        assert "curve circuit" in entries["handwritten:curves"].about
        assert not entries["handwritten:curves"].downloadable
        assert entries["torchvision:squeezenet1_1"].checkpoint == folder / "squeezenet1_1.pth"
        assert entries["torchvision:resnet18"].checkpoint is None
        assert entries["inceptionv1"].checkpoint is None

    def test_reads_no_checkpoint(self, folder: Path) -> None:
        (folder / "bvlc_googlenet.safetensors").write_bytes(b"damaged")
        assert len(list(available())) > 50


class TestUntrained:
    def test_depends_on_its_seed_alone(self) -> None:
        torch.manual_seed(1)
        first = untrained("bvlc_googlenet", seed=3).module.state_dict()
        torch.manual_seed(2)
        again = untrained("bvlc_googlenet", seed=3).module.state_dict()
        other = untrained("bvlc_googlenet", seed=4).module.state_dict()
        assert all(torch.equal(first[name], again[name]) for name in first)
        assert not torch.equal(first["logits.weight"], other["logits.weight"])

    @pytest.mark.parametrize("name", ["inceptionv1", "torchvision:squeezenet1_1"])
    def test_leaves_global_generators_as_they_are(self, name: str) -> None:
        torch.manual_seed(1)
        np.random.seed(1)
        expected = torch.rand(1), np.random.get_state()[1].copy()
        torch.manual_seed(1)
        np.random.seed(1)
        untrained(name)
        assert torch.equal(torch.rand(1), expected[0])
        assert (np.random.get_state()[1] == expected[1]).all()

    def test_is_named_untrained_and_has_the_preprocessing_of_the_trained_one(self) -> None:
        network = untrained("bvlc_googlenet")
        assert network.name == "untrained bvlc_googlenet"
        assert (network.preprocessing, network.checkpoint) == (CAFFE, None)
        assert untrained("torchvision:resnet18").preprocessing == IMAGENET

    @pytest.mark.parametrize("name", ["resnet18", "handwritten:curves", "inceptionv2"])
    def test_of_an_unknown_name_raises(self, name: str) -> None:
        with pytest.raises(InputError, match="unknown network to draw parameters for"):
            untrained(name)
