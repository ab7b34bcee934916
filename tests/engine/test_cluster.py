"""A Ray cluster returns the same bytes as this machine, also when workers die."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from visioncircuits import engine
from visioncircuits.errors import InputError

ray = pytest.importorskip("ray")


def convolve(seed: int) -> bytes:
    generator = torch.Generator().manual_seed(seed)
    picture = torch.randn(2, 8, 40, 40, generator=generator)
    kernel = torch.randn(16, 8, 5, 5, generator=generator)
    return torch.nn.functional.conv2d(picture, kernel).relu().numpy().tobytes()


def mishap(item: tuple[str, str]) -> object:
    """Do what the item specifies, in the worker."""
    kind, argument = item
    if kind == "raise":
        raise ValueError(argument)
    if kind == "mistake":
        raise InputError(argument)
    if kind == "unpicklable":
        return lambda: argument
    if kind == "die":
        Path(argument, str(os.getpid())).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "die once" and not Path(argument).exists():
        Path(argument).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return argument, torch.get_num_threads()


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    """Give Ray's workers the priority of these tests on a busy machine: by default it is lower."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        yield


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of this machine for two workers."""
    from ray.cluster_utils import Cluster

    head = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    yield head.address
    head.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, None])
def test_workers_of_a_cluster_return_the_same_bytes_as_this_process(
    address: str, workers: int | None
) -> None:
    items = list(range(6))
    here = list(engine.local(workers=1).map(convolve, items))
    there = list(engine.cluster(address, workers=workers).map(convolve, items))
    assert sorted(there) == here
    assert not ray.is_initialized()


@pytest.mark.slow
def test_deaths_and_failures_are_reported_and_other_items_finish(
    address: str, tmp_path: Path
) -> None:
    graves = tmp_path / "graves"
    graves.mkdir()
    items = [
        ("give", "first"),
        ("raise", "no such thing"),
        ("die once", str(tmp_path / "been here")),
        ("unpicklable", ""),
        ("die", str(graves)),
        ("give", "last"),
    ]
    results: dict[int, object] = {}
    with pytest.raises(engine.WorkFailed) as failed:
        _note(engine.cluster(address).map(mishap, items), results)
    assert results == {index: (items[index][1], 1) for index in (0, 2, 5)}
    reasons = failed.value.reasons
    assert set(reasons) == {1, 3, 4}
    assert reasons[1] == "ValueError: no such thing"
    assert "pickle" in reasons[3]
    assert reasons[4] == "its worker was killed, 3 times"
    assert len(list(graves.iterdir())) == 3


def _note(outcomes: Iterator[tuple[int, object]], results: dict[int, object]) -> None:
    """Store results one by one, so that those before a failure are kept."""
    for index, result in outcomes:
        results[index] = result  # noqa: PERF403


@pytest.mark.slow
def test_an_input_error_is_raised_as_such(address: str) -> None:
    with pytest.raises(InputError, match="unknown unit"):
        list(engine.cluster(address).map(mishap, [("mistake", "unknown unit")] * 2))
    assert not ray.is_initialized()


def hashed(work: engine.Work) -> dict[str, bytes]:
    return {"sum": hashlib.sha256(str(work["number"]).encode()).digest()}


DRIVER = """
import hashlib, os, signal, sys
from pathlib import Path
from visioncircuits import engine

def hashed(work):
    return {"sum": hashlib.sha256(str(work["number"]).encode()).digest()}

done = []

def advance(work):
    done.append(work)
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)

engine.complete(
    engine.Store(Path(sys.argv[1])),
    hashed,
    [{"number": number} for number in range(8)],
    engine=engine.cluster(sys.argv[2], workers=2),
    advance=advance,
)
"""


@pytest.mark.slow
def test_a_killed_driver_resumes_from_the_stored_results(address: str, tmp_path: Path) -> None:
    (tmp_path / "driver.py").write_text(DRIVER)
    killed, undisturbed = engine.Store(tmp_path / "killed"), engine.Store(tmp_path / "whole")
    driver = subprocess.run(
        [sys.executable, tmp_path / "driver.py", killed.folder, address],
        timeout=120,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert driver.returncode == -signal.SIGKILL, driver.stderr
    assert len(list(killed.finished())) == 3
    works = [{"number": number} for number in range(8)]
    again: list[engine.Work] = []
    cluster = engine.cluster(address)
    engine.complete(killed, hashed, works, engine=cluster, advance=again.append)
    assert len(again) == 5
    engine.complete(undisturbed, hashed, works, engine=engine.local(workers=1))
    assert _content(killed) == _content(undisturbed)


def _content(store: engine.Store) -> dict[str, bytes]:
    return {
        path.relative_to(store.folder).as_posix(): path.read_bytes()
        for path in store.folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
def test_a_cluster_of_this_machine_is_started_and_ended() -> None:
    assert list(engine.cluster(workers=1).map(abs, [-3])) == [(0, 3)]
    assert not ray.is_initialized()


def test_no_items_start_nothing() -> None:
    assert list(engine.cluster().map(abs, [])) == []
    assert not ray.is_initialized()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nowhere", "not an address of a cluster"),
        ("127.0.0.1:1", "no Ray cluster responds at 127.0.0.1:1"),
    ],
)
def test_an_unreachable_cluster_raises_before_the_work(address: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        engine.cluster(address)


def test_without_ray_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"install visioncircuits\[ray\]"):
        engine.cluster()
