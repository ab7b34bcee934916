from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from visioncircuits.errors import InputError
from visioncircuits.handwritten import labels, lines, load, read, save
from visioncircuits.networks import Preprocessing, wrap


def test_a_network_comes_back_as_it_was(tmp_path: Path) -> None:
    network = lines()
    save(network, tmp_path / "lines.safetensors")
    again = read(tmp_path / "lines.safetensors")
    picture = torch.rand(1, 3, 64, 64)
    assert torch.equal(network(picture), again(picture))
    for layer in network.layers:
        assert labels(again, layer) == labels(network, layer)
    thresholds = [stage.threshold for stage in network.module.stages]
    assert [stage.threshold for stage in again.module.stages] == thresholds


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.safetensors", "b.safetensors"):
        save(lines(), tmp_path / name)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_a_file_can_be_named_where_a_network_is(tmp_path: Path) -> None:
    save(lines(), tmp_path / "mine.safetensors")
    network = load(str(tmp_path / "mine.safetensors"))
    assert network.name == f"handwritten:{tmp_path / 'mine.safetensors'}"
    assert len(network.record()["checkpoint_sha256"]) == 64


def test_only_handwritten_networks_are_saved(tmp_path: Path) -> None:
    trained = wrap(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)), Preprocessing(), size=16)
    with pytest.raises(InputError, match="is not handwritten"):
        save(trained, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match=r"must end in \.safetensors"):
        save(lines(), tmp_path / "a.pth")


def test_what_is_no_handwritten_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read(tmp_path / "none.safetensors")
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    save(lines(), tmp_path / "cut.safetensors")
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "cut.safetensors").read_bytes()[:5000])
    for name in ("other.safetensors", "cut.safetensors"):
        with pytest.raises(InputError, match=f"{name} holds no handwritten network"):
            read(tmp_path / name)
