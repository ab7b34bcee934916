"""Running circuits: a feature's activations where everything outside a circuit is ablated.

What is measured once and what every run computes of it are here together, in some 300 lines.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from visioncircuits import __version__, datasets
from visioncircuits.circuits.candidates import Candidates, Masks, candidates_of
from visioncircuits.circuits.circuit import Circuit
from visioncircuits.circuits.columns import Parts, values_of
from visioncircuits.datasets import Photographs, Source
from visioncircuits.errors import InputError
from visioncircuits.interventions.ablation import ABLATIONS, Ablation
from visioncircuits.networks import Network
from visioncircuits.networks.edits import Replacement

if TYPE_CHECKING:
    from visioncircuits.dictionaries import Dictionary

BATCH = 20
"""Photographs at once."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Candidates, and what they are on photographs in the network as it is.

    Attributes
    ----------
    candidates
        The nodes and edges.
    names
        The photographs'.
    shown
        Their pictures.
    parts
        For each column, the values of its nodes.
    activation
        The target's, at every position.
    means
        For each column, what mean ablation puts in place of its nodes.

    Examples
    --------
    >>> from torch import nn
    >>> from visioncircuits.circuits import candidates
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), torch.rand(4, 3, 24, 24))
    >>> len(study), study.activation.shape
    (4, torch.Size([4, 400]))
    """

    candidates: Candidates
    names: tuple[str, ...]
    shown: Tensor
    parts: tuple[Parts, ...]
    activation: Float[Tensor, "photographs positions"]
    means: tuple[Parts, ...]

    def __len__(self) -> int:
        return len(self.shown)

    @cached_property
    def peak(self) -> Int[Tensor, " photographs"]:
        """The position at which the target is strongest, by photograph."""
        return self.activation.argmax(1)

    @cached_property
    def one_hot(self) -> Float[Tensor, "photographs positions"]:
        """1 there, and 0 elsewhere."""
        return torch.zeros_like(self.activation).scatter_(1, self.peak[:, None], 1)

    def at_peak(self, activation: Float[Tensor, "photographs positions"]) -> Tensor:
        """Take the target's activation there."""
        return activation.gather(1, self.peak[:, None])[:, 0]

    def ablated(self, mode: Ablation) -> tuple[Parts, ...]:
        """Return what stands in for each column's nodes on edges that are ablated.

        Raises
        ------
        InputError
            For an unknown mode, or a single photograph, which cannot be resampled.
        """
        if mode not in ABLATIONS:
            raise InputError(
                f"the mode of an ablation is 'zero', 'mean' or 'resample', not {mode!r}"
            )
        if mode == "resample" and len(self) < 2:
            raise InputError("another photograph's values need two photographs or more")
        if mode == "mean":
            return self.means
        return tuple(each.zero() if mode == "zero" else each.elsewhere() for each in self.parts)

    def record(self) -> dict[str, Any]:
        """Describe the network, the target, the places and the photographs, as plain data."""
        found = self.candidates
        return {
            "visioncircuits": __version__,
            "network": found.network.record(),
            "target": found.target.feature.record(),
            "places": list(found.places),
            "size": found.network.size,
            "photographs": list(self.names),
        }

    def batches(self, mode: Ablation) -> Iterator["Batch"]:
        """Yield some photographs at a time, with what ablation puts in place of values."""
        ablated = self.ablated(mode)
        for start in range(0, len(self), BATCH):
            turn = slice(start, start + BATCH)
            yield Batch(
                self.candidates,
                self.shown[turn],
                tuple(each.batch(turn) for each in self.parts),
                tuple(each.batch(turn) for each in ablated),
            )


@dataclass(frozen=True, eq=False)
class Batch:
    """Some photographs: their pictures, the nodes' values, and what these are ablated to."""

    candidates: Candidates
    shown: Tensor
    parts: tuple[Parts, ...]
    ablated: tuple[Parts, ...]

    def sources(self, place: int) -> list[int]:
        """Return the columns that feed a place directly."""
        return [a for a, b in self.candidates.pairs if b == place]

    def values(self, masks: Masks, live: Mapping[int, Bool[np.ndarray, " nodes"]]) -> list[Parts]:
        """Run a circuit: the values of the nodes, column by column.

        A node of the first places has its own value; every later one is computed from what its
        edges carry. Nodes with the same edges are computed together.

        Parameters
        ----------
        live
            By column, the nodes that are computed; the others have their original values, which
            nothing that is computed depends on.
        """
        network, found = self.candidates.network, list(self.parts)
        for at, place in enumerate(self.candidates.columns):
            if not self.sources(at):
                continue
            nodes = np.flatnonzero(live[at])
            scalars, rest = self.parts[at].scalars.clone(), self.parts[at].rest
            for group in grouped(masks, self.sources(at), at, nodes):
                changes = self.seen(found, masks, at, group[0])
                new = values_of(network, place, group, self.shown, changes)
                inner = [node for node in group if node < len(place.features)]
                scalars[:, inner] = new.scalars
                rest = rest if new.rest is None else new.rest
            found[at] = Parts(scalars, rest)
        return found

    def seen(
        self, values: Sequence[Parts], masks: Masks, place: int, node: int
    ) -> list[Replacement]:
        """Return what a node's edges carry, as the values of the places before it."""
        columns = self.candidates.columns
        return [
            Replacement(
                columns[source].layer,
                columns[source].join(
                    self.ablated[source].towards(values[source], masks[source, place][:, node])
                ),
            )
            for source in self.sources(place)
        ]

    def target(self, values: Sequence[Parts], masks: Masks) -> Float[Tensor, "batch positions"]:
        """Compute the target from what its edges carry."""
        last = len(self.candidates.columns)
        changes = self.seen(values, masks, last, 0)
        return self.candidates.target.value(self.candidates.network, self.shown, changes)


