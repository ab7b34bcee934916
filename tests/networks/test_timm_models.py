import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from huggingface_hub.errors import RemoteEntryNotFoundError
from safetensors.torch import save_file
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import checkpoints
from visioncircuits.networks.catalog import available, load, untrained
from visioncircuits.networks.network import Network
from visioncircuits.networks.torchvision_models import imagenet_classes

timm = pytest.importorskip("timm")

SMALL = "test_resnet.r160_in1k"
"""One of half a million parameters."""

Parameters = dict[str, Tensor]


@pytest.fixture(autouse=True)
def folder(nothing_stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty folder of checkpoints; what others download is not there either."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return nothing_stored


def _parameters(name: str) -> Parameters:
    """Return parameters that differ from anything drawn later, statistics included."""
    torch.manual_seed(7)
    state: Parameters = timm.create_model(name).state_dict()
    return {
        key: value.uniform_(0.5, 2) if "running" in key else value for key, value in state.items()
    }


@pytest.fixture(scope="module")
def small() -> Parameters:
    return _parameters(SMALL)


def _same(network: Network, parameters: Parameters) -> bool:
    state = network.module.state_dict()
    return set(state) == set(parameters) and all(
        torch.equal(state[name], parameters[name]) for name in state
    )


def _in_the_hubs_cache(source: Path, file: str, tmp_path: Path) -> Path:
    """Put a file into the cache of Hugging Face's hub, as the hub's library lays it out."""
    repository = tmp_path / "hub" / f"models--timm--{SMALL}"
    blob = repository / "blobs" / sha256(source.read_bytes()).hexdigest()
    link = repository / "snapshots" / "c0ffee" / file
    for path in (blob, link, repository / "refs" / "main"):
        path.parent.mkdir(parents=True, exist_ok=True)
    (repository / "refs" / "main").write_text("c0ffee")
    shutil.copy(source, blob)
    link.symlink_to(blob)
    return link


class TestFiles:
    @pytest.mark.parametrize(
        "file",
        [f"{SMALL}.safetensors", f"{SMALL}.pth", f"{SMALL}.bin",
         f"{SMALL}/model.safetensors", f"{SMALL}/pytorch_model.bin"],
    )  # fmt: skip
    def test_are_found_by_name(self, small: Parameters, folder: Path, file: str) -> None:
        path = folder / file
        path.parent.mkdir(exist_ok=True)
        write: Callable[[Any, Path], None] = (
            save_file if path.suffix == ".safetensors" else torch.save
        )
        write(small, path)
        network = load(f"timm:{SMALL}")
        assert _same(network, small)
        assert network.checkpoint is not None
        assert network.checkpoint.path == path

    def test_give_what_timm_computes(self, small: Parameters, tmp_path: Path) -> None:
        save_file(small, tmp_path / "mine.safetensors")
        network = load(f"timm:{SMALL}", checkpoint=tmp_path / "mine.safetensors")
        module = timm.create_model(SMALL)
        module.load_state_dict(small)
        settings = module.pretrained_cfg
        mean, std = (torch.tensor(settings[key])[:, None, None] for key in ("mean", "std"))
        pictures = torch.rand(2, 3, 160, 160)
        expected = module.eval()((pictures - mean) / std)
        torch.testing.assert_close(network(pictures), expected, rtol=1e-4, atol=1e-5)

    def test_under_other_names_are_converted_as_timm_does(self, tmp_path: Path) -> None:
        name = "test_convnext.r160_in1k"
        own = _parameters(name)
        theirs = {  # as in the authors' own files, which timm's filter converts
            key.replace("stem.", "downsample_layers.0.").replace("head.norm.", "norm.")
            .replace("head.fc.", "head."): value
            for key, value in own.items()
        }  # fmt: skip
        assert theirs.keys() != own.keys()
        save_file(theirs, tmp_path / "theirs.safetensors")
        network = load(f"timm:{name}", checkpoint=tmp_path / "theirs.safetensors")
        assert _same(network, own)

    def test_that_timm_does_not_take_strictly_may_have_more(self, tmp_path: Path) -> None:
        own = _parameters("dla46x_c.in1k")
        torch.save(own | {"level3.project.weight": torch.zeros(1)}, tmp_path / "more.pth")
        network = load("timm:dla46x_c", checkpoint=tmp_path / "more.pth")
        assert _same(network, own)

    def test_that_timm_does_not_take_strictly_lack_nothing_that_was_drawn(
        self, tmp_path: Path
    ) -> None:
        own = _parameters("dla46x_c.in1k")
        del own["base_layer.0.weight"]
        torch.save(own, tmp_path / "cut.pth")
        with pytest.raises(InputError, match=r"it lacks 'base_layer\.0\.weight'"):
            load("timm:dla46x_c", checkpoint=tmp_path / "cut.pth")

    @pytest.mark.parametrize("fault", ["another", "cut", "missing"])
    def test_that_do_not_fit_raise(self, small: Parameters, tmp_path: Path, fault: str) -> None:
        path = tmp_path / "mine.safetensors"
        if fault != "missing":
            save_file(small if fault == "cut" else _parameters("test_vit"), path)
        if fault == "cut":
            path.write_bytes(path.read_bytes()[:-1000])
        with pytest.raises(InputError, match=r"mine\.safetensors"):
            load(f"timm:{SMALL}", checkpoint=path)

    def test_with_code_are_not_run(self, small: Parameters, tmp_path: Path) -> None:
        torch.save(small | {"hook": print}, tmp_path / "mine.pth")
        with pytest.raises(InputError, match="code in it is never run"):
            load(f"timm:{SMALL}", checkpoint=tmp_path / "mine.pth")

    def test_leave_torchs_generator_as_it_is(self, small: Parameters, folder: Path) -> None:
        save_file(small, folder / f"{SMALL}.safetensors")
        torch.manual_seed(1)
        expected = torch.rand(1)
        torch.manual_seed(1)
        load(f"timm:{SMALL}")
        assert torch.equal(torch.rand(1), expected)


class TestHub:
    @pytest.mark.parametrize("file", checkpoints.HUB_FILES)
    def test_cached_parameters_are_found_and_verified(
        self, small: Parameters, tmp_path: Path, file: str
    ) -> None:
        (save_file if "safe" in file else torch.save)(small, tmp_path / file)
        link = _in_the_hubs_cache(tmp_path / file, file, tmp_path)
        network = load(f"timm:{SMALL}")
        assert _same(network, small)
        assert network.checkpoint is not None
        assert network.checkpoint.digest == network.checkpoint.sha256
        link.resolve().write_bytes(link.read_bytes()[:-8])
        with pytest.raises(InputError, match="is not the file that was written there"):
            load(f"timm:{SMALL}")

    def test_is_not_asked_offline(self) -> None:
        message = (
            f"forbids downloads; download https://huggingface.co/timm/{SMALL}/resolve/main/"
            f"model.safetensors by hand .* put it as {SMALL}.safetensors into a folder"
        )
        with pytest.raises(InputError, match=message):
            load(f"timm:{SMALL}")

    @pytest.mark.parametrize("file", checkpoints.HUB_FILES)
    def test_parameters_are_downloaded_under_either_name(
        self, small: Parameters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
    ) -> None:
        monkeypatch.delenv(checkpoints.OFFLINE)

        def download(repository: str, name: str) -> str:
            assert repository == f"timm/{SMALL}"
            if name != file:
                raise RemoteEntryNotFoundError.__new__(RemoteEntryNotFoundError)
            (save_file if "safe" in file else torch.save)(small, tmp_path / name)
            return str(tmp_path / name)

        monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
        assert _same(load(f"timm:{SMALL}"), small)

    def test_that_is_not_reached_raises_what_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(checkpoints.OFFLINE)

        def download(repository: str, name: str) -> str:
            raise OSError("no route to host")

        monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
        message = r"could not be downloaded \(no route to host\); download https://huggingface"
        with pytest.raises(InputError, match=message):
            load(f"timm:{SMALL}")

    def test_does_not_have_all(self) -> None:
        with pytest.raises(InputError, match=r"not on Hugging Face's hub; download https://github"):
            load("timm:gcvit_tiny")
        with pytest.raises(InputError, match=r"timm has no parameters of davit_giant; name a file"):
            load("timm:davit_giant")


class TestNames:
    def test_without_a_tag_have_timms_default_one(self) -> None:
        expected = timm.models.get_pretrained_cfg("test_resnet").tag
        assert untrained("timm:test_resnet").name == f"untrained timm:test_resnet.{expected}"

    def test_of_old_are_those_of_today(self) -> None:
        assert untrained("timm:tv_resnet34").name == "untrained timm:resnet34.tv_in1k"

    @pytest.mark.parametrize("give", [load, untrained])
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("resnte50", "unknown timm network 'resnte50'; the nearest are 'resnet50'"),
            ("resnet50.a1_in2k", "parameters of timm's resnet50 .*; .* 'resnet50.a1_in1k'"),
            ("local-dir:/tmp", "unknown timm network 'local-dir:/tmp'"),
            ("vit_base_patch16_sapiens2", "pictures of 1024×768 px"),
        ],
    )
    def test_unknown_raise_with_the_nearest(
        self, give: Callable[[str], Network], name: str, message: str
    ) -> None:
        with pytest.raises(InputError, match=message):
            give(f"timm:{name}")

    def test_without_timm_raise_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "timm", None)
        for give in (load, untrained, lambda name: list(available(name))):
            with pytest.raises(InputError, match=r"need `pip install visioncircuits\[timm\]`"):
                give("timm:resnet50")


