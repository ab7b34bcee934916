"""What a pass over photographs leaves: a record that can be joined, saved and read back."""

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from visioncircuits import files
from visioncircuits.errors import InputError
from visioncircuits.examples import sketch
from visioncircuits.examples.sampling import PARTS, Sample
from visioncircuits.examples.tops import Places


@dataclass(frozen=True)
class Moments:
    """Of every unit's pre-activations over all positions of all pictures.

    Attributes
    ----------
    count
        How many values there were of each unit.
    mean, squares
        `(units,)`; `squares` is the sum of squared deviations from the mean.
    positive
        How many values were above zero.
    """

    count: int
    mean: Float64[np.ndarray, " units"]
    squares: Float64[np.ndarray, " units"]
    positive: Int64[np.ndarray, " units"]

    @classmethod
    def none(cls, units: int) -> "Moments":
        """Those of no values."""
        return cls(0, np.zeros(units), np.zeros(units), np.zeros(units, np.int64))

    @classmethod
    def of(
        cls,
        values: Float[Tensor, "units pictures positions"],
        positive: Int64[np.ndarray, " units"],
    ) -> "Moments":
        """Take them of values, added up in float32 within a picture and in float64 beyond."""
        means = values.mean(2)
        within = torch.linalg.vector_norm(values - means[..., None], dim=2).double().square().sum(1)
        each = means.double()
        mean = each.mean(1)
        between = (each - mean[:, None]).square().sum(1)
        return cls(
            values.shape[1] * values.shape[2],
            mean.cpu().numpy(),
            (within + values.shape[2] * between).cpu().numpy(),
            positive,
        )

    def joined(self, other: "Moments") -> "Moments":
        """Those of both (Chan, Golub and LeVeque, 1979)."""
        count = self.count + other.count
        apart = other.mean - self.mean
        return Moments(
            count,
            self.mean + apart * (other.count / count),
            self.squares + other.squares + apart**2 * (self.count * other.count / count),
            self.positive + other.positive,
        )

    @property
    def deviation(self) -> Float64[np.ndarray, " units"]:
        """Standard deviations."""
        return np.sqrt(self.squares / self.count)

    @property
    def firing(self) -> Float64[np.ndarray, " units"]:
        """The share of positions at which each unit fires."""
        return self.positive / self.count


@dataclass(frozen=True)
class LayerExamples:
    """What photographs say of a layer's units.

    Attributes
    ----------
    tops, bottoms
        The strongest and the weakest examples, one a picture, the most extreme first.
    sample
        Random neurons of every strength.
    counts
        Histograms, `(units, bins)`, see `sketch`.
    moments
        Mean, deviation, firing rate.
    classes
        Of each class, the sums of the units' highest activations, and how many pictures.
    """

    tops: Places
    bottoms: Places
    sample: Sample
    counts: sketch.Counts
    moments: Moments
    classes: Mapping[int, np.ndarray]

    def joined(self, other: "LayerExamples", top: int) -> "LayerExamples":
        """That of both."""
        classes = dict(self.classes)
        for label, sums in other.classes.items():
            classes[label] = classes[label] + sums if label in classes else sums
        return LayerExamples(
            self.tops.joined(other.tops, top),
            self.bottoms.joined(other.bottoms, top, sign=-1),
            self.sample.joined(other.sample),
            self.counts + other.counts,
            self.moments.joined(other.moments),
            classes,
        )

    def pictures(self) -> Int64[np.ndarray, " pictures"]:
        """Which pictures the examples are in."""
        return np.unique(
            np.concatenate(
                [self.tops.pictures.ravel(), self.bottoms.pictures.ravel(), self.sample.pictures]
            )
        )

    def quantiles(self, shares: Float[np.ndarray, " shares"]) -> Float[np.ndarray, "units shares"]:
        """Quantiles of the pre-activations, to a relative error of `sketch.ERROR`."""
        return sketch.quantiles(self.counts, shares)

    def drawn(self, unit: int, low: float, high: float) -> Places:
        """Give the random examples of a unit whose pre-activation is in [low, high).

        Examples
        --------
        A quilt of "Curve Detectors" has a row for every 100 of activation::

            rows = [found.drawn(413, low, low + 100) for low in range(-800, 901, 100)]
        """
        mine = self.sample.keys // PARTS == unit
        inside = mine & (self.sample.values >= low) & (self.sample.values < high)
        order = np.flatnonzero(inside)[np.argsort(self.sample.numbers[inside], kind="stable")]
        return Places(
            self.sample.values[order][None],
            self.sample.pictures[order][None],
            self.sample.positions[order][None],
        )

    def class_means(self) -> tuple[list[int], Float[np.ndarray, "classes units"]]:
        """The mean over each class' pictures of the units' highest activations."""
        labels = sorted(self.classes)
        rows = [self.classes[label][:-1] / self.classes[label][-1] for label in labels]
        units = len(self.tops.values)
        return labels, np.stack(rows) if rows else np.empty((0, units))


