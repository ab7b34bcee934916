"""The curve detectors of a network, and the stimuli that they are tested with."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float

from visioncircuits.stimuli import StimulusSet, named
from visioncircuits.stimuli.published import RADII
from visioncircuits.thread import Study
from visioncircuits.thread.units import numbers
from visioncircuits.tuning import in_deviations, measure


@dataclass(frozen=True)
class Curves:
    """The curve detectors of the network."""

    layer: str
    units: list[str]
    orientations: Float[np.ndarray, " units"]

    @property
    def places(self) -> list[int]:
        """The units' numbers in their layer."""
        return numbers(self.units)


def family(study: Study) -> Curves:
    """Find the curve detectors."""
    table = study.detectors("curve", "mixed3b")
    return Curves(
        study.layer("mixed3b"), table["unit"].tolist(), table["orientation"].to_numpy(float)
    )


def published_set(study: Study, name: str = "curves") -> StimulusSet:
    """Return a published set, over more radii than were published."""
    radii = np.geomspace(RADII[0], RADII[-1], study.of(25, quick=9))
    step = study.of(5, quick=10)
    return named(name).vary(orientation=range(0, 360, step), radius=radii.tolist())


def family_responses(study: Study, stimuli: StimulusSet) -> xr.DataArray:
    """Measure the family, in standard deviations where there are photographs."""
    curves = family(study)
    responses = measure(study.network, curves.units, stimuli)
    if study.images is None:
        return responses
    spread = study.deviations("mixed3b").sel(unit=curves.units).values
    return in_deviations(responses.assign_coords(deviation=("unit", spread)))
