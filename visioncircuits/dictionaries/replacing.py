"""A network in which a unit is replaced by its parts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.dictionaries.drivers import pre_activation
from visioncircuits.dictionaries.splitting import Split, divided, shares_of
from visioncircuits.errors import InputError
from visioncircuits.featurevis import Visualization, render_all
from visioncircuits.interventions.edits import Change
from visioncircuits.networks import Network, Unit
from visioncircuits.networks.edits import Edit
from visioncircuits.networks.graph import INPUT


@contextmanager
def replaced(found: Split, change: Change | None = None) -> Iterator[None]:
    """Replace a unit by its parts, and change these, within this context.

    Everything that runs the network in it meets the sum of the changed parts in place of the unit:
    activations are those of one part, scores those without another. Unchanged parts are the unit
    itself.
    Values before the rectifier stay as they are, so that `collect`, which records these, finds the
    unit's examples and not the part's.

    Parameters
    ----------
    found
        From `split`.
    change
        What becomes of the parts' activations, `(batch, parts, rows, columns)`, after the
        rectifier: `only(0)`, or as for `edited`, such as `scale(0.5)` or a function of your own;
        None for no change.

    Examples
    --------
    >>> from visioncircuits.dictionaries import split
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(3, 3, 224, 224)
    >>> found = split(network, "mixed3b:200", pictures)
    >>> with replaced(found, only(0)):
    ...     part = network.activations(pictures, ["mixed3b"])["mixed3b"][:, 200]
    >>> torch.allclose(part, found.values(pictures)[:, 0].clamp_min(0))
    True
    """
    network, unit, below = found.network, found.unit, found.drivers.below
    plain = network.unchanged()
    made_of = json.dumps(plain.record(), sort_keys=True)
    summed = _Replaced(unit, below, found.fit, change, made_of, plain)
    with network.changing(Edit(unit.layer, summed, reads=(INPUT, below))):
        yield


def render_parents(
    found: Split, *, steps: int = 128, seed: int = 0, progress: bool = False
) -> tuple[Visualization, ...]:
    """Render each part's parent: the picture that activates most what drives the unit in it.

    Parameters
    ----------
    found
        From `split`.
    steps, seed
        As in `render`.
    progress
        Whether to show a bar.

    Examples
    --------
    >>> from visioncircuits.dictionaries import split
    >>> from visioncircuits.networks import untrained
    >>> found = split(untrained("bvlc_googlenet"), "mixed3b:200", torch.rand(3, 3, 224, 224))
    >>> [shown.feature for shown in render_parents(found, steps=1)]
    ['mixed3a:mixed3b:200 part 0']
    """
    drawn = render_all(found.network, found.parents, steps=steps, seed=seed, progress=progress)
    return tuple(drawn)


def only(*parts: int) -> Change:
    """Keep these parts, by number, and set the others to 0: a change for `replaced`.

    Raises
    ------
    InputError
        In use, where there is no such part.

    Examples
    --------
    >>> only(1)(torch.tensor([[[[3.0]], [[4.0]]]])).flatten().tolist()
    [0.0, 4.0]
    """

    def change(before: Tensor) -> Tensor:
        for part in parts:
            if not 0 <= part < before.shape[1]:
                raise InputError(f"there are parts 0 to {before.shape[1] - 1}, and none is {part}")
        kept = torch.zeros(before.shape[1]).index_fill(0, torch.tensor(parts), 1.0)
        return before * kept.to(before)[:, None, None]

    return change


@dataclass(frozen=True, eq=False)
class _Replaced:
    """From a layer's values to those in which a unit is the sum of its changed parts."""

    unit: Unit
    below: str
    fit: Float[Tensor, "parts units"]
    change: Change | None
    made_of: str  # the network's record, for that of this change
    network: Network = field(compare=False)

    def __call__(self, values: Tensor, inputs: Tensor, maps: Tensor) -> Tensor:
        index = self.unit.index
        pictures = torch.zeros_like(inputs)  # only their size matters
        before = pre_activation(self.network, self.unit, pictures, self.below, maps)
        shares = shares_of(self.network, self.unit, self.below, self.fit, pictures, maps, before)
        parts = divided(values[:, index], shares)
        changed = values.clone()
        changed[:, index] = (self.change(parts) if self.change else parts).sum(1)
        return changed
