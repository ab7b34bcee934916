"""Interventions: what a network does when a feature is held, silenced, turned up or swapped."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, Network, Unit, edits

Maps = Float[Tensor, "batch features *positions"]
Edit = Callable[[Maps], Maps]
"""From what features say to what they are to say."""


@contextmanager
def intervened(
    network: Network, features: str | Feature | Sequence[str | Feature], edit: Edit
) -> Iterator[None]:
    """Change what features of one layer say, for all that follows it, within this context.

    Contexts nest, at one layer or at several. Nothing of the change is left after the context,
    whatever happens in it. Gradients flow through the change as through any other function.

    Parameters
    ----------
    network
        Any network.
    features
        Units or directions of one layer. What a direction says is the layer's projection on it;
        the layer is changed along the direction and nowhere else.
    edit
        `silenced`, `held`, `scaled`, `swapped`, or a function of your own.

    Raises
    ------
    InputError
        For unknown features, none, or features of several layers.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> with intervened(network, "mixed3a:7", silenced()):
    ...     said = network.activations(picture, ["mixed3a"])["mixed3a"]
    >>> float(said[:, 7].abs().max())
    0.0
    """
    with network.changing(edited(network, features, edit)):
        yield


def edited(
    network: Network, features: str | Feature | Sequence[str | Feature], edit: Edit
) -> edits.Edit:
    """Give an edit of features of one layer as a change of the network's graph.

    Raises
    ------
    InputError
        For unknown features, none, or features of several layers.
    """
    place = access(network, features)
    return edits.Edit(place.layer, _Changed(place, edit))


@dataclass(frozen=True)
class _Changed:
    """From a layer's values to those in which its features are edited."""

    place: "Access"
    edit: Edit

    def __call__(self, values: Tensor) -> Tensor:
        return self.place.write(values, self.edit(self.place.read(values)))


@dataclass(frozen=True)
class Access:
    """Where features are in a layer's values.

    Attributes
    ----------
    layer
        Theirs.
    read
        From the layer's values, what the features say.
    write
        From the layer's values, and what the features are to say, the values in which they do.
    """

    layer: str
    read: Edit
    write: Callable[[Tensor, Maps], Tensor]


def access(network: Network, features: str | Feature | Sequence[str | Feature]) -> Access:
    """Find features of one layer.

    Raises
    ------
    InputError
        For unknown features, none, or features of several layers.
    """
    several = [features] if isinstance(features, str | Feature) else list(features)
    listed = [network.feature(feature) for feature in several]
    layers = sorted({feature.layer for feature in listed})
    if len(layers) != 1:
        told = f"not of {', '.join(layers)}" if layers else "and there is none"
        raise InputError(f"an intervention changes features of one layer, {told}")
    if all(isinstance(feature, Unit) for feature in listed):
        return _units(layers[0], [f.index for f in listed if isinstance(f, Unit)])
    width = network.layer(layers[0]).units
    return _directions(layers[0], torch.stack([feature.vector(width) for feature in listed]))


def _units(layer: str, indices: list[int]) -> Access:
    def write(values: Tensor, said: Tensor) -> Tensor:
        changed = values.clone()
        changed[:, indices] = said
        return changed

    return Access(layer, lambda values: values[:, indices], write)


def _directions(layer: str, vectors: Tensor) -> Access:
    inverse = torch.linalg.pinv(vectors)  # what moves one direction's value and not the others'

    def read(values: Tensor) -> Tensor:
        return torch.einsum("fu,bu...->bf...", vectors.to(values), values)

    def write(values: Tensor, said: Tensor) -> Tensor:
        more = said - read(values)
        return values + torch.einsum("uf,bf...->bu...", inverse.to(values), more)

    return Access(layer, read, write)


def silenced() -> Edit:
    """Say nothing: zero."""
    return torch.zeros_like


def held(values: float | Float[Tensor, " features"]) -> Edit:
    """Say the same everywhere, such as each feature's mean over photographs."""

    def edit(said: Tensor) -> Tensor:
        level = torch.as_tensor(values, dtype=said.dtype, device=said.device)
        shape = (1, -1, *(1,) * (said.ndim - 2)) if level.ndim else ()
        return level.reshape(shape).expand_as(said)

    return edit


def averaged() -> Edit:
    """Say each feature's mean over the batch and all positions."""

    def edit(said: Tensor) -> Tensor:
        over = [axis for axis in range(said.ndim) if axis != 1]
        return said.mean(over, keepdim=True).expand_as(said)

    return edit


def resampled() -> Edit:
    """Say what is said of the batch's previous picture, at the same positions."""

    def edit(said: Tensor) -> Tensor:
        return said.roll(1, 0)

    return edit


def scaled(factor: float) -> Edit:
    """Say it louder, softer, or the other way round."""

    def edit(said: Tensor) -> Tensor:
        return said * factor

    return edit


def swapped(others: Maps) -> Edit:
    """Say what was said elsewhere: on other pictures, by other units, by another network.

    Raises
    ------
    InputError
        In use, where the shape is not the features'.
    """

    def edit(said: Tensor) -> Tensor:
        if others.shape != said.shape:
            raise InputError(
                f"features that say {tuple(said.shape)} cannot be swapped for {tuple(others.shape)}"
            )
        return others.to(said)

    return edit
