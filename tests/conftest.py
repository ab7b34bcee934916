"""Shapes are checked in every test; fixtures for data that may be missing are defined here."""

import io
import itertools
import os
import pickle
import sys
import tarfile
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType
from typing import Any

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"  # here and in subprocesses: workers share the cores

import jaxtyping
from beartype import BeartypeConf, beartype

# An int is allowed where a float is expected, as for the type checker.
checker = ModuleType("checker")
checker.checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
sys.modules["checker"] = checker
# Only functions with shapes: mypy checks the others, and checks at run time are slow.
_jaxtyped = jaxtyping.jaxtyped


def _shaped(**options: Any) -> Callable[[Any], Any]:
    """As `jaxtyping.jaxtyped`, which the import hook puts everywhere, but only where shapes are."""
    check = _jaxtyped(**options)

    def decorate(checked: Any) -> Any:
        function = not isinstance(checked, type)
        names = str(getattr(checked, "__annotations__", {})) if function else "jaxtyping"
        return check(checked) if "jaxtyping" in names else checked

    return decorate


jaxtyping.jaxtyped = _shaped
ROOT = Path(__file__).resolve().parent.parent
shaped = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "visioncircuits").rglob("*.py"))
    if "from jaxtyping" in path.read_text("utf-8")
]
jaxtyping.install_import_hook(shaped, "checker.checked")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from filelock import FileLock  # noqa: E402
from PIL import Image  # noqa: E402

from visioncircuits.environment import variable  # noqa: E402

# Read before any test changes the environment or the working folder.
SHARED = ROOT.parent / "shared"
CHECKPOINTS = Path(variable("VISIONCIRCUITS_CHECKPOINTS") or SHARED / "weights").resolve()
PUBLISHED_DATA = Path(variable("VISIONCIRCUITS_PUBLISHED") or SHARED / "published").resolve()
CHROMIUM = Path(variable("CHROMIUM") or "/usr/bin/chromium")
CI = variable("CI") is not None

CLASSIFIER = """
import torch
from torch import nn
from visioncircuits import Preprocessing, wrap

def build():
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 6, 5, stride=2), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU(),
              nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))
    names = ("beer glass", "tabby", "pug")
    return wrap(nn.Sequential(*layers), Preprocessing(), name="own", size=32, classes=names)
"""


def _needed(path: Path, what: str) -> Path:
    if not path.exists():
        pytest.skip(f"{what} not found at {path}")
    return path


@pytest.fixture(scope="session")
def checkpoints() -> Path:
    """The folder of real checkpoints."""
    return _needed(CHECKPOINTS, "checkpoints")


@pytest.fixture(scope="session")
def published() -> Path:
    """The Circuits thread's published data."""
    return _needed(PUBLISHED_DATA, "published data")


@pytest.fixture(scope="session")
def photographs() -> Path:
    """A thousand photographs, one a class."""
    return _needed(SHARED / "images" / "imagenet_sample", "photographs")


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser that pages are tested in."""
    return _needed(CHROMIUM, "chromium")


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[], Any]], Any]:
    """Return what `make` returns, computed by the first worker that needs the name."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    def once(name: str, make: Callable[[], Any]) -> Any:
        path = folder / f"{name}.pickle"
        with FileLock(f"{path}.lock"):
            if not path.exists():
                path.write_bytes(pickle.dumps(make()))
        return pickle.loads(path.read_bytes())

    return once


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deal the tests that take minutes to the workers as their first, so that none ends alone."""
    minutes = {item: mark.args[0] for item in items if (mark := item.get_closest_marker("minutes"))}
    long = sorted(minutes, key=minutes.__getitem__, reverse=True)
    rest = iter([item for item in items if item not in minutes])
    workers, left = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1)), len(items)
    ordered: list[pytest.Item] = []
    for worker in range(workers):  # `worksteal` begins with equal parts, in this order
        part, dealt = left // (workers - worker), long[worker::workers]
        ordered += [*dealt, *itertools.islice(rest, max(part - len(dealt), 0))]
        left -= part
    items[:] = ordered


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail on a skip in CI, where everything must run, unless the test is marked `elsewhere`."""
    report = yield
    if CI and not item.get_closest_marker("elsewhere"):
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for whole modules."""
    report = yield
    if CI:
        _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which is not allowed in CI: {report.longrepr[2]}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show the tables that tests recorded."""
    stats = terminalreporter.stats
    for report in (*stats.get("passed", ()), *stats.get("failed", ())):
        for title, table in report.user_properties:
            if title.startswith("command lines"):
                terminalreporter.section(title)
                terminalreporter.write_line(table)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def classifier() -> str:
    """The source of a small classifier, `build`, as a file of one's own has it."""
    return CLASSIFIER


@pytest.fixture(scope="session")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 19 pictures of colored squares, in three classes; the last is damaged."""
    folder = tmp_path_factory.mktemp("squares")
    for place in range(19):
        path = folder / "abc"[place // 7] / f"{place:02}.jpg"
        path.parent.mkdir(exist_ok=True)
        values = np.random.default_rng(place).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(values).resize((80, 60), Image.Resampling.NEAREST).save(path)
    path.write_bytes(b"\xff\xd8 no")
    return folder


@pytest.fixture(scope="session")
def write_tar() -> Callable[[Path, dict[str, bytes]], Path]:
    """Write a tar file of members with the given names and contents."""

    def write(path: Path, members: dict[str, bytes]) -> Path:
        with tarfile.open(path, "w") as archive:
            for name, content in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return path

    return write


@pytest.fixture(scope="session")
def tars(squares: Path, write_tar, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pictures in a folder of three tar files, with their classes."""
    folder = tmp_path_factory.mktemp("tars")
    for label, name in enumerate("abc"):
        members = {}
        for path in sorted((squares / name).iterdir()):
            members[f"./{path.stem}.cls"] = str(label).encode()
            members[f"./{path.name}"] = path.read_bytes()
        members["./._hidden.jpg"] = b"a file that some systems leave"
        write_tar(folder / f"{name}.tar", members)
    return folder
