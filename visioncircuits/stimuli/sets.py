"""Sets of stimuli: lazy grids over named axes.

It is one class, long because its methods are documented here.
"""

import hashlib
import json
import math
import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real
from typing import SupportsIndex

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from visioncircuits.errors import InputError, unknown
from visioncircuits.stimuli.axes import Value, axis_values, beyond, positions
from visioncircuits.stimuli.color import rgb
from visioncircuits.stimuli.families import Family, fingerprint, name_of, parameters_of
from visioncircuits.stimuli.stimulus import Stimulus


@dataclass(frozen=True, init=False, eq=False, repr=False)
class StimulusSet:
    """Every combination of some parameters' values, drawn on demand.

    A set is a grid in C order, its last axis the fastest. It stores the values of the axes and no
    pictures; selections and variations of it are new sets, and no set ever changes. A notebook
    shows some of its stimuli; see `contact_sheet`.

    Parameters
    ----------
    family : callable
        Draws a batch: any of this package's families, or any function of keyword parameters. It is
        called with a 1-D float64 tensor for each axis of numbers, a ``(batch, 3)`` float64 tensor
        for each axis of colors, and the fixed parameters as they are; it returns a `Stimulus`, or a
        bare float32 picture ``(batch, 3, height, width)``.
    axes : mapping of str to values
        The parameters that vary, and their values: numbers, which may be infinite, or colors as
        CSS names or "#rrggbb". An axis may have one value.
    fixed : mapping of str to anything
        Parameters that do not vary: numbers, colors, the picture's size, position and device.
    name : str
        Of the set; by default the name of the family.

    Raises
    ------
    InputError
        If an axis is empty, repeats a value, or has a value that is neither a number nor a color;
        if the family has no parameter with the name of an axis or a fixed value; if a parameter is
        both.

    Examples
    --------
    >>> from visioncircuits.stimuli import curve
    >>> grid = StimulusSet(curve, {"orientation": range(0, 360, 90), "radius": (30, 60, math.inf)})
    >>> grid
    <StimulusSet curve: 4 orientation × 3 radius>
    >>> grid.sel(radius=60).fix(size=32).draw().picture.shape
    torch.Size([4, 3, 32, 32])
    >>> [len(stimulus) for _, stimulus in grid.fix(size=32).batches(5)]
    [5, 5, 2]
    """

    family: Family
    axes: Mapping[str, tuple[Value, ...]]
    fixed: Mapping[str, object]
    name: str

    def __init__(
        self,
        family: Family,
        axes: Mapping[str, Iterable[Value]],
        fixed: Mapping[str, object] | None = None,
        name: str = "",
    ) -> None:
        fixed = dict(fixed or {})
        accepted = parameters_of(family)
        for parameter in (*axes, *fixed):
            if accepted is not None and parameter not in accepted:
                raise unknown(f"parameter of {name_of(family)}", parameter, accepted)
        for parameter in axes.keys() & fixed.keys():
            raise InputError(f"{parameter} is both an axis and fixed; leave one of them out")
        values = {parameter: axis_values(parameter, axis) for parameter, axis in axes.items()}
        # a frozen dataclass sets its own fields this way
        object.__setattr__(self, "family", family)
        object.__setattr__(self, "axes", values)
        object.__setattr__(self, "fixed", fixed)
        object.__setattr__(self, "name", name or name_of(family))

    @property
    def dims(self) -> tuple[str, ...]:
        """The axes' names."""
        return tuple(self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values of each axis."""
        return tuple(len(values) for values in self.axes.values())

    def __len__(self) -> int:
        return math.prod(self.shape)

    def __repr__(self) -> str:
        axes = " × ".join(f"{len(values)} {name}" for name, values in self.axes.items())
        return f"<StimulusSet {self.name}: {axes or 'one stimulus'}>"

    def _repr_png_(self) -> bytes | None:
        from visioncircuits.pictures import png
        from visioncircuits.stimuli.sheet import overview

        try:
            return png(overview(self))
        except InputError:  # what cannot be drawn: `draw` raises it
            return None

    def isel(self, **indices: SupportsIndex | slice | Iterable[SupportsIndex]) -> "StimulusSet":
        """Select a part of the set by positions on its axes, as xarray's `isel` does.

        Parameters
        ----------
        **indices
            For each axis named: an index, which fixes the parameter and drops the axis; or a slice
            or several indices, which keep the axis.

        Raises
        ------
        InputError
            If there is no such axis or index, or nothing is selected.

        Examples
        --------
        >>> from visioncircuits.stimuli import line
        >>> StimulusSet(line, {"orientation": range(180)}).isel(orientation=slice(0, None, 30))
        <StimulusSet line: 6 orientation>
        """
        axes, fixed = dict(self.axes), dict(self.fixed)
        for name, index in indices.items():
            values = self._axis(name)
            try:
                if isinstance(index, slice):
                    axes[name] = values[index]
                elif isinstance(index, Iterable) and getattr(index, "ndim", None) != 0:
                    axes[name] = tuple(values[each] for each in index)
                else:
                    fixed[name] = values[operator.index(index)]  # type: ignore[arg-type]
                    del axes[name]
            except (IndexError, TypeError):
                raise InputError(f"{name} has {len(values)} values, none at {index!r}") from None
        return replace(self, axes=axes, fixed=fixed)

    def sel(self, **selected: Real | str | slice | Iterable[Real | str]) -> "StimulusSet":
        """Select a part of the set by values on its axes, as xarray's `sel` does.

        Parameters
        ----------
        **selected
            For each axis named: a value, which fixes the parameter and drops the axis; several
            values, or a slice from the least to the greatest, both included, which keep it.

        Raises
        ------
        InputError
            If there is no such axis or value, or nothing is selected.

        Examples
        --------
        >>> from visioncircuits.stimuli import line
        >>> lines = StimulusSet(line, {"orientation": range(180), "width": (1, 2)})
        >>> lines.sel(orientation=slice(30, 60), width=2)
        <StimulusSet line: 31 orientation>
        """
        return self.isel(
            **{name: positions(name, self._axis(name), value) for name, value in selected.items()}
        )

    def fix(self, **parameters: object) -> "StimulusSet":
        """Return the set with some parameters fixed, axes or others, such as ``size``."""
        axes = {name: values for name, values in self.axes.items() if name not in parameters}
        return replace(self, axes=axes, fixed={**self.fixed, **parameters})

    def vary(self, **axes: Iterable[Value]) -> "StimulusSet":
        """Return the set with other values on its axes, or with more axes, which come last."""
        fixed = {name: value for name, value in self.fixed.items() if name not in axes}
        varied = {name: axis_values(name, values) for name, values in axes.items()}
        return replace(self, axes={**self.axes, **varied}, fixed=fixed)

    def extended(self, axis: str, *, before: int = 0, after: int = 0) -> "StimulusSet":
        """Return the set with more values on an axis of numbers, by the axis' own step.

        Three values or more at equal steps are continued by that step; others that are all
        positive by the ratio of the two at that end, and the rest by their difference.

        Parameters
        ----------
        axis
            Its name.
        before, after
            How many values are added before its first and after its last.

        Raises
        ------
        InputError
            If there is no such axis, it has colors or fewer than two values, or ends with infinity.

        Examples
        --------
        >>> from visioncircuits.stimuli import curve
        >>> curves = StimulusSet(curve, {"radius": (20, 40, 80)})
        >>> curves.extended("radius", before=1, after=1).axes["radius"]
        (10.0, 20.0, 40.0, 80.0, 160.0)
        """
        values = self._axis(axis)
        for _ in range(after):
            values = (*values, beyond(axis, values))
        for _ in range(before):
            values = (beyond(axis, values[::-1]), *values)
        return self.vary(**{axis: values})

    def draw(self, indices: Iterable[int] | None = None) -> Stimulus:
        """Draw the stimuli at some flat indices, by default all, as one batch.

        Raises
        ------
        InputError
            If an index is out of range, the family rejects its parameters, or it does not return
            one float32 RGB picture for each index.
        """
        if indices is None:
            return self._draw(torch.arange(len(self)))
        flat = torch.as_tensor(list(indices), dtype=torch.int64)
        if not len(flat) or int(flat.min()) < 0 or int(flat.max()) >= len(self):
            raise InputError(f"flat indices of {self.name} run from 0 to {len(self) - 1}")
        return self._draw(flat)

    def batches(self, batch_size: int) -> Iterator[tuple[range, Stimulus]]:
        """Draw the whole set in its order, as pairs of flat indices and their stimuli.

        Raises
        ------
        InputError
            As `draw`, and if the batch size is below 1.
        """
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1, got {batch_size}")
        for start in range(0, len(self), batch_size):
            indices = range(start, min(start + batch_size, len(self)))
            yield indices, self._draw(torch.arange(indices.start, indices.stop))

    def check(self) -> None:
        """Draw the first stimulus and the last of each axis, so that mistakes are raised early.

        Raises
        ------
        InputError
            As `draw`, and if a picture is not finite or not in [0, 1].
        """
        steps = (math.prod(self.shape[axis + 1 :]) for axis in range(len(self.shape)))
        lasts = ((size - 1) * step for size, step in zip(self.shape, steps, strict=True))
        picture = self.draw(sorted({0, *lasts})).picture
        low, high = picture.min().item(), picture.max().item()
        if not 0 <= low <= high <= 1:
            raise InputError(
                f"{self.name} must draw pictures in [0, 1], got values from {low:g} to {high:g}"
            )

    def record(self) -> dict[str, object]:
        """Return the set as values that JSON can store: name, family, source, axes, fixed.

        The source is a fingerprint of the family's source text, which distinguishes functions of
        the same name. An infinite value is "inf".
        """
        return {
            "name": self.name,
            "family": f"{self.family.__module__}.{name_of(self.family)}",
            "source": fingerprint(self.family),
            "axes": {name: _plain(name, values) for name, values in self.axes.items()},
            "fixed": {name: _plain(name, value) for name, value in sorted(self.fixed.items())},
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the record without the set's name and the device."""
        drawn = {name: value for name, value in self.record().items() if name != "name"}
        drawn["fixed"] = {
            name: _plain(name, value) for name, value in self.fixed.items() if name != "device"
        }
        text = json.dumps(drawn, sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def _axis(self, name: str) -> tuple[Value, ...]:
        if name not in self.axes:
            raise unknown(f"axis of {self.name}", name, self.axes)
        return self.axes[name]

    @cached_property
    def _columns(self) -> dict[str, Tensor]:
        """The values of each axis as they are passed to the family."""
        return {
            name: torch.cat([rgb(value) for value in values if isinstance(value, str)])
            if isinstance(values[0], str)
            else torch.tensor(values, dtype=torch.float64)
            for name, values in self.axes.items()
        }

    def _draw(self, indices: Int64[Tensor, " batch"]) -> Stimulus:
        along = torch.unravel_index(indices, self.shape) if self.axes else ()
        parameters = {
            name: column[index]
            for (name, column), index in zip(self._columns.items(), along, strict=True)
        }
        drawn = self.family(**parameters, **self.fixed)
        picture = drawn.picture if isinstance(drawn, Stimulus) else drawn
        if (
            picture.ndim != 4
            or picture.shape[:2] != (len(indices), 3)
            or picture.dtype != torch.float32
        ):
            raise InputError(
                f"{name_of(self.family)} must draw float32 pictures ({len(indices)}, 3, height, "
                f"width) for {len(indices)} parameters, got {picture.dtype} {tuple(picture.shape)}"
            )
        if isinstance(drawn, Stimulus):
            return drawn
        return Stimulus(picture, torch.ones_like(picture[:, :1]), parameters)


def _plain(name: str, value: object) -> object:
    """Return a parameter as JSON can store it."""
    if isinstance(value, Tensor | np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, tuple | list):
        return [_plain(name, each) for each in value]
    if isinstance(value, torch.device):
        return str(value)
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, str):
        return value
    raise InputError(
        f"{name} cannot be recorded: give numbers, colors or text, not {type(value).__name__}"
    )
