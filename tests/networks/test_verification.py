import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from visioncircuits.errors import InputError
from visioncircuits.networks import checkpoints as store
from visioncircuits.networks.catalog import load, untrained
from visioncircuits.networks.checks import Check, Verification
from visioncircuits.networks.network import Network
from visioncircuits.networks.verification import summary, verify

NAME = "bvlc_googlenet"
REFERENCE = f"{NAME}_reference_activations.npz"
STAGES = {
    "conv2d0", "localresponsenorm0", "conv2d2", "maxpool1", "mixed3a", "mixed3b", "mixed4a",
    "mixed4b", "mixed4c", "mixed4d", "mixed4e", "mixed5a", "mixed5b", "logits",
}  # fmt: skip


@pytest.fixture(scope="module")
def bvlc(checkpoints: Path) -> Network:
    return load(NAME, checkpoint=checkpoints / f"{NAME}.safetensors")


def _beside(checkpoints: Path, folder: Path) -> Path:
    """Copy BVLC's checkpoint into a folder of its own."""
    return Path(shutil.copy(checkpoints / f"{NAME}.safetensors", folder))


def _tampered(checkpoints: Path, folder: Path, name: str, units: slice) -> Path:
    """Write BVLC's checkpoint with the kernels of some units of one layer a tenth larger."""
    parameters = load_file(checkpoints / f"{NAME}.safetensors")
    parameters[name][units] *= 1.1
    save_file(parameters, folder / f"{NAME}.safetensors")
    return folder / f"{NAME}.safetensors"


@pytest.mark.weights
class TestReferenceActivations:
    def test_pass_for_the_real_checkpoint(self, bvlc: Network, checkpoints: Path) -> None:
        found = verify(bvlc)
        assert found.passed
        assert found.network == NAME
        assert found.against == str(checkpoints / REFERENCE)
        assert {check.name for check in found.checks} == STAGES
        assert max(check.error for check in found.checks) < 2e-5

    @pytest.mark.parametrize(
        ("parameter", "first"),
        [("conv1/7x7_s2.weight", "conv2d0"), ("inception_5b/5x5.weight", "mixed5b")],
    )
    def test_fail_from_a_modified_layer_on(
        self, checkpoints: Path, tmp_path: Path, parameter: str, first: str
    ) -> None:
        path = _tampered(checkpoints, tmp_path, parameter, slice(None))
        network = load(NAME, checkpoint=path)
        shutil.copy(checkpoints / REFERENCE, tmp_path)
        found = verify(network)
        assert not found.passed
        assert next(check.name for check in found.checks if not check.passed) == first

    def test_fail_for_an_untrained_network(self, checkpoints: Path, bvlc: Network) -> None:
        network = Network(
            untrained(NAME).module, bvlc.preprocessing, name=NAME, checkpoint=bvlc.checkpoint
        )
        assert not any(check.passed for check in verify(network).checks)

    def test_fail_for_nan_parameters(self, checkpoints: Path, bvlc: Network) -> None:
        network = load(NAME, checkpoint=checkpoints / f"{NAME}.safetensors")
        network.module.get_parameter("conv2d0_pre_relu.weight")[0] = torch.nan
        assert not verify(network).passed

    @pytest.mark.parametrize("damage", ["cut", "text", "other"])
    def test_that_are_damaged_raise(self, checkpoints: Path, tmp_path: Path, damage: str) -> None:
        network = load(NAME, checkpoint=_beside(checkpoints, tmp_path))
        path = tmp_path / REFERENCE
        if damage == "other":
            np.savez(path, somewhere=np.zeros(3))
        else:
            content = (checkpoints / REFERENCE).read_bytes()
            path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"no archive")
        with pytest.raises(InputError, match=f"{REFERENCE} (cannot be read|does not hold)"):
            verify(network)


