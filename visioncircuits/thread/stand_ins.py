"""Stand-ins: what a claim is tested on besides the network, to see whether its rule is evidence.

On a negative stand-in a rule should fail: it lacks what is claimed. On a positive one, which was
designed to have it, the rule should hold, if it has the power to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import ClassVar

import pandas as pd
from PIL import Image

from visioncircuits import errors, handwritten
from visioncircuits.networks import Feature, Network, shuffled
from visioncircuits.thread.claims import OTHER_UNITS, SHUFFLED, Expected, Unavailable
from visioncircuits.thread.study import LEAST, Study

DESIGNED = "handwritten "
"""What names of positive stand-ins begin with."""

DRAWS = 50
"""Of units, until there are as many as members."""


@dataclass(frozen=True)
class StandIn(Study):
    """A study of something else in the place of a network's own; made by `stand_in`.

    Nothing is drawn: `pictures` are gray. `picture` is rendered still, as a claim measures it.

    Attributes
    ----------
    original
        The study of the network itself.
    name
        A key of `STAND_INS`.
    """

    about: ClassVar[str]
    """A sentence for the pages."""
    expected: ClassVar[Expected]

    original: Study = field(kw_only=True)
    name: str = field(kw_only=True)

    @classmethod
    def replaced(cls, study: Study, name: str) -> Network:
        """Return the network that is studied."""
        return study.network

    def untrained(self) -> Network:
        """Return the original network with random parameters."""
        return self.original.untrained()

    def studying(self, network: Network) -> Study:
        """Return the same stand-in for another network."""
        return stand_in(self.name, self.original.studying(network))

    def picture(self, feature: Feature | str) -> Image.Image:
        """As of a study: what is measured is no plate."""
        return super().pictures([feature])[0]

    def pictures(self, features: Sequence[Feature | str]) -> list[Image.Image]:
        """Return gray pictures at once: the plates are thrown away."""
        return [Image.new("RGB", (64, 64), (128, 128, 128)) for _ in features]


@dataclass(frozen=True)
class OtherUnits(StandIn):
    """Units in the place of a family's members that the family's hypothesis is refuted for."""

    about = (
        "as many units of the same branches, active about as often, that the family's hypothesis "
        "is refuted for, each with what it prefers of the same stimuli, in the place of the members"
    )
    expected = "fails"

    def members(self, family: str, layer: str) -> pd.DataFrame:
        """Draw as many units that are no members.

        Raises
        ------
        Unavailable
            If there are not so many that respond to the stimuli.
        """
        table = self.judged(family, layer)
        own = self.found(family, layer)["unit"].tolist()
        if not own:
            return table.head(0)
        others = set(responding(table[table["verdict"] == "refuted"])["unit"])
        drawn: dict[str, None] = {}
        for draw in range(DRAWS):  # until enough are refuted and respond
            drawn |= dict.fromkeys(unit for unit in self.siblings(own, draw) if unit in others)
        chosen = list(drawn)[: len(own)]
        if len(chosen) < len(own):
            raise Unavailable(
                f"{len(chosen)} units of {self.layer(layer)} are no {family} detectors and respond "
                f"to the stimuli; {len(own)} are needed"
            )
        return table[table["unit"].isin(chosen)].reset_index(drop=True)


@dataclass(frozen=True)
class ShuffledWeights(StandIn):
    """The network with the weights of each layer in another order."""

    about = (
        "the same network with the weights of each layer permuted; where a family is not "
        "found in it, the units of the members' numbers"
    )
    expected = "fails"

    @classmethod
    def replaced(cls, study: Study, name: str) -> Network:
        """Shuffle the weights."""
        return shuffled(study.network, seed=study.seed)

    def members(self, family: str, layer: str) -> pd.DataFrame:
        """Return what is found, or else units by the members' numbers, with what they prefer."""
        found = self.found(family, layer)
        if len(found) >= LEAST:
            return found
        own = self.original.members(family, layer)["unit"]
        table = self.judged(family, layer)
        return responding(table[table["unit"].isin(own)]).reset_index(drop=True)


@dataclass(frozen=True)
class Designed(StandIn):
    """A handwritten network, which has by design what is claimed."""

    about = "a network whose weights were set by hand, so that it has what is claimed"
    expected = "holds"

    @classmethod
    def replaced(cls, study: Study, name: str) -> Network:
        """Build the handwritten network."""
        return study.beside(handwritten.load(name.removeprefix(DESIGNED)))

    def untrained(self) -> Network:
        """Shuffle the weights: how to draw them is not defined."""
        return shuffled(self.network, seed=self.seed)

    def studying(self, network: Network) -> Study:
        """Return the original's study: another network is no handwritten one's counterpart."""
        return self.original.studying(network)


STAND_INS: Mapping[str, type[StandIn]] = {
    OTHER_UNITS: OtherUnits,
    SHUFFLED: ShuffledWeights,
    **{f"{DESIGNED}{name}": Designed for name in handwritten.available()},
}
"""By name, as parts and claims name them."""


def stand_in(name: str, study: Study) -> StandIn:
    """Put a stand-in in the place of what a study is of.

    Parameters
    ----------
    name
        A key of `STAND_INS`.
    study
        Of the network itself.

    Raises
    ------
    InputError
        For an unknown name.

    Examples
    --------
    >>> from pathlib import Path
    >>> from visioncircuits.networks import untrained
    >>> other = stand_in("shuffled weights", Study(untrained("bvlc_googlenet"), Path("measured")))
    >>> other.network.name, other.expected
    ('untrained bvlc_googlenet with shuffled weights', 'fails')
    """
    if name not in STAND_INS:
        raise errors.unknown("stand-in", name, STAND_INS)
    kind = STAND_INS[name]
    shared = {each.name: getattr(study, each.name) for each in fields(Study)}
    return kind(**{**shared, "network": kind.replaced(study, name)}, original=study, name=name)


def responding(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out units that respond to none of the stimuli: they prefer nothing."""
    return table.dropna(subset=[name for name in table if name in ("orientation", "mean")])
