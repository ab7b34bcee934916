"""What a picture is optimized for: objectives, penalties, and sums and multiples of both.

Every objective is a number to be raised, of the network's answers to one picture, or to several
that are drawn together. Sources: Olah, Mordvintsev and Schubert, "Feature Visualization" (2017);
lucid's objectives.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from numbers import Real

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Feature, Network, Unit, parse

Maps = Float[Tensor, "batch channels height width"]


@dataclass(frozen=True, eq=False)
class Answers:
    """What a network answered to the pictures of one objective.

    Attributes
    ----------
    pictures
        As they are, before any random transform: what penalties look at.
    layers
        Activations `(pictures, units, rows, columns)` of the layers that are wanted whole.
    units
        Activations `(pictures, rows, columns)` of the units that are wanted alone.
    network
        The network that answered.
    """

    pictures: Maps
    layers: Mapping[str, Tensor]
    units: Mapping[Unit, Tensor]
    network: Network

    def feature(self, feature: Feature) -> Tensor:
        """Give a feature's activation `(pictures, rows, columns)`."""
        if isinstance(feature, Unit) and feature in self.units:
            return self.units[feature]
        values = self.layers[feature.layer]
        if isinstance(feature, Unit):
            return values[:, feature.index]
        return torch.einsum("bu...,u->b...", values, feature.vector(values.shape[1]).to(values))


@dataclass(frozen=True, eq=False)
class Objective:
    """A number to be raised, and what of the network it reads.

    Attributes
    ----------
    name
        Says in a record what it is.
    score
        From `Answers` to a number a picture, `(pictures,)`, or to one number.
    units, layers
        The units that are read alone, and the layers that are read whole.
    pictures
        How many pictures it draws together.
    feature
        The feature whose activation is reported, where there is one.
    """

    name: str
    score: Callable[[Answers], Tensor]
    units: tuple[Unit, ...] = ()
    layers: tuple[str, ...] = ()
    pictures: int = 1
    feature: Feature | None = None

    def each(self, answers: Answers) -> Float[Tensor, " pictures"]:
        """Give every picture's part of the number to be raised; equal parts of one number."""
        values = self.score(answers).flatten()
        pictures = len(answers.pictures)
        return values if len(values) == pictures else values.sum().expand(pictures) / pictures

    def __call__(self, answers: Answers) -> Float[Tensor, ""]:
        """Give the number to be raised."""
        return self.each(answers).sum()

    def __add__(self, other: object) -> "Objective":
        if isinstance(other, Real):
            value = float(other)
            name = f"{self.name} + {value:g}" if value else self.name  # sum() begins with 0
            return replace(self, name=name, score=lambda answers: self.each(answers) + value)
        if not isinstance(other, Objective):
            raise InputError(
                f"an objective and a {type(other).__name__} cannot be added; add objectives or "
                "numbers to it"
            )
        return Objective(
            name=f"{self.name} + {other.name}",
            score=lambda answers: self.each(answers) + other.each(answers),
            units=self.units + other.units,
            layers=self.layers + other.layers,
            pictures=max(self.pictures, other.pictures),
            feature=self.feature or other.feature,
        )

    __radd__ = __add__

    def __mul__(self, factor: object) -> "Objective":
        if not isinstance(factor, Real):
            raise InputError("an objective can be multiplied by a number only")
        number = float(factor)
        name = f"{number:g}·{self._bracketed()}"
        return replace(self, name=name, score=lambda answers: self.each(answers) * number)

    __rmul__ = __mul__

    def __neg__(self) -> "Objective":
        return self * -1

    def __sub__(self, other: object) -> "Objective":
        if isinstance(other, Objective):
            return replace(self + -other, name=f"{self.name} - {other._bracketed()}")
        return self + (-float(other) if isinstance(other, Real) else other)

    def _bracketed(self) -> str:
        return f"({self.name})" if " + " in self.name or " - " in self.name else self.name

    def __truediv__(self, factor: float) -> "Objective":
        return self * (1 / factor)


def _about(name: str, feature: Feature, score: Callable[[Answers], Tensor]) -> Objective:
    """Make an objective that reads no more than its feature needs."""
    if isinstance(feature, Unit):
        return Objective(name, score, units=(feature,), feature=feature)
    return Objective(name, score, layers=(feature.layer,), feature=feature)


