"""Reading a hypothesis or stimuli from a file, checked as far as possible without torch."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from visioncircuits.errors import InputError, unknown

KEYS = (
    "name", "stimuli", "controls", "least_field", "orientation_by", "axes", "fixed", "variants",
    "predictions", "photographs",
)  # fmt: skip
PHOTOGRAPH_KEYS = ("deviations", "reader")
PREDICTION_KEYS = ("claim", "effect", "least", "most", "options")


def read(path: Path) -> dict[str, Any]:
    """Read the content of a file for `hypotheses.from_toml` and `stimuli.stimulus_set`.

    Raises
    ------
    InputError
        Where the file is missing, is not TOML, has an unknown key, or names no stimuli.
    """
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML: {error}") from error
    _known("key", content, KEYS, path)
    if not isinstance(content.get("stimuli"), str):
        raise InputError(f'{path} names no stimuli; write stimuli = "curves", for instance')
    if isinstance(table := content.get("photographs"), dict):
        _known("key of photographs", table, PHOTOGRAPH_KEYS, path)
    for entry in content.get("predictions", ()):
        if isinstance(entry, dict):
            _known("key of a prediction", entry, PREDICTION_KEYS, path)
    return content


def _known(kind: str, table: dict[str, Any], keys: Sequence[str], path: Path) -> None:
    for key in table:
        if key not in keys:
            raise InputError(f"{path}: {unknown(kind, key, keys)}")
