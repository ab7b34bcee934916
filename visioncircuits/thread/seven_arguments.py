"""The seven arguments of "Zoom In" for one unit, computed with the toolkit's own functions.

It belongs to the thread, as no layer below knows all of the arguments. Each is one method of a
few lines; seven of them, and their record, are why it has some 400.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from visioncircuits import __version__, datasets, handwritten
from visioncircuits.comparison.matching import drawn_size, fits
from visioncircuits.datasets import Photographs, Source
from visioncircuits.errors import InputError
from visioncircuits.examples import collect, crop
from visioncircuits.featurevis import render, render_all, suited
from visioncircuits.networks import Feature, Features, Network, Unit, select
from visioncircuits.numbers import whole
from visioncircuits.progress import bar
from visioncircuits.stimuli import Stimuli, StimulusSet, named, stimulus_set
from visioncircuits.thread import seven_arguments_file
from visioncircuits.tuning import Responses, align, measure, rotated_pictures
from visioncircuits.weights import (
    Connection,
    expanded_weights,
    strongest_inputs,
    strongest_outputs,
    surroundings,
)
from visioncircuits.weights.storage import read, write

ARGUMENTS = (
    "feature visualization",
    "dataset examples",
    "synthetic stimuli",
    "joint tuning",
    "implementation",
    "use",
    "by hand",
)
"""In the order of "Zoom In"."""

SYNTHETIC = ("curves", "lines", "high-low", "brightness-gradient")
"""Stimuli that are tried: those over orientation and one axis more."""

_BY_HAND = {"curves": "curves", "lines": "lines", "high-low": "high-low"}
_SIZE = 512
_EXAMPLES, _CONNECTIONS, _SIBLINGS, _STEP = 9, 4, 7, 15.0
_ALIKE, _STRONG = 0.8, 0.3
"""A sibling's correlation with the unit's curve, and its peak as a share of the unit's."""


@dataclass(frozen=True, eq=False)
class SevenArguments:
    """What seven independent arguments show of a unit; a notebook shows `seven_arguments_panel`.

    Attributes
    ----------
    unit
        Its name.
    visualization
        The picture that activates it most.
    crops
        Receptive fields of the photographs that activate it most.
    synthetic
        Its responses over `orientation` and a second axis; the attribute `stimuli` is their name.
    joint
        Mean responses of the unit, the first, and its siblings as the photographs turn, over
        `rotation` from the unit's peak.
    inputs, outputs
        Its strongest connections from the main layer before, and to the one after.
    handwritten
        The responses of the handwritten unit most like it to the same stimuli; the attribute
        `correlation` is with `synthetic`.
    thumbnails
        Pictures of the connected units, by name.
    missing
        Why an argument has no data, by its name.
    record
        How it was made: network, photographs, options, versions.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> few = named("lines").isel(orientation=slice(0, None, 9))
    >>> found = seven_arguments(
    ...     untrained("bvlc_googlenet"), "conv2d0:7", stimuli=few, steps=1, thumbnails={}, size=32
    ... )
    >>> found.missing["dataset examples"]
    'no photographs were given'
    """

    unit: str
    visualization: Image.Image | None = None
    crops: tuple[Float[np.ndarray, "side side 3"], ...] = ()
    synthetic: xr.DataArray | None = None
    joint: xr.DataArray | None = None
    inputs: tuple[Connection, ...] = ()
    outputs: tuple[Connection, ...] = ()
    handwritten: xr.DataArray | None = None
    thumbnails: Mapping[str, Image.Image] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        there = [name for name in ARGUMENTS if name not in self.missing]
        return f"SevenArguments({self.unit}: {', '.join(there)})"

    def _repr_png_(self) -> bytes:
        from visioncircuits.thread.seven_arguments_panel import seven_arguments_panel

        return seven_arguments_panel(self)._repr_png_()

    def save(self, path: str | Path) -> Path:
        """Save as `.npz` or `.nc` (netCDF), with all pictures and the record, and return the path.

        Raises
        ------
        InputError
            For another suffix, or if the file cannot be written.
        """
        return write(seven_arguments_file.to_dataset(self), path)

    @classmethod
    def load(cls, path: str | Path) -> "SevenArguments":
        """Load what `save` wrote.

        Raises
        ------
        InputError
            If the file is missing, damaged, or has other content.
        """
        return cls(**seven_arguments_file.from_dataset(read(path, seven_arguments_file.KIND)))


