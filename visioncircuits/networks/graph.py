"""The computation graph of a network: its places are read, edited and computed as needed.

Every measurement of a network is one `Graph.run`: activations, single units, edits, edges.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from visioncircuits import errors
from visioncircuits.networks.convolution import NotFusible
from visioncircuits.networks.cropped_nodes import Window
from visioncircuits.networks.cropping import check_window, cropped
from visioncircuits.networks.edited_nodes import EditedNodes, Key, keyed
from visioncircuits.networks.edits import Change, Rewiring
from visioncircuits.networks.execution import Plan, steps
from visioncircuits.networks.fixed_parameters import Kept, kept
from visioncircuits.networks.fusion import fused
from visioncircuits.networks.nodes import Node, ancestors, concatenated
from visioncircuits.networks.unit_selection import UnitSelection

INPUT = "input"
"""The place of the network's input."""

OUTPUT = "output"
"""The place of the network's output; `output.out`, `output.0` where it returns several."""

PLANS = 1024
"""How many ways of running a graph are remembered: a circuit has one for each of its features."""


@dataclass(eq=False)
class Graph:
    """What a network computes for pictures of one size; made by `trace`.

    Attributes
    ----------
    module
        Whose parameters are read.
    nodes
        In the order in which they were called.
    places
        Name to node.
    inner
        Names of operations inside modules without submodules.
    opaque
        Modules that could not be traced: path to reason.
    failure
        The error that the module raised after the last of the nodes, if any.
    """

    module: nn.Module
    nodes: list[Node]
    places: dict[str, int]
    inner: frozenset[str]
    opaque: dict[str, str]
    failure: Exception | None = None
    _plans: dict[Any, Plan] = field(default_factory=dict, repr=False)

    @cached_property
    def varying(self) -> list[str]:
        """Places that depend on the network's input, without the insides of single modules.

        The output is left out where it has another name too.
        """
        named = {at for name, at in self.places.items() if not name.startswith(OUTPUT)}
        return [
            name
            for name, at in sorted(self.places.items(), key=lambda item: item[1])
            if self.nodes[at].varies
            and name != INPUT
            and name not in self.inner
            and self.nodes[at].shape
            and not (name.startswith(OUTPUT) and at in named)
        ]

    def same(self, one: str, other: str) -> bool:
        """Check whether two names are of one place."""
        return one in self.places and self.places[one] == self.places.get(other)

    def depends(self, place: str, earlier: str) -> bool:
        """Check whether a place is computed from an earlier one."""
        source, target = self.places[earlier], self.places[place]
        return source != target and source in ancestors([target], self._inputs)

    def _inputs(self, node: int) -> tuple[int, ...]:
        return self.nodes[node].inputs

    def branches(self, place: str, *, among: Collection[str]) -> dict[str, range]:
        """Return the units of a concatenation that come from each of its inputs; {} for others.

        Parameters
        ----------
        place
            Its name.
        among
            Places that may name an input.
        """
        found = {}
        for source, span in concatenated(self.nodes[self.places[place]], self.nodes.__getitem__):
            name = next((name for name in among if self.places.get(name) == source), None)
            if name is None:
                return {}
            found[name] = span
        return found

    def before_rectifier(self, place: str, *, among: Collection[str]) -> str | None:
        """Return the place of which this one is the positive part; None for other places.

        Parameters
        ----------
        place
            Its name.
        among
            Places that may be returned.
        """
        at = self.places.get(place)
        if at is None or self.nodes[at].name != "relu":
            return None
        (source,) = self.nodes[at].inputs
        return next((name for name in among if self.places.get(name) == source), None)

    def run(
        self,
        inputs: Tensor,
        read: Sequence[str] = (),
        *,
        units: Mapping[str, Sequence[int]] | None = None,
        changes: Sequence[Change] = (),
        window: Window | None = None,
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Compute places, and nothing that they do not need.

        Parameters
        ----------
        inputs
            The module's input, preprocessed: `(batch, channels, height, width)`.
        read
            Places to return whole.
        units
            Places of which to return some units, without computing their siblings where possible.
        changes
            Edits are applied first, in their order, then rewirings to the edited values. Places
            are read with all changes.
        window
            The rows and columns of all these places to return, by default all.

        Returns
        -------
        dict, dict
            The values of `read`; those of `units`, `(batch, len(units), …)`.

        Raises
        ------
        InputError
            For an unknown place, a rewiring between places that do not depend on each other, and a
            window that a place does not have.
        """
        known = kept()
        try:
            return self._run(inputs, read, units or {}, changes, window, known)
        except NotFusible:
            return self._run(inputs, read, units or {}, changes, window, None)

    def _run(
        self,
        inputs: Tensor,
        read: Sequence[str],
        units: Mapping[str, Sequence[int]],
        changes: Sequence[Change],
        window: Window | None,
        known: Kept | None,
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        selected = {place: tuple(indices) for place, indices in units.items()}
        whole = tuple(dict.fromkeys(read))
        asked = tuple(selected.items()), tuple((type(c), c.places) for c in changes)
        key = whole, *asked, window, known is not None
        if key not in self._plans:
            for place in (*whole, *selected, *(name for c in changes for name in c.places)):
                if place not in self.places:
                    raise errors.unknown("layer", place, self.places)
            if len(self._plans) >= PLANS:
                self._plans.clear()
            fixed = known is not None
            self._plans[key] = self._plan(whole, selected, changes, window=window, fixed=fixed)
        plan = self._plans[key]
        # what is made in inference mode cannot take part in gradients
        mode = torch.is_inference_mode_enabled()
        constants = {} if known is None else known.setdefault(plan, {}).setdefault(mode, {})
        values = plan.compute(inputs, changes, constants)
        return (
            {name: values[at] for name, at in plan.places.items()},
            {name: values[at] for name, at in plan.units.items()},
        )

    @cached_property
    def _keyed(self) -> dict[Key, Node]:
        return keyed(self.nodes)

    def _plan(
        self,
        read: Sequence[str],
        units: Mapping[str, Sequence[int]],
        changes: Sequence[Change],
        *,
        window: Window | None = None,
        fixed: bool,
    ) -> Plan:
        edited = EditedNodes(self._keyed, self.places)
        for index, change in enumerate(changes):
            if not isinstance(change, Rewiring):
                edited.edit(index, change)
        for index, change in enumerate(changes):
            if isinstance(change, Rewiring):
                edited.rewire(index, change)
        whole = {name: edited.at(name) for name in read}
        selection = UnitSelection(edited, ancestors(whole.values(), edited.inputs))
        selected = {
            name: selection.select(edited.at(name), torch.tensor(indices))
            for name, indices in units.items()
        }
        nodes = edited.nodes
        if window is not None:
            for name in (*read, *units):
                check_window(window, name, nodes[edited.at(name)].shape)
            windows = dict.fromkeys([*whole.values(), *selected.values()], window)
            nodes, ends = cropped(nodes, windows, self.module)
            whole, selected = (
                {name: ends[at] for name, at in places.items()} for places in (whole, selected)
            )
        wanted = {*whole.values(), *selected.values()}
        nodes = fused(nodes, wanted) if fixed else nodes
        return Plan(steps(nodes, wanted, self.module), whole, selected)
