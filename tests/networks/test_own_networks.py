"""A network's name may be a function of one's own; mistakes there are one sentence."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from visioncircuits import engine
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, load, names
from visioncircuits.networks.obtaining import Obtain, obtaining

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

def sized(units, *, wide=False, about="nothing"):
    import beside_later
    made = nn.Sequential(nn.Conv2d(beside.CHANNELS, 2 * units if wide else units, 3))
    made.about = about
    return made

def paired():
    return module(), Preprocessing(channels=1, std=0.25)

def half():
    return module(), "imagenet"

def leaves():
    raise SystemExit("usage: my_cnn.py")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "beside.py").write_text("CHANNELS = 1\n")
    (tmp_path / "beside_later.py").touch()
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


def test_a_module_with_its_preprocessing(file: Path) -> None:
    network = load(f"{file}:paired")
    assert (network.name, network.size) == ("my_cnn.py:paired", 224)
    assert network.preprocessing == Preprocessing(channels=1, std=0.25)


def test_options_are_arguments_and_part_of_the_networks_name(file: Path) -> None:
    network = load(f"{file}:sized?wide=true&units=3&about=100%25 mine")
    assert network.layer("0").units == 6
    assert network.module.about == "100% mine"
    assert network.name == "my_cnn.py:sized?about=100%25%20mine&units=3&wide=true"
    assert load(f"{file.parent}/{network.name}").name == network.name
    text = load(f'{file}:sized?units=3&about="18"')
    assert (text.module.about, text.name) == ("18", 'my_cnn.py:sized?about="18"&units=3')


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
        ("my_cnn.py:half", "returned tuple of Sequential and str; return a torch module, one with"),
        ("my_cnn.py:leaves", "leaves failed, line .. of my_cnn.py: SystemExit: usage"),
        ("my_cnn.py:sized", r"my_cnn.py:sized needs 'units'; write them as my_cnn.py:sized.units="),
        (
            "my_cnn.py:sized?unit=3",
            "unknown option of my_cnn.py:sized 'unit'; the nearest .*'units'",
        ),
        ("my_cnn.py:named?size=3", "my_cnn.py:named takes no options, and 'size' is given"),
        ("my_cnn.py:sized?units", "'units' is no option of a network; write name=value"),
        ("my_cnn.py:sized?units=3&units=4", "the option 'units' is given twice"),
        ("my_cnn.py:sized?", "'' is no option"),
        ("my_cnn.py?units=3", "names no function"),
        ("handwritten:curves?units=3", "handwritten:curves takes no options"),
        ("bvlc_googlenet?units=3", "bvlc_googlenet takes no options"),
        (
            "my_cnn.py:broken",
            "broken failed, line 18 of my_cnn.py: ZeroDivisionError: division by zero",
        ),
        ("my_cnn.py:nothing", "my_cnn.py:nothing returned NoneType; return a torch module"),
        ("wrong.py:network", "wrong.py:network failed, line 2 of wrong.py: NameError"),
        ("syntax.py:network", "syntax.py:network failed: SyntaxError"),
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


PACKAGE = """
from . import CHANNELS
from torch import nn

class Own(nn.Module):
    def __init__(self, units=4):
        super().__init__()
        self.part = nn.Conv2d(CHANNELS, units, 3)

    def forward(self, pictures):
        return self.part(pictures)

def broken():
    return 1 / 0
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with a package and a module in it that can be imported afterwards too."""
    (tmp_path / "own_package").mkdir()
    (tmp_path / "own_package" / "__init__.py").write_text("CHANNELS = 1\n")
    (tmp_path / "own_package" / "nets.py").write_text(PACKAGE)
    (tmp_path / "own_models.py").write_text("from own_package.nets import Own\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("own_")]:
        del sys.modules[name]


def test_a_module_is_imported_from_the_current_folder(here: Path) -> None:
    network = load("own_package.nets:Own?units=5")
    assert (network.name, network.layer("part").units) == ("own_package.nets:Own?units=5", 5)
    assert load("own_models:Own").name == "own_models:Own"


def test_a_module_that_is_installed_needs_no_folder() -> None:
    network = load("torch.nn:Conv2d?in_channels=1&out_channels=2&kernel_size=3")
    assert network.name == "torch.nn:Conv2d?in_channels=1&kernel_size=3&out_channels=2"
    assert network.preprocessing.channels == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("own_package.nest:Own", "there is no module own_package.nest, here or installed"),
        ("own_pakage.nets:Own", "unknown network .*: no module 'own_pakage.nets' is here or inst"),
        (
            "own_package.nets:own",
            "unknown function of own_package.nets 'own'; the nearest .* 'Own'",
        ),
        ("own_package.nets:", "names no function; write file.py:function or package.module:func"),
        ("own_package.nets:broken", "broken failed, line 14 of nets.py: ZeroDivisionError"),
        ("torchvison:resnet18", "unknown network .*; the nearest are 'torchvision:resnet18'"),
    ],
)
@pytest.mark.usefixtures("here")
def test_mistakes_in_a_modules_name_are_one_sentence(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(name)
    assert "\n" not in str(caught.value)


def test_workers_import_a_module_from_the_folder_where_the_work_began(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = names.absolute("own_package.nets:Own")
    assert name == f"{here}/own_package.nets:Own"
    monkeypatch.chdir("/")
    assert load(name).name == "own_package.nets:Own"


@pytest.mark.slow
def test_other_processes_load_a_module_by_name_and_find_its_classes(here: Path) -> None:
    (here / "own_models.py").write_text(
        "import torch\nfrom own_package.nets import Own\n"
        "def seeded(seed):\n    torch.manual_seed(seed)\n    return Own()\n"
    )
    obtain = obtaining("own_models:seeded?seed=3")
    workers = engine.local(workers=2)
    for _, found in workers.map(partial(_parameters, obtain), [0, 1]):
        assert found == obtain().record()["parameters_sha256"]
    for _, record in workers.map(Network.record, [obtain()] * 2):
        assert record == obtain().record()


def _parameters(obtain: Obtain, item: int) -> str:
    return str(obtain().record()["parameters_sha256"])
