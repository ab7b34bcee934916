"""One photograph explained: groups at several layers, what they led to, and how they are tied.

Source: Olah et al., "The Building Blocks of Interpretability" (2018). The records hold one
another and are made by one function, so they are one module of some 310 lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import __version__
from visioncircuits.attribution.neuron_groups import (
    NeuronGroups,
    activation_groups,
    activations_at,
    with_positions,
)
from visioncircuits.attribution.slopes import Readout, RelaxedGradient, Slope
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Unit
from visioncircuits.numbers import whole


@dataclass(frozen=True, eq=False)
class ExplainedLayer:
    """A layer's activations at one photograph, and what each led to.

    Attributes
    ----------
    groups
        Of its units.
    activations : Tensor, (units, height, width)
        At the photograph.
    slopes : Tensor, (classes, units, height, width)
        How each class changes with each neuron.

    Examples
    --------
    >>> values = torch.rand(4, 3, 3)
    >>> layer = ExplainedLayer(activation_groups(values, "mixed3a", groups=2), values,
    ...                        torch.randn(5, 4, 3, 3))
    >>> layer.spatial().shape, layer.by_group().shape
    (torch.Size([5, 3, 3]), torch.Size([5, 2]))
    >>> torch.allclose(layer.by_group().sum(1) + layer.remainder(), layer.channels().sum(1),
    ...                atol=1e-5)
    True
    """

    groups: NeuronGroups
    activations: Float[Tensor, "units height width"]
    slopes: Float[Tensor, "classes units height width"]

    @property
    def name(self) -> str:
        """The layer's."""
        return self.groups.layer

    def spatial(self) -> Float[Tensor, "classes height width"]:
        """Return what each position led to, units added up."""
        return torch.einsum("cuhw,uhw->chw", self.slopes, self.activations)

    def channels(self) -> Float[Tensor, "classes units"]:
        """Return what each unit led to, positions added up."""
        return torch.einsum("cuhw,uhw->cu", self.slopes, self.activations)

    def group_maps(self) -> Float[Tensor, "classes groups height width"]:
        """Return what each group led to at each position."""
        along = torch.einsum("cuhw,gu->cghw", self.slopes, self.groups.vectors())
        return along * self.groups.maps

    def by_group(self) -> Float[Tensor, "classes groups"]:
        """Return what each group led to."""
        return self.group_maps().sum((2, 3))

    def remainder(self) -> Float[Tensor, " classes"]:
        """Return what led to each class and is in no group."""
        rest = self.activations - self.groups.total()
        return torch.einsum("cuhw,uhw->c", self.slopes, rest)

    def strongest(self, row: int, column: int, top: int = 5) -> list[tuple[Unit, float]]:
        """List the units that are most active at a position, with their activations."""
        values, units = self.activations[:, row, column].topk(min(top, len(self.activations)))
        pairs = zip(units.tolist(), values.tolist(), strict=True)
        return [(Unit(self.name, unit), value) for unit, value in pairs]


