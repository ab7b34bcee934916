"""Plans of transplants: handwritten curves in the place of trained ones, and their controls."""

from collections.abc import Mapping, Sequence

import numpy as np

from visioncircuits.comparison.families import Family
from visioncircuits.errors import InputError
from visioncircuits.interventions import Donor, Transplant, control_units
from visioncircuits.networks import Network, untrained

HANDWRITTEN = "handwritten"
"""The donor that all others are controls of."""

CONTROLS = ("facing the opposite way", "permuted", "untrained")
"""Donors that only a circuit that sees curves should do better than."""

RANDOM = 3
"""How many draws of other units are removed, to see what removing any costs."""


def controlled(family: Family, mine: Family, whole: Family) -> Transplant:
    """Plan the transplant of `mine`, counterparts of a family in `whole`, and its controls."""
    written, before = mine.network, mine.network.before_rectifier(mine.layer)

    def units(chosen: Sequence[int]) -> list[str]:
        return [f"{before}:{place}" for place in chosen]

    facing = {unit.index: place for place, unit in enumerate(whole.units)}
    opposite = [
        whole.places[(facing[place] + len(whole) // 2) % len(whole)] for place in mine.places
    ]
    nowhere = untrained("bvlc_googlenet")
    width = nowhere.layer("mixed3b").units
    drawn = control_units(nowhere, [f"mixed3b:{place % width}" for place in family.places], seed=1)
    strangers = [f"mixed3b_pre_relu:{unit.index}" for unit in drawn]
    return Transplant(
        family.network,
        family.units,
        donors={
            HANDWRITTEN: Donor(written, units(mine.places)),
            **dict(
                zip(
                    CONTROLS,
                    (
                        Donor(written, units(opposite)),
                        Donor(written, units(_permuted(mine.places))),
                        Donor(nowhere, strangers),
                    ),
                    strict=True,
                )
            ),
        },
        removals={
            f"other units removed, draw {seed + 1}": control_units(
                family.network, family.units, seed=seed
            )
            for seed in range(RANDOM)
        },
    )


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
