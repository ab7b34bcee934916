"""Changes of what a network computes: at a place, or along one edge."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from visioncircuits.networks import identity


@dataclass(frozen=True, eq=False)
class Edit:
    """A change of the values at a place, for all that is computed from them.

    Attributes
    ----------
    place
        Its name.
    change
        Maps the values, and those of `reads`, to the changed values.
    reads
        Earlier places whose values the change depends on, `"input"` among them.
    """

    place: str
    change: Callable[..., Tensor]
    reads: tuple[str, ...] = ()

    @property
    def places(self) -> tuple[str, ...]:
        """The places that it names."""
        return (self.place, *self.reads)

    def record(self) -> dict[str, Any]:
        """Describe it, for a result's provenance."""
        return {
            "edit": self.place,
            "change": identity.function(self.change),
            **({"reads": list(self.reads)} if self.reads else {}),
        }


@dataclass(frozen=True, eq=False)
class Replacement:
    """Values used instead of those that the network computes, which then are not computed."""

    place: str
    values: Tensor

    @property
    def places(self) -> tuple[str, ...]:
        """The places that it names."""
        return (self.place,)

    def record(self) -> dict[str, Any]:
        """Describe it, for a result's provenance."""
        return {"replacement": self.place, "values": identity.tensor(self.values)}


@dataclass(frozen=True, eq=False)
class Rewiring:
    """A change of the values at a source, for one target and nothing else: path patching.

    Attributes
    ----------
    source, target
        The places.
    change
        Maps the values of the source to what they become on all paths to the target.
    merge
        Maps the target's values, and those that it would have if the source had changed, to
        what they become.
    """

    source: str
    change: Callable[[Tensor], Tensor]
    target: str
    merge: Callable[[Tensor, Tensor], Tensor]

    @property
    def places(self) -> tuple[str, ...]:
        """The places that it names."""
        return self.source, self.target

    def record(self) -> dict[str, Any]:
        """Describe it, for a result's provenance."""
        return {
            "rewiring": [self.source, self.target],
            "change": [identity.function(self.change), identity.function(self.merge)],
        }


Change = Edit | Replacement | Rewiring