@dataclass(frozen=True, eq=False)
class Ties:
    """How the groups of a layer led to those of a later one.

    Attributes
    ----------
    earlier, later
        The layers.
    values : Tensor, (earlier groups, later groups)
        Attribution of each later group's activation to each earlier group.
    remainder : Tensor, (later groups,)
        What is attributed to activations that are in no earlier group.
    activation : Tensor, (later groups,)
        What is explained: the mean activation of the group's direction, weighted by its map.

    Examples
    --------
    >>> Ties("mixed3a", "mixed3b", torch.tensor([[3.0], [1.0]]), torch.zeros(1), torch.ones(1))
    Ties(mixed3a → mixed3b, 2 × 1 groups)
    """

    earlier: str
    later: str
    values: Float[Tensor, "earlier later"]
    remainder: Float[Tensor, " later"]
    activation: Float[Tensor, " later"]

    def __repr__(self) -> str:
        earlier, later = self.values.shape
        return f"Ties({self.earlier} → {self.later}, {earlier} × {later} groups)"


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a network detected in one photograph, and what that led to.

    A notebook shows it as `explanation_panel` draws it, without pictures of the groups.

    Attributes
    ----------
    photograph : Tensor, (1, channels, height, width)
        In [0, 1].
    classes
        Their names, or numbers.
    logits : Tensor, (classes,)
        The network's.
    probabilities : Tensor, (classes,)
        The softmax over all of its classes.
    layers
        From the earliest to the latest.
    ties
        Of each layer to the next.
    record
        How it was computed, as plain data.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, photograph = untrained("bvlc_googlenet"), torch.rand(1, 3, 224, 224)
    >>> explain(network, photograph, ["mixed4d", "mixed5a"], classes=["beer glass"], groups=2)
    Explanation(mixed4d, mixed5a; 4 classes)
    """

    photograph: Float[Tensor, "1 channels height width"]
    classes: tuple[str, ...]
    logits: Float[Tensor, " classes"]
    probabilities: Float[Tensor, " classes"]
    layers: tuple[ExplainedLayer, ...]
    ties: tuple[Ties, ...]
    record: dict[str, Any]

    def __repr__(self) -> str:
        layers = ", ".join(layer.name for layer in self.layers)
        return f"Explanation({layers}; {len(self.classes)} classes)"

    def unattributed(self) -> Float[Tensor, "layers classes"]:
        """Return what of each logit no layer's activation led to.

        It is what biases carry by `ExactPaths`; what the network computes from no activation of the
        layer by `IntegratedGradient`, to the error of its steps; and by a gradient the difference
        of its line from the network too.
        """
        return torch.stack([self.logits - layer.channels().sum(1) for layer in self.layers])

    def _repr_png_(self) -> bytes:
        from visioncircuits.attribution.explanation_panel import explanation_panel

        return explanation_panel(self)._repr_png_()


def explain(
    network: Network,
    photograph: Float[Tensor, "batch channels height width"],
    layers: str | Sequence[str],
    *,
    classes: Sequence[str | int] = (),
    top: int = 3,
    groups: int = 6,
    slope: Slope | None = None,
    seed: int = 0,
) -> Explanation:
    """Explain what a network detected in one photograph, and what that led to.

    Units of each layer are grouped by where they are active (`neuron_groups`). What led to a class
    is attributed to positions, units and groups by slope times activation, and each group to the
    groups of the layer before.

    Parameters
    ----------
    network
        A classifier.
    photograph
        In [0, 1]; a batch of one.
    layers
        With positions, each computed from the ones before it, in any order.
    classes
        Names, or numbers, of those that are of interest.
    top
        The network's most likely classes, which are added.
    groups
        How many a layer.
    slope
        `RelaxedGradient()`, which is the default, `Gradient()`, `IntegratedGradient(steps)` or
        `ExactPaths()`.
    seed
        As for `neuron_groups`.

    Raises
    ------
    InputError
        For unknown classes, none, or layers that do not follow one another; and as
        `neuron_groups`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, photograph = untrained("bvlc_googlenet"), torch.rand(1, 3, 224, 224)
    >>> found = explain(network, photograph, "mixed4d", classes=["beer glass"], top=0, groups=2)
    >>> found.layers[0].by_group().shape
    torch.Size([1, 2])
    """
    slope = slope or RelaxedGradient()
    whole("top", top, least=0)
    ordered, wanted = asked(network, layers, classes)
    values = activations_at(network, photograph, ordered)
    with torch.no_grad():
        logits = network.activations(photograph, [network.output])[network.output][0]
    logits = logits.float().cpu()
    likely = logits.topk(whole("top", top, least=0, most=len(logits))).indices.tolist()
    chosen = list(dict.fromkeys((*wanted, *likely)))
    if not chosen:
        raise InputError("no class is given; name one, or let the most likely be added")
    rows = torch.eye(len(logits))[chosen]
    readouts = [Readout(network.output, row) for row in rows]
    found = []
    for layer in ordered:
        grouped = activation_groups(values[layer], layer, groups=groups, seed=seed)
        found.append(
            ExplainedLayer(grouped, values[layer], slope(network, photograph, layer, readouts))
        )
    return Explanation(
        photograph=photograph.cpu(),
        classes=tuple(class_name(network, number) for number in chosen),
        logits=logits[chosen],
        probabilities=logits.softmax(0)[chosen],
        layers=tuple(found),
        ties=tuple(
            tie(network, photograph, earlier, later, slope) for earlier, later in pairwise(found)
        ),
        record={
            "visioncircuits": __version__,
            "network": network.record(),
            "device": network.device.type,
            "layers": ordered,
            "classes": chosen,
            "groups": groups,
            "slope": slope.name,
            "seed": seed,
        },
    )


def tie(
    network: Network,
    photograph: Float[Tensor, "1 channels height width"],
    earlier: ExplainedLayer,
    later: ExplainedLayer,
    slope: Slope,
) -> Ties:
    """Attribute the groups of a layer to those of an earlier one.

    A later group's activation is that of its direction, averaged over positions with its map as
    weights; it is the slope of that, times the earlier activations, which the groups share.
    """
    vectors, maps = later.groups.vectors(), later.groups.maps
    weights = torch.einsum("gu,ghw->guhw", vectors, maps / maps.sum((1, 2), keepdim=True))
    readouts = [Readout(later.name, each) for each in weights]
    led = ExplainedLayer(
        earlier.groups, earlier.activations, slope(network, photograph, earlier.name, readouts)
    )
    activation = torch.stack([readout.of(later.activations) for readout in readouts])
    return Ties(earlier.name, later.name, led.by_group().T, led.remainder(), activation)


def asked(
    network: Network, layers: str | Sequence[str], classes: Sequence[str | int], *, groups: int = 1
) -> tuple[list[str], list[int]]:
    """Return layers from the earliest to the latest, and the numbers of classes.

    Parameters
    ----------
    network, layers, classes
        As for `explain`.
    groups
        How many each layer must have room for, at the network's own size.

    Raises
    ------
    InputError
        As `explain`, for all that can be checked without a photograph.
    """
    given = [layers] if isinstance(layers, str) else list(dict.fromkeys(layers))
    if not given:
        raise InputError("no layer is given; name one, such as mixed4d")
    for layer in given:
        found = with_positions(network, layer)
        whole("groups", groups, least=1, most=min(found.units, found.shape[0] * found.shape[1]))
    ordered = _in_order(network, given)
    if network.layer(network.output).shape:
        raise InputError(f"{network.output} has positions: {network.name} is not a classifier")
    return ordered, [class_number(network, each) for each in classes]


def _in_order(network: Network, layers: Sequence[str]) -> list[str]:
    """Sort layers by depth, and check that each leads to the next and the last to the output."""
    depth = {name: place for place, name in enumerate(network.layers)}
    ordered = sorted(layers, key=lambda layer: depth[network.layer(layer).name])
    for earlier, later in pairwise([*ordered, network.output]):
        if not network.depends(later, earlier):
            raise InputError(f"{later} does not depend on {earlier}; name layers that follow")
    return ordered


def class_number(network: Network, given: str | int) -> int:
    """Return the number of a class by its name or number."""
    feature = network.feature(f"logits:{given}")
    if not isinstance(feature, Unit) or feature.layer != network.output:
        raise InputError(f"{given!r} is no class of {network.name}")
    return feature.index


def class_name(network: Network, number: int) -> str:
    """Return the name of a class, or its number where it has none."""
    names, units = network.classes, network.layer(network.output).units
    return names[number] if names is not None and len(names) == units else str(number)
