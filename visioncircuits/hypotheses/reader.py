"""Handwritten circuits as readers of photographs, independent of the network that is tested.

At the place where a photograph activates a unit, a handwritten detector of the orientation that
the unit prefers reads the photograph: it finds its shape there where its own activation is among
the strongest `SHARE` of all places in photographs. So at a place that is drawn at random it finds
the shape with this probability, whatever the detector and the photographs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn import functional

from visioncircuits import handwritten
from visioncircuits.datasets import Photographs
from visioncircuits.errors import InputError, unknown
from visioncircuits.networks import Layer, Network
from visioncircuits.tuning import angular_distance
from visioncircuits.tuning.placement import Placement, placement

SHARE = 0.05
"""Of all places, those where a handwritten detector is taken to find its shape."""

FIELDS: Mapping[str, int] = {"curves": 91, "lines": 59, "high-low": 59}
"""Handwritten circuits that can read, with the receptive field of the layer of InceptionV1 that
each describes, in pixels: mixed3b, mixed3a and mixed3a."""

DRAWN, EACH = 64, 8
"""Photographs and places in each that `SHARE` is measured on."""

BATCH = 32

Place = tuple[str, tuple[int, int]]
"""A photograph's name, and the row and column of a neuron."""


@dataclass(frozen=True)
class Reader:
    """A handwritten circuit that reads photographs where neurons of a layer are.

    Photographs are scaled such that the layer's receptive field becomes that of the layer which
    the circuit describes. A detector's activation at a place is the highest within one position of
    it, as units are not centered alike.

    Attributes
    ----------
    name
        Of the circuit, a key of `FIELDS`.
    network, layer
        Whose neurons the places are of.
    photographs
        That are read.

    Raises
    ------
    InputError
        For another name.

    Examples
    --------
    >>> from visioncircuits.datasets import photographs
    >>> from visioncircuits.networks import untrained
    >>> noise = photographs(torch.rand(2, 3, 224, 224))
    >>> reader = Reader("lines", untrained("bvlc_googlenet"), "mixed3a", noise)
    >>> reader.activations([("0", (9, 9)), ("1", (3, 20)), ("0", (9, 9))]).shape
    (3, 12)
    """

    name: str
    network: Network
    layer: str
    photographs: Photographs

    def __post_init__(self) -> None:
        if self.name not in FIELDS:
            raise unknown("reader", self.name, FIELDS)

    @cached_property
    def circuit(self) -> Network:
        """The handwritten circuit, on the network's device."""
        return handwritten.load(self.name).to(self.network.device)

    @property
    def labels(self) -> tuple[handwritten.Label, ...]:
        """Of the circuit's last layer, the units of its first kind: curves, not longer lines."""
        every = handwritten.labels(self.circuit, list(self.circuit.layers)[-1])
        return tuple(label for label in every if label.kind == every[0].kind)

    def nearest(self, orientation: float) -> int:
        """Return the place, among `labels`, of the detector of the nearest orientation."""
        period = self.labels[0].period
        angles = np.array([label.need("orientation") for label in self.labels])
        return int(angular_distance(angles, orientation, period=period).argmin())

    @cached_property
    def about(self) -> Layer:
        """The tested layer, at the size of the photographs."""
        return self.network.layer_at(self.layer, self.network.size)

    def activations(self, places: Sequence[Place]) -> Float[np.ndarray, "places detectors"]:
        """Return the activation of each detector at each place, highest within one position."""
        layer, placed = list(self.circuit.layers)[-1], self._placed
        (row, column), count = placed.position, len(self.labels)
        order = sorted(range(len(places)), key=lambda number: places[number][0])
        found = np.empty((len(places), count))
        patches = self._patches(places[number] for number in order)
        for start in range(0, len(order), BATCH):
            numbers = order[start : start + BATCH]
            batch = torch.stack([next(patches) for _ in numbers]).to(self.circuit.device)
            with torch.inference_mode():
                maps = self.circuit.activations(batch, [layer])[layer]
            near = maps[:, :count, row - 1 : row + 2, column - 1 : column + 2]
            found[numbers] = near.amax((2, 3)).double().cpu().numpy()
        return found

    def thresholds(self, generator: np.random.Generator) -> Float[np.ndarray, " detectors"]:
        """Measure the activation that each detector exceeds at `SHARE` of random places."""
        every = generator.permutation(len(self.photographs))
        readable = (self.photographs.names[number] for number in every if self._readable(number))
        names = [name for name in islice(readable, DRAWN) for _ in range(EACH)]
        rows, columns = (generator.integers(size, size=len(names)) for size in self.about.shape)
        places = list(zip(names, zip(rows.tolist(), columns.tolist(), strict=True), strict=True))
        highest = np.quantile(self.activations(places), 1 - SHARE, axis=0, method="higher")
        return np.asarray(highest)

    def _readable(self, number: int) -> bool:
        try:
            self.photographs.items[number].read(self.network.size)
        except InputError:
            return False
        return True

    @cached_property
    def _placed(self) -> Placement:
        return placement(self.circuit, list(self.circuit.layers)[-1], reach=1)

    def _patches(self, places: Iterable[Place]) -> Iterator[Float32[Tensor, "3 side side"]]:
        """Cut out of photographs what the circuit sees of a place; gray beyond their borders."""
        side, shift = self._placed.size[0], self._placed.shift
        zoom = min(self.about.receptive_field) / FIELDS[self.name]
        cut = round(side * zoom)
        name, picture = "", torch.empty(0)
        for wanted, position in places:
            if wanted != name:
                name, picture = wanted, self.photographs.read(wanted, self.network.size)
                if len(picture) != 3:
                    picture = self.network.preprocessing.shown(picture[None])[0]
                picture = functional.pad(picture, [cut] * 4, value=0.5)
            center = self.about.center(position)
            top, left = (
                min(max(round(at - off * zoom - (cut - 1) / 2), -cut), size) + cut
                for at, off, size in zip(center, shift, [self.network.size] * 2, strict=True)
            )
            patch = picture[:, top : top + cut, left : left + cut]
            yield functional.interpolate(
                patch[None], (side, side), mode="bilinear", antialias=True, align_corners=False
            )[0]
