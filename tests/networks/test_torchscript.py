import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from visioncircuits.errors import InputError
from visioncircuits.networks.formats import read_tensors
from visioncircuits.networks.torchscript import is_archive

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit")


class Small(nn.Module):
    """Parameters, buffers, a list, a tensor that is neither, and submodules named by numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.rand(4, 1, 1))
        self.register_buffer("input_resolution", torch.tensor(224))
        self.mask = torch.ones(3)
        self.blocks = nn.Sequential()
        self.blocks.add_module("-1", nn.AvgPool2d(2))
        self.blocks.add_module("0", nn.Conv2d(3, 4, 3))
        self.blocks.add_module("1", nn.BatchNorm2d(4))
        self.blocks.add_module("2", nn.Conv2d(4, 4, 1))

    def forward(self, x: Tensor) -> Tensor:
        blocks: Tensor = self.blocks(x)
        return blocks + self.shift * self.mask.sum()


@pytest.fixture(params=["scripted", "traced"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    torch.manual_seed(3)
    module = Small().eval()
    with torch.no_grad():
        module.blocks[2].weight = module.blocks[3].bias  # one storage, two names
        module.blocks[3].weight.data = torch.rand(4, 8, 1, 1)[:, ::2]  # not contiguous
    made = (
        torch.jit.script(module)
        if request.param == "scripted"
        else torch.jit.trace(module, torch.rand(1, 3, 8, 8))
    )
    torch.jit.save(made.half(), tmp_path / "small.pt")
    return tmp_path / "small.pt"


def _rewritten(archive: Path, pickled: bytes) -> Path:
    """An archive with another pickle."""
    path = archive.with_name("other.pt")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, pickled if name.endswith("/data.pkl") else old.read(name))
    return path


def test_an_archive_has_the_state_that_torch_loads(archive: Path) -> None:
    expected = torch.jit.load(archive).state_dict()
    found = read_tensors(archive)
    assert is_archive(archive)
    assert found.keys() == expected.keys() >= {"shift", "input_resolution", "blocks.0.weight"}
    assert found["blocks.0.weight"].dtype == torch.float16
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def test_a_class_without_lists_of_names_keeps_all_tensors(archive: Path) -> None:
    path = archive.with_name("bare.pt")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if "/code/" not in name:
                new.writestr(name, old.read(name))
    assert read_tensors(path).keys() >= torch.jit.load(archive).state_dict().keys()


def test_its_code_is_not_compiled(archive: Path) -> None:
    path = archive.with_name("nonsense.pt")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data + b"\nnonsense(" if name.endswith(".py") else data)
    assert read_tensors(path).keys() == torch.jit.load(archive).state_dict().keys()


class Trap:
    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], self.call[1:]


def test_a_pickle_that_runs_code_raises_and_is_not_run(archive: Path, tmp_path: Path) -> None:
    path = _rewritten(archive, pickle.dumps(Trap(Path.mkdir, tmp_path / "sprung"), protocol=2))
    with pytest.raises(InputError, match=r"other\.pt is damaged or holds more than tensors"):
        read_tensors(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "place",
    [
        "builtins eval", "builtins getattr", "os system", "torch load", "torch._utils _rebuild",
        "torch.jit._pickle __builtins__", "__torch__x y", "collections __dict__",
        "visioncircuits.networks.torchscript _Module",
    ],
)  # fmt: skip
def test_any_other_name_is_refused(archive: Path, place: str) -> None:
    pickled = b"\x80\x02c" + place.replace(" ", "\n").encode() + b"\n."
    with pytest.raises(InputError, match=f"names {place.replace(' ', '.')}"):
        read_tensors(_rewritten(archive, pickled))


@pytest.mark.parametrize(
    "pickled",
    [
        pickle.dumps({"weight": 1}, protocol=2),  # no module
        b"\x80\x02c__torch__\nSmall\n)\x81K\x01b.",  # its attributes are a number
        b"\x80\x02c__torch__\nSmall\n)\x81.",  # it has none
        b"\x80\x02ctorch\nHalfStorage\n)R.",  # a dtype is called
        b"\x80\x02cno.such\n",
        b"",
    ],
)
def test_a_pickle_of_something_else_raises(archive: Path, pickled: bytes) -> None:
    with pytest.raises(InputError, match=r"other\.pt"):
        read_tensors(_rewritten(archive, pickled))


def test_a_tensor_beyond_its_storage_raises(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        (name,) = (name for name in opened.namelist() if name.endswith("/data.pkl"))
        pickled = opened.read(name)
    four, many = b"(K\x04K\x01K\x01t", b"(K\x63K\x01K\x01t"  # of `shift`
    assert four in pickled
    with pytest.raises(InputError, match=r"other\.pt cannot be read"):
        read_tensors(_rewritten(archive, pickled.replace(four, many)))


def test_a_truncated_archive_raises_with_its_name(archive: Path) -> None:
    whole = archive.read_bytes()
    for length in (0, 9, 200, len(whole) // 2, len(whole) - 1):
        archive.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"small\.pt"):
            read_tensors(archive)


def test_a_state_dict_is_no_archive(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "net.pt")
    assert not is_archive(tmp_path / "net.pt")