@dataclass(frozen=True)
class Examples:
    """What a pass over photographs left.

    Attributes
    ----------
    layers
        By name.
    names
        Number of each picture that an example is in, to its name.
    seen
        How many pictures there were.
    skipped
        Why others could not be read.
    record
        How it was collected.
    """

    layers: Mapping[str, LayerExamples]
    names: Mapping[int, str]
    seen: int
    skipped: tuple[str, ...]
    record: Mapping[str, Any]

    def joined(self, other: "Examples") -> "Examples":
        """That of both, of whose pictures none may be the same; `record` stays this one's."""
        top = self.record["top"]
        layers = {**self.layers, **other.layers}  # a part of no readable picture has none
        for name in self.layers.keys() & other.layers.keys():
            layers[name] = self.layers[name].joined(other.layers[name], top)
        return Examples(
            layers,
            needed({**self.names, **other.names}, layers.values()),
            self.seen + other.seen,
            self.skipped + other.skipped,
            self.record,
        )

    def save(self, path: str | Path) -> None:
        """Write it as `.npz`, whole or not at all.

        Raises
        ------
        InputError
            Where the name ends otherwise, or the file cannot be written.
        """
        path = Path(path)
        if path.suffix != ".npz":
            raise InputError(f"{path} cannot be written: name it .npz")
        files.write(path, self.packed())

    def packed(self) -> bytes:
        """Give the content of the file that `save` writes; equal examples give equal bytes."""
        head = {
            "layers": list(self.layers),
            "names": {str(number): name for number, name in self.names.items()},
            "seen": self.seen,
            "skipped": self.skipped,
            "record": self.record,
        }
        arrays = {"head": np.array(json.dumps(head))}
        for place, layer in enumerate(self.layers.values()):
            arrays |= {f"{place}/{name}": array for name, array in _arrays(layer).items()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def load(cls, path: str | Path) -> "Examples":
        """Read back what `save` wrote.

        Raises
        ------
        InputError
            Where there is no such file, or it holds something else.
        """
        try:
            with np.load(Path(path), allow_pickle=False) as stored:
                head = json.loads(str(stored["head"]))
                layers = {
                    layer: _layer({
                        name.partition("/")[2]: stored[name]
                        for name in stored.files
                        if name.startswith(f"{place}/")
                    })
                    for place, layer in enumerate(head["layers"])
                }  # fmt: skip
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise InputError(f"{path} cannot be read as examples: {error}") from error
        names = {int(number): name for number, name in head["names"].items()}
        return cls(layers, names, head["seen"], tuple(head["skipped"]), head["record"])


def needed(names: Mapping[int, str], layers: Iterable[LayerExamples]) -> dict[int, str]:
    """Keep the names of the pictures that some example is in."""
    wanted = {int(number) for layer in layers for number in layer.pictures()}
    return {number: name for number, name in names.items() if number in wanted}


def _arrays(layer: LayerExamples) -> dict[str, np.ndarray]:
    labels = sorted(layer.classes)
    used = np.flatnonzero(layer.counts.any(0))
    return {
        **{f"tops.{name}": array for name, array in vars(layer.tops).items()},
        **{f"bottoms.{name}": array for name, array in vars(layer.bottoms).items()},
        **{f"sample.{name}": array for name, array in vars(layer.sample).items()},
        **{f"moments.{name}": np.asarray(array) for name, array in vars(layer.moments).items()},
        "bins": used,
        "counts": layer.counts[:, used],
        "labels": np.array(labels, np.int64),
        "classes": np.stack([layer.classes[label] for label in labels])
        if labels
        else np.empty((0, len(layer.counts) + 1)),
    }


def _layer(arrays: dict[str, np.ndarray]) -> LayerExamples:
    def part_of(name: str) -> dict[str, Any]:
        return {
            key.partition(".")[2]: array
            for key, array in arrays.items()
            if key.startswith(f"{name}.")
        }

    counts = np.zeros((len(arrays["counts"]), sketch.BINS), np.int64)
    counts[:, arrays["bins"]] = arrays["counts"]
    moments = part_of("moments")
    return LayerExamples(
        Places(**part_of("tops")),
        Places(**part_of("bottoms")),
        Sample(**part_of("sample")),
        counts,
        Moments(int(moments.pop("count")), **moments),
        {int(k): row for k, row in zip(arrays["labels"], arrays["classes"], strict=True)},
    )
