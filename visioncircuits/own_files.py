"""Python files of a user's own as modules, which other processes can import by the same names."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import Any

_PREFIX = "_visioncircuits_"


def module_name(source: Path) -> str:
    """Return the name that a file is imported by.

    Examples
    --------
    >>> module_name(Path("networks/my_cnn.py"))
    '_visioncircuits_my_cnn'
    """
    return f"{_PREFIX}{source.stem}"


def imported() -> dict[str, str]:
    """Return the files that this process has imported, by their modules' names."""
    return {
        name: str(module.__file__)
        for name, module in list(sys.modules.items())
        if name.startswith(_PREFIX)
    }


def importable(files: Mapping[str, str]) -> None:
    """Let this process import files, and what lies beside them, where it unpickles their classes.

    Parameters
    ----------
    files
        What `imported` returned in the process that pickled.
    """
    sys.meta_path.append(_Files(files))
    sys.path.extend(dict.fromkeys(str(Path(file).parent) for file in files.values()))


@dataclass(frozen=True)
class _Files(MetaPathFinder):
    files: Mapping[str, str]

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Find a module by its name, as Python's import does."""
        return spec_from_file_location(name, self.files[name]) if name in self.files else None
