"""Workers load a named network; a given one stays in its process."""

import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, load, wrap
from visioncircuits.networks.obtaining import checked, obtaining


@pytest.fixture
def network() -> Network:
    return wrap(nn.Sequential(nn.Conv2d(1, 4, 3)), Preprocessing(channels=1), name="mine", size=16)


def test_a_named_network_is_loaded_again_elsewhere() -> None:
    obtain = pickle.loads(pickle.dumps(obtaining("handwritten:lines")))
    assert obtain().record() == load("handwritten:lines").record()


def test_a_files_path_does_not_depend_on_the_workers_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text("from torch import nn\ndef one(): return nn.Conv2d(1, 1, 1)")
    monkeypatch.chdir(tmp_path)
    obtain = obtaining("mine.py:one")
    monkeypatch.chdir("/")
    assert obtain().name == "mine.py:one"


def test_a_given_network_stays_in_its_process(network: Network) -> None:
    obtain = obtaining(network)
    assert obtain() is network
    with pytest.raises(InputError, match=r"mine is an object of this process"):
        pickle.dumps(obtain)


def test_a_given_network_has_its_parameters(network: Network, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mine has its parameters"):
        obtaining(network, checkpoint=tmp_path / "other.pth")


def test_another_network_than_planned_is_refused(network: Network) -> None:
    planned = network.record()
    assert checked(network, planned) is network
    with torch.no_grad():
        network.module[0].bias += 1
    with pytest.raises(InputError, match="a worker has another checkpoint of mine"):
        checked(network, planned)
