"""Evidence: the responses of units to a hypothesis' stimuli, their variants and the controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from visioncircuits.errors import unknown
from visioncircuits.networks import Direction


@dataclass(frozen=True)
class Evidence:
    """Positive responses of some units, all to the same stimuli.

    Attributes
    ----------
    units
        Their names.
    values
        The positive part of the responses to the stimuli, `(units, variants, *axes)`; kept with the
        units last in memory, since all of them are computed alike.
    axes
        Name to values of each of the stimuli's axes.
    controls
        Name of each control to the strongest response to any of its stimuli, `(units,)`.
    deviations
        Standard deviations of the units' activations over photographs, `(units,)`, where known.
    firing
        Shares of the positions in photographs at which the units are positive, `(units,)`, where
        photographs were given.
    read
        Shares of the units' strongest photographs in which a handwritten circuit finds the shape,
        `(units,)`, NaN for those that were not read.
    typical
        The median, over all units of the layer, of the strongest response to any stimulus; NaN
        until `with_typical` sets it.
    drawn
        Indices of the variants in a bootstrap sample; None for each of them once.

    Examples
    --------
    >>> values = np.array([[[0.0, 4.0, 2.0, 0.0]], [[1.0, 1.0, 1.0, 1.0]]])
    >>> angles = {"orientation": np.arange(0, 360, 90)}
    >>> evidence = Evidence(("a:0", "a:1"), values, angles, {"lines": np.array([1.0, 0.0])})
    >>> evidence
    Evidence(units 2, variants 1, orientation 4, controls lines)
    >>> evidence.peak.tolist()
    [4.0, 1.0]
    """

    units: tuple[str, ...]
    values: Float[np.ndarray, "units variants *axes"]
    axes: Mapping[str, np.ndarray]
    controls: Mapping[str, Float[np.ndarray, " units"]]
    deviations: Float[np.ndarray, " units"] | None = None
    typical: float = float("nan")
    firing: Float[np.ndarray, " units"] | None = None
    read: Float[np.ndarray, " units"] | None = None
    drawn: Int[np.ndarray, " drawn"] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _units_last(self.values))

    def __repr__(self) -> str:
        return _described(self, self.values.shape[1])

    @property
    def responses(self) -> Float[np.ndarray, "units drawn *axes"]:
        """The values in the variants that were drawn."""
        return self.values if self.drawn is None else self.values[:, self.drawn]

    def averaged(
        self, values: Float[np.ndarray, "units variants *others"]
    ) -> Float[np.ndarray, "units *others"]:
        """Average what was computed from the values of every variant over those drawn."""
        units, variants, *others = values.shape
        drawn = np.arange(variants) if self.drawn is None else self.drawn
        times = np.bincount(drawn, minlength=variants).astype(np.result_type(values, np.float32))
        total = times @ np.moveaxis(values, 0, -1).reshape(variants, -1)
        return np.moveaxis((total / len(drawn)).reshape(*others, units), -1, 0)

    @cached_property
    def mean(self) -> Float[np.ndarray, "units *axes"]:
        """Responses averaged over the variants."""
        return self.averaged(self.values)

    @cached_property
    def peak(self) -> Float[np.ndarray, " units"]:
        """The strongest average response to any one stimulus."""
        return np.asarray(self.mean.reshape(len(self.units), -1).max(1))

    def tuning(self, axis: str) -> Float[np.ndarray, "units values"]:
        """Responses over one axis, averaged over variants and all other axes."""
        means: np.ndarray = self._over(axis).mean(1)
        return means

    def best(self, axis: str) -> Float[np.ndarray, "units values"]:
        """Responses over one axis, averaged over variants, the strongest over all other axes."""
        highest: np.ndarray = self._over(axis).max(1)
        return highest

    def curves(
        self, axis: str
    ) -> tuple[
        Float[np.ndarray, "units variants values"], Float[np.ndarray, "units variants values"]
    ]:
        """Return the tuning over one axis in every variant, less its mean, and of length 1.

        A curve that is flat has length 0. Bootstrap samples share them.
        """
        if axis not in self._curves:
            last = np.moveaxis(self.values, 2 + self.axis_index(axis), -1)
            means = last.mean(tuple(range(2, last.ndim - 1))).astype(np.float64)
            centered = means - means.mean(-1, keepdims=True)
            lengths = np.linalg.norm(centered, axis=-1, keepdims=True)
            unit = np.divide(centered, lengths, out=np.zeros_like(centered), where=lengths > 0)
            self._curves[axis] = _units_last(centered), _units_last(unit)
        return self._curves[axis]

    @cached_property
    def _curves(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        return {}

    def _over(self, axis: str) -> Float[np.ndarray, "units others values"]:
        last = np.moveaxis(self.mean, 1 + self.axis_index(axis), -1)
        return last.reshape(len(self.units), -1, len(self.axes[axis]))

    def axis_index(self, axis: str) -> int:
        """Return the index of an axis among the stimuli's axes.

        Raises
        ------
        InputError
            Where the stimuli have no such axis.
        """
        if axis not in self.axes:
            raise unknown("axis of the hypothesis' stimuli", axis, self.axes)
        return list(self.axes).index(axis)

    def with_typical(self) -> "Evidence":
        """Return the same with `typical` set; the units must be all of a layer's."""
        strongest = np.max([self.peak, *self.controls.values()], 0)
        return replace(self, typical=float(np.median(strongest)))

    def resampled(self, variants: Int[np.ndarray, " drawn"]) -> "Evidence":
        """Return the same with a bootstrap sample of the variants, given by their indices."""
        again = replace(self, drawn=variants)
        vars(again)["_curves"] = self._curves
        return again

    def shuffled(self, generator: np.random.Generator) -> "Evidence":
        """Return the same with stimuli and variants permuted, alike for all units."""
        flat = np.moveaxis(self.values, 0, -1).reshape(-1, len(self.units))
        shuffled = flat[generator.permutation(len(flat))].T
        return replace(self, values=shuffled.reshape(self.values.shape))

    def select(self, units: Sequence[int]) -> "Evidence":
        """Return the evidence of some of the units, given by their indices."""
        index = np.asarray(units)
        return replace(
            self,
            units=tuple(self.units[i] for i in units),
            values=self.values[index],
            controls={name: values[index] for name, values in self.controls.items()},
            deviations=None if self.deviations is None else self.deviations[index],
            firing=None if self.firing is None else self.firing[index],
            read=None if self.read is None else self.read[index],
        )