def unit(feature: str | Feature) -> Objective:
    """Raise a feature's mean over all positions: its texture, tiled.

    Examples
    --------
    >>> (unit("mixed3b:379") - 0.1 * unit("mixed3b:385")).name
    'unit mixed3b:379 - 0.1·unit mixed3b:385'
    """
    feature = parse(feature)

    def score(answers: Answers) -> Tensor:
        return answers.feature(feature).flatten(1).mean(1)

    return _about(f"unit {feature}", feature, score)


def neuron(feature: str | Feature, position: tuple[int, int] | None = None) -> Objective:
    """Raise a feature at one position, `(row, column)`; the middle one by default.

    Of an even number of rows the lower of the two middle ones counts, as in lucid.
    """
    feature = parse(feature)

    def score(answers: Answers) -> Tensor:
        values = answers.feature(feature)
        if values.ndim == 1:
            return values
        rows, columns = values.shape[1:]
        row, column = position or (rows // 2, columns // 2)
        if not (0 <= row < rows and 0 <= column < columns):
            raise InputError(f"{feature} has {rows} by {columns} neurons here, none at {position}")
        return values[:, row, column]

    where = "" if position is None else f" at {position}"
    return _about(f"neuron {feature}{where}", feature, score)


def direction(feature: Direction, *, cosine_power: float = 0.0, middle: bool = False) -> Objective:
    """Raise a layer's dot product with a direction times their cosine to a power.

    `cosine · dot` prefers pictures that drive the direction alone over ones that drive everything.
    Negative cosines count as .1, so that a gradient is left to leave them by. The mean over all
    positions, or the middle one alone. Source: "Activation Atlas" (2019).
    """

    def score(answers: Answers) -> Tensor:
        values = answers.layers[feature.layer]
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
    """Raise a layer's mean square: deep dream. Source: Mordvintsev et al. (2015)."""
    return Objective(
        f"layer {name}", lambda a: a.layers[name].square().flatten(1).mean(1), layers=(name,)
    )


def logit(index: int, *, name: str = "logits") -> Objective:
    """Raise a class's logit, in the layer called `name`."""
    return replace(neuron(Unit(name, index)), name=f"logit {index}")


def of(score: Callable[[Answers], Tensor], *, layers: Iterable[str]) -> Objective:
    """Raise whatever you like of some layers' activations.

    Examples
    --------
    >>> edges = of(lambda answers: answers.layers["conv2d0"].amax(), layers=["conv2d0"])
    """
    return Objective(getattr(score, "__name__", "callable"), score, layers=tuple(layers))


def _gram(values: Tensor) -> Tensor:
    """Give the normalized Gram matrix of each picture: which units answer together."""
    flat = values.flatten(2)
    gram = flat @ flat.transpose(1, 2)
    return gram / gram.flatten(1).norm(dim=1).clamp_min(1e-10)[:, None, None]


def diversity(name: str, pictures: int) -> Objective:
    """Raise the difference in style among `pictures` drawn together, in the layer called `name`.

    For each picture, minus the mean cosine of its Gram matrix with those of the others. Add it to
    what they share: `unit("mixed4a:97") + 100 * diversity("mixed4a", 4)`. Source: "Feature
    Visualization", "Diversity".
    """
    if pictures < 2:
        raise InputError(f"diversity needs at least 2 pictures, not {pictures}")

    def score(answers: Answers) -> Tensor:
        grams = _gram(answers.layers[name]).flatten(1)
        similar = grams @ grams.T
        return -(similar.sum(1) - similar.diagonal()) / (len(grams) - 1)

    return Objective(f"diversity {name}", score, layers=(name,), pictures=pictures)


def alignment(name: str, pictures: int, *, decay: float = 2.0) -> Objective:
    """Keep neighbors among `pictures` drawn together alike, position by position, in a layer.

    The mean squared difference of their activations, falling by `decay` with each step apart.
    Source: "Differentiable Image Parameterizations", "Aligned Feature Visualization
    Interpolation".
    """
    if pictures < 2:
        raise InputError(f"alignment needs at least 2 pictures, not {pictures}")

    def score(answers: Answers) -> Tensor:
        values = answers.layers[name]
        total = values.new_zeros(())
        for apart in (1, 2, 3):
            if apart < pictures:
                difference = (values[apart:] - values[:-apart]).square().mean()
                total = total - difference / decay ** (apart - 1)
        return total

    return Objective(f"alignment {name}", score, layers=(name,), pictures=pictures)


def interpolation(first: Objective, last: Objective, pictures: int) -> Objective:
    """Go from one objective to another in `pictures` drawn together, in equal steps."""
    if pictures < 2:
        raise InputError(f"interpolation needs at least 2 pictures, not {pictures}")

    def score(answers: Answers) -> Tensor:
        weight = torch.linspace(0, 1, len(answers.pictures), device=answers.pictures.device)
        return (1 - weight) * first.each(answers) + weight * last.each(answers)

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
    """Raise a layer's dot product with a picture's own activations there, times cosine to a power.

    What caricature is made of: it exaggerates what the layer sees in the picture.
    """

    def score(answers: Answers) -> Tensor:
        values = answers.layers[layer].flatten(1)
        wanted = target.to(values).flatten()
        dot = values @ wanted / len(wanted)
        cosine = dot * len(wanted) / (values.norm(dim=1) * wanted.norm() + 1e-6)
        return dot * cosine.clamp_min(0.1) ** power

    return Objective(f"likeness in {layer}", score, layers=(layer,))


def l1(weight: float, *, gray: float = 0.5) -> Objective:
    """Lower the mean distance of pixels from gray."""
    return _penalty("L1", weight, lambda p: (p - gray).abs().flatten(1).mean(1))


def l2(weight: float, *, gray: float = 0.5) -> Objective:
    """Lower the mean squared distance of pixels from gray: the early layers' usual penalty."""
    return _penalty("L2", weight, lambda p: (p - gray).square().flatten(1).mean(1))


def total_variation(weight: float) -> Objective:
    """Lower the mean absolute difference of neighboring pixels."""

    def measure(pictures: Maps) -> Tensor:
        down = pictures.diff(dim=2).abs().flatten(1).mean(1)
        return down + pictures.diff(dim=3).abs().flatten(1).mean(1)

    return _penalty("total variation", weight, measure)


def blur(weight: float) -> Objective:
    """Lower what a 5x5 blur takes from the pictures: high frequencies."""
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16

    def measure(pictures: Maps) -> Tensor:
        channels = pictures.shape[1]
        kernel = torch.outer(row, row).to(pictures).expand(channels, 1, 5, 5)
        padded = F.pad(pictures, (2, 2, 2, 2), mode="replicate")
        blurred = F.conv2d(padded, kernel, groups=channels)
        return (pictures - blurred).square().flatten(1).mean(1)

    return _penalty("blur", weight, measure)


def opacity(weight: float) -> Objective:
    """Lower the mean opacity of pictures with an alpha channel, as `Transparent` draws them."""
    return _penalty("opacity", weight, lambda p: p[:, -1].flatten(1).mean(1))


def _penalty(name: str, weight: float, measure: Callable[[Maps], Tensor]) -> Objective:
    return Objective(f"{-weight:g}·{name}", lambda answers: -weight * measure(answers.pictures))


def negative(network: Network, feature: str | Feature) -> Objective:
    """Lower a feature's middle neuron as far as it goes.

    Before its rectifier, where the network names that (`mixed3b_pre_relu`): after it nothing is
    below zero.
    """
    feature = network.feature(feature)
    return -neuron(replace(feature, layer=network.before_rectifier(feature.layer)))


def diverse(feature: str | Feature, pictures: int) -> Objective:
    """Raise a feature's mean in `pictures` that look different to its layer.

    The logarithm puts loud and quiet units on one scale, so that one weight suits all networks: at
    .5 pictures differ in kind and nearly none is given up for the others' sake.
    """
    driven = unit(feature)
    unlike = diversity(parse(feature).layer, pictures)
    return Objective(
        f"log(1 + {driven.name}) + 0.5·{unlike.name}",
        lambda answers: driven.score(answers).clamp_min(0).log1p() + 0.5 * unlike.score(answers),
        units=driven.units,
        layers=tuple(dict.fromkeys(driven.layers + unlike.layers)),
        pictures=pictures,
        feature=driven.feature,
    )
