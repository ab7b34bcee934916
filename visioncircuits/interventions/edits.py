"""Edits of features: zero, mean and resample ablation, constants, scaling, patching."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Features, Network, Selection, edits, select

Maps = Float[Tensor, "batch features *positions"]
Change = Callable[[Maps], Maps]
"""From the values of features to what they become."""

Intervention = Callable[[], AbstractContextManager[None]]
"""Enters an intervention: `partial(path_patched, network, "mixed3a:7", "mixed3b:9", zero())`."""


@contextmanager
def edited(network: Network, features: Features, change: Change) -> Iterator[None]:
    """Change the values of features of one layer, for all that follows it, within this context.

    Contexts nest, at one layer or at several. Nothing of the change is left after the context,
    whatever happens in it. Gradients flow through the change as through any other function.

    Parameters
    ----------
    network
        Any network.
    features
        A layer, for all of its units, or units or directions of one layer. The value of a direction
        is the layer's projection on it; the layer is changed along it and nowhere else.
    change
        `zero()`, `mean()`, `resample()`, `constant(values)`, `scale(factor)`, `patch(values)`, or
        a function of your own from values `(batch, features, …)` to others of that shape.

    Raises
    ------
    InputError
        For unknown features, none, or features of several layers.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> with edited(network, "mixed3a:7", zero()):
    ...     values = network.activations(picture, ["mixed3a"])["mixed3a"]
    >>> float(values[:, 7].abs().max())
    0.0
    """
    with network.changing(edit_of(network, features, change)):
        yield


def edit_of(network: Network, features: Features, change: Change) -> edits.Edit:
    """Return the edit of the network's graph that changes features of one layer.

    Raises
    ------
    InputError
        For unknown features, none, or features of several layers.
    """
    place = access(network, features)
    return edits.Edit(place.layer, _Changed(place, change))


@dataclass(frozen=True)
class _Changed:
    """From a layer's values to those in which its features are changed."""

    place: "Access"
    change: Change

    def __call__(self, values: Tensor) -> Tensor:
        return self.place.write(values, self.change(self.place.read(values)))


@dataclass(frozen=True)
class Access:
    """Where features are in a layer's values.

    Attributes
    ----------
    layer
        Theirs.
    read
        From the layer's values to the features'.
    write
        From the layer's values, and new values of the features, to the layer's values with these.
    """

    layer: str
    read: Change
    write: Callable[[Tensor, Maps], Tensor]


def access(network: Network, features: Features) -> Access:
    """Find features of one layer.

    Raises
    ------
    InputError
        For unknown features, none, or features of several layers.
    """
    chosen = select(network, features)
    write = _write_directions(chosen) if chosen.indices is None else _write_units(chosen.indices)
    return Access(chosen.layer, chosen.of, write)


def _write_units(indices: list[int]) -> Callable[[Tensor, Tensor], Tensor]:
    def write(values: Tensor, new: Tensor) -> Tensor:
        changed = values.clone()
        changed[:, indices] = new
        return changed

    return write


def _write_directions(chosen: Selection) -> Callable[[Tensor, Tensor], Tensor]:
    inverse = torch.linalg.pinv(chosen.vectors)  # moves one direction's value and not the others'

    def write(values: Tensor, new: Tensor) -> Tensor:
        more = new - chosen.of(values)
        return values + torch.einsum("uf,bf...->bu...", inverse.to(values), more)

    return write


def zero() -> Change:
    """Zero ablation.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(2, 3, 64, 64)
    >>> with edited(network, "conv2d0:7", zero()):
    ...     values = network.activations(picture, ["conv2d0"])["conv2d0"][:, 7]
    >>> float(values.abs().max())
    0.0
    """
    return torch.zeros_like


def constant(values: float | Float[Tensor, " features"]) -> Change:
    """One value everywhere, such as each feature's mean over photographs.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(2, 3, 64, 64)
    >>> with edited(network, "conv2d0:7", constant(0.5)):
    ...     values = network.activations(picture, ["conv2d0"])["conv2d0"][:, 7]
    >>> values.unique().tolist()
    [0.5]
    """

    def change(before: Tensor) -> Tensor:
        level = torch.as_tensor(values, dtype=before.dtype, device=before.device)
        shape = (1, -1, *(1,) * (before.ndim - 2)) if level.ndim else ()
        return level.reshape(shape).expand_as(before)

    return change


def mean() -> Change:
    """Mean ablation: each feature's mean over the batch and all positions.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(2, 3, 64, 64)
    >>> with edited(network, "conv2d0:7", mean()):
    ...     values = network.activations(picture, ["conv2d0"])["conv2d0"][:, 7]
    >>> len(values.unique())
    1
    """

    def change(before: Tensor) -> Tensor:
        over = [axis for axis in range(before.ndim) if axis != 1]
        return before.mean(over, keepdim=True).expand_as(before)

    return change


def resample() -> Change:
    """Resample ablation: the values on the batch's previous picture, at the same positions.

    Examples
    --------
    >>> values = torch.rand(3, 1, 4, 4)
    >>> torch.equal(resample()(values), values[[2, 0, 1]])
    True
    """

    def change(before: Tensor) -> Tensor:
        return before.roll(1, 0)

    return change


def scale(factor: float) -> Change:
    """Multiply by a factor, which may be negative.

    Examples
    --------
    >>> scale(-0.5)(torch.tensor([[4.0]])).tolist()
    [[-2.0]]
    """

    def change(before: Tensor) -> Tensor:
        return before * factor

    return change


def patch(values: Maps) -> Change:
    """Patch in values from elsewhere: other pictures, other features, another network.

    Raises
    ------
    InputError
        In use, where the shape is not the features'.

    Examples
    --------
    The activations of a unit on one picture are patched into another.

    >>> from visioncircuits.networks import untrained
    >>> network, (one, other) = untrained("bvlc_googlenet"), torch.rand(2, 1, 3, 64, 64)
    >>> values = network.activations(one, ["conv2d2"])["conv2d2"][:, [7]]
    >>> with edited(network, "conv2d2:7", patch(values)):
    ...     patched = network.activations(other, ["conv2d2"])["conv2d2"]
    >>> torch.equal(patched[:, [7]], values)
    True
    """

    def change(before: Tensor) -> Tensor:
        if values.shape != before.shape:
            raise InputError(
                f"features with values of shape {tuple(before.shape)} cannot be patched with "
                f"values of shape {tuple(values.shape)}"
            )
        return values.to(before)

    return change
