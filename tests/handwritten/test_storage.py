from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from visioncircuits.errors import InputError
from visioncircuits.handwritten import labels, lines, load, save
from visioncircuits.networks import Preprocessing, wrap


def test_a_network_is_the_same_after_saving_and_reading(tmp_path: Path) -> None:
    network = lines()
    save(network, tmp_path / "lines.safetensors")
    again = load(tmp_path / "lines.safetensors")
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


def test_load_accepts_the_path_of_a_file(tmp_path: Path) -> None:
    save(lines(), tmp_path / "mine.safetensors")
    network = load(str(tmp_path / "mine.safetensors"))
    assert network.name == f"handwritten:{tmp_path / 'mine.safetensors'}"
    assert len(network.record()["checkpoint_sha256"]) == 64


def test_saving_another_network_or_format_raises(tmp_path: Path) -> None:
    trained = wrap(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)), Preprocessing(), size=16)
    with pytest.raises(InputError, match="is not handwritten"):
        save(trained, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match=r"must end in \.safetensors"):
        save(lines(), tmp_path / "a.pth")


def test_reading_another_file_raises(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        load(tmp_path / "none.safetensors")
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    save(lines(), tmp_path / "cut.safetensors")
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "cut.safetensors").read_bytes()[:5000])
    for name in ("other.safetensors", "cut.safetensors"):
        with pytest.raises(InputError, match=f"{name} holds no handwritten network"):
            load(tmp_path / name)