@pytest.mark.weights
class TestFingerprint:
    def test_passes_for_the_real_checkpoint(self, checkpoints: Path, tmp_path: Path) -> None:
        found = verify(load(NAME, checkpoint=_beside(checkpoints, tmp_path)))
        assert found.against == "the library's own fingerprint"
        assert found.passed
        assert len(found.checks) > 10

    @pytest.mark.parametrize(
        "parameter", ["conv1/7x7_s2.weight", "inception_4c/3x3.weight", "loss3/classifier.weight"]
    )
    def test_fails_for_a_modified_kernel_of_one_unit(
        self, checkpoints: Path, tmp_path: Path, parameter: str
    ) -> None:
        path = _tampered(checkpoints, tmp_path, parameter, slice(3, 4))
        found = verify(load(NAME, checkpoint=path))
        assert found.against == "the library's own fingerprint"
        assert not found.passed

    def test_fails_for_another_order_of_channels(self, checkpoints: Path, tmp_path: Path) -> None:
        network = load(NAME, checkpoint=_beside(checkpoints, tmp_path))
        network.module.get_parameter("conv2d0_pre_relu.weight").copy_(
            network.module.get_parameter("conv2d0_pre_relu.weight").flip(1)
        )
        assert not verify(network).passed

    def test_fails_for_an_untrained_network(self, bvlc: Network) -> None:
        module = untrained(NAME).module
        assert not verify(Network(module, bvlc.preprocessing, name=NAME)).passed


@pytest.fixture
def golden(bvlc: Network, tmp_path: Path) -> Path:
    """A folder like the one published for Google's graph, with activations of BVLC's network."""
    folder = tmp_path / "golden_activations"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("dog_cat", "beer"):
        coarse = Image.fromarray(rng.integers(0, 256, (7, 7, 3), dtype=np.uint8))
        coarse.resize((96, 96)).save(folder / f"{name}.jpeg", quality=95)
        pixels = torch.tensor(np.asarray(Image.open(folder / f"{name}.jpeg")))
        picture = pixels.permute(2, 0, 1)[None] / 255
        value = bvlc.activations(picture, ["mixed4d"])["mixed4d"]
        np.save(folder / f"{name}_mixed4d_activations.npy", value.permute(0, 2, 3, 1))
    return folder


@pytest.mark.weights
class TestGoldenActivations:
    def test_pass_for_the_network_that_computed_them(self, bvlc: Network, golden: Path) -> None:
        found = verify(bvlc, published=golden.parent)
        assert found.passed
        assert found.against == str(golden)
        assert [check.name for check in found.checks] == ["mixed4d of beer", "mixed4d of dog_cat"]

    def test_that_were_changed_fail(self, bvlc: Network, golden: Path) -> None:
        path = golden / "beer_mixed4d_activations.npy"
        value = np.load(path)
        value[0, 2, 3, value[0, 2, 3].argmax()] += 0.05 * value.max()
        np.save(path, value)
        found = verify(bvlc, published=golden.parent)
        assert [check.passed for check in found.checks] == [False, True]

    def test_fail_for_a_modified_network(
        self, checkpoints: Path, golden: Path, tmp_path: Path
    ) -> None:
        path = _tampered(checkpoints, tmp_path, "inception_3a/3x3.weight", slice(None))
        assert not verify(load(NAME, checkpoint=path), published=golden.parent).passed

    def test_of_another_shape_fail(self, bvlc: Network, golden: Path) -> None:
        path = golden / "beer_mixed4d_activations.npy"
        np.save(path, np.load(path)[:, 1:])
        assert not verify(bvlc, published=golden.parent).passed

    @pytest.mark.parametrize("fault", ["no photograph", "damaged photograph", "damaged array"])
    def test_that_cannot_be_read_raise(self, bvlc: Network, golden: Path, fault: str) -> None:
        if fault == "no photograph":
            (golden / "beer.jpeg").unlink()
        elif fault == "damaged photograph":
            (golden / "beer.jpeg").write_bytes(b"no picture")
        else:
            (golden / "beer_mixed4d_activations.npy").write_bytes(b"no array")
        with pytest.raises(InputError, match=r"beer.* cannot be read \(.*\); get it again"):
            verify(bvlc, published=golden.parent)

    def test_of_an_unknown_layer_raise(self, bvlc: Network, golden: Path) -> None:
        (golden / "beer_mixed4d_activations.npy").rename(golden / "beer_mixed9_activations.npy")
        with pytest.raises(InputError, match="unknown layer 'mixed9'"):
            verify(bvlc, published=golden.parent)

    def test_that_are_missing_raise(self, bvlc: Network, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="has no photograph with activations"):
            verify(bvlc, published=tmp_path)


