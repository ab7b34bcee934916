"""Faceted feature visualization: of a unit that several kinds of things activate, one kind.

One picture shows such a unit as a mixture, or one thing alone. Here it is optimized together with
directions of earlier layers, which what raises the unit is to lie along. The objective of each
picture is

    f + weight · 5 / layers · Σ direction · (activation ⊙ max(∂f / ∂activation, 0))

with a sum over layers, units and positions, where f is the unit's own objective and the gradient is
a constant, less a penalty for the distance from gray. The gradient leaves out what does not raise
the unit. At large weights that little is enough to draw the direction for a unit that does not
detect it: such a picture hardly activates the unit.

Sources: Goh et al., "Multimodal Neurons in Artificial Neural Networks" (Distill, 2021), "Faceted
Feature Visualization", for the objective and for linear probes as directions;
openai/CLIP-featurevis, `example_facets.py`, for the rectified gradient, the factor 5 / layers, nine
pictures with weights from .1 to 5 and a penalty of 10 times the mean squared distance from gray.
Different here: its probes have weights for every position, which hold for one size of picture,
while these have one a unit, the largest 1; and the penalty is in proportion to the objective, since
units of other networks have other scales than CLIP's.
"""

import json
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from visioncircuits import __version__, datasets
from visioncircuits.datasets import Photographs, Source
from visioncircuits.errors import InputError
from visioncircuits.featurevis import objectives
from visioncircuits.featurevis.facet import Facet
from visioncircuits.featurevis.objective import Activations, Objective
from visioncircuits.featurevis.probes import pooled, probe
from visioncircuits.networks import Direction, Feature, Network
from visioncircuits.numbers import real, whole
from visioncircuits.progress import bar

WEIGHTS = (0.1, 0.7125, 1.325, 1.9375, 2.55, 3.1625, 3.775, 4.3875, 5.0)
"""Of a facet in the pictures: nine, in equal steps."""

_FACTOR = 5.0
_GRAY = 10.0
"""Of the penalty."""


def fit(
    network: Network,
    layers: str | Iterable[str],
    positives: Source,
    negatives: Source,
    *,
    name: str = "facet",
    batch: int = 16,
    seed: int = 0,
    progress: bool = False,
) -> Facet:
    """Fit a facet to photographs: in each layer a linear probe that separates two kinds.

    It is a logistic regression on a layer's activations, averaged over all positions. Its accuracy
    is measured on each fifth of the photographs after a fit to the other four, and the probe is
    fitted to all of them.

    Parameters
    ----------
    network
        Any network.
    layers
        Before those units that the facet is for; some of moderate depth, which contain parts of
        objects, such as `["mixed4a", "mixed4b", "mixed4c"]`.
    positives
        What the facet is to show: tens of photographs or more (see `datasets.photographs`).
    negatives
        Any others; best such as activate the same units too, and photographs of all kinds.
    name
        Of the facet, in records and below pictures.
    batch
        Pictures that go through the network at once.
    seed
        Of the parts that are held out.
    progress
        Whether to show a bar.

    Raises
    ------
    InputError
        For an unknown layer, a photograph that is among both, or fewer than two of either kind.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> bright, dark = torch.rand(4, 3, 64, 64), torch.rand(4, 3, 64, 64) / 3
    >>> fit(untrained("bvlc_googlenet"), "conv2d2", bright, dark, name="bright").layers
    ('conv2d2',)
    """
    whole("batch", batch, least=1)
    whole("seed", seed, least=0, most=2**32 - 1)
    named = [network.layer(each).name for each in ([layers] if isinstance(layers, str) else layers)]
    listed = list(dict.fromkeys(named))
    kinds = {
        "positive": datasets.photographs(positives),
        "negative": datasets.photographs(negatives),
    }
    _check_apart(*kinds.values())
    values, skipped = {}, list[str]()
    with bar("photographs", sum(map(len, kinds.values())), visible=progress) as advance:
        for kind, given in kinds.items():
            photographs = given.at(network.size)
            values[kind] = pooled(
                network, listed, photographs, batch=batch, skipped=skipped, advance=advance
            )
    counts = {kind: len(found[listed[0]]) for kind, found in values.items()}
    if min(counts.values()) < 2:
        raise InputError(
            f"{counts['positive']} positives and {counts['negative']} negatives can be read; two "
            "of each are needed, and tens for a facet"
        )
    inside, outside = values.values()
    probes = {layer: probe(inside[layer], outside[layer], seed=seed) for layer in listed}
    record = {
        "visioncircuits": __version__,
        "torch": torch.__version__,
        "network": network.record(),
        "photographs": {kind: given.digest() for kind, given in kinds.items()},
        "counts": counts,
        "skipped": skipped,
        "seed": seed,
    }
    return Facet(
        name,
        tuple(Direction(layer, found.weights, name=name) for layer, found in probes.items()),
        {layer: found.accuracy for layer, found in probes.items()},
        json.loads(json.dumps(record)),  # as it is read back
    )


