"""Simple alternatives to a handwritten circuit, which take the place of a family beside it.

What they repair too, a circuit of several stages is not needed for.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from torch.nn import functional

from visioncircuits.comparison.families import Family
from visioncircuits.handwritten import HandwrittenNetwork, Label, Stage, gabors, labels
from visioncircuits.handwritten.circuit import AROUND_GRAY, Handwritten, handwritten
from visioncircuits.handwritten.labels import LINE
from visioncircuits.interventions import Donor, Nearest, Ridge
from visioncircuits.interventions.donors import Fitted
from visioncircuits.networks import Unit
from visioncircuits.networks.network import prepared
from visioncircuits.tuning import angular_distance

TANGENT = "tangent Gabor energy"

ONE_PLACE, NINE_PLACES = "Gabors of one place, fitted", "Gabors of nine places, fitted"

SIBLING = "nearest trained sibling"

ALTERNATIVES = (TANGENT, ONE_PLACE, NINE_PLACES, SIBLING)
"""Donors that are simpler than a circuit; the first only where units have orientations."""


def alternatives(family: Family) -> Mapping[str, Donor | Fitted]:
    """Plan the donors that need no circuit, by name.

    They are the energy of one Gabor filter along each unit's contour less the local contrast, with
    nothing fitted; sums of Gabor energies fitted by ridge regression, at one place and over nine;
    and of the other units of the trained layer those that correlate most.

    Examples
    --------
    >>> from visioncircuits.comparison import family
    >>> from visioncircuits.networks import untrained
    >>> list(alternatives(family(untrained("bvlc_googlenet"), ["mixed3b:413"], "curve")))[0]
    'tangent Gabor energy'
    """
    device, before = family.network.device, family.network.before_rectifier(family.layer)
    bank = _bank().to(device)
    donors: dict[str, Donor | Fitted] = {}
    if family.orientations is not None:
        donors[TANGENT] = Donor(_tangents().to(device), _along(family))
    return donors | {
        ONE_PLACE: Ridge(bank, "energies"),
        NINE_PLACES: Ridge(bank, "energies", width=3),
        SIBLING: Nearest(family.network, before, but=family.places),
    }


def standing(family: Family, fits: Mapping[str, np.ndarray]) -> dict[str, Family]:
    """Return the alternatives as families of networks of their own, to measure what they detect.

    Parameters
    ----------
    family
        The trained one.
    fits
        Kernels and thresholds by name, as fitted on photographs; see `transplant_scores.fitted`.
    """
    found, device = {}, family.network.device
    if family.orientations is not None:
        units = tuple(Unit("energies", int(name.split(":")[1])) for name in _along(family))
        found[TANGENT] = replace(family, network=_tangents().to(device), units=units)
    sums, count = _sums(family, fits).to(device), len(family)
    for place, name in enumerate((ONE_PLACE, NINE_PLACES)):
        units = tuple(Unit("sums", place * count + unit) for unit in range(count))
        found[name] = replace(family, network=sums, units=units)
    chosen = fits[f"{SIBLING}/kernels"][:, :, 0, 0].argmax(1)
    siblings = tuple(Unit(family.layer, int(place)) for place in chosen)
    return found | {SIBLING: replace(family, units=siblings)}


def _sums(family: Family, fits: Mapping[str, np.ndarray]) -> HandwrittenNetwork:
    """Build the network of both sums of Gabor energies, those of one place first."""
    before = handwritten(_bank())
    kernels = [torch.from_numpy(fits[f"{name}/kernels"]) for name in (ONE_PLACE, NINE_PLACES)]
    kernels[0] = functional.pad(kernels[0], (1, 1, 1, 1))
    thresholds = [torch.from_numpy(fits[f"{name}/threshold"]) for name in (ONE_PLACE, NINE_PLACES)]
    units = [
        Label(f"{name} for {unit}") for name in (ONE_PLACE, NINE_PLACES) for unit in family.names
    ]
    module = prepared(Handwritten([*before.stages, Stage(layer="sums", units=units, size=3)]))
    own = {"sums_pre_relu.weight": torch.cat(kernels), "sums_pre_relu.bias": -torch.cat(thresholds)}
    module.load_state_dict(before.state_dict() | own)
    return HandwrittenNetwork(module, AROUND_GRAY, name="sums of handwritten:gabors")


@cache
def _bank() -> HandwrittenNetwork:
    return gabors()


@cache
def _tangents() -> HandwrittenNetwork:
    """Gray energies of one wavelength less the local contrast, in steps of 7.5 degrees."""
    return gabors(orientations=24, wavelengths=(10.0,), hues=(None,), inhibition=1.0)


def _along(family: Family) -> list[str]:
    """Choose the energy along each unit's contour: its own orientation, or across a curve's."""
    assert family.orientations is not None
    turn = 0.0 if family.period == LINE else 90.0
    turns = np.array([unit.need("orientation") for unit in labels(_tangents(), "energies")])
    return [
        f"energies_pre_relu:{angular_distance(turns, faced + turn, period=LINE).argmin()}"
        for faced in family.orientations
    ]
