"""Pictures that a hypothesis is tested on, with what is known of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import datasets
from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.networks import Features, Network, select
from visioncircuits.stimuli import Stimuli, stimulus_set
from visioncircuits.tuning.placement import place, placement


@dataclass(frozen=True, eq=False, repr=False)
class Shown:
    """Pictures with what is known of each, such as the parameters they were drawn with.

    Attributes
    ----------
    pictures
        float32 in [0, 1].
    known
        By name, a number for each picture: parameters of stimuli, `"class"`, columns of your own.
    center
        What the hypothesis is about, `(y, x)` in pixels; by default the pictures' center.
    record
        Where they are from, as plain data.

    Raises
    ------
    InputError
        For fewer than two pictures, and a column of another length.

    Examples
    --------
    >>> shown = Shown(torch.rand(3, 3, 32, 32), {"wheel below": np.array([0.0, 1.0, 1.0])})
    >>> shown, shown.center
    (<Shown: 3 pictures, wheel below>, (15.5, 15.5))
    """

    pictures: Float[Tensor, "pictures channels height width"]
    known: Mapping[str, np.ndarray] = field(default_factory=dict)
    center: tuple[float, float] = (-1.0, -1.0)
    record: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self) < 2:
            raise InputError("a picture is exchanged for another: give two or more")
        for name, column in self.known.items():
            if np.shape(column) != (len(self),):
                raise InputError(f"{name} has {np.shape(column)} numbers for {len(self)} pictures")
        if min(self.center) < 0:
            height, width = self.pictures.shape[2:]
            object.__setattr__(self, "center", ((height - 1) / 2, (width - 1) / 2))

    def __len__(self) -> int:
        return len(self.pictures)

    def __repr__(self) -> str:
        return f"<Shown: {len(self)} pictures, {', '.join(self.known) or 'nothing known'}>"


def drawn_stimuli(network: Network, features: Features, stimuli: Stimuli) -> Shown:
    """Draw stimuli, each centered on the receptive field of a neuron, with their parameters.

    The pictures are the smallest in which the neuron responds as in larger ones, as for
    `tuning.measure`.

    Parameters
    ----------
    network, features
        A layer, or features of one.
    stimuli
        A set, the name of a ready one, or a TOML file with one.

    Raises
    ------
    InputError
        For unknown features, a layer without positions, or stimuli that cannot be drawn there.

    Examples
    --------
    >>> from visioncircuits.handwritten import lines
    >>> from visioncircuits.stimuli import named
    >>> drawn_stimuli(lines(), "mixed3a:0", named("lines").sel(width=4, orientation=[0, 90]))
    <Shown: 2 pictures, orientation, width, x, y, ink, ground>
    """
    layer = select(network, features).layer
    asked = stimulus_set(stimuli)
    placed, at = place(asked, network, layer, placement(network, layer))
    found = placed.draw()
    known = {name: _column(values) for name, values in found.parameters.items()}
    height, width = at.size
    return Shown(
        found.picture,
        {name: column for name, column in known.items() if len(column) == len(found)},
        ((height - 1) / 2 + at.shift[0], (width - 1) / 2 + at.shift[1]),
        {"stimuli": placed.record()},
    )


def _column(values: Tensor) -> np.ndarray:
    """Return numbers as they are, and number colors in the order of their channels."""
    numbers = values.double().cpu().numpy()
    if numbers.ndim < 2:
        return np.atleast_1d(numbers)
    return np.unique(numbers, axis=0, return_inverse=True)[1].ravel().astype(float)


def shown_photographs(network: Network, photographs: Source) -> Shown:
    """Read photographs at the network's size; their classes, where known, are `"class"`.

    Raises
    ------
    InputError
        For fewer than two photographs, or a file that is no picture.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> shown_photographs(untrained("bvlc_googlenet"), torch.rand(2, 3, 300, 280))
    <Shown: 2 pictures, nothing known>
    """
    given = datasets.photographs(photographs)
    named = all(label is not None for label in given.labels)
    known = {"class": np.asarray(given.labels_in(network), float)} if named else {}
    pictures = torch.cat(list(given.batches(network.size, 50)))
    return Shown(pictures, known, record={"photographs": list(given.names)})
