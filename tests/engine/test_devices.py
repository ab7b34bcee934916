"""Each worker has a GPU of its own; the tests need none."""

import os
import time
from pathlib import Path

import pytest

from visioncircuits import engine
from visioncircuits.engine import devices
from visioncircuits.engine.local import Local
from visioncircuits.errors import InputError


def seen(folder: str) -> str | None:
    """Return the GPUs that this worker can use, once the other worker runs as well."""
    Path(folder, str(os.getpid())).touch()
    for _ in range(1200):
        if len(list(Path(folder).iterdir())) == 2:
            return os.environ.get(devices.VISIBLE)
        time.sleep(0.05)
    raise AssertionError("waited a minute in vain")


@pytest.mark.slow
def test_each_worker_uses_its_own_gpu(tmp_path: Path) -> None:
    message = engine.local(workers=2, gpus=["4", "GPU-7f"]).map(seen, [str(tmp_path)] * 2)
    assert {gpu for _, gpu in message} == {"4", "GPU-7f"}


@pytest.mark.parametrize(
    ("listed", "names"), [("4, 7", ("4", "7")), ("", ()), ("MIG-1/2/0", ("MIG-1/2/0",))]
)
def test_only_gpus_that_this_process_may_use_are_assigned(
    monkeypatch: pytest.MonkeyPatch, listed: str, names: tuple[str, ...]
) -> None:
    monkeypatch.setenv(devices.VISIBLE, listed)
    assert devices.gpus() == names


def test_without_a_list_all_gpus_are_assigned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(devices.VISIBLE, raising=False)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    assert devices.gpus() == ("0", "1", "2")


def test_more_workers_than_gpus_share_them_evenly() -> None:
    seats = [devices.own(slot, ["0", "1", "2"])[devices.VISIBLE] for slot in range(7)]
    assert seats == ["0", "1", "2", "0", "1", "2", "0"]


def test_on_cuda_there_is_a_worker_for_each_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(devices.VISIBLE, "1,3,5")
    assert engine.choose(device="cuda") == Local(3, 1, ("1", "3", "5"))
    assert engine.choose(device="cuda", workers=2) == Local(2, 1, ("1", "3", "5"))
    assert engine.choose(device="cpu", workers=2) == Local(2, 1, ())


def test_four_workers_on_two_gpus_are_two_on_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(devices.VISIBLE, "0,1")
    chosen = engine.choose(device="cuda", workers=4)
    seats = [devices.own(slot, chosen.gpus)[devices.VISIBLE] for slot in range(chosen.workers)]
    assert seats == ["0", "1", "0", "1"]


@pytest.mark.parametrize("device", ["cuda:1", "mps"])
def test_one_worker_uses_a_device_that_is_named(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(devices.VISIBLE, "4,7")  # cuda:1 is the second of these, in every worker
    assert engine.choose(device=device) == Local(1, 1, ())
    assert engine.choose(device=device, workers=3) == Local(3, 1, ())


def test_on_cuda_each_worker_of_a_cluster_has_a_gpu() -> None:
    pytest.importorskip("ray")
    assert engine.choose("ray", device="cuda").gpus == 1
    assert engine.choose("ray", device="cpu").gpus == 0
    with pytest.raises(InputError, match="choose cuda, not cuda:1"):
        engine.choose("ray", device="cuda:1")


def test_unknown_engines_raise() -> None:
    with pytest.raises(InputError, match=r"unknown engine 'dask'; known are 'local', 'ray'"):
        engine.choose("dask")
    with pytest.raises(InputError, match="has no address"):
        engine.choose("local", address="head:6379")
