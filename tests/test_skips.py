"""Tests whose data is missing are skipped with a reason, and in CI they fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

def test_that_needs_a_browser(chromium):
    pass

def test_that_needs_a_package_inside():
    pytest.importorskip("no_such_package")

@pytest.mark.skip(reason="not today")
def test_that_is_marked():
    pass

@pytest.mark.elsewhere
def test_that_may_skip():
    pytest.skip("missing")

@pytest.mark.xfail
def test_that_is_known_to_fail():
    raise ValueError

def test_that_needs_nothing():
    pass
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ci", "summary"),
    [
        ("", "1 passed, 5 skipped, 1 xfailed"),
        ("true", "1 failed, 1 passed, 1 skipped, 1 xfailed, 3 errors"),
    ],
)
def test_a_skip_is_a_failure_in_ci_alone(ci: str, summary: str, tmp_path: Path) -> None:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_few.py").write_text(TESTS)
    module = "import pytest\npytest.importorskip('no_such_package')"
    (tmp_path / "test_module.py").write_text(module)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-ra", "--color=no"]
    options = ("--continue-on-collection-errors", "-c", os.devnull, "-o", "markers=elsewhere")
    nowhere = tmp_path / "no-browser"
    completed = subprocess.run(
        [*command, *options, "--rootdir", str(tmp_path), str(tmp_path)],
        env=os.environ | {"CI": ci, "CHROMIUM": str(nowhere)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == (1 if ci else 0)
    assert summary in completed.stdout.splitlines()[-1]
    for reason in (f"chromium not found at {nowhere}", "no_such_package", "not today"):
        assert reason in completed.stdout
