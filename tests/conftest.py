"""Shapes are checked in every test; data that may be absent is asked for in one place."""

import os
import sys
from pathlib import Path
from types import ModuleType

from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

# An int where a float is asked for is as right here as it is for the type checker.
checker = ModuleType("checker")
checker.checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
sys.modules["checker"] = checker
install_import_hook("visioncircuits", "checker.checked")

import pytest  # noqa: E402
import torch  # noqa: E402

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


def _needed(path: Path, what: str) -> Path:
    """Skip where `path` is absent, except in CI, where everything must run."""
    if path.exists():
        return path
    reason = f"{what} not found at {path}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def checkpoints() -> Path:
    """The folder of real checkpoints."""
    return _needed(
        Path(os.environ.get("VISIONCIRCUITS_CHECKPOINTS", SHARED / "weights")), "checkpoints"
    )


@pytest.fixture(scope="session")
def published() -> Path:
    """The Circuits thread's published data."""
    return _needed(SHARED / "published", "published data")


@pytest.fixture(scope="session")
def photographs() -> Path:
    """A thousand photographs, one a class."""
    return _needed(SHARED / "images" / "imagenet_sample", "photographs")


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser that pages are tested in."""
    return _needed(Path(os.environ.get("CHROMIUM", "/usr/bin/chromium")), "chromium")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)