@pytest.mark.slow
def test_timm_is_not_imported_where_it_is_not_used() -> None:
    code = (
        "import sys; from visioncircuits import networks; list(networks.available()); "
        "print('timm' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("name", "size", "mean", "classes"),
    [
        ("test_resnet", 160, 0.5, 1000),
        ("resnetv2_18.ra4_e3600_r224_in1k", 224, 0.5, 1000),  # not the 288 of `test_input_size`
        ("hgnetv2_b0.ssld_stage2_ft_in1k", 224, 0.485, 1000),
        ("mobilenetv4_conv_small_050.e3000_r224_in1k", 224, 0.5, 1000),
        ("fastvit_mci0.apple_mclip", 256, 0.0, None),  # outputs of a picture's embedding
    ],
)
def test_preprocessing_size_and_classes_are_timms(
    name: str, size: int, mean: float, classes: int | None
) -> None:
    network = untrained(f"timm:{name}")
    assert (network.size, network.preprocessing.mean[0]) == (size, mean)
    assert network.preprocessing.channels == 3
    assert (None if network.classes is None else len(network.classes)) == classes
    if classes == 1000:
        assert network.classes == imagenet_classes()


def test_the_classes_of_larger_parts_of_imagenet_have_names() -> None:
    network = untrained("timm:mobilenetv3_large_100.miil_in21k")
    assert network.classes is not None
    assert len(network.classes) == 11221
    order = timm.data.ImageNetInfo("imagenet-21k-miil").label_names()
    espresso = network.classes[order.index("n07920052")]
    assert espresso == "espresso"  # as ImageNet's thousand have it
    assert network.classes[order.index("n00006484")] == "cell"
    assert network.module.get_classifier().out_features == 11221


