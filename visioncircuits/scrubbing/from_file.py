"""A hypothesis of variables, read from a TOML file of about a page."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visioncircuits import hypothesis_file
from visioncircuits.errors import InputError
from visioncircuits.networks import Features
from visioncircuits.scrubbing.hypothesis import CausalHypothesis, Variable
from visioncircuits.scrubbing.readings import AnyReading, Contour, Reading
from visioncircuits.stimuli import StimulusSet
from visioncircuits.stimuli.reading import of_file


def from_toml(path: str | Path) -> CausalHypothesis:
    """Read a hypothesis of your own from a file.

    ::

        name = "arch"
        behavior = "mixed3b:18"               # at the center; or "logits", with a measure
        measure = "squared error"             # or "divergence", "cross-entropy"
        depends = ["lines"]                   # what the behavior is computed from, and nothing else

        stimuli = "curves"                    # what is shown, as `stimuli.stimulus_set` reads it
        [axes]
        ink = ["black", "white"]
        [fixed]
        ground = "gray"

        [[variables]]
        name = "lines"
        features = "mixed3a:23,24,25"         # a layer, or features of one
        orientations = [255, 270, 285]        # of each, where values are relative to them
        positions = 5                         # a window of 5 × 5 at the center; all without it
        depends = ["edges"]                   # without it, as it is on the picture
        values = [                            # what it depends on: exchanged where all are equal
            "radius",                         # a parameter, as it is
            {of = "orientation", step = 30},  # in steps; or edges = [0.5], or bins = 4
            {of = "conv2d2:7", bins = 3},     # a feature, measured; "class", of photographs
            {contour = 30, within = 8, relative = true},   # the curve here, to each unit's own
        ]

        [[variables]]
        name = "edges"
        features = "conv2d2"

    Raises
    ------
    InputError
        Where the file is missing or is no TOML, or for an unknown key or an invalid value in it.

    Examples
    --------
    >>> import tempfile
    >>> text = '''
    ... behavior = "mixed3b:18"
    ... depends = ["lines"]
    ... [[variables]]
    ... name = "lines"
    ... features = "mixed3a:24,25"
    ... values = [{of = "orientation", step = 30}]
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = Path(folder, "arch.toml").write_text(text)
    ...     hypothesis = from_toml(Path(folder, "arch.toml"))
    >>> hypothesis, hypothesis.variables[0].features
    (<CausalHypothesis arch: mixed3b:18 from lines>, ('mixed3a:24', 'mixed3a:25'))
    """
    path = Path(path)
    content = hypothesis_file.read_causal(path)
    try:
        return CausalHypothesis(
            name=str(content.get("name", path.stem)),
            behavior=_features(content["behavior"]),
            depends=tuple(content.get("depends", ())),
            variables=tuple(map(_variable, content.get("variables", ()))),
            measure=content.get("measure", "squared error"),
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} is not a hypothesis: {error}") from error


def stimuli_of(path: str | Path) -> StimulusSet | None:
    """Return the stimuli that a hypothesis' file names; None where it names none.

    Raises
    ------
    InputError
        As `from_toml`, and where there are no such stimuli.
    """
    content = hypothesis_file.read_causal(Path(path))
    return of_file(path, content) if "stimuli" in content else None


def _variable(table: Mapping[str, Any]) -> Variable:
    turns = table.get("orientations")
    depends = table.get("depends")
    return Variable(
        name=str(table["name"]),
        features=_features(table["features"]),
        positions=table.get("positions"),
        values=tuple(map(_reading, table.get("values", ()))),
        depends=None if depends is None else tuple(depends),
        orientations=None if turns is None else tuple(map(float, turns)),
    )


def _features(text: str) -> Features:
    """Read a layer, or features of one with commas between them.

    Examples
    --------
    >>> _features("mixed3b:413,408"), _features("mixed3b")
    (('mixed3b:413', 'mixed3b:408'), 'mixed3b')
    """
    layer, colon, units = text.rpartition(":")
    if not colon or "," not in units:
        return text
    return tuple(f"{layer}:{unit.strip()}" for unit in units.split(","))


def _reading(entry: str | Mapping[str, Any]) -> AnyReading:
    if isinstance(entry, str):
        return Reading(entry)
    relative = bool(entry.get("relative", False))
    if "contour" in entry:
        within, apart = float(entry.get("within", math.inf)), entry.get("apart")
        return Contour(float(entry["contour"]), within, apart, relative)
    return Reading(
        of=str(entry.get("of", "")),
        step=entry.get("step"),
        edges=tuple(map(float, entry.get("edges", ()))),
        bins=entry.get("bins"),
        relative=relative,
        period=float(entry.get("period", 360.0)),
    )
