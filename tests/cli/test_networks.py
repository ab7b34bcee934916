"""`visioncircuits networks`, run as a user does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.networks.onnx_nets import write


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No checkpoint is at hand, and what commands keep stays out of the system."""
    for name in ("XDG_CACHE_HOME", "VISIONCIRCUITS_CHECKPOINTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VISIONCIRCUITS_OFFLINE", "1")


@pytest.fixture
def at_hand(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VISIONCIRCUITS_CHECKPOINTS", str(checkpoints))
    return checkpoints


def test_the_list_shows_where_checkpoints_are(run: Callable[..., Any], at_hand: Path) -> None:
    ended = run("networks")
    assert ended.returncode == 0, ended.stderr
    assert str(at_hand / "bvlc_googlenet.safetensors") in ended.stdout
    assert "torchvision:squeezenet1_1" in ended.stdout


def test_a_pattern_lists_the_networks_that_match(run: Callable[..., Any]) -> None:
    ended = run("networks", "list", "timm:*convnextv2_att*")
    assert ended.returncode == 0, ended.stderr
    names = [line.split()[0] for line in ended.stdout.splitlines()[1:]]
    assert "timm:convnextv2_atto.fcmae_ft_in1k" in names
    assert all(name.startswith("timm:convnextv2_att") for name in names)
    ended = run("networks", "list", "timm:*nothing*")
    assert ended.returncode == 2
    assert "no network that can be loaded matches 'timm:*nothing*'" in ended.stderr


@pytest.mark.usefixtures("at_hand")
def test_show_prints_every_layer_with_its_geometry(run: Callable[..., Any]) -> None:
    ended = run("networks", "show", "bvlc_googlenet")
    assert ended.returncode == 0, ended.stderr
    line = next(line for line in ended.stdout.splitlines() if line.startswith("mixed3b "))
    assert line.split()[1:4] == ["480", "91", "8"]
    assert "mixed3b_5x5 320–415" in line


def test_the_exit_code_of_verify_is_its_result(
    run: Callable[..., Any], at_hand: Path, tmp_path: Path
) -> None:
    assert run("networks", "verify", "bvlc_googlenet").returncode == 0
    cut = tmp_path / "bvlc_googlenet.safetensors"
    cut.write_bytes((at_hand / cut.name).read_bytes()[:-1000])
    ended = run("networks", "verify", "bvlc_googlenet", "--checkpoint", str(cut))
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ")
    assert str(cut) in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("networks", "show", "bvlc_googlene"), "bvlc_googlenet"),
        (("networks", "show", "torchvision:resnet19"), "resnet18"),
        (("networks", "show", "bvlc_googlenet"), "VISIONCIRCUITS_CHECKPOINTS"),
        (("render", "handwritten:nothing", "a:1", "-o", "/nowhere/a.png"), "/nowhere"),
        (("render", "bvlc_googlenet", "mixed3b:1", "-o", "a.gif"), ".png or .webp"),
        (("gallery", "/nowhere.toml", "--out", "site"), "/nowhere.toml"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    run: Callable[..., Any], arguments: tuple[str, ...], message: str
) -> None:
    ended = run(*arguments)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("error: ")
    assert message in ended.stderr


def test_options_of_a_network_are_arguments_of_its_function(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my_cnn.py").write_text(
        "from torch import nn\ndef build(units, stride=1): return nn.Conv2d(3, units, 3, stride)"
    )
    own = "networks", "show", "my_cnn.py:build"
    ended = run(*own, "--network-option", "units=7", "--network-option", "stride=2")
    assert ended.stdout.startswith("my_cnn.py:build?stride=2&units=7: ")
    assert ended.stdout == run("networks", "show", "my_cnn.py:build?units=7&stride=2").stdout
    assert "needs 'units'; write" in run(*own).stderr


def test_a_classifier_at_chance_fails_with_advice(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my_cnn.py").write_text(
        "from torch import nn\nfrom visioncircuits import Preprocessing, wrap\n"
        "class Brightness(nn.Module):\n"
        "    def forward(self, x): return x.mean((1, 2, 3))[:, None] * x.new_tensor([-1, 1])\n"
        "def build(high=1):\n"
        "    preprocessing = Preprocessing(range=(-high, high))\n"
        "    return wrap(Brightness(), preprocessing, size=8, classes=['black', 'white'])\n"
    )
    for name, gray in {"black": 0, "white": 255}.items():
        Path("photos", name).mkdir(parents=True)
        for place in range(10):
            Image.new("RGB", (8, 8), (gray,) * 3).save(f"photos/{name}/{place}.png")
    verify = "networks", "verify", "my_cnn.py:build", "--photographs", "photos"
    ended = run(*verify)
    assert ended.returncode == 0, ended.stderr
    assert "ok  classes of 20 photographs: 20 right, 10 by chance" in ended.stdout
    ended = run(*verify, "--network-option", "high=-1")
    assert ended.returncode == 1
    assert "my_cnn.py:build?high=-1 DOES NOT AGREE with photos\n" in ended.stdout
    assert "classifies photos no better than chance: its preprocessing" in ended.stdout


def test_an_onnx_file_is_a_network(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnx2torch")
    monkeypatch.chdir(tmp_path)
    nodes = [
        onnx.helper.make_node("Conv", ["x", "w"], ["c"], name="edges"),
        onnx.helper.make_node("GlobalAveragePool", ["c"], ["y"]),
    ]
    write(tmp_path / "net.onnx", nodes, constants={"w": np.ones((5, 3, 3, 3), np.float32)})
    shown = run("networks", "show", "net.onnx")
    assert shown.returncode == 0
    assert "edges" in shown.stdout
    lost = run("networks", "show", "lost.onnx")
    assert (lost.returncode, "there is no file lost.onnx" in lost.stderr) == (2, True)