def test_random_parameters_depend_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = untrained(f"timm:{SMALL}", seed=3).module.state_dict()
    torch.manual_seed(2)
    assert _same(untrained(f"timm:{SMALL}", seed=3), first)
    assert not _same(untrained(f"timm:{SMALL}", seed=4), first)


class TestAvailable:
    def test_lists_what_matches_and_where_it_is(
        self, small: Parameters, folder: Path, tmp_path: Path
    ) -> None:
        save_file(small, folder / "test_vit.r160_in1k.safetensors")  # is not opened
        save_file(small, tmp_path / "model.safetensors")
        link = _in_the_hubs_cache(tmp_path / "model.safetensors", "model.safetensors", tmp_path)
        found = {entry.name: entry for entry in available("timm:test_*.r160_in1k")}
        vit = found["timm:test_vit.r160_in1k"]
        assert vit.checkpoint == folder / "test_vit.r160_in1k.safetensors"
        assert found[f"timm:{SMALL}"].checkpoint == link
        assert found["timm:test_convnext.r160_in1k"].where == "to be downloaded"
        assert found[f"timm:{SMALL}"].about == "timm, 160 px, 1000 classes"

    def test_lists_every_tag_of_an_architecture(self) -> None:
        tags = [entry.name for entry in available("timm:resnet18")]
        assert len(tags) > 5
        assert all(name.startswith("timm:resnet18.") for name in tags)

    def test_lists_timms_only_on_request(self) -> None:
        assert not [entry for entry in available() if entry.name.startswith("timm:")]
        assert len(list(available("timm:"))) > 1000
