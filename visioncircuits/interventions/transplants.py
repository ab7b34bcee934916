"""Transplants: a family of units is removed from a network, and another takes its place.

Source: Cammarata et al., "Curve Circuits" (2021), where handwritten curve detectors in the place of
the trained ones bring back more than half of what top-5 accuracy loses without any.

What is planned, scaled and scored is one piece of work that can be interrupted, which is why
the module has more than 300 lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import visioncircuits
from visioncircuits import fingerprint
from visioncircuits.errors import InputError
from visioncircuits.interventions.controls import units_of
from visioncircuits.networks import Features, Network


@dataclass(frozen=True)
class Donor:
    """Units that take the place of a family.

    Attributes
    ----------
    network
        That they are computed in, from the pixels.
    features
        One unit for each of the family, in the family's order, before the layer's rectifier: what
        is passed on is decided anew, see `score_transplant`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> donor = Donor(untrained("bvlc_googlenet"), ["mixed3a_pre_relu:7", "mixed3a_pre_relu:9"])
    >>> donor.layer, donor.units
    ('mixed3a_pre_relu', [7, 9])
    """

    network: Network
    features: Features

    @property
    def layer(self) -> str:
        """Their layer."""
        return units_of(self.network, self.features)[0]

    @property
    def units(self) -> list[int]:
        """Their indices in the layer."""
        return units_of(self.network, self.features)[1]


@dataclass(frozen=True)
class Transplant:
    """A family to be replaced, by each of several donors, or removed.

    Attributes
    ----------
    network, features
        The family: units of one layer.
    donors
        By name.
    removals
        By name, units of the layer to set to zero instead; the family's own removal is called
        "removed".

    Examples
    --------
    >>> from visioncircuits.interventions import control_units
    >>> from visioncircuits.networks import untrained
    >>> network, curves = untrained("bvlc_googlenet"), ["mixed3b:413", "mixed3b:408"]
    >>> others = {"others removed": control_units(network, curves)}
    >>> nowhere = Donor(untrained("bvlc_googlenet"), ["mixed3b_pre_relu:1", "mixed3b_pre_relu:2"])
    >>> transplant = Transplant(network, curves, {"untrained": nowhere}, others)
    >>> transplant.check()
    """

    network: Network
    features: Features
    donors: Mapping[str, Donor]
    removals: Mapping[str, Features] = field(default_factory=dict)

    @property
    def layer(self) -> str:
        """The family's layer."""
        return units_of(self.network, self.features)[0]

    @property
    def units(self) -> list[int]:
        """The family's indices in the layer."""
        return units_of(self.network, self.features)[1]

    def check(self) -> None:
        """Check that all of it fits, before anything is computed.

        Raises
        ------
        InputError
            For layers or units that are not there, donors of another number or without positions.
        """
        count, family = len(self.units), self.network.layer(self.layer)
        for name, donor in self.donors.items():
            if len(donor.units) != count:
                raise InputError(
                    f"{count} units need as many donors; {name} has {len(donor.units)}"
                )
            if len(donor.network.layer(donor.layer).shape) != len(family.shape):
                raise InputError(
                    f"{donor.layer} of {name} has no positions; a transplant needs a map a unit"
                )
        for name, others in self.removals.items():
            if units_of(self.network, others)[0] != family.name:
                raise InputError(f"{name} removes units of another layer than {family.name}")

    def record(self) -> dict[str, Any]:
        """Describe it as plain data, for provenance."""
        return {
            "version": visioncircuits.__version__,
            "code": fingerprint.code(),
            "network": self.network.record(),
            "layer": self.layer,
            "units": self.units,
            "donors": {
                name: {
                    "network": donor.network.record(),
                    "layer": donor.layer,
                    "units": donor.units,
                }
                for name, donor in self.donors.items()
            },
            "removals": {
                name: units_of(self.network, others)[1] for name, others in self.removals.items()
            },
        }