def grouped(
    masks: Masks, sources: Sequence[int], place: int, nodes: Sequence[int] | np.ndarray
) -> list[list[int]]:
    """Divide nodes of a place into those with the same edges."""
    if not len(nodes):
        return []
    columns = torch.cat([masks[source, place] for source in sources])[:, list(nodes)]
    _, groups = torch.unique(columns.T, dim=0, return_inverse=True)
    found: dict[int, list[int]] = {}
    for node, group in zip(nodes, groups.tolist(), strict=True):
        found.setdefault(group, []).append(int(node))
    return list(found.values())


@torch.no_grad()
def measured(
    found: Candidates, photographs: Source, *, means: Sequence[Parts] | None = None
) -> Measured:
    """Compute what candidates are on photographs, which is kept in memory.

    Parameters
    ----------
    means
        What mean ablation puts in place of nodes; by default the means over these photographs and
        all positions.

    Raises
    ------
    InputError
        Without photographs.
    """
    given: Photographs = datasets.photographs(photographs)
    if not len(given):
        raise InputError("a circuit is measured on photographs; give one or more")
    network, layers = found.network, [each.layer for each in found.columns]
    shown, parts, activation = [], [], []
    for pictures in given.batches(network.size, BATCH):
        values = network.activations(pictures, layers)
        last = [Replacement(layer, value) for layer, value in values.items()]
        activation.append(found.target.value(network, pictures, last))
        parts.append([each.read(values[each.layer]) for each in found.columns])
        shown.append(pictures)
    whole = tuple(_joined([turn[at] for turn in parts]) for at in range(len(layers)))
    level = tuple(each.mean() for each in whole) if means is None else tuple(means)
    return Measured(
        found, tuple(given.names), torch.cat(shown), whole, torch.cat(activation), level
    )


def _joined(parts: Sequence[Parts]) -> Parts:
    rests = [each.rest for each in parts if each.rest is not None]
    scalars = torch.cat([each.scalars for each in parts])
    return Parts(scalars, torch.cat(rests) if rests else None)


@torch.no_grad()
def activations(
    study: Measured, chosen: Bool[np.ndarray, " edges"], mode: Ablation
) -> Float[Tensor, "photographs positions"]:
    """Return the target's activations where only the chosen edges are not ablated."""
    live, masks = study.candidates.live(chosen), study.candidates.masks(chosen)
    computed = live_nodes(study.candidates, live)
    return torch.cat(
        [batch.target(batch.values(masks, computed), masks) for batch in study.batches(mode)]
    )


def live_nodes(found: Candidates, live: Bool[np.ndarray, " edges"]) -> dict[int, Any]:
    """Return the nodes of each column from which a live edge leads on."""
    sources, _ = found.ends
    counts = [len(each.names) for each in found.columns]
    reached = np.zeros(sum(counts), dtype=bool)
    reached[sources[live]] = True
    return dict(enumerate(np.split(reached, np.cumsum(counts)[:-1])))


def run(
    network: Network,
    circuit: Circuit,
    photographs: Source,
    *,
    ablation: Ablation = "mean",
    complement: bool = False,
    dictionaries: Sequence["Dictionary"] = (),
) -> Float[Tensor, "photographs positions"]:
    """Run a circuit: its feature's activations where all edges outside it are ablated.

    A feature receives, along each edge of the circuit, what the earlier feature is in this run,
    and along every other edge between the circuit's places what that one is ablated to (as in
    ACDC, Conmy et al., 2023). The first place is what it is in the network.

    Parameters
    ----------
    network
        Any.
    circuit
        From discovery, by hand, or from a file.
    photographs
        See `datasets.photographs`.
    ablation
        What edges outside the circuit carry: `"zero"`; the `"mean"` of the feature over
        these photographs and all positions; or, to `"resample"`, its values on another one of
        them, half of their number away.
    complement
        Whether to run everything but the circuit instead.
    dictionaries
        Of which the circuit's atoms are; these have their codes as values then.

    Returns
    -------
    torch.Tensor
        Float32 `(photographs, positions)`, row by row of the feature's map.

    Raises
    ------
    InputError
        For features or edges that the network does not have, an unknown ablation, or too few
        photographs.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(2, 3, 224, 224)
    >>> circuit = Circuit("mixed3b:9", ("mixed3a", "mixed3b"), [("mixed3a:5", "mixed3b:9")])
    >>> run(network, circuit, pictures, ablation="zero").shape
    torch.Size([2, 784])
    """
    found = candidates_of(network, circuit, dictionaries)
    chosen = found.choice(circuit.edges)
    study = measured(found, photographs)
    return activations(study, ~chosen if complement else chosen, ablation).cpu()
