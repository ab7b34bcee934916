"""Transplants: a family of units is removed from a network, and another takes its place.

Source: Cammarata et al., "Curve Circuits" (2021), where handwritten curve detectors in the place of
the trained ones bring back more than half of what top-5 accuracy loses without any.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import visioncircuits
from visioncircuits import fingerprint
from visioncircuits.errors import InputError
from visioncircuits.interventions.controls import units_of
from visioncircuits.interventions.donors import Donor, Fitted
from visioncircuits.networks import Features, Network


@dataclass(frozen=True)
class Transplant:
    """A family to be replaced, by each of several donors, or removed.

    It is removed in three ways, see `score_transplant`.

    Attributes
    ----------
    network, features
        The family: units of one layer.
    donors
        By name.
    removals
        By name, other units of the layer to set to zero instead.
    seed
        Of the pairs of photographs, of which one has the family's maps from the other.

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
    donors: Mapping[str, Donor | Fitted]
    removals: Mapping[str, Features] = field(default_factory=dict)
    seed: int = 0

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
            if isinstance(donor, Donor) and len(donor.units) != count:
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
            "device": self.network.device.type,
            "network": self.network.record(),
            "layer": self.layer,
            "units": self.units,
            "donors": {name: donor.record() for name, donor in self.donors.items()},
            "removals": {
                name: units_of(self.network, others)[1] for name, others in self.removals.items()
            },
            "seed": self.seed,
        }
