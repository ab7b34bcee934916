"""The curve unit that the seven arguments are about, and its strongest photographs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float

from visioncircuits.pictures import read
from visioncircuits.stimuli import named
from visioncircuits.thread import Study, number

SHEET = named("curves").vary(
    orientation=range(0, 360, 10), radius=np.geomspace(25.7, 290, 7).tolist()
)


@dataclass(frozen=True, eq=False)
class Subject:
    """The curve unit that the seven arguments are about, beside its family.

    Attributes
    ----------
    study
        Of the network.
    names, angles
        The family, and its preferred orientations in degrees.
    at
        Which of them the unit is.
    responses
        Of the family to `SHEET`, rectified.
    rng
        Of all draws, in the order of the arguments.
    """

    study: Study
    names: list[str]
    angles: np.ndarray
    at: int
    responses: xr.DataArray
    rng: np.random.Generator

    @property
    def name(self) -> str:
        """The unit's."""
        return self.names[self.at]

    @property
    def angle(self) -> float:
        """The unit's preferred orientation."""
        return float(self.angles[self.at])

    @property
    def own(self) -> Float[np.ndarray, "orientation radius"]:
        """The unit's responses."""
        values: np.ndarray = self.responses[self.at].transpose("orientation", "radius").values
        return values


def strongest(
    study: Study, name: str, *, most: int = 9
) -> tuple[list[torch.Tensor], list[tuple[float, float]], list[float]]:
    """Return the photographs that activate a unit most, the positions, and the activations."""
    record = study.examples(["conv2d2", "mixed3a", "mixed3b", "mixed4a"])
    layer, unit = name.rpartition(":")[0], number(name)
    tops = record.layers[layer].tops
    about = study.network.layer_at(layer, study.network.size)
    source = {path.name: path for path in study.photographs(1_000_000)}
    found, centers, values = [], [], []
    for rank in range(min(most, tops.values.shape[1])):
        place = int(tops.pictures[unit, rank])
        if place < 0:
            break
        row, column = tops.positions[unit, rank].tolist()
        y, x = np.clip(about.center((row, column)), 0, study.network.size - 1).tolist()
        found.append(read(source[Path(record.names[place]).name], study.network.size))
        centers.append((y, x))
        values.append(float(tops.values[unit, rank]))
    return found, centers, values
