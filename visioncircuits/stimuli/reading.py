"""Stimulus sets as users give them: a set, the name of a ready one, or a TOML file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visioncircuits import hypothesis_file
from visioncircuits.errors import InputError
from visioncircuits.stimuli.named import named
from visioncircuits.stimuli.sets import StimulusSet

Stimuli = StimulusSet | str | Path
"""A stimulus set, the name of a ready one, or a TOML file `.toml` with one."""


def stimulus_set(stimuli: Stimuli) -> StimulusSet:
    """Return a stimulus set: the one given, a ready one by name, or that of a TOML file.

    The file is one for `hypotheses.from_toml`, of which only the stimuli are read; the
    predictions may be left out. ::

        stimuli = "lines"           # a ready set: `visioncircuits stimuli` lists them

        [axes]                      # instead of the set's own, or more
        width = [1, 2, 4, 8]
        ink = ["white", "black"]

        [fixed]                     # instead of an axis or a default
        ground = "gray"

    Raises
    ------
    InputError
        For an unknown name, and a file that is missing or has an invalid entry.

    Examples
    --------
    >>> from visioncircuits.stimuli import Stimuli
    >>> def count(stimuli: Stimuli) -> int:
    ...     return len(stimulus_set(stimuli))
    >>> count("lines"), count(named("lines").sel(width=4))
    (108, 36)
    """
    if isinstance(stimuli, StimulusSet):
        return stimuli
    if Path(stimuli).suffix.lower() != ".toml":
        return named(str(stimuli))
    path = Path(stimuli)
    return of_file(path, hypothesis_file.read(path))


def of_file(path: str | Path, content: Mapping[str, Any]) -> StimulusSet:
    """Return the stimuli of a file's content, checked.

    Raises
    ------
    InputError
        Where there are no such stimuli.
    """
    try:
        found = from_table(content)
        found.check()
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} has no such stimuli: {error}") from error
    return found


def from_table(content: Mapping[str, Any]) -> StimulusSet:
    """Return the stimuli of a file's content."""
    axes, fixed = content.get("axes", {}), content.get("fixed", {})
    for parameter in axes.keys() & fixed.keys():
        raise InputError(f"{parameter} is both an axis and fixed; leave one of them out")
    return named(content["stimuli"]).fix(**fixed).vary(**axes)
