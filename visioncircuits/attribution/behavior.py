"""A feature as a function of an earlier layer, and how much of it the parts of that layer keep."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import datasets
from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.interventions.intervals import ends, resamples
from visioncircuits.networks import Feature, Network, Unit
from visioncircuits.networks.edits import Replacement

BATCH = 20
"""Photographs at once."""

STEPS = 4
"""Of the attribution, on the way from the means to the values."""

PROBES = 4
"""Random signs a picture, in the attribution."""

Response = Callable[[Tensor, Tensor], Tensor]
"""From an earlier layer's values, and the pictures, to the feature's activations."""

Masked = Callable[[Tensor, Tensor, Tensor], Tensor]
"""The same, where only the parts of a mask (1 or 0 each) are as they are."""


@dataclass(frozen=True, eq=False)
class Half:
    """Some photographs.

    Attributes
    ----------
    values
        The earlier layer's.
    shown
        The pictures.
    activation
        The feature's, `(pictures, positions)`.
    """

    values: Tensor
    shown: Tensor
    activation: Tensor

    def batches(self) -> Iterator["Half"]:
        for start in range(0, len(self.activation), BATCH):
            turn = slice(start, start + BATCH)
            yield Half(self.values[turn], self.shown[turn], self.activation[turn])


@dataclass(frozen=True, eq=False)
class Study:
    """An earlier layer, a feature, and the values of both on photographs."""

    network: Network
    source: str
    target: Feature
    share: float
    names: list[str]
    respond: Response
    selection: Half
    held_out: Half

    @property
    def level(self) -> Float[Tensor, "units 1 1"]:
        """The mean of each unit."""
        return self.selection.values.mean((0, 2, 3))[:, None, None]


@torch.no_grad()
def study_of(
    network: Network,
    source: str,
    target: str | Feature,
    photographs: Source,
    share: float,
) -> Study:
    """Check the arguments of a discovery, and compute what is kept for all of it."""
    asked = network.feature(target)
    if len(network.layer(source).shape) != 2:
        raise InputError(f"{source} has no positions; discover from a layer that has some")
    if not 0 < share < 1:
        raise InputError(f"a share lies between 0 and 1; {share:g} does not")
    given = datasets.photographs(photographs)
    if len(given) < 4:
        raise InputError(f"a discovery takes 4 photographs or more, not {len(given)}")
    if _branch(network, asked).layer == source:
        raise independent(asked, source)
    respond = response(network, asked, source)
    halves = []
    for first in (0, 1):
        parts = []
        for shown in given.part(range(first, len(given), 2)).batches(network.size, BATCH):
            values = network.activations(shown, [source])[source]
            parts.append((values, shown, respond(values, shown)))
        halves.append(Half(*(torch.cat(part) for part in zip(*parts, strict=True))))
    for half in halves:
        if float(half.activation.double().var()) <= 1e-12 * float(
            half.activation.double().square().mean()
        ):
            raise InputError(f"{asked} has one activation on all these photographs; give others")
    return Study(network, source, asked, share, list(given.names), respond, *halves)


def _branch(network: Network, feature: Feature) -> Feature:
    """Find a unit in the branch that it comes from, to which fewer layers lead."""
    if isinstance(feature, Unit):
        for branch, span in network.branches(feature.layer).items():
            if feature.index in span:
                return _branch(network, Unit(branch, feature.index - span.start))
    return feature


def response(network: Network, feature: Feature, source: str) -> Response:
    """Return the feature's activations as a function of an earlier layer's values."""
    feature = _branch(network, feature)
    layer = feature.layer
    if not network.depends(layer, source):
        raise independent(feature, source)

    def respond(values: Tensor, shown: Tensor) -> Tensor:
        changes = [Replacement(source, values)]
        if isinstance(feature, Unit):
            units = {layer: torch.tensor([feature.index])}
            return network.unit_activations(shown, units, changes=changes)[layer].flatten(1)
        maps = network.activations(shown, [layer], changes=changes)[layer]
        vector = feature.vector(maps.shape[1]).to(maps)
        return torch.einsum("u,bu...->b...", vector, maps).reshape(len(maps), -1)

    return respond


def independent(feature: Feature, source: str) -> InputError:
    """Return the error for a feature that does not depend on a layer."""
    return InputError(f"{feature} does not depend on {source}; name an earlier layer")


def attribution_of(study: Study, masked: Masked, count: int, seed: int) -> Float[Tensor, " parts"]:
    """Estimate what each part changes the activation by, to first order: its mean square.

    The change at every position would take a derivative each. A sum of changes with random signs
    takes one, and its square is on average the sum of their squares.
    """
    half, generator = study.selection, torch.Generator().manual_seed(seed)
    total = torch.zeros(count, dtype=torch.float64)
    for batch in half.batches():
        for _ in range(PROBES):
            signs = torch.randint(0, 2, batch.activation.shape, generator=generator).to(
                batch.activation
            )
            change = torch.zeros(len(signs), count)
            for step in range(STEPS):
                mask = torch.full(change.shape, (step + 0.5) / STEPS, requires_grad=True)
                with torch.enable_grad():
                    found = masked(batch.values, batch.shown, mask.to(batch.values))
                    if not found.requires_grad:
                        raise independent(study.target, study.source)
                    probe = ((2 * signs - 1) * found).sum()
                    (gradient,) = torch.autograd.grad(probe, mask)
                change += gradient / STEPS
            total += change.double().square().sum(0) / PROBES
    spread = half.activation.double() - half.activation.double().mean()
    return total / float(spread.square().sum())


@torch.inference_mode()
def behavior(half: Half, masked: Masked, places: Tensor, count: int) -> tuple[Tensor, float]:
    """Compare the activations before and after all parts but some are mean-ablated.

    Returns
    -------
    Tensor, float
        By picture, the square of the change and of the activation less the mean of all,
        `(2, pictures)`; and the correlation of before and after.
    """
    mask = torch.zeros(count, device=half.values.device)
    mask[places] = 1
    after = torch.cat([masked(b.values, b.shown, mask) for b in half.batches()]).double()
    before = half.activation.double()
    spread = before - before.mean()
    errors = torch.stack([(after - before).square().sum(1), spread.square().sum(1)]).cpu()
    after = after - after.mean()
    scale = float(after.norm() * spread.norm())
    return errors, float((after * spread).sum()) / scale if scale else 0.0


def explained(errors: Float[Tensor, "two pictures"]) -> float:
    """Return the explained variance."""
    lost, whole = errors.sum(1)
    return 1 - float(lost / whole)


def interval(errors: Float[Tensor, "two pictures"], seed: int) -> tuple[float, float]:
    """Return the 95 % interval of the explained variance, over pictures."""
    lost, whole = errors.numpy() @ resamples(errors.shape[1], seed)
    low, high = ends(1 - lost / whole).tolist()
    return low, high
