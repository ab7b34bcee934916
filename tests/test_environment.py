"""An empty environment variable is an unset one, wherever it is read."""

from pathlib import Path

import pytest
import torch

from visioncircuits.environment import variable
from visioncircuits.errors import InputError
from visioncircuits.networks import checkpoints, load

NAME = "A_VARIABLE"


@pytest.mark.parametrize(("value", "found"), [("", None), ("0", "0"), (" ", " "), ("a b", "a b")])
def test_an_empty_variable_is_an_unset_one(
    value: str, found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, value)
    assert variable(NAME) == found
    monkeypatch.delenv(NAME)
    assert variable(NAME) is None


@pytest.mark.parametrize(("value", "forbidden"), [("", False), ("0", False), ("1", True)])
def test_an_empty_variable_forbids_no_downloads(
    value: str, forbidden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(checkpoints.OFFLINE, value)
    assert checkpoints.offline() is forbidden


def test_an_empty_variable_names_no_folder_of_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bvlc_googlenet.safetensors").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(checkpoints.FOLDER, "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert checkpoints.find("bvlc_googlenet") is None


@pytest.mark.parametrize("emptied", ["TORCH_HOME", "XDG_CACHE_HOME"])
def test_torchs_weights_are_not_read_from_the_working_folder(
    emptied: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TORCH_HOME", "XDG_CACHE_HOME", checkpoints.FOLDER):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(emptied, "")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv(checkpoints.OFFLINE, "1")
    monkeypatch.chdir(tmp_path)
    for folder in ("hub", "torch/hub"):
        path = tmp_path / folder / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"not this one")
    with pytest.raises(InputError, match="forbids downloads"):
        load("torchvision:squeezenet1_1")
    assert Path(torch.hub.get_dir()) == tmp_path / "home" / ".cache" / "torch" / "hub"
