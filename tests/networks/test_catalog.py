from hashlib import sha256
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.networks import checkpoints, names
from visioncircuits.networks.catalog import available, load, untrained
from visioncircuits.networks.inceptionv1 import VARIANTS, inceptionv1
from visioncircuits.networks.network import Network, wrap
from visioncircuits.networks.preprocessing import CAFFE, IMAGENET, TENSORFLOW, Preprocessing


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of checkpoints and an empty cache; nothing may be downloaded."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    monkeypatch.setenv(checkpoints.FOLDER, str(folder))
    monkeypatch.setenv(checkpoints.OFFLINE, "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The only plugins that are installed, as `entry_points` would give them."""

    def curves(name: str) -> Network:
        if name != "curves":
            raise InputError(f"no circuit {name}")
        return wrap(nn.Sequential(nn.Conv2d(3, 4, 3)), IMAGENET, name="handwritten:curves")

    modules = {"handwritten": SimpleNamespace(load=curves, available=lambda: {"curves": "Curves"})}

    def plugins() -> list[SimpleNamespace]:
        return [SimpleNamespace(name=n, load=lambda m=m: m) for n, m in modules.items()]

    monkeypatch.setattr(names, "plugins", plugins)
    return modules


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
    def test_that_cannot_be_had_says_where_it_was_looked_for(self, name: str, folder: Path) -> None:
        with pytest.raises(InputError, match=f"no checkpoint of '{name}' in .*{folder}"):
            load(name)

    def test_is_not_loaded_from_the_other_variants_file(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.safetensors"
        save_file(inceptionv1(VARIANTS["bvlc_googlenet"]).state_dict(), path)
        with pytest.raises(InputError, match=r"mine.safetensors is for another network"):
            load("inceptionv1", checkpoint=path)


class TestPlugins:
    def test_load_what_they_announce(self) -> None:
        network = load("handwritten:curves")
        assert network.name == "handwritten:curves"

    def test_say_themselves_what_they_do_not_have(self) -> None:
        with pytest.raises(InputError, match="no circuit lines"):
            load("handwritten:lines")

    def test_take_no_checkpoint(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="handwritten:curves takes no checkpoint"):
            load("handwritten:curves", checkpoint=tmp_path / "a.pth")

    def test_are_found_through_entry_points(self, monkeypatch: pytest.MonkeyPatch) -> None:
        point = EntryPoint("mine", "a_module_of_mine", names.GROUP)
        module = ModuleType("a_module_of_mine")
        module.load = lambda name: wrap(nn.Conv2d(1, 1, 1), Preprocessing(channels=1), name=name)
        monkeypatch.setitem(__import__("sys").modules, "a_module_of_mine", module)
        monkeypatch.setattr(names, "plugins", lambda: [point])
        assert load("mine:net").name == "net"


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown network 'inceptionv2'; .*'inceptionv1'"):
        load("inceptionv2")
    with pytest.raises(InputError, match=r"unknown network 'resnet18'; .*torchvision:NAME"):
        load("resnet18")
    with pytest.raises(InputError, match=r"unknown network 'handwriten:curves'; .*'handwritten:c"):
        load("handwriten:curves")


@pytest.mark.parametrize("name", ["torchvision:", "torchvision", "handwritten:", "", ":"])
def test_half_a_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"unknown network '{name}'"):
        load(name)


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="device nowhere cannot be used here"):
        load("handwritten:curves", device="nowhere")


class TestAvailable:
    def test_lists_what_can_be_loaded_and_where_it_lies(self, folder: Path) -> None:
        (folder / "squeezenet1_1.pth").write_bytes(b"")
        entries = {entry.name: entry for entry in available()}
        assert list(entries)[:3] == ["inceptionv1", "bvlc_googlenet", "handwritten:curves"]
        assert entries["handwritten:curves"].about == "Curves"
        assert not entries["handwritten:curves"].downloadable
        assert entries["torchvision:squeezenet1_1"].checkpoint == folder / "squeezenet1_1.pth"
        assert entries["torchvision:resnet18"].checkpoint is None
        assert entries["inceptionv1"].checkpoint is None

    def test_reads_no_checkpoint(self, folder: Path) -> None:
        (folder / "bvlc_googlenet.safetensors").write_bytes(b"damaged")
        assert len(list(available())) > 50


class TestUntrained:
    def test_is_drawn_from_its_seed_alone(self) -> None:
        torch.manual_seed(1)
        first = untrained("bvlc_googlenet", seed=3).module.state_dict()
        torch.manual_seed(2)
        again = untrained("bvlc_googlenet", seed=3).module.state_dict()
        other = untrained("bvlc_googlenet", seed=4).module.state_dict()
        assert all(torch.equal(first[name], again[name]) for name in first)
        assert not torch.equal(first["logits.weight"], other["logits.weight"])

    @pytest.mark.parametrize("name", ["inceptionv1", "torchvision:squeezenet1_1"])
    def test_moves_no_global_generator(self, name: str) -> None:
        torch.manual_seed(1)
        np.random.seed(1)
        expected = torch.rand(1), np.random.get_state()[1].copy()
        torch.manual_seed(1)
        np.random.seed(1)
        untrained(name)
        assert torch.equal(torch.rand(1), expected[0])
        assert (np.random.get_state()[1] == expected[1]).all()

    def test_says_that_it_is_untrained_and_takes_what_the_trained_one_takes(self) -> None:
        network = untrained("bvlc_googlenet")
        assert network.name == "untrained bvlc_googlenet"
        assert (network.preprocessing, network.checkpoint) == (CAFFE, None)
        assert untrained("torchvision:resnet18").preprocessing == IMAGENET

    @pytest.mark.parametrize("name", ["resnet18", "handwritten:curves", "inceptionv2"])
    def test_of_an_unknown_name_is_refused(self, name: str) -> None:
        with pytest.raises(InputError, match="unknown network to draw parameters for"):
            untrained(name)
