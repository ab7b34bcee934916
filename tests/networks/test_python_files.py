"""A network's name may be a function of a Python file; mistakes there are one sentence."""

from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from visioncircuits import engine
from visioncircuits.errors import InputError
from visioncircuits.networks import load

FILE = """
import beside
import torch
from torch import nn
from visioncircuits import Preprocessing, wrap

def module():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(beside.CHANNELS, 4, 3), nn.ReLU())

def network():
    return wrap(module(), Preprocessing(channels=1, mean=0.5), size=20)

def named():
    return wrap(module(), Preprocessing(channels=1), name="mine", size=20)

def broken():
    return 1 / 0

def nothing():
    pass
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "beside.py").write_text("CHANNELS = 1\n")
    path = tmp_path / "my_cnn.py"
    path.write_text(FILE)
    return path


def test_a_function_that_returns_a_network(file: Path) -> None:
    network = load(f"{file}:network")
    assert (network.name, network.size) == ("my_cnn.py:network", 20)
    assert network.preprocessing.mean == (0.5,)
    assert load(f"{file}:named").name == "mine"


def test_a_module_gets_pictures_as_they_are_of_its_channels(file: Path) -> None:
    network = load(f"{file}:module")
    assert (network.name, network.size, network.preprocessing.channels) == (
        "my_cnn.py:module",
        224,
        1,
    )
    pictures = torch.rand(1, 1, 8, 8)
    assert torch.equal(
        network.activations(pictures, ["0"])["0"], network.module[0](pictures).detach()
    )


def test_paths_are_relative_to_where_one_is(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    assert load("my_cnn.py:named").name == "mine"


def test_a_checkpoint_replaces_what_the_function_sets(file: Path, tmp_path: Path) -> None:
    state = load(f"{file}:network").module.state_dict()
    path = tmp_path / "other.safetensors"
    save_file({name: torch.full_like(values, 2.0) for name, values in state.items()}, path)
    network = load(f"{file}:network", checkpoint=path)
    assert all((values == 2).all() for values in network.module.state_dict().values())
    assert network.record()["checkpoint_sha256"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my_cnn.py", "names no function; write file.py:function"),
        ("my_cnn.py:", "names no function"),
        ("my_cnn.py:two words", "names no function"),
        ("lost.py:network", "there is no file .*lost.py"),
        ("my_cnn.py:netwrok", "unknown function of my_cnn.py 'netwrok'; the nearest are 'network'"),
        ("my_cnn.py:broken", "broken failed, line 18: ZeroDivisionError: division by zero"),
        ("my_cnn.py:nothing", "my_cnn.py:nothing returned NoneType; return a torch module"),
        ("wrong.py:network", "wrong.py failed, line 2: NameError"),
        ("syntax.py:network", "syntax.py failed: SyntaxError"),
    ],
)
def test_mistakes_are_one_sentence(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.chdir(file.parent)
    Path("wrong.py").write_text("\nundefined\n")
    Path("syntax.py").write_text("def (\n")
    with pytest.raises(InputError, match=message) as caught:
        load(name)
    assert "\n" not in str(caught.value)


CLASSES = """
from own_parts import Part
from torch import nn
from visioncircuits import Preprocessing, wrap

class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = Part(1, 4, 3)

    def forward(self, pictures):
        return self.part(pictures)

def network():
    return wrap(Own(), Preprocessing(channels=1), size=20)
"""


@pytest.mark.slow
def test_workers_find_the_classes_of_a_file_and_of_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "own_parts.py").write_text("from torch import nn\nclass Part(nn.Conv2d): pass\n")
    (tmp_path / "own_classes.py").write_text(CLASSES)
    network = load(f"{tmp_path / 'own_classes.py'}:network")
    pictures = torch.rand(2, 1, 20, 20)
    expected = network.activations(pictures, ["part"])["part"]
    workers = engine.local(workers=2)
    for _, found in workers.map(partial(network.activations, pictures), [["part"]] * 2):
        assert torch.equal(found["part"], expected)