@dataclass(frozen=True)
class VariantResponses:
    """Signed responses of some units of a layer, of which `evidence` keeps the positive part.

    Attributes
    ----------
    units
        Their names.
    values
        Responses to the stimuli, `(units, variants, *axes)`.
    axes
        Name to values of each of the stimuli's axes.
    controls
        Name of each control to the responses to its stimuli, `(units, stimuli)`.

    Examples
    --------
    >>> values = np.array([[[0.0, 4.0]], [[-1.0, 1.0]]])
    >>> responses = VariantResponses(("a:0", "a:1"), values, {"radius": np.array([5, 9])}, {})
    >>> responses
    VariantResponses(units 2, variants 1, radius 2)
    >>> responses.evidence().responses.tolist()
    [[[0.0, 4.0]], [[0.0, 1.0]]]
    """

    units: tuple[str, ...]
    values: Float[np.ndarray, "units variants *axes"]
    axes: Mapping[str, np.ndarray]
    controls: Mapping[str, Float[np.ndarray, "units _"]]

    def __repr__(self) -> str:
        return _described(self, self.values.shape[1])

    def along(self, directions: Sequence[Direction]) -> "VariantResponses":
        """Return the responses of directions, where these units are all of their layer's.

        Directions are weighted sums over units, so nothing is measured again.

        Raises
        ------
        InputError
            Where a direction has more or fewer weights than there are units.

        Examples
        --------
        >>> two = VariantResponses(("a:0", "a:1"), np.array([[[1.0, 2.0]], [[3.0, 0.0]]]), {}, {})
        >>> two.along([Direction("a", (1.0, -1.0), name="difference")]).values.tolist()
        [[[-2.0, 2.0]]]
        """
        vectors = np.stack([d.vector(len(self.units)).numpy() for d in directions])
        return VariantResponses(
            tuple(map(str, directions)),
            np.tensordot(vectors, self.values, 1),
            self.axes,
            {name: vectors @ values for name, values in self.controls.items()},
        )

    def joined(self, other: "VariantResponses") -> "VariantResponses":
        """Return the units of both, measured with the same stimuli."""
        return VariantResponses(
            self.units + other.units,
            np.concatenate([self.values, other.values]),
            self.axes,
            {
                name: np.concatenate([values, other.controls[name]])
                for name, values in self.controls.items()
            },
        )

    def evidence(
        self, deviations: np.ndarray | None = None, firing: np.ndarray | None = None
    ) -> Evidence:
        """Return the positive parts, with deviations and firing over photographs if given."""
        return Evidence(
            units=self.units,
            values=self.values.clip(0),
            axes=self.axes,
            controls={name: values.max(1).clip(0) for name, values in self.controls.items()},
            deviations=deviations,
            firing=firing,
        )


def _units_last(values: np.ndarray) -> np.ndarray:
    """Return the same values with the first axis last in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(values, 0, -1)), -1, 0)


def _described(measured: Evidence | VariantResponses, variants: int) -> str:
    axes = {name: len(values) for name, values in measured.axes.items()}
    counts = {"units": len(measured.units), "variants": variants, **axes}
    text = ", ".join(f"{name} {count}" for name, count in counts.items())
    names = f", controls {', '.join(measured.controls)}" if measured.controls else ""
    return f"{type(measured).__name__}({text}{names})"
