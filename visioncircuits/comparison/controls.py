"""Plans of transplants: handwritten units in the place of trained ones, and what they are beside.

That is controls, which are not to repair, and alternatives, which are simpler; see `alternatives`.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from visioncircuits.comparison.alternatives import ALTERNATIVES, alternatives
from visioncircuits.comparison.families import Family, between
from visioncircuits.errors import InputError
from visioncircuits.interventions import Donor, Transplant, control_units
from visioncircuits.networks import Network, untrained

HANDWRITTEN = "handwritten"
"""The donor that all others are controls of."""

CONTROLS = ("facing the opposite way", "permuted", "untrained")
"""Donors that a circuit should do better than; the first only where units have orientations."""

BESIDE = (*CONTROLS, *ALTERNATIVES)
"""All that a circuit should repair more than, as far as they were scored."""

RANDOM = 3
"""How many draws of other units are removed, to see what removing any costs."""


def controlled(family: Family, mine: Family, whole: Family) -> Transplant:
    """Plan the transplant of `mine`, counterparts of a family in `whole`, and what is beside it."""
    written, before = mine.network, mine.network.before_rectifier(mine.layer)

    def units(chosen: Sequence[int]) -> list[str]:
        return [f"{before}:{place}" for place in chosen]

    nowhere = untrained("bvlc_googlenet").to(written.device)
    width = nowhere.layer("mixed3b").units
    drawn = control_units(nowhere, [f"mixed3b:{place % width}" for place in family.places], seed=1)
    strangers = [f"mixed3b_pre_relu:{unit.index}" for unit in drawn]
    donors = [
        Donor(written, units(_opposite(mine, whole))),
        Donor(written, units(_permuted(mine.places))),
        Donor(nowhere, strangers),
    ]
    controls = dict(zip(CONTROLS, donors, strict=True))
    if mine.orientations is None:
        del controls[CONTROLS[0]]
    return Transplant(
        family.network,
        family.units,
        donors={
            HANDWRITTEN: Donor(written, units(mine.places)),
            **controls,
            **alternatives(family),
        },
        removals={
            f"other units removed, draw {seed + 1}": control_units(
                family.network, family.units, seed=seed
            )
            for seed in range(RANDOM)
        },
    )


def _opposite(mine: Family, whole: Family) -> list[int]:
    """Choose for each unit the one of the whole circuit that faces furthest from it."""
    return [whole.places[place] for place in between(mine, whole).argmax(1)]


def _permuted(places: Sequence[int], *, seed: int = 0) -> tuple[int, ...]:
    """Shuffle until nothing is where it was.

    Examples
    --------
    >>> _permuted((4, 5))
    (5, 4)
    """
    generator = np.random.default_rng(seed)
    for _ in range(1000):
        order = generator.permutation(len(places))
        shuffled = tuple(places[place] for place in order)
        if all(one != other for one, other in zip(shuffled, places, strict=True)):
            return shuffled
    raise InputError("a family of one orientation cannot be permuted; compare two units or more")


def of_parts(family: Family, mine: Family, reduced: Mapping[str, Network]) -> Transplant:
    """Plan the transplants of incomplete circuits, "nothing" left out first."""
    before = mine.network.before_rectifier(mine.layer)
    units = [f"{before}:{place}" for place in mine.places]
    return Transplant(
        family.network,
        family.units,
        donors={
            name: Donor(network, units)
            for name, network in {"nothing": mine.network, **reduced}.items()
        },
    )
