"""One worker and many return the same, also when a worker or the driver dies."""

import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from visioncircuits import engine
from visioncircuits.errors import InputError


def convolve(seed: int) -> bytes:
    generator = torch.Generator().manual_seed(seed)
    picture = torch.randn(2, 8, 40, 40, generator=generator, requires_grad=True)
    kernel = torch.randn(16, 8, 5, 5, generator=generator)
    torch.nn.functional.conv2d(picture, kernel).relu().square().mean().backward()
    return picture.grad.numpy().tobytes()


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
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "die once" and not Path(argument).exists():
        Path(argument).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return argument, torch.get_num_threads()


@dataclass
class Day:
    """The outcome of a run on two workers in which most items fail."""

    results: dict[int, object]
    failed: engine.WorkFailed
    log: list[str]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    items = [
        ("give", "first"),
        ("raise", "no such thing"),
        ("die once", str(tmp_path_factory.mktemp("day") / "been here")),
        ("give", "second"),
        ("unpicklable", ""),
        ("die", ""),
        ("give", "last"),
    ]
    results = {}
    log: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: log.append(record.getMessage())
    logger = logging.getLogger("visioncircuits.engine")
    logger.addHandler(handler)
    try:
        for index, result in engine.local(workers=2).map(mishap, items):
            results[index] = result  # noqa: PERF403 - what came before a failure is looked at
    except engine.WorkFailed as failed:
        return Day(results, failed, log)
    finally:
        logger.removeHandler(handler)
    raise AssertionError("nothing failed")


@pytest.mark.slow
def test_many_workers_return_the_same_bytes_as_one_and_each_item_once() -> None:
    items = list(range(6))
    one = list(engine.local(workers=1).map(convolve, items))
    many = list(engine.local(workers=2).map(convolve, items))
    assert one == sorted(many)
    assert [index for index, _ in one] == items


@pytest.mark.slow
def test_failed_items_leave_the_others_unchanged(day: Day) -> None:
    assert {index: day.results[index][0] for index in (0, 3, 6)} == {
        0: "first",
        3: "second",
        6: "last",
    }
    assert set(day.results) == {0, 2, 3, 6}


@pytest.mark.slow
def test_failed_items_are_listed_with_their_reasons(day: Day) -> None:
    reasons = day.failed.reasons
    assert set(reasons) == {1, 4, 5}
    assert reasons[1] == "ValueError: no such thing"
    assert "pickle" in reasons[4]
    assert "3 of 7 pieces of work failed; piece 1: ValueError" in str(day.failed)


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_its_item_repeated(day: Day) -> None:
    assert 2 in day.results
    assert "a worker was killed (signal 9); its item is repeated" in day.log


@pytest.mark.slow
def test_an_item_that_kills_three_workers_fails(day: Day) -> None:
    assert day.failed.reasons[5] == "its worker was killed (signal 9), 3 times"
    assert len(day.log) == 1 + 2  # one accidental death, two before the item fails


@pytest.mark.slow
def test_each_worker_has_one_thread(day: Day) -> None:
    assert {result[1] for result in day.results.values()} == {1}


def test_in_this_process_failures_are_the_same_and_its_threads_are_restored() -> None:
    work = engine.local(workers=1).map(mishap, [("raise", "no such thing"), ("give", "last")])
    assert next(work) == (1, ("last", 1))
    with pytest.raises(engine.WorkFailed, match=r"1 of 2 .* piece 0: ValueError"):
        next(work)
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_an_input_error_is_raised_as_such(workers: int) -> None:
    with pytest.raises(InputError, match="unknown unit"):
        list(engine.local(workers=workers).map(mishap, [("mistake", "unknown unit")] * 2))


def test_no_items_return_no_results() -> None:
    assert list(engine.local(workers=2).map(abs, [])) == []


@pytest.mark.parametrize("options", [{"workers": 0}, {"workers": -1}, {"threads": 0}])
def test_fewer_than_one_worker_or_thread_raises(options: dict[str, int]) -> None:
    with pytest.raises(InputError, match="must be 1 or more"):
        engine.local(**options)


def test_a_script_without_a_main_guard_raises_an_error_that_names_it(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from visioncircuits import engine\nprint(list(engine.local(workers=2).map(abs, [1, 2])))\n"
    )
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert run.returncode != 0
    assert "__name__ == '__main__'" in run.stderr


DRIVER = """
import os, sys, time
from pathlib import Path
from visioncircuits import engine

def work(folder):
    Path(folder, str(os.getpid())).touch()
    time.sleep(600)

if __name__ == "__main__":
    list(engine.local(workers=2).map(work, [sys.argv[1]] * 2))
"""


@pytest.mark.slow
def test_workers_end_with_a_driver_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    folder = tmp_path / "pids"
    folder.mkdir()
    driver = subprocess.Popen([sys.executable, script, folder])
    try:
        _wait(lambda: len(list(folder.iterdir())) == 2)
    finally:
        driver.kill()
        driver.wait()
    _wait(lambda: not any(_runs(int(pid.name)) for pid in folder.iterdir()))


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # ended, but nobody has asked for its exit code yet


def _wait(condition: object) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("waited a minute in vain")
