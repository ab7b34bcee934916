"""The objectives that pictures are optimized for, and penalties that can be added to them.

Each is a function of the activations for one picture, or for several that are optimized together.
Sources: Olah, Mordvintsev and Schubert, "Feature Visualization" (2017); lucid's objectives.

It is a list of objectives, most of whose lines are their examples.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.featurevis.objective import Activations, Objective
from visioncircuits.networks import Direction, Feature, Network, Unit, parse

Maps = Float[Tensor, "batch channels height width"]


def _of_feature(name: str, feature: Feature, score: Callable[[Activations], Tensor]) -> Objective:
    """Return an objective that reads only its feature."""
    if isinstance(feature, Unit):
        return Objective(name, score, units=(feature,), feature=feature)
    return Objective(name, score, layers=(feature.layer,), feature=feature)


def unit(feature: str | Feature) -> Objective:
    """Maximize a feature's mean over all positions: its texture.

    Examples
    --------
    >>> (unit("mixed3b:379") - 0.1 * unit("mixed3b:385")).name
    'unit mixed3b:379 - 0.1·unit mixed3b:385'
    """
    feature = parse(feature)

    def score(activations: Activations) -> Tensor:
        return activations.feature(feature).flatten(1).mean(1)

    return _of_feature(f"unit {feature}", feature, score)


def neuron(feature: str | Feature, position: tuple[int, int] | None = None) -> Objective:
    """Maximize a feature at one position, `(row, column)`, by default the middle one.

    With an even number of rows, that is the lower of the two middle ones, as in lucid.

    Examples
    --------
    >>> neuron("mixed3b:379"), neuron("mixed3b:379", (0, 0))
    (Objective('neuron mixed3b:379'), Objective('neuron mixed3b:379 at (0, 0)'))
    """
    feature = parse(feature)

    def score(activations: Activations) -> Tensor:
        values = activations.feature(feature)
        if values.ndim == 1:
            return values
        rows, columns = values.shape[1:]
        row, column = position or (rows // 2, columns // 2)
        if not (0 <= row < rows and 0 <= column < columns):
            raise InputError(f"{feature} has {rows} by {columns} neurons here, none at {position}")
        return values[:, row, column]

    where = "" if position is None else f" at {position}"
    return _of_feature(f"neuron {feature}{where}", feature, score)


def direction(feature: Direction, *, cosine_power: float = 0.0, middle: bool = False) -> Objective:
    """Maximize the dot product of a layer and a direction, times their cosine to a power.

    `cosine · dot` favors pictures that activate the direction over those that activate all units.
    Cosines below .1 are replaced by .1, so that the gradient does not vanish. The value is the mean
    over all positions, or that of the middle one. Source: "Activation Atlas" (2019).

    Examples
    --------
    >>> direction(Direction("mixed3a", torch.rand(256), name="first factor"), cosine_power=2)
    Objective('direction mixed3a:first factor')
    """

    def score(activations: Activations) -> Tensor:
        values = activations.layers[feature.layer]
        if values.ndim > 2:
            rows, columns = values.shape[2:]
            values = values[:, :, rows // 2, columns // 2] if middle else values.flatten(2)
        vector = feature.vector(values.shape[1]).to(values)
        dot = torch.einsum("bu...,u->b...", values, vector)
        if cosine_power:
            cosine = dot / (values.norm(dim=1) * vector.norm() + 1e-6)
            dot = dot * cosine.clamp_min(0.1) ** cosine_power
        return dot.reshape(len(dot), -1).mean(1)

    return Objective(f"direction {feature}", score, layers=(feature.layer,), feature=feature)


def layer(name: str) -> Objective:
    """Maximize a layer's mean square: deep dream. Source: Mordvintsev et al. (2015).

    Examples
    --------
    >>> layer("mixed4c") + total_variation(0.1)
    Objective('layer mixed4c + -0.1·total variation')
    """
    return Objective(
        f"layer {name}", lambda a: a.layers[name].square().flatten(1).mean(1), layers=(name,)
    )


def logit(index: int, *, name: str = "logits") -> Objective:
    """Maximize the logit of a class, in the layer `name`.

    Examples
    --------
    >>> logit(967)
    Objective('logit 967')
    """
    return replace(neuron(Unit(name, index)), name=f"logit {index}")


def of(score: Callable[[Activations], Tensor], *, layers: Iterable[str]) -> Objective:
    """Maximize any function of the activations of some layers.

    Examples
    --------
    >>> edges = of(lambda a: a.layers["conv2d0"].amax(), layers=["conv2d0"])
    """
    return Objective(getattr(score, "__name__", "callable"), score, layers=tuple(layers))


def _gram(values: Tensor) -> Tensor:
    """Return the normalized Gram matrix of each picture: which units activate together."""
    flat = values.flatten(2)
    gram: Tensor = flat @ flat.transpose(1, 2)
    normalized: Tensor = gram / gram.flatten(1).norm(dim=1).clamp_min(1e-10)[:, None, None]
    return normalized


def diversity(name: str, pictures: int) -> Objective:
    """Maximize the difference in style among several pictures, in the layer `name`.

    The value of each picture is minus the mean cosine of its Gram matrix with those of the others.
    Add it to a common objective: `unit("mixed4a:97") + 100 * diversity("mixed4a", 4)`. Source:
    "Feature Visualization", "Diversity".

    Examples
    --------
    >>> unit("mixed4a:97") + 100 * diversity("mixed4a", 4)
    Objective('unit mixed4a:97 + 100·diversity mixed4a', 4 pictures)
    """
    if pictures < 2:
        raise InputError(f"diversity needs at least 2 pictures, not {pictures}")

    def score(activations: Activations) -> Tensor:
        grams = _gram(activations.layers[name]).flatten(1)
        similar = grams @ grams.T
        return -(similar.sum(1) - similar.diagonal()) / (len(grams) - 1)

    return Objective(f"diversity {name}", score, layers=(name,), pictures=pictures)


def alignment(name: str, pictures: int, *, decay: float = 2.0) -> Objective:
    """Align several pictures: minimize the differences of neighbors at each position of a layer.

    The differences are mean squares, with weights that fall by `decay` with each step between the
    pictures. Source: "Differentiable Image Parameterizations", "Aligned Feature Visualization
    Interpolation".

    Examples
    --------
    >>> unit("mixed4a:97") + 10 * alignment("mixed3b", 4)
    Objective('unit mixed4a:97 + 10·alignment mixed3b', 4 pictures)
    """
    if pictures < 2:
        raise InputError(f"alignment needs at least 2 pictures, not {pictures}")

    def score(activations: Activations) -> Tensor:
        values = activations.layers[name]
        total = values.new_zeros(())
        for step in (1, 2, 3):
            if step < pictures:
                difference = (values[step:] - values[:-step]).square().mean()
                total = total - difference / decay ** (step - 1)
        return total

    return Objective(f"alignment {name}", score, layers=(name,), pictures=pictures)


def interpolation(first: Objective, last: Objective, pictures: int) -> Objective:
    """Interpolate between two objectives over several pictures, in equal steps.

    Examples
    --------
    >>> interpolation(unit("mixed4a:97"), unit("mixed4a:475"), 5)
    Objective('from unit mixed4a:97 to unit mixed4a:475', 5 pictures)
    """
    if pictures < 2:
        raise InputError(f"interpolation needs at least 2 pictures, not {pictures}")

    def score(activations: Activations) -> Tensor:
        weight = torch.linspace(0, 1, len(activations.pictures), device=activations.pictures.device)
        return (1 - weight) * first.each(activations) + weight * last.each(activations)

    return Objective(
        f"from {first.name} to {last.name}",
        score,
        units=first.units + last.units,
        layers=first.layers + last.layers,
        pictures=pictures,
    )


def likeness(
    layer: str, target: Float[Tensor, "units rows columns"], *, power: float = 1.0
) -> Objective:
    """Maximize the dot product with a picture's activations, times their cosine to a power.

    The objective of `caricature`, which exaggerates what the layer represents of the picture.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> target = untrained("bvlc_googlenet").activations(torch.rand(1, 3, 64, 64), ["mixed3a"])
    >>> likeness("mixed3a", target["mixed3a"][0], power=2)
    Objective('likeness in mixed3a')
    """

    def score(activations: Activations) -> Tensor:
        values = activations.layers[layer].flatten(1)
        flat = target.to(values).flatten()
        dot = values @ flat / len(flat)
        cosine = dot * len(flat) / (values.norm(dim=1) * flat.norm() + 1e-6)
        likeness: Tensor = dot * cosine.clamp_min(0.1) ** power
        return likeness

    return Objective(f"likeness in {layer}", score, layers=(layer,))


def l1(weight: float, *, gray: float = 0.5) -> Objective:
    """Penalize the mean distance of pixels from gray.

    Examples
    --------
    >>> neuron("conv2d0:3") + l1(0.5)
    Objective('neuron conv2d0:3 + -0.5·L1')
    """
    return _penalty("L1", weight, lambda p: (p - gray).abs().flatten(1).mean(1))


def l2(weight: float, *, gray: float = 0.5) -> Objective:
    """Penalize the mean squared distance of pixels from gray, as is usual for early layers.

    Examples
    --------
    >>> neuron("conv2d0:3") + l2(2)
    Objective('neuron conv2d0:3 + -2·L2')
    """
    return _penalty("L2", weight, lambda p: (p - gray).square().flatten(1).mean(1))


def total_variation(weight: float) -> Objective:
    """Penalize the mean absolute difference of neighboring pixels.

    Examples
    --------
    >>> neuron("mixed3b:379") + total_variation(0.1)
    Objective('neuron mixed3b:379 + -0.1·total variation')
    """

    def measure(pictures: Maps) -> Tensor:
        down = pictures.diff(dim=2).abs().flatten(1).mean(1)
        return down + pictures.diff(dim=3).abs().flatten(1).mean(1)

    return _penalty("total variation", weight, measure)


def blur(weight: float) -> Objective:
    """Penalize high frequencies: the difference from a 5x5 blur.

    Examples
    --------
    >>> neuron("mixed3b:379") + blur(0.1)
    Objective('neuron mixed3b:379 + -0.1·blur')
    """
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16

    def measure(pictures: Maps) -> Tensor:
        channels = pictures.shape[1]
        kernel = torch.outer(row, row).to(pictures).expand(channels, 1, 5, 5)
        padded = F.pad(pictures, (2, 2, 2, 2), mode="replicate")
        blurred = F.conv2d(padded, kernel, groups=channels)
        return (pictures - blurred).square().flatten(1).mean(1)

    return _penalty("blur", weight, measure)


def opacity(weight: float) -> Objective:
    """Penalize the mean opacity of pictures with an alpha channel, as of `Transparent`.

    Examples
    --------
    >>> neuron("mixed3b:379") + opacity(0.1)
    Objective('neuron mixed3b:379 + -0.1·opacity')
    """
    return _penalty("opacity", weight, lambda p: p[:, -1].flatten(1).mean(1))


def _penalty(name: str, weight: float, measure: Callable[[Maps], Tensor]) -> Objective:
    return Objective(f"{-weight:g}·{name}", lambda a: -weight * measure(a.pictures))


def negative(network: Network, feature: str | Feature) -> Objective:
    """Minimize a feature's middle neuron.

    The value is read before the ReLU (`mixed3b_pre_relu`, or the layer that a ReLU of your own
    network reads), since no value after it is negative. Of a layer that is branches side by side, a
    unit is read in its branch. Where no layer comes before, as after a max pool, the
    visualization's `problem` is "never negative".

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> negative(untrained("bvlc_googlenet"), "mixed3b:379")
    Objective('-1·neuron mixed3b_pre_relu:379')
    """
    feature = network.feature(feature)
    before = network.before_rectifier(feature.layer)
    if before == feature.layer and isinstance(feature, Unit):
        for branch, units in network.branches(feature.layer).items():
            if feature.index in units and network.before_rectifier(branch) != branch:
                return negative(network, Unit(branch, feature.index - units.start))
    return -neuron(replace(feature, layer=before))


def diverse(feature: str | Feature, pictures: int) -> Objective:
    """Maximize a feature's mean in several pictures that differ in style in its layer.

    The logarithm makes units of large and small activations comparable, so that one weight suits
    all networks: at .5 pictures differ in kind, and nearly all activate the feature.

    Examples
    --------
    >>> diverse("mixed4a:97", 4)
    Objective('log(1 + unit mixed4a:97) + 0.5·diversity mixed4a', 4 pictures)
    """
    activation = unit(feature)
    style = diversity(parse(feature).layer, pictures)
    return Objective(
        f"log(1 + {activation.name}) + 0.5·{style.name}",
        lambda a: activation.score(a).clamp_min(0).log1p() + 0.5 * style.score(a),
        units=activation.units,
        layers=tuple(dict.fromkeys(activation.layers + style.layers)),
        pictures=pictures,
        feature=activation.feature,
    )