def seven_arguments(
    network: Network,
    unit: str | Feature,
    photographs: Source | None = None,
    *,
    family: Features | None = None,
    stimuli: Stimuli | None = None,
    thumbnails: Mapping[str, Image.Image] | None = None,
    steps: int = 128,
    size: int = _SIZE,
    seed: int = 0,
    progress: bool = False,
) -> SevenArguments:
    """Look at a unit from the seven sides of "Zoom In" and "Curve Detectors".

    An argument for which there is no data is left out, with the reason in `missing`.

    Parameters
    ----------
    network
        Any network.
    unit
        One of its units.
    photographs
        For the dataset examples, and for joint tuning, in which these turn.
    family
        The unit's siblings, of its layer; by default the units of the layer whose responses to the
        turning photographs are most like the unit's, shifted by an angle.
    stimuli
        Over `orientation` and one axis more, as a set, a name or a TOML file; by default the one of
        four predefined sets to which the unit responds most.
    thumbnails
        Pictures of connected units, by name; by default they are rendered.
    steps
        Of the optimizer.
    size
        Of the feature visualization in pixels. The network sees it scaled to about the size of a
        receptive field.
    seed
        Of the feature visualizations.
    progress
        Whether to show a bar.

    Raises
    ------
    InputError
        For an unknown unit, a direction, `steps` or `size` below 1, and stimuli without an
        orientation and just one axis more.

    Notes
    -----
    Olah et al., "Zoom In" (2020); Cammarata et al., "Curve Detectors" (2020).

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> few = named("lines").isel(orientation=slice(0, None, 9))
    >>> found = seven_arguments(
    ...     untrained("bvlc_googlenet"), "conv2d0:7", stimuli=few, steps=1, thumbnails={}, size=32
    ... )
    >>> [connection.target.layer for connection in found.outputs[:2]]
    ['conv2d1', 'conv2d1']
    """
    feature = network.feature(unit)
    if not isinstance(feature, Unit):
        raise InputError(f"the seven arguments are about a unit, and {feature} is a direction")
    whole("steps", steps, least=1)
    whole("size", size, least=1)
    shown = None if stimuli is None else stimulus_set(stimuli)
    if shown is not None and ("orientation" not in shown.dims or len(shown.dims) != 2):
        raise InputError(
            f"the stimuli need the axes orientation and one more, not {', '.join(shown.dims)}"
        )
    given = None if photographs is None else datasets.photographs(photographs, labels="none")
    parts = _Parts(network, feature, steps, seed)
    makers: dict[str, Callable[[], dict[str, Any]]] = {
        "feature visualization": lambda: parts.visualized(size),
        "dataset examples": lambda: parts.exemplified(given),
        "synthetic stimuli": lambda: parts.synthetic(shown),
        "joint tuning": lambda: parts.joint(family),
        "implementation": lambda: parts.connected(before=True),
        "use": lambda: parts.connected(before=False),
        "by hand": parts.by_hand,
    }
    missing = {}
    with bar("arguments", len(makers), visible=progress) as advance:
        for name, make in makers.items():
            try:
                parts.found |= make()
            except InputError as error:
                missing[name] = str(error)
            advance(1)
        pictures = parts.pictures() if thumbnails is None else thumbnails
    record = {
        "visioncircuits": __version__,
        "torch": torch.__version__,
        "device": network.device.type,
        "network": network.record(),
        "photographs": [] if given is None else list(given.names),
        "steps": steps,
        "size": size,
        "seed": seed,
    }
    return SevenArguments(
        str(feature),
        **parts.found,
        thumbnails=pictures,
        missing=missing,
        record=json.loads(json.dumps(record)),  # as it is read back, with lists for tuples
    )


