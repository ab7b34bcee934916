"""What a worker measures: what units of a layer answer to a ready set of stimuli."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from visioncircuits import tuning
from visioncircuits.engine import Work
from visioncircuits.errors import InputError
from visioncircuits.gallery.contents import Tuning
from visioncircuits.gallery.drawing import loaded
from visioncircuits.gallery.sets import stimuli
from visioncircuits.tuning.orientation import period

RESPONSES, UNTOLD = "responses.nc", "untold.json"
"""What a piece of work gives: the responses, or why there are none."""


def measure(work: Work, *, checkpoint: Path | None = None, device: str = "cpu") -> dict[str, bytes]:
    """Measure what a piece of work's units answer.

    Parameters
    ----------
    work
        As `plan.measurements` describes it.
    checkpoint, device
        Where the network's parameters are, if not where they are looked for, and where to
        compute.

    Returns
    -------
    dict
        One file: netCDF with the responses, or where the stimuli cannot be shown to the layer
        JSON that says why.
    """
    network = loaded(work["network"]["name"], checkpoint, device)
    try:
        responses = tuning.measure(network, work["features"], stimuli(work["stimuli"]))
    except InputError as error:
        why = f"The stimuli cannot be shown to this layer: {error}."
        return {UNTOLD: json.dumps(dict.fromkeys(work["features"], why)).encode()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / RESPONSES
        tuning.write_responses(responses, path)
        return {RESPONSES: path.read_bytes()}


def told(name: str, folder: Path, out: Path) -> Mapping[str, Tuning]:
    """Read what a piece of work gave, by unit.

    Parameters
    ----------
    name
        Of the set of stimuli.
    folder
        With the responses, or with what says why there are none.
    out
        The site's folder, from which paths count.
    """
    if (untold := folder / UNTOLD).exists():
        why = json.loads(untold.read_text("utf-8"))
        at = untold.relative_to(out).as_posix()
        return {unit: Tuning(name, at, untold=text) for unit, text in why.items()}
    path = folder / RESPONSES
    responses = tuning.read_responses(path)
    numbers, curves = tuning.orientation_tuning(responses), tuning.radial_tuning(responses)
    others = [str(dim) for dim in responses.dims if dim not in ("unit", "orientation")]
    # Of further axes the value counts to which a unit answers most.
    maps = responses.max(others[1:]).transpose("unit", *others[:1], "orientation").values
    return {
        str(unit): Tuning(
            stimuli=name,
            path=path.relative_to(out).as_posix(),
            period=period(responses),
            angles=tuple(responses["orientation"].values.tolist()),
            curve=tuple(curves.values[place].tolist()),
            numbers={str(name): float(values[place]) for name, values in numbers.items()},
            down=others[0] if others else "",
            values=tuple(responses[others[0]].values.tolist()) if others else (),
            responses=tuple(map(tuple, np.atleast_2d(maps[place]).tolist())),
        )
        for place, unit in enumerate(responses["unit"].values)
    }
