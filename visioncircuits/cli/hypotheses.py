"""What `find` and `judge` share: hypotheses by name or from a file, and deviations."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from visioncircuits import hypothesis_file
from visioncircuits.errors import InputError

if TYPE_CHECKING:  # a command's help is not to wait for torch
    from visioncircuits import datasets
    from visioncircuits.hypotheses import Hypothesis
    from visioncircuits.labeled import LabeledArray
    from visioncircuits.networks import Features, Network


def checked(name: str | None) -> str | None:
    """Return a name; a file is read, so that its mistakes are reported at once."""
    if name is not None and name.endswith(".toml"):
        hypothesis_file.read(Path(name))
    return name


def files(paths: list[Path] | None) -> list[Path]:
    """Return hypotheses' files, already read; a list always, which older typers count."""
    paths = paths or []
    for path in paths:
        hypothesis_file.read(path)
    return paths


READY = (
    "`curve`, `line`, `high-low`, `color-contrast`, `color-center-surround` or "
    "`brightness-gradient`, in the singular or plural; or a file `.toml` with a hypothesis of "
    "your own."
)
Claim = Annotated[
    str,
    typer.Argument(
        metavar="HYPOTHESIS",
        callback=checked,
        help=READY,
    ),
]
Photographs = Annotated[
    Path | None,
    typer.Option(
        help="A folder of photographs: responses are also given in standard deviations over them, "
        "and a detector that is doubtful on them is undecided.",
        exists=True,
        file_okay=False,
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="For the intervals and the null.")]


def read(name: str) -> "str | Hypothesis":
    """Return a name as it is, to be scaled to each layer; or the hypothesis of a TOML file."""
    from visioncircuits.hypotheses import from_toml

    return from_toml(name) if name.endswith(".toml") else name


def hypothesis(
    name: str, network: "Network", layer: str, *, orientation: float | None = None
) -> "Hypothesis":
    """Read a hypothesis: a name, or a TOML file.

    Raises
    ------
    InputError
        For an unknown one, one that has no orientation to state, and a layer too early for it.
    """
    from visioncircuits.hypotheses import from_toml, predefined

    if name.endswith(".toml"):
        if orientation is not None:
            raise InputError(
                "state the orientation in the file: a prediction with the effect peak_distance, "
                "or mean_distance where tuning is broad"
            )
        return from_toml(name)
    if orientation is None:
        return predefined(network, layer, name)
    return predefined(network, layer, name, orientation=orientation)


def photographs(
    folder: Path | None, range: tuple[float, float] | None
) -> "datasets.Photographs | None":
    """Return the photographs of a folder, if there is one."""
    from visioncircuits import datasets

    return None if folder is None else datasets.photographs(folder, range=range)


def deviations(
    network: "Network", features: "Features", photographs: "datasets.Photographs | None"
) -> "LabeledArray | None":
    """Measure standard deviations over photographs, if there are any.

    They are of all units of the features' layer, then of the directions among the features.
    """
    from visioncircuits import networks, tuning

    if photographs is None:
        return None
    chosen = networks.select(network, features)
    return tuning.deviations(
        network, chosen.layer, photographs, directions=chosen.directions, progress=True
    )