@pytest.mark.published
@pytest.mark.parametrize("name", ["inceptionv1", NAME])
def test_googles_activations_fail_for_another_network(name: str, published: Path) -> None:
    network = untrained(name)
    network.name = name
    found = verify(network, published=published)
    assert not found.passed
    assert sum(check.name.startswith("mixed4d of") for check in found.checks) == 6
    assert len(found.checks) == (7 if name == "inceptionv1" else 6)


@pytest.mark.elsewhere
def test_inception5h_has_the_activations_that_google_published(published: Path) -> None:
    """Runs where the checkpoint exists; CI cannot download it."""
    checkpoint = store.find("inceptionv1")
    if checkpoint is None:
        pytest.skip("no checkpoint of inception5h here")
    network = load("inceptionv1", checkpoint=checkpoint.path)
    found = verify(network, published=published)
    assert found.passed, found
    assert len(found.checks) == 7
    assert verify(network).passed


def test_the_published_inputs_of_379_are_compared_without_other_references() -> None:
    network = untrained("inceptionv1")
    network.name = "inceptionv1"
    (check,) = verify(network).checks
    assert "mixed3b:379" in check.name
    assert not check.passed


def test_the_published_inputs_of_379_are_found_in_constructed_weights() -> None:
    network = untrained("inceptionv1")
    network.name = "inceptionv1"
    kernel = network.module.get_parameter("mixed3b_5x5_pre_relu.weight")
    bottleneck = network.module.get_parameter("mixed3b_5x5_bottleneck_pre_relu.weight")
    kernel[379 - 320, 7] = 1
    bottleneck[7, [95, 145, 147, 116, 77, 176, 187, 189, 87, 92]] = -5
    assert verify(network).passed
    bottleneck[7, 95], bottleneck[7, 96] = 0, 5
    (check,) = verify(network).checks
    assert (check.passed, check.error) == (False, 1)


@pytest.mark.parametrize("name", ["untrained inceptionv1", "torchvision:resnet18", "mine"])
def test_without_a_reference_verifying_raises(name: str) -> None:
    network = untrained("inceptionv1")
    network.name = name
    with pytest.raises(InputError, match=f"no reference to verify {name} against; put .*npz"):
        verify(network)


def test_any_network_is_compared_with_activations_beside_its_checkpoint(tmp_path: Path) -> None:
    source = untrained("torchvision:squeezenet1_1")
    parameters = {name: p.contiguous() for name, p in source.module.state_dict().items()}
    save_file(parameters, tmp_path / "squeezenet1_1.safetensors")
    inputs = torch.randn(1, 3, 64, 64)
    stage = source.module.features[:2](inputs)
    path = tmp_path / "squeezenet1_1_reference_activations.npz"
    stored = {"input_bgr_minus_mean": inputs[0].numpy(), "features.1": stage[0].numpy()}
    np.savez(path, **stored)
    network = load("torchvision:squeezenet1_1", checkpoint=tmp_path / "squeezenet1_1.safetensors")
    found = verify(network)
    assert [check.name for check in found.checks] == ["features.1"]
    assert found.passed
    np.savez(path, **stored | {"features.1": 1.01 * stage[0].numpy()})
    assert not verify(network).passed


def test_a_verification_without_checks_fails() -> None:
    assert not Verification("a", "b", ()).passed
    assert not Verification("a", "b", (Check("c", 0, 1), Check("d", float("nan"), 1))).passed
    assert Verification("a", "b", (Check("c", 1, 1),)).passed


def test_a_summary_changes_with_every_unit_and_with_their_order() -> None:
    value = torch.rand(1, 32, 3, 3)
    before = np.array(summary(value))
    for unit in range(32):
        changed = value.clone()
        changed[:, unit] *= 1.01
        assert np.hypot(*(np.array(summary(changed)) - before)[:2]) > 1e-4 * before[2]
    assert abs(np.array(summary(value.flip(1))) - before)[:2].max() > 0.1


def test_fingerprints_are_of_networks_that_exist() -> None:
    path = Path(__file__).parents[2] / "visioncircuits/networks/fingerprints.json"
    for name, sizes in json.loads(path.read_text("utf-8")).items():
        layers = untrained(name).layers
        assert set(sizes) <= set(layers)
        assert all(norm > 0 for _, _, norm in sizes.values())
