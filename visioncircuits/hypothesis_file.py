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

CAUSAL_KEYS = (
    "name", "behavior", "measure", "depends", "stimuli", "axes", "fixed", "variables",
)  # fmt: skip
VARIABLE_KEYS = ("name", "features", "positions", "values", "depends", "orientations")
READING_KEYS = ("of", "step", "edges", "bins", "relative", "period")
CONTOUR_KEYS = ("contour", "within", "apart", "relative")


def read(path: Path) -> dict[str, Any]:
    """Read the content of a file for `hypotheses.from_toml` and `stimuli.stimulus_set`.

    Raises
    ------
    InputError
        Where the file is missing, is not TOML, has an unknown key, or names no stimuli.
    """
    content = _toml(path)
    _known("key", content, KEYS, path)
    if not isinstance(content.get("stimuli"), str):
        raise InputError(f'{path} names no stimuli; write stimuli = "curves", for instance')
    if isinstance(table := content.get("photographs"), dict):
        _known("key of photographs", table, PHOTOGRAPH_KEYS, path)
    for entry in content.get("predictions", ()):
        if isinstance(entry, dict):
            _known("key of a prediction", entry, PREDICTION_KEYS, path)
    return content


def read_causal(path: Path) -> dict[str, Any]:
    """Read the content of a file for `scrubbing.from_toml`.

    Raises
    ------
    InputError
        Where the file is missing, is not TOML, has an unknown key, names no behavior, or has a
        variable without a name or features.
    """
    content = _toml(path)
    _known("key", content, CAUSAL_KEYS, path)
    if not isinstance(content.get("behavior"), str):
        raise InputError(f'{path} names no behavior; write behavior = "mixed3b:413", for instance')
    tables = content.get("variables", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise InputError(f"{path}: variables are tables; begin each with [[variables]]")
    for table in tables:
        _known("key of a variable", table, VARIABLE_KEYS, path)
        for name in ("name", "features"):
            if not isinstance(table.get(name), str):
                raise InputError(f"{path}: a variable has no {name}, which is a text")
        for reading in table.get("values", ()):
            if isinstance(reading, dict):
                keys = CONTOUR_KEYS if "contour" in reading else READING_KEYS
                _known("key of a value", reading, keys, path)
    return content


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML: {error}") from error


def _known(kind: str, table: dict[str, Any], keys: Sequence[str], path: Path) -> None:
    for key in table:
        if key not in keys:
            raise InputError(f"{path}: {unknown(kind, key, keys)}")
