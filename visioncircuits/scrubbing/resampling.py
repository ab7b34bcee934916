"""Activations exchanged for those on other pictures, from a behavior down to what is read off.

Every use of a variable has draws of its own, as if the hypothesis were a tree (Chan et al., "Causal
scrubbing: a method for rigorously testing interpretability hypotheses", 2022).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from visioncircuits.networks.edits import Change, Edit, Replacement
from visioncircuits.scrubbing.agreement import Drawn
from visioncircuits.scrubbing.hypothesis import CausalHypothesis, Variable
from visioncircuits.scrubbing.places import Place, Window
from visioncircuits.scrubbing.recorded import Recorded

References = Int64[Tensor, " batch"]
"""Numbers of pictures."""

Maps = Float[Tensor, "pictures features rows columns"]

Source = Callable[[Variable, References], Window]
"""From a variable, and the pictures that it is to be as on, to its values."""


@dataclass(frozen=True, eq=False)
class Resampling:
    """A hypothesis on recorded pictures, and draws of these.

    Attributes
    ----------
    recorded
        The network on its pictures.
    hypothesis
        What is claimed.
    generator
        Of the draws.
    """

    recorded: Recorded
    hypothesis: CausalHypothesis
    generator: torch.Generator

    def original(self, variable: Variable, references: References) -> Window:
        """Return a variable's values as they are."""
        return self.recorded.values(variable)[references]

    def exchanged(self, variable: Variable, references: References) -> Window:
        """Return values from pictures that agree, as they are on these."""
        drawn = self.recorded.agreement(variable).draw(references, self.generator)
        return _gathered(self.recorded.values(variable), drawn)

    def scrubbed(self, variable: Variable, references: References) -> Window:
        """Return values from pictures that agree, computed from what is claimed, on to the end."""
        if variable.depends is None:
            return self.exchanged(variable, references)
        drawn = self.recorded.agreement(variable).draw(references, self.generator)
        return _own(self.from_claims(variable, drawn.flatten(), self.scrubbed), drawn)

    def from_claims(self, variable: Variable, references: References, source: Source) -> Window:
        """Compute a variable from what it depends on, and all else on any pictures.

        Parameters
        ----------
        variable
            Which.
        references
            The pictures that what it depends on is to be as on.
        source
            Of the values of what it depends on.
        """
        count = len(self.recorded.shown)
        others = torch.randint(count, (len(references),), generator=self.generator)
        sources = self.hypothesis.sources(variable)
        return self.computed(variable, sources, references, source, others)

    def computed(
        self,
        variable: Variable,
        sources: Sequence[Variable],
        references: References,
        source: Source,
        others: References,
    ) -> Window:
        """Compute a variable where others have some values, and all else is as on other pictures.

        Parameters
        ----------
        variable
            Which.
        sources
            The variables whose values are given.
        references
            The pictures that these are to be as on.
        source
            Of their values.
        others
            The pictures that all else is as on.
        """
        size = self.recorded.batch
        pairs = zip(torch.split(references, size), torch.split(others, size), strict=True)
        return torch.cat([self._computed(variable, sources, r, source, o) for r, o in pairs])

    def _computed(
        self,
        variable: Variable,
        sources: Sequence[Variable],
        references: References,
        source: Source,
        others: References,
    ) -> Window:
        place, network = self.recorded.place(variable), self.recorded.network
        if not sources:
            return self.recorded.values(variable)[others]
        writes: dict[str, list[tuple[Place, Tensor]]] = {}
        for each in sources:
            at = self.recorded.place(each)
            writes.setdefault(at.layer, []).append((at, source(each, references)))
        changes: list[Change] = []
        for layer, new in writes.items():
            if any(other != layer and network.depends(layer, other) for other in writes):
                changes.append(Edit(layer, partial(_written, new=new)))
            else:  # nothing before it is computed
                values = self.recorded.layer(layer)
                values = values if new[0][0].whole else values[others]
                changes.append(Replacement(layer, _written(values, new)))
        shown = self.recorded.shown.pictures[others]
        if place.units is None:
            found = network.activations(shown, [place.layer], changes=changes)
            return place.read(found[place.layer])
        units = {place.layer: place.units}  # without computing their siblings
        return place.window(network.unit_activations(shown, units, changes=changes)[place.layer])


def _written(values: Tensor, new: Sequence[tuple[Place, Tensor]]) -> Tensor:
    for place, window in new:
        values = place.write(values, window)
    return values


def _gathered(values: Maps, drawn: Drawn) -> Window:
    """Take each unit and position from the picture drawn for it."""
    units, rows, columns = _axes(values)
    return values[drawn.expand(-1, *values.shape[1:]), units, rows, columns]


def _own(values: Maps, drawn: Drawn) -> Window:
    """Of values on every picture drawn, take each unit and position of that drawn for it."""
    every = values.reshape(*drawn.shape, *values.shape[1:])
    units, rows, columns = _axes(values)
    batch = torch.arange(len(drawn))[:, None, None, None]
    of = [
        axis if size > 1 else torch.zeros_like(axis)
        for axis, size in zip((units, rows, columns), drawn.shape[1:], strict=True)
    ]
    return every[batch, of[0], of[1], of[2], units, rows, columns]


def _axes(values: Maps) -> tuple[Tensor, Tensor, Tensor]:
    _, units, rows, columns = values.shape
    return (
        torch.arange(units)[:, None, None],
        torch.arange(rows)[:, None],
        torch.arange(columns),
    )
