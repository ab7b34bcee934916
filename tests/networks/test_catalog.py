from hashlib import sha256
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.networks import catalog, checkpoints
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
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return folder


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The only plugins that are installed, as `entry_points` would give them."""

    def curves(name: str) -> Network:
        if name != "curves":
            raise InputError(f"no circuit {name}")
        return wrap(nn.Sequential(nn.Conv2d(3, 4, 3)), IMAGENET, name="handwritten:curves")

    modules = {"handwritten": SimpleNamespace(load=curves, available=lambda: {"curves": "Curves"})}

    def entry_points(*, group: str) -> list[SimpleNamespace]:
        assert group == "visioncircuits.networks"
        return [SimpleNamespace(name=n, load=lambda m=m: m) for n, m in modules.items()]

    monkeypatch.setattr(catalog, "entry_points", entry_points)
    return modules


@pytest.fixture
def small() -> dict[str, torch.Tensor]:
    """Parameters of SqueezeNet 1.1 that differ from anything drawn later."""
    torch.manual_seed(7)
    return torchvision.models.squeezenet1_1().state_dict()


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


class TestTorchvision:
    @pytest.mark.parametrize("form", ["folder", "file"])
    def test_is_loaded_by_name(
        self, small: dict[str, torch.Tensor], folder: Path, tmp_path: Path, form: str
    ) -> None:
        path = folder / "squeezenet1_1.pth" if form == "folder" else tmp_path / "mine.pt"
        torch.save(small, path)
        network = load("torchvision:squeezenet1_1", checkpoint=None if form == "folder" else path)
        assert _same(network, small)
        assert network.name == "torchvision:squeezenet1_1"
        assert network.preprocessing == IMAGENET
        assert network.classes is None  # a file of the user's may know other classes
        assert network.checkpoint is not None
        assert network.checkpoint.path == path

    @pytest.mark.weights
    def test_takes_what_its_file_states(self, request: pytest.FixtureRequest) -> None:
        path = request.getfixturevalue("checkpoints") / "squeezenet1_1.safetensors"
        assert load("torchvision:squeezenet1_1", checkpoint=path).preprocessing == CAFFE

    @pytest.mark.parametrize(
        ("stated", "expected"),
        [
            ("BGR 0..255 minus (104,117,123)", CAFFE),
            ("RGB 0..255 minus (117)", TENSORFLOW),
            ("RGB -1..1 minus (0)", Preprocessing(range=(-1, 1))),
            ("RGB 0.5..1.5 minus (.1)", None),
            ("RGB 0..1 minus (0.5, 0.25, 0.125)", Preprocessing(mean=(0.5, 0.25, 0.125))),
            ("HSV 0..255 minus (117)", None),
            ("RGB 0..255", None),
            ("RGB 0..255 minus (1..2)", None),
        ],
    )
    def test_reads_what_a_file_states_or_says_that_it_cannot(
        self,
        small: dict[str, torch.Tensor],
        tmp_path: Path,
        stated: str,
        expected: Preprocessing | None,
    ) -> None:
        path = tmp_path / "mine.safetensors"
        save_file(small, path, metadata={"input": stated})
        if expected is None:
            with pytest.raises(InputError, match=r"which is not understood; write it like 'BGR"):
                load("torchvision:squeezenet1_1", checkpoint=path)
        else:
            network = load("torchvision:squeezenet1_1", checkpoint=path)
            assert network.preprocessing == expected

    def test_with_batch_norm_is_loaded_whole(self, folder: Path) -> None:
        module = torchvision.models.resnet18()
        for name, buffer in module.named_buffers():
            if "running" in name:
                buffer.uniform_(0.5, 2)
        save_file(module.state_dict(), folder / "resnet18.safetensors")
        network = load("torchvision:resnet18")
        assert _same(network, module.state_dict())
        pictures = torch.rand(1, 3, 64, 64)
        expected = module.eval()(IMAGENET(pictures))
        torch.testing.assert_close(network(pictures), expected, rtol=1e-4, atol=1e-5)

    def test_is_loaded_though_its_module_asks_for_a_version(self, folder: Path) -> None:
        module = torchvision.models.mnasnet0_5()
        save_file(module.state_dict(), folder / "mnasnet0_5.safetensors")
        assert _same(load("torchvision:mnasnet0_5"), module.state_dict())

    def test_of_another_usual_size_says_so(self) -> None:
        assert untrained("torchvision:efficientnet_b1").size == 240

    @pytest.mark.parametrize("name", catalog.SCALED_INSIDE)
    def test_scales_as_torchvision_does_inside(
        self, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = getattr(torchvision.models, name)(init_weights=False)
        state = plain.state_dict()
        torch.save(state, folder / f"{name}.pth")
        weights = torchvision.models.get_model_weights(name).DEFAULT
        monkeypatch.setattr(type(weights), "get_state_dict", lambda *_, **__: state)
        theirs = getattr(torchvision.models, name)(weights=weights)
        ours = load(f"torchvision:{name}")
        assert theirs.transform_input
        assert not ours.module.transform_input
        pictures = torch.rand(1, 3, 8, 8)
        expected = theirs._transform_input(IMAGENET(pictures))
        torch.testing.assert_close(ours.preprocessing(pictures), expected, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("name", ["torchvision:resnet81", "torchvision:", "torchvision"])
    def test_unknown_is_refused_with_the_nearest(self, name: str) -> None:
        with pytest.raises(InputError, match=r"unknown (torchvision )?network '"):
            load(name)
        with pytest.raises(InputError, match="unknown "):
            untrained(name)

    def test_file_of_another_network_is_refused(
        self, small: dict[str, torch.Tensor], tmp_path: Path
    ) -> None:
        torch.save(small, tmp_path / "mine.pth")
        with pytest.raises(InputError, match=r"mine\.pth"):
            load("torchvision:resnet18", checkpoint=tmp_path / "mine.pth")

    def test_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"no checkpoint file .*nowhere\.pth"):
            load("torchvision:resnet18", checkpoint=tmp_path / "nowhere.pth")


class TestTorchvisionsOwnWeights:
    @pytest.fixture
    def published(
        self, small: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Any:
        """Say that torchvision publishes `small` on the server of this machine."""
        monkeypatch.delenv(checkpoints.OFFLINE)
        path = tmp_path / "published"
        torch.save(small, path)
        content = path.read_bytes()
        real = torchvision.models.SqueezeNet1_1_Weights.DEFAULT

        def publish(base: str, digest: str | None = None) -> tuple[str, bytes]:
            name = f"squeezenet1_1-{(digest or sha256(content).hexdigest())[:8]}.pth"
            record = SimpleNamespace(
                url=f"{base}/{name}", transforms=real.transforms, meta=real.meta
            )
            monkeypatch.setattr(catalog, "_torchvision_weights", lambda _name: record)
            return name, content

        return publish

    def test_are_downloaded_once_and_kept_where_torchvision_keeps_them(
        self, published: Any, loopback: Any, small: dict[str, torch.Tensor], tmp_path: Path
    ) -> None:
        name, content = published(loopback.url)
        loopback.files[name] = content
        network = load("torchvision:squeezenet1_1")
        assert _same(network, small)
        assert network.classes is not None
        assert network.classes[967] == "espresso"
        assert network.checkpoint is not None
        assert network.checkpoint.path == tmp_path / "torch" / "hub" / "checkpoints" / name
        assert _same(load("torchvision:squeezenet1_1"), small)
        assert len(loopback.asked) == 1

    def test_print_nothing_where_results_are_printed(
        self, published: Any, loopback: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        name, content = published(loopback.url)
        loopback.files[name] = content
        load("torchvision:squeezenet1_1")
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize("fault", ["absent", "cut", "changed", "unreachable"])
    def test_that_do_not_come_whole_are_refused(
        self, published: Any, loopback: Any, tmp_path: Path, fault: str
    ) -> None:
        url = "http://127.0.0.1:9" if fault == "unreachable" else loopback.url
        name, content = published(url, "0" * 8 if fault == "changed" else None)
        if fault != "absent":
            loopback.files[name] = content[: len(content) // (2 if fault == "cut" else 1)]
        with pytest.raises(InputError, match=r"could not be downloaded .*; get http.* by hand"):
            load("torchvision:squeezenet1_1")
        assert not list((tmp_path / "torch").rglob("*.p*"))

    def test_that_were_damaged_on_disk_are_refused(
        self, published: Any, loopback: Any, tmp_path: Path
    ) -> None:
        name, content = published(loopback.url)
        path = tmp_path / "torch" / "hub" / "checkpoints" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content[:-100])
        with pytest.raises(InputError, match=f"{name} is not the file that was written there"):
            load("torchvision:squeezenet1_1")
        assert loopback.asked == []

    def test_are_not_downloaded_where_that_is_forbidden(
        self, published: Any, loopback: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        published(loopback.url)
        monkeypatch.setenv(checkpoints.OFFLINE, "1")
        with pytest.raises(InputError, match="VISIONCIRCUITS_OFFLINE forbids downloads; get http"):
            load("torchvision:squeezenet1_1")
        assert loopback.asked == []

    def test_all_say_in_their_name_how_their_sha256_begins(self) -> None:
        for name in torchvision.models.list_models(module=torchvision.models):
            url = torchvision.models.get_model_weights(name).DEFAULT.url
            digest = Path(url).stem.rpartition("-")[2]
            assert len(digest) >= 8, url
            assert set(digest) <= set("0123456789abcdef"), url

    def test_all_say_what_they_take(self) -> None:
        for name in torchvision.models.list_models(module=torchvision.models):
            transforms = torchvision.models.get_model_weights(name).DEFAULT.transforms()
            assert len(transforms.crop_size) == 1, name
            assert len(transforms.mean) == len(transforms.std) == 3, name


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
        point = EntryPoint("mine", "a_module_of_mine", catalog.GROUP)
        module = ModuleType("a_module_of_mine")
        module.load = lambda name: wrap(nn.Conv2d(1, 1, 1), Preprocessing(channels=1), name=name)
        monkeypatch.setitem(__import__("sys").modules, "a_module_of_mine", module)
        monkeypatch.setattr(catalog, "entry_points", lambda *, group: [point])
        assert load("mine:net").name == "net"


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown network 'inceptionv2'; .*'inceptionv1'"):
        load("inceptionv2")
    with pytest.raises(InputError, match=r"unknown network 'resnet18'; .*'torchvision:resnet18'"):
        load("resnet18")
    with pytest.raises(InputError, match=r"unknown network 'handwriten:curves'; .*'handwritten:c"):
        load("handwriten:curves")


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
