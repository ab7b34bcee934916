"""Commands, run in this process: starting another costs more than most of them do."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from visioncircuits.cli import main


@dataclass(frozen=True)
class Ended:
    """What a command left: its exit code and what it printed."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Run a command line, `run("networks", "show", …)`, as the entry point does."""

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["visioncircuits", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        code = ended.value.code
        return Ended(code if isinstance(code, int) else 0, printed.out, printed.err)

    return run
