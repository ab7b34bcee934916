"""CLIP's image encoders, on small models of open_clip with random parameters.

None of OpenAI's files is at hand: their format is that of archives which torch writes today.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from visioncircuits import gallery
from visioncircuits.cli.main import app
from visioncircuits.errors import InputError
from visioncircuits.featurevis import Visualization, objectives, render
from visioncircuits.interventions import edited, zero
from visioncircuits.networks import checkpoints, clip_models, expand, load, untrained, wrap
from visioncircuits.networks.downloads import Source, fingerprint
from visioncircuits.networks.network import Network
from visioncircuits.networks.preprocessing import Preprocessing

open_clip = pytest.importorskip("open_clip")

CONFIG: dict[str, Any] = {
    "embed_dim": 16,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8},
    "text_cfg": {
        "context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1,
    },
}  # fmt: skip
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
TEXT = "a photo of a dog"


@pytest.fixture(autouse=True)
def folder(nothing_stored: Path) -> Path:
    """The empty folder of checkpoints."""
    return nothing_stored


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name is of a small model."""
    monkeypatch.setattr(clip_models, "_config", lambda name: CONFIG)


@pytest.fixture(scope="module")
def model() -> Any:
    """A whole model of open_clip in which every parameter counts, rounded to half precision."""
    torch.manual_seed(5)
    made = open_clip.CLIP(**CONFIG)
    for name, values in made.state_dict().items():
        if name.endswith(("running_var", "bn3.weight")):
            values.uniform_(0.5, 2)
    return made.half().float().eval().requires_grad_(False)


@pytest.fixture(scope="module")
def state(model: Any) -> dict[str, Tensor]:
    return {name: values.clone() for name, values in model.state_dict().items()}


@pytest.fixture
def network(state: dict[str, Tensor], tmp_path: Path, _small: None) -> Network:
    save_file(state, tmp_path / "mine.safetensors")
    return load("clip:RN50", checkpoint=tmp_path / "mine.safetensors")


def _archive(model: Any, path: Path) -> None:
    """Write a traced model in half precision, with the three numbers that OpenAI stores."""
    whole = open_clip.CLIP(**CONFIG).eval()
    whole.load_state_dict(model.state_dict())
    for name, number in (("input_resolution", 64), ("context_length", 77), ("vocab_size", 49408)):
        whole.__dict__.pop(name, None)
        whole.register_buffer(name, torch.tensor(number))
    inputs = torch.rand(1, 3, 64, 64), open_clip.tokenize(["a dog"])
    torch.jit.save(torch.jit.trace(whole, inputs, check_trace=False).half(), path)


def _training(model: Any, path: Path) -> None:
    parallel = {f"module.{name}": tensor for name, tensor in model.state_dict().items()}
    torch.save({"epoch": 3, "name": "run", "state_dict": parallel}, path)


def _images(model: Any, path: Path) -> None:
    torch.save({f"visual.{name}": t for name, t in model.visual.state_dict().items()}, path)


WRITERS: dict[str, Callable[[Any, Path], None]] = {
    "archive.pt": _archive,
    "state.safetensors": lambda model, path: save_file(model.state_dict(), path),
    "state.pt": lambda model, path: torch.save(model.state_dict(), path),
    "open_clip_pytorch_model.bin": lambda model, path: torch.save(model.state_dict(), path),
    "epoch_3.pt": _training,
    "images.pt": _images,
    "bare.pt": lambda model, path: torch.save(model.visual.state_dict(), path),
}