@dataclass
class _Parts:
    """The arguments as they are computed, one by one; each raises `InputError` without data."""

    network: Network
    unit: Unit
    steps: int
    seed: int
    found: dict[str, Any] = field(default_factory=dict)
    photographs: list[Float[Tensor, "3 height width"]] = field(default_factory=list)
    centers: list[tuple[float, float]] = field(default_factory=list)

    def visualized(self, size: int) -> dict[str, Any]:
        own = suited(self.network, self.unit.layer, steps=self.steps, seed=self.seed)
        own = replace(own, size=size, input_size=own.size)
        return {"visualization": render(self.network, self.unit, settings=own).image()}

    def exemplified(self, given: Photographs | None) -> dict[str, Any]:
        if given is None:
            raise InputError("no photographs were given")
        examples = collect(self.network, self.unit, given, top=_EXAMPLES)
        tops, crops = examples.layers[self.unit.layer].tops, []
        for place, number in enumerate(tops.pictures[self.unit.index].tolist()):
            if number < 0 or not tops.values[self.unit.index, place] > 0:
                continue
            pixels = given.read(examples.names[number], self.network.size)
            height, width = pixels.shape[1:]
            located = self.network.layer_at(self.unit.layer, (height, width))
            row, column = map(int, tops.positions[self.unit.index, place])
            y, x = np.clip(located.center((row, column)), 0, (height - 1, width - 1)).tolist()
            cut = crop(located, pixels, (row, column)).clamp(0, 1)
            crops.append(cut.permute(1, 2, 0).numpy())
            self.photographs.append(pixels)
            self.centers.append((y, x))
        if not crops:
            raise InputError(f"no photograph activates {self.unit}")
        return {"crops": tuple(crops)}

    def synthetic(self, stimuli: StimulusSet | None) -> dict[str, Any]:
        responses = [
            measure(self.network, self.unit, each).assign_attrs(stimuli=each.name)
            for each in ([stimuli] if stimuli is not None else self.sets())
        ]
        best = max(responses, key=lambda each: float(each.max()))
        if not float(best.max()) > 0:
            names = ", ".join(each.attrs["stimuli"] for each in responses)
            raise InputError(f"it does not respond to {names}")
        return {"synthetic": best}

    def sets(self) -> list[StimulusSet]:
        """Return the ready sets that are not too large for the unit's receptive field."""
        size = drawn_size(self.network, self.unit.layer)
        return [each for each in map(_thinned, SYNTHETIC) if fits(each, size)]

    def joint(self, family: Features | None) -> dict[str, Any]:
        if not self.photographs:
            raise InputError("there are no dataset examples to turn")
        turning = rotated_pictures(self.photographs, self.centers, step=_STEP)
        name = str(self.unit)
        units = self.unit.layer if family is None else [name, *_others(self, family)]
        responses = measure(self.network, units, turning).clip(min=0)
        shifts = align(responses.sel(unit=[name]))["shift"].values / _STEP
        turned = np.stack([
            np.roll(each, round(shift), -1)
            for each, shift in zip(responses.transpose("example", ...).values, shifts, strict=True)
        ])  # fmt: skip
        means = turned.mean(0)
        own = means[responses["unit"].values.tolist().index(name)]
        if not own.max() > 0:
            raise InputError("it does not respond to its photographs as they turn")
        # From -180 degrees, so that the unit's peak is in the middle.
        means = np.roll(means, len(own) // 2 - int(own.argmax()), -1)
        joint = xr.DataArray(
            means,
            coords={"unit": responses["unit"], "rotation": np.arange(len(own)) * _STEP - 180},
            dims=("unit", "rotation"),
            attrs={"photographs": len(self.photographs)},
        )
        if family is None:
            joint = joint.sel(unit=[name, *_siblings(joint, name)])
        return {"joint": joint}

    def connected(self, *, before: bool) -> dict[str, Any]:
        around = surroundings(self.network, self.unit.layer)
        if before:
            weights = expanded_weights(self.network, (*around.before, "input")[0], self.unit)
            half = _CONNECTIONS // 2
            chosen = strongest_inputs(weights, top=half, part="positive")
            inhibiting = strongest_inputs(weights, top=_CONNECTIONS, part="negative")
            known = {str(connection.source) for connection in chosen}
            rest = [each for each in inhibiting if str(each.source) not in known]
            return {"inputs": (*chosen, *rest[: _CONNECTIONS - len(chosen)])}
        if not around.after:
            raise InputError(f"there is no layer of rectified units after {self.unit.layer}")
        weights = expanded_weights(self.network, self.unit, around.after[0])
        return {"outputs": strongest_outputs(weights, top=_CONNECTIONS, part="positive")}

    def by_hand(self) -> dict[str, Any]:
        if "synthetic" not in self.found:
            raise InputError("there are no responses to compare with")
        own = self.found["synthetic"]
        name = own.attrs["stimuli"]
        if name not in _BY_HAND:
            raise InputError(f"there is no handwritten network for {name}")
        network = handwritten.load(_BY_HAND[name]).to(self.network.device)
        axes = {axis: own[axis].values.tolist() for axis in own.dims if axis != "unit"}
        responses = measure(network, list(network.layers)[-1], named(name).vary(**axes)).clip(min=0)
        alike = [_correlation(each, own.clip(min=0).values) for each in responses.values]
        best = int(np.argmax(alike))
        found = responses[[best]].assign_attrs(correlation=alike[best])
        return {"handwritten": Responses(found)}

    def pictures(self) -> dict[str, Image.Image]:
        """Render the connected units."""
        ends = [each.source for each in self.found.get("inputs", ())]
        ends += [each.target for each in self.found.get("outputs", ())]
        drawn: dict[str, Image.Image] = {}
        for layer in dict.fromkeys(end.layer for end in ends):
            if layer in self.network.layers:
                settings = suited(self.network, layer, steps=self.steps, seed=self.seed)
                units = [end for end in dict.fromkeys(ends) if end.layer == layer]
                made = render_all(self.network, units, settings=settings)
                drawn |= {str(unit): each.image() for unit, each in zip(units, made, strict=True)}
        return drawn


def _thinned(name: str) -> StimulusSet:
    """Return a predefined set with up to 36 orientations, and 6 values of the other axis."""
    stimuli = named(name)
    steps = {axis: -(-len(stimuli.axes[axis]) // (36 if axis == "orientation" else 6))
             for axis in stimuli.dims}  # fmt: skip
    return stimuli.isel(**{axis: slice(0, None, step) for axis, step in steps.items()})


def _others(parts: _Parts, family: Features) -> list[str]:
    units = select(parts.network, family)
    if units.layer != parts.unit.layer:
        raise InputError(f"its siblings are units of {parts.unit.layer}, not of {units.layer}")
    return [str(unit) for unit in units.features if str(unit) != str(parts.unit)]


def _siblings(joint: xr.DataArray, name: str) -> list[str]:
    """Choose units whose curves are most like the unit's, shifted by two steps or more."""
    own, steps = joint.sel(unit=name).values, joint.sizes["rotation"]
    shifted = np.stack([np.roll(own, shift) for shift in range(2, steps - 1)])
    strong = joint.max("rotation").values >= _STRONG * own.max()
    found = []
    for unit, curve, enough in zip(joint["unit"].values, joint.values, strong, strict=True):
        if enough and unit != name:
            found.append((max(_correlation(curve, each) for each in shifted), str(unit)))
    return [unit for alike, unit in sorted(found, reverse=True)[:_SIBLINGS] if alike >= _ALIKE]


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    if not (np.ptp(one) > 0 and np.ptp(other) > 0):
        return 0.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
