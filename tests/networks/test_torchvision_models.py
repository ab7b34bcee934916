from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from visioncircuits.errors import InputError
from visioncircuits.networks import checkpoints, torchvision_models
from visioncircuits.networks.catalog import load, untrained
from visioncircuits.networks.network import Network
from visioncircuits.networks.preprocessing import CAFFE, IMAGENET, TENSORFLOW, Preprocessing
from visioncircuits.networks.torchvision_models import imagenet_classes, imagenet_synsets


@pytest.fixture(autouse=True)
def folder(nothing_stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty folder of checkpoints; what others download is not there either."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return nothing_stored


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


class TestFiles:
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
        assert network.classes == imagenet_classes()  # as many logits as torchvision's have
        assert network.checkpoint is not None
        assert network.checkpoint.path == path

    @pytest.mark.weights
    def test_has_the_preprocessing_that_its_file_states(
        self, request: pytest.FixtureRequest
    ) -> None:
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
            ("RGB 0..1 minus (0.485,0.456,0.406) over (0.229,0.224,0.225)", IMAGENET),
            ("RGB 0..1 over (0.5)", None),
            ("HSV 0..255 minus (117)", None),
            ("RGB 0..255", None),
            ("RGB 0..255 minus (1..2)", None),
        ],
    )
    def test_has_the_stated_preprocessing_or_raises(
        self,
        small: dict[str, torch.Tensor],
        tmp_path: Path,
        stated: str,
        expected: Preprocessing | None,
    ) -> None:
        path = tmp_path / "mine.safetensors"
        save_file(small, path, metadata={"input": stated})
        if expected is None:
            with pytest.raises(InputError, match=r"which cannot be parsed; write it like 'BGR"):
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

    def test_is_loaded_though_its_module_requires_a_version(self, folder: Path) -> None:
        module = torchvision.models.mnasnet0_5()
        save_file(module.state_dict(), folder / "mnasnet0_5.safetensors")
        assert _same(load("torchvision:mnasnet0_5"), module.state_dict())

    def test_has_its_own_usual_size(self) -> None:
        assert untrained("torchvision:efficientnet_b1").size == 240

    def test_of_transformers_has_positions_for_the_size_of_its_weights(self) -> None:
        with torch.device("meta"):  # of 632 million parameters
            module = torchvision_models._module("vit_h_14", initialized=False)
        positions = module.get_parameter("encoder.pos_embedding")
        assert positions.shape[1] == 1 + (518 // 14) ** 2

    @pytest.mark.parametrize("name", torchvision_models.SCALED_INSIDE)
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

    def test_unknown_raises_with_the_nearest(self) -> None:
        message = r"unknown torchvision network 'resnet81'; .*'resnet18'"
        for give in (load, untrained):
            with pytest.raises(InputError, match=message):
                give("torchvision:resnet81")

    def test_file_of_another_network_raises(
        self, small: dict[str, torch.Tensor], tmp_path: Path
    ) -> None:
        torch.save(small, tmp_path / "mine.pth")
        with pytest.raises(InputError, match=r"mine\.pth"):
            load("torchvision:resnet18", checkpoint=tmp_path / "mine.pth")

    def test_missing_file_raises_with_its_name(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"no checkpoint file .*nowhere\.pth"):
            load("torchvision:resnet18", checkpoint=tmp_path / "nowhere.pth")


class TestOwnWeights:
    @pytest.fixture
    def published(
        self, small: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Any:
        """Set the server of this machine as the address of torchvision's weights of `small`."""
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
            monkeypatch.setattr(torchvision_models, "_weights", lambda _name: record)
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
        assert len(loopback.requests) == 1

    def test_print_nothing_where_results_are_printed(
        self, published: Any, loopback: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        name, content = published(loopback.url)
        loopback.files[name] = content
        load("torchvision:squeezenet1_1")
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize("fault", ["absent", "cut", "changed", "unreachable"])
    def test_that_are_incomplete_raise(
        self, published: Any, loopback: Any, tmp_path: Path, fault: str
    ) -> None:
        url = "http://127.0.0.1:9" if fault == "unreachable" else loopback.url
        name, content = published(url, "0" * 8 if fault == "changed" else None)
        if fault != "absent":
            loopback.files[name] = content[: len(content) // (2 if fault == "cut" else 1)]
        with pytest.raises(
            InputError, match=r"could not be downloaded .*; download http.* by hand"
        ):
            load("torchvision:squeezenet1_1")
        assert not list((tmp_path / "torch").rglob("*.p*"))

    def test_that_were_damaged_on_disk_raise(
        self, published: Any, loopback: Any, tmp_path: Path
    ) -> None:
        name, content = published(loopback.url)
        path = tmp_path / "torch" / "hub" / "checkpoints" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content[:-100])
        with pytest.raises(InputError, match=f"{name} is not the file that was written there"):
            load("torchvision:squeezenet1_1")
        assert loopback.requests == []

    def test_are_not_downloaded_offline(
        self, published: Any, loopback: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        published(loopback.url)
        monkeypatch.setenv(checkpoints.OFFLINE, "1")
        with pytest.raises(
            InputError, match="VISIONCIRCUITS_OFFLINE forbids downloads; download http"
        ):
            load("torchvision:squeezenet1_1")
        assert loopback.requests == []

    def test_all_have_the_beginning_of_their_sha256_in_their_name(self) -> None:
        for name in torchvision.models.list_models(module=torchvision.models):
            url = torchvision.models.get_model_weights(name).DEFAULT.url
            digest = Path(url).stem.rpartition("-")[2]
            assert len(digest) >= 8, url
            assert set(digest) <= set("0123456789abcdef"), url

    def test_all_state_their_preprocessing(self) -> None:
        for name in torchvision.models.list_models(module=torchvision.models):
            transforms = torchvision.models.get_model_weights(name).DEFAULT.transforms()
            assert len(transforms.crop_size) == 1, name
            assert len(transforms.mean) == len(transforms.std) == 3, name


def test_the_names_of_imagenets_classes_are_those_of_torchvision() -> None:
    categories = torchvision.models.get_model_weights("squeezenet1_1").DEFAULT.meta["categories"]
    assert imagenet_classes() == tuple(categories)
    assert list(imagenet_synsets()) == sorted(imagenet_synsets())