@pytest.mark.usefixtures("_small")
@pytest.mark.filterwarnings("ignore:`torch.jit", "ignore:Converting:torch.jit.TracerWarning")
class TestFiles:
    @pytest.mark.parametrize("name", WRITERS)
    def test_embeds_as_open_clip_does(self, model: Any, tmp_path: Path, name: str) -> None:
        WRITERS[name](model, tmp_path / name)
        network = load("clip:RN50", checkpoint=tmp_path / name)
        pictures = torch.rand(2, 3, 64, 64)
        expected = model.encode_image(Preprocessing(mean=MEAN, std=STD)(pictures))
        torch.testing.assert_close(network(pictures), expected, rtol=1e-4, atol=1e-5)
        if name in ("images.pt", "bare.pt"):
            with pytest.raises(InputError, match=rf"{name} holds no text encoder"):
                network.feature(f"text:{TEXT}")
        else:
            found = network.feature(f"text:{TEXT}").vector(16)
            embedding = model.encode_text(open_clip.tokenize([TEXT]), normalize=True)[0]
            torch.testing.assert_close(found, embedding, rtol=1e-4, atol=1e-5)

    def test_under_openai_s_name_is_openai_s(
        self, model: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        torch.save(model.state_dict(), folder / "RN50.pt")
        own = fingerprint(folder / "RN50.pt")
        with pytest.raises(InputError, match=rf"not the file .* SHA-256 is {own[7:]}, not afeb0e"):
            load("clip:RN50")
        with pytest.raises(InputError, match="or rename it if it is your own"):
            load("clip:RN50", checkpoint=folder / "RN50.pt")
        source = Source(f"https://somewhere/{own[7:]}/RN50.pt", own)
        monkeypatch.setitem(checkpoints.SOURCES, "RN50", (source,))
        assert load("clip:RN50").checkpoint == checkpoints.Checkpoint(folder / "RN50.pt")

    def test_is_downloaded_once_and_verified(
        self, model: Any, tmp_path: Path, loopback: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _archive(model, tmp_path / "published.pt")
        loopback.files["RN50.pt"] = (tmp_path / "published.pt").read_bytes()
        source = Source(f"{loopback.url}/RN50.pt", fingerprint(tmp_path / "published.pt"))
        monkeypatch.setitem(checkpoints.SOURCES, "RN50", (source,))
        with pytest.raises(InputError, match="VISIONCIRCUITS_OFFLINE forbids downloads"):
            load("clip:RN50")
        monkeypatch.delenv(checkpoints.OFFLINE)
        fetched = load("clip:RN50")
        loopback.files.clear()
        again = load("clip:RN50")
        assert again.record() == fetched.record()
        assert fetched.feature(f"text:{TEXT}") == again.feature(f"text:{TEXT}")

    def test_of_another_network_raises(self, state: dict[str, Tensor], tmp_path: Path) -> None:
        deeper = {**state, "visual.layer3.1.conv1.weight": torch.zeros(1)}
        save_file(deeper, tmp_path / "deeper.safetensors")
        with pytest.raises(InputError, match=r"deeper.* is for another network: .*layer3\.1"):
            load("clip:RN50", checkpoint=tmp_path / "deeper.safetensors")
        torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "other.pth")
        with pytest.raises(InputError, match=r"other\.pth is not a complete checkpoint"):
            load("clip:RN50", checkpoint=tmp_path / "other.pth")


class TestNetwork:
    def test_has_clip_s_preprocessing_and_size(self, network: Network) -> None:
        assert network.preprocessing == Preprocessing(mean=MEAN, std=STD)
        assert (network.name, network.size) == ("clip:RN50", 64)
        assert network.output == "attnpool"
        assert network.layer("attnpool").units == 16

    def test_activations_are_those_of_hooks_on_open_clip(
        self, network: Network, model: Any
    ) -> None:
        pictures = torch.rand(2, 3, 64, 64)
        names = ["act3", "avgpool", "layer2.0.avgpool", "layer2.0.downsample.-1", "layer4.0.conv3"]
        hooked: dict[str, Tensor] = {}

        def note(name: str) -> Any:
            return lambda _module, _inputs, output: hooked.update({name: output.clone()})

        handles = [model.visual.get_submodule(n).register_forward_hook(note(n)) for n in names]
        embedded = model.visual(Preprocessing(mean=MEAN, std=STD)(pictures))
        for handle in handles:
            handle.remove()
        found = network.activations(pictures, [*names, "attnpool"])
        for name in names:
            torch.testing.assert_close(found[name], hooked[name], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(found["attnpool"], embedded, rtol=1e-4, atol=1e-5)

    def test_only_the_attention_pool_needs_the_stated_size(self, network: Network) -> None:
        picture = torch.rand(1, 3, 96, 96)
        assert network.activations(picture, ["layer4"])["layer4"].shape == (1, 256, 3, 3)
        for needed in ("attnpool:5", f"text:{TEXT}"):
            with pytest.raises(InputError, match=r"cannot take pictures of 96x96 .* 64x64"):
                network.activations(picture, [network.feature(needed).layer])

    @pytest.mark.parametrize(
        "name", ["avgpool", "layer2.0.conv2", "layer2.0.avgpool", "layer2.0.downsample"]
    )
    def test_a_neuron_sees_its_receptive_field(
        self, network: Network, model: Any, name: str
    ) -> None:
        tower = open_clip.CLIP(**CONFIG).visual.eval()
        for values in tower.parameters():
            nn.init.constant_(values, 0.1)  # so that no gradient vanishes or cancels
        layer = wrap(tower, Preprocessing(), size=64).layer(name)
        picture = torch.rand(1, 3, 64, 64, requires_grad=True)
        values: list[Tensor] = []
        hook = tower.get_submodule(name).register_forward_hook(lambda *each: values.append(each[2]))
        tower(picture)
        hook.remove()
        row, column = (side // 2 for side in layer.shape)
        (gradient,) = torch.autograd.grad(values[0][0, 0, row, column], picture)
        seen = gradient[0].any(0).nonzero()
        first = [
            o + s * at for o, s, at in zip(layer.offset, layer.stride, (row, column), strict=True)
        ]
        assert seen.amin(0).tolist() == first
        last = [start + side - 1 for start, side in zip(first, layer.receptive_field, strict=True)]
        assert seen.amax(0).tolist() == last

    def test_a_unit_is_ablated(self, network: Network, model: Any) -> None:
        pictures = torch.rand(2, 3, 64, 64)

        def ablate(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
            return output.index_fill(1, torch.tensor([3]), 0.0)

        hook = model.visual.layer1[0].act2.register_forward_hook(ablate)
        values = model.visual.layer1(model.visual.stem(Preprocessing(mean=MEAN, std=STD)(pictures)))
        hook.remove()
        with edited(network, "layer1.0.act2:3", zero()):
            found = network.activations(pictures, ["layer1"])["layer1"]
        torch.testing.assert_close(found, values, rtol=1e-4, atol=1e-5)
        assert (network.activations(pictures, ["layer1"])["layer1"] - found).abs().max() > 1e-3

    def test_pictures_of_units_and_texts_are_rendered(self, network: Network) -> None:
        shown = render(network, f"text:{TEXT}", steps=4)
        assert shown.picture.shape == (3, 64, 64)
        assert shown.feature == f"attnpool:{TEXT}"
        assert shown.record["direction"]["name"] == TEXT
        assert len(shown.record["direction"]["weights"]) == 16
        assert shown.history[-1] > shown.history[0]
        assert render(network, "attnpool:5", steps=4).history[-1] != 0
        assert render(network, "layer2.0.conv2:5", steps=4, size=40).picture.shape == (3, 40, 40)


class TestTexts:
    def test_activation_is_cosine_similarity_times_the_embedding_s_length(
        self, network: Network, model: Any
    ) -> None:
        pictures = torch.rand(2, 3, 64, 64)
        image = model.encode_image(Preprocessing(mean=MEAN, std=STD)(pictures))
        text = model.encode_text(open_clip.tokenize([TEXT]))
        expected = F.cosine_similarity(image, text) * image.norm(dim=1)
        feature = network.feature(f"text:{TEXT}")
        found = network.activations(pictures, ["attnpool"])["attnpool"] @ feature.vector(16)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
        assert objectives.direction(feature, cosine_power=1).feature == feature

    def test_of_several_texts_each_is_a_feature(self, network: Network) -> None:
        found = expand(network, ["text:a cat, a dog", "text:scale 1:2", "attnpool:3"])
        names = ["attnpool:a cat, a dog", "attnpool:scale 1:2", "attnpool:3"]
        assert [str(feature) for feature in found] == names

    def test_is_written_on_the_command_line(
        self, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        command = [
            "render",
            "clip:RN50",
            "--checkpoint",
            "mine.safetensors",
            "--steps",
            "2",
            "-o",
            "dogs.png",
        ]
        app([*command, "text:two dogs, one cat"], standalone_mode=False)
        assert Visualization.load(tmp_path / "dogs.png").feature == "attnpool:two dogs, one cat"

    def test_has_a_page_in_a_gallery(self, network: Network, tmp_path: Path) -> None:
        recipe = tmp_path / "texts.toml"
        recipe.write_text(
            'title = "Texts"\n[quality]\nsize = 64\nsteps = 2\n'
            '[[layers]]\nname = "attnpool"\ndirections = ["text:a photo of a dog"]\n'
        )
        index = gallery.build(recipe, tmp_path / "site", network=network, workers=1)
        page = index.parent / "layers/attnpool" / "a_photo_of_a_dog.html"
        assert TEXT in page.read_text("utf-8")

    def test_too_long_or_empty_raises(self, network: Network) -> None:
        network.feature("text:" + "dog " * 75)
        with pytest.raises(InputError, match="has 78 tokens, and CLIP reads 77 at most"):
            network.feature("text:" + "dog " * 76)
        with pytest.raises(InputError, match="'text: ' has no text"):
            network.feature("text: ")

    def test_without_a_text_encoder_raises(self) -> None:
        with pytest.raises(InputError, match=r"bvlc_googlenet has no text encoder.*`clip:`"):
            untrained("bvlc_googlenet").feature("text:a dog")
        with pytest.raises(InputError, match=r"pass network\.feature"):
            objectives.unit("text:a dog")

    def test_of_a_network_with_a_layer_of_that_name_are_its_units(self) -> None:
        module = nn.Sequential()
        module.add_module("text", nn.Conv2d(3, 8, 3))
        network = wrap(module, Preprocessing(), size=16)
        assert str(network.feature("text:5")) == "text:5"

    @pytest.mark.usefixtures("_small")
    def test_of_untrained_networks_follow_from_the_seed(self) -> None:
        one, same, other = (untrained("clip:RN50", seed=seed) for seed in (1, 1, 2))
        before = torch.get_rng_state()
        found = [each.feature(f"text:{TEXT}") for each in (one, same, other)]
        assert torch.equal(torch.get_rng_state(), before)
        assert found[0] == found[1] != found[2]


class TestNames:
    @pytest.mark.parametrize(
        ("name", "size", "units"),
        [
            ("RN50", 224, 1024), ("RN101", 224, 512), ("RN50x4", 288, 640),
            ("RN50x16", 384, 768), ("RN50x64", 448, 1024),
        ],
    )  # fmt: skip
    def test_have_openai_s_sizes_and_activation_of_texts(
        self, name: str, size: int, units: int
    ) -> None:
        config = clip_models._config(name)
        assert config["vision_cfg"]["image_size"] == size
        assert (config["embed_dim"], config["quick_gelu"]) == (units, True)
        (source,) = checkpoints.SOURCES[name]
        assert source.url == open_clip.get_pretrained_url(name, "openai")
        assert source.fingerprint == f"sha256:{source.url.split('/')[-2]}"

    def test_unknown_raises_with_the_nearest(self) -> None:
        for give in (load, untrained):
            with pytest.raises(InputError, match=r"unknown .* CLIP 'RN51'; .*'RN50'"):
                give("clip:RN51")
        with pytest.raises(InputError, match=r"unknown .* CLIP 'ViT-B-32'"):
            load("clip:ViT-B-32")

    def test_without_open_clip_the_extra_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "open_clip", None)
        with pytest.raises(InputError, match=r"pip install visioncircuits\[clip\]"):
            load("clip:RN50")

    def test_of_a_network_without_published_parameters_asks_for_a_file(self) -> None:
        with pytest.raises(InputError, match="no public one is known; name a file"):
            load("clip:convnext_tiny")


@pytest.mark.slow
def test_of_full_size_has_layers_by_open_clip_s_names() -> None:
    network = untrained("clip:RN50")
    layers = network.layers
    assert {"layer4.2.conv3", "attnpool", "layer1.0.downsample.-1", "act3"} <= layers.keys()
    assert (layers["layer4.2.conv3"].units, layers["layer4.2.conv3"].shape) == (2048, (7, 7))
    assert layers["avgpool"].receptive_field == (13, 13)
    assert network.feature(f"text:{TEXT}").vector(1024).norm().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_a_convnext_embeds_as_open_clip_does_at_any_size(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = open_clip.create_model("convnext_tiny").eval()
    save_file(model.state_dict(), tmp_path / "mine.safetensors")
    network = load("clip:convnext_tiny", checkpoint=tmp_path / "mine.safetensors")
    pictures = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        expected = model.encode_image(Preprocessing(mean=MEAN, std=STD)(pictures))
        text = model.encode_text(open_clip.tokenize([TEXT]), normalize=True)[0]
        torch.testing.assert_close(network(pictures), expected, rtol=1e-3, atol=1e-4)
    feature = network.feature(f"text:{TEXT}")
    assert feature.layer == network.output
    torch.testing.assert_close(feature.vector(len(text)), text, rtol=1e-4, atol=1e-5)