def _check_apart(positives: Photographs, negatives: Photographs) -> None:
    """Check that no photograph is among both, by content."""
    known = {
        item.digest(): name for name, item in zip(positives.names, positives.items, strict=True)
    }
    both = [known[digest] for item in negatives.items if (digest := item.digest()) in known]
    if both:
        raise InputError(
            f"{len(both)} of {len(positives)} positives are among the negatives too, such as "
            f"{both[0]}; a facet is what the one kind has and the other has not"
        )


def faceted(
    network: Network,
    target: str | Feature | Objective,
    facet: Facet,
    *,
    weights: Sequence[float] = WEIGHTS,
    gray: float = _GRAY,
) -> Objective:
    """Maximize a feature by what lies along a facet, in one picture for each weight.

    A step takes one more backward pass than without, from the feature to the first of the facet's
    layers. Give `render_all` a batch no larger than the weights where it renders several of these.

    Parameters
    ----------
    network
        The network that it will be evaluated on.
    target
        A feature, whose middle neuron is maximized, or an objective of one picture.
    facet
        As `fit` returns or `Facet.load` reads it.
    weights
        Of the facet in each picture. At small ones pictures are what they would be without it, at
        large ones the feature is activated less, and only by the facet.
    gray
        Weight of the squared distance from gray, in proportion to the objective's value.

    Raises
    ------
    InputError
        Where a layer of the facet does not come before what is maximized, or its direction has
        other weights than the layer has units.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> stripes = Facet("stripes", (Direction("mixed3a", torch.rand(256)),))
    >>> network = untrained("bvlc_googlenet")
    >>> faceted(network, "mixed4a:97", stripes, weights=[1, 5])
    Objective('neuron mixed4a:97 as stripes × 1, 5, gray 10', 2 pictures)
    """
    if not isinstance(target, Objective):
        target = objectives.neuron(network.feature(target))
    weights = tuple(real("the weight of a facet", weight) for weight in weights)
    if target.pictures > 1 or not weights:
        raise InputError("a facet is for an objective of one picture, with one weight or more")
    reads = dict.fromkeys([*target.layers, *(unit.layer for unit in target.units)])
    for layer in facet.layers:
        if not any(read != layer and network.depends(read, layer) for read in reads):
            raise InputError(
                f"the facet {facet.name!r} has a direction in {layer}, which does not come before "
                f"{', '.join(reads) or 'anything'}; fit it to earlier layers"
            )
    vectors = {each.layer: _scaled(network, each) for each in facet.directions}
    penalty = objectives.l2(real("gray", gray, least=0))

    def score(activations: Activations) -> Tensor:
        own = target.each(activations)
        gradients = activations.gradients(own, facet.layers)
        along = sum(
            torch.einsum(
                "u,bu...->b",
                vector.to(own),
                activations.layers[layer] * gradients[layer].clamp_min(0),
            )
            for layer, vector in vectors.items()
        )
        total = own + own.new_tensor(weights) * _FACTOR / len(vectors) * along
        return total + total.detach().abs() * penalty.each(activations)

    listed = ", ".join(f"{weight:g}" for weight in weights)
    return Objective(
        name=f"{target.name} as {facet.name} × {listed}, gray {gray:g}",
        score=score,
        units=target.units,
        layers=tuple(dict.fromkeys((*target.layers, *facet.layers))),
        pictures=len(weights),
        feature=target.feature,
        directions=(*target.directions, *facet.directions),
    )


def _scaled(network: Network, direction: Direction) -> Tensor:
    """Return a direction's weights, the largest 1."""
    vector = direction.vector(network.layer(direction.layer).units)
    return vector / vector.abs().max()
