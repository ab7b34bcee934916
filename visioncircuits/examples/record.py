"""Dataset examples: the result of a pass over photographs, which can be saved.

The examples of a layer, those of all layers, and the file of them are here together, in some 310
lines.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Float, Int64

from visioncircuits import files
from visioncircuits.datasets import Photographs
from visioncircuits.errors import InputError
from visioncircuits.examples import exact, packing, sketch
from visioncircuits.examples.moments import Moments
from visioncircuits.examples.sampling import PARTS, Sample
from visioncircuits.examples.tops import Places
from visioncircuits.networks import Direction, Feature, Network


@dataclass(frozen=True)
class LayerExamples:
    """Examples and statistics of a layer's units.

    Attributes
    ----------
    tops, bottoms
        The strongest and the weakest examples, one for each picture, the most extreme first.
    sample
        Random neurons over the whole range of activations.
    counts
        Histograms, `(units, bins)`, see `sketch`.
    moments
        Mean, deviation and frequency of activation.
    classes
        For each class, `(digits, units + 1)`: the sums of the units' highest activations in its
        pictures, see `exact`, then the number of pictures.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.examples import collect
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> pictures = [(picture, 281) for picture in torch.rand(3, 3, 224, 224)]
    >>> layer = collect(network, "conv2d0", pictures, top=2).layers["conv2d0"]
    >>> layer
    LayerExamples(64 units, 2 strongest and weakest each, ... random neurons, 1 classes)
    >>> layer.quantiles(np.array([0.5, 0.99])).shape
    (64, 2)
    """

    tops: Places
    bottoms: Places
    sample: Sample
    counts: sketch.Counts
    moments: Moments
    classes: Mapping[int, np.ndarray]

    def __repr__(self) -> str:
        units, top = self.tops.values.shape
        return (
            f"LayerExamples({units} units, {top} strongest and weakest each, "
            f"{len(self.sample.keys)} random neurons, {len(self.classes)} classes)"
        )

    def pictures(self) -> Int64[np.ndarray, " pictures"]:
        """Return the numbers of the pictures that contain the examples."""
        found = [self.tops.pictures.ravel(), self.bottoms.pictures.ravel(), self.sample.pictures]
        shown = np.zeros(2 + max(int(each.max(initial=0)) for each in found), bool)
        for each in found:
            shown[each] = True  # the last is for -1, an unfilled place
        return np.flatnonzero(shown[:-1])

    def quantiles(self, shares: Float[np.ndarray, " shares"]) -> Float[np.ndarray, "units shares"]:
        """Return quantiles of the pre-activations, to a relative error of `sketch.ERROR`."""
        return sketch.quantiles(self.counts, shares)

    def drawn(self, unit: int, low: float, high: float) -> Places:
        """Return the random examples of a unit with pre-activations in [low, high).

        Examples
        --------
        A quilt of "Curve Detectors" has a row for every 100 of activation::

            rows = [found.drawn(413, low, low + 100) for low in range(-800, 901, 100)]
        """
        own = self.sample.keys // PARTS == unit
        inside = own & (self.sample.values >= low) & (self.sample.values < high)
        order = np.flatnonzero(inside)[np.argsort(self.sample.numbers[inside], kind="stable")]
        return Places(
            self.sample.values[order][None],
            self.sample.pictures[order][None],
            self.sample.positions[order][None],
        )

    def class_means(self) -> tuple[list[int], Float[np.ndarray, "classes units"]]:
        """Return the mean over each class' pictures of the units' highest activations."""
        labels = sorted(self.classes)
        sums = [exact.value(self.classes[label]) for label in labels]
        rows = [each[:-1] / each[-1] for each in sums]
        units = len(self.tops.values)
        return labels, np.stack(rows) if rows else np.empty((0, units))


@dataclass(frozen=True)
class Shown:
    """What is needed to draw examples: the network, the features asked for, the photographs."""

    network: Network
    features: tuple[Feature, ...]
    photographs: Photographs


@dataclass(frozen=True)
class Examples:
    """Examples and statistics from a pass over photographs.

    Attributes
    ----------
    layers
        By name; directions too, in one row each.
    names
        Maps the number of each picture that contains an example to its name.
    seen
        Number of pictures that were read.
    skipped
        Reasons why others could not be read.
    record
        How it was collected.
    shown
        What a notebook shows; not saved.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.examples import collect
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> found = collect(network, "conv2d0:7", torch.rand(3, 3, 224, 224), top=2)
    >>> found
    Examples(conv2d0: 3 pictures, 0 skipped)
    >>> found.layers["conv2d0"].tops.pictures.shape
    (64, 2)
    """

    layers: Mapping[str, LayerExamples]
    names: Mapping[int, str]
    seen: int
    skipped: tuple[str, ...]
    record: Mapping[str, Any]
    shown: Shown | None = field(default=None, compare=False, repr=False)

    def __repr__(self) -> str:
        layers = ", ".join(self.layers) or "no layers"
        return f"Examples({layers}: {self.seen} pictures, {len(self.skipped)} skipped)"

    def _repr_png_(self) -> bytes | None:
        from visioncircuits.examples.overview import overview

        return None if self.shown is None else overview(self, self.shown)._repr_png_()

    def row(self, feature: Feature) -> tuple[LayerExamples, int]:
        """Return the examples that a feature's are among, and its row in them.

        Raises
        ------
        InputError
            If there are none of its layer, or of this direction.
        """
        if isinstance(feature, Direction):
            if self.record.get("directions", {}).get(str(feature)) != feature.record():
                raise InputError(f"there are no examples of {feature}; collect them of it")
            return self.layers[str(feature)], 0
        if feature.layer not in self.layers:
            known = ", ".join(self.layers)
            raise InputError(f"there are no examples of {feature.layer}, only of {known}")
        layer = self.layers[feature.layer]
        feature.vector(len(layer.tops.values))
        return layer, feature.index

    def save(self, path: str | Path) -> Path:
        """Save as `.npz`, atomically, and return the path.

        Raises
        ------
        InputError
            For another suffix, or if the file cannot be written.
        """
        path = Path(path)
        if path.suffix != ".npz":
            raise InputError(f"{path} cannot be written: name it .npz")
        files.write(path, self.packed())
        return path

    def packed(self) -> bytes:
        """Return the content of the file that `save` writes; equal examples give equal bytes."""
        head = {
            "layers": list(self.layers),
            "names": list(self.names.values()),
            "seen": self.seen,
            "skipped": self.skipped,
            "record": self.record,
        }
        arrays: dict[str, np.ndarray] = {
            "head": np.frombuffer(json.dumps(head).encode(), np.uint8),
            "numbers": np.fromiter(self.names, np.int64, len(self.names)),
        }
        for place, layer in enumerate(self.layers.values()):
            arrays |= {f"{place}/{name}": array for name, array in _arrays(layer).items()}
        return packing.packed(arrays)

    @classmethod
    def load(cls, path: str | Path) -> "Examples":
        """Load saved examples.

        Raises
        ------
        InputError
            If there is no such file, or it has other content.
        """
        try:
            with np.load(Path(path), allow_pickle=False) as stored:
                head = json.loads(stored["head"].tobytes())
                names = dict(zip(stored["numbers"].tolist(), head["names"], strict=True))
                layers = {
                    layer: _layer({
                        name.partition("/")[2]: stored[name]
                        for name in stored.files
                        if name.startswith(f"{place}/")
                    })
                    for place, layer in enumerate(head["layers"])
                }  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
            raise InputError(f"{path} cannot be read as examples: {error}") from error
        return cls(layers, names, head["seen"], tuple(head["skipped"]), head["record"])


def read(path: Path) -> tuple[int, tuple[str, ...]]:
    """Return how many pictures saved examples are from, and why others could not be read."""
    with np.load(path, allow_pickle=False) as stored:
        head = json.loads(stored["head"].tobytes())
    return head["seen"], tuple(head["skipped"])


def needed(names: Mapping[int, str], layers: Iterable[LayerExamples]) -> dict[int, str]:
    """Return the names of the pictures that contain examples."""
    pictures = [layer.pictures() for layer in layers]
    numbers = set(np.concatenate(pictures).tolist()) if pictures else set()
    return {number: name for number, name in names.items() if number in numbers}


def _arrays(layer: LayerExamples) -> dict[str, np.ndarray]:
    labels = sorted(layer.classes)
    return {
        **{f"tops.{name}": array for name, array in vars(layer.tops).items()},
        **{f"bottoms.{name}": array for name, array in vars(layer.bottoms).items()},
        **{f"sample.{name}": array for name, array in vars(layer.sample).items()},
        **{
            f"moments.{field.name}": np.asarray(getattr(layer.moments, field.name))
            for field in fields(layer.moments)
        },
        **_by_width(layer.counts),
        "labels": np.array(labels, np.int64),
        "classes": np.stack([layer.classes[label] for label in labels])
        if labels
        else np.empty((0, 0, len(layer.counts) + 1)),
    }


def _by_width(counts: sketch.Counts) -> dict[str, np.ndarray]:
    """Divide the bins that are used by how many bits their counts need: most need few."""
    bits = np.frexp(counts.max(0, initial=0))[1]
    found: dict[str, np.ndarray] = {}
    for width, least in ((8, 0), (16, 8), (32, 16), (64, 32)):
        bins = np.flatnonzero((least < bits) & (bits <= width))
        found |= {f"bins.{width}": bins, f"counts.{width}": counts[:, bins]}
    return found


def _layer(arrays: dict[str, np.ndarray]) -> LayerExamples:
    def part_of(name: str) -> dict[str, Any]:
        found = {
            key.partition(".")[2]: array
            for key, array in arrays.items()
            if key.startswith(f"{name}.")
        }
        return {
            key: array.astype(np.uint64 if key == "numbers" else np.int64, copy=False)
            if array.dtype.kind in "iu"
            else array
            for key, array in found.items()
        }

    counts = np.zeros((len(arrays["counts.8"]), sketch.BINS), np.int64)
    for width, bins in part_of("bins").items():
        counts[:, bins] = arrays[f"counts.{width}"]
    moments = part_of("moments")
    return LayerExamples(
        Places(**part_of("tops")),
        Places(**part_of("bottoms")),
        Sample(**part_of("sample")),
        counts,
        Moments(int(moments.pop("count")), **moments),
        {int(k): row for k, row in zip(arrays["labels"], arrays["classes"], strict=True)},
    )
