"""The curve unit that the seven arguments are about, and its strongest photographs."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float

from visioncircuits.stimuli import named
from visioncircuits.thread import Study

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
