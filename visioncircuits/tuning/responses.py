"""Responses: the activation of features to every stimulus of a set."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import __version__, fingerprint
from visioncircuits.errors import InputError
from visioncircuits.figures import Figure
from visioncircuits.labeled import LabeledArray, netcdf_path
from visioncircuits.networks import Features, Network, Selection, select
from visioncircuits.networks.fixed_parameters import parameters_fixed
from visioncircuits.networks.memory import freed_memory_kept
from visioncircuits.numbers import whole
from visioncircuits.progress import Advance, bar, no_progress
from visioncircuits.stimuli import Stimuli, StimulusSet, stimulus_set
from visioncircuits.tuning.parts import Parts
from visioncircuits.tuning.placement import Placement, place, placement

BATCH = 64
"""Stimuli that go through the network at once; more are no faster on a CPU."""

PART = 16
"""Batches between two saves of an unfinished measurement."""

SHOWN = 12
"""Units whose tuning curves a notebook shows."""


class Responses(LabeledArray):  # type: ignore[no-untyped-call]
    """The responses of features, of dimensions `unit` and the axes of the stimuli.

    A notebook shows the radial tuning curves of the first units above the values, where the
    stimuli have orientations all around and some unit responds.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> few = named("curves").isel(orientation=slice(0, None, 9), radius=0)
    >>> responses = measure(untrained("bvlc_googlenet"), ["mixed3a:7"], few)
    >>> responses.record["layer"], responses.sel(orientation=90).dims
    ('mixed3a', ('unit',))
    """

    __slots__ = ()
    contents = "responses"
    dimensions = ("unit",)

    def _picture(self) -> Figure | None:
        from visioncircuits.tuning.radial import radial_panel

        if "unit" not in self.dims:
            return None
        try:
            return radial_panel(self.isel(unit=slice(0, SHOWN)))
        except InputError:  # nothing is above 0, or the orientations are not all around
            return None


def measure(
    network: Network,
    features: Features,
    stimuli: Stimuli,
    *,
    reach: int = 0,
    batch: int = BATCH,
    save: str | Path | None = None,
    progress: bool = False,
) -> Responses:
    """Measure the responses of features to every stimulus of a set.

    Every stimulus is centered on the receptive field of one neuron, in the smallest picture in
    which the neuron responds as in a larger one (see `placement`). The set's own `size` is not
    used then, and its `x` and `y` count from that center. A family without these three parameters,
    as one of your own may be, is drawn as it is, and the neuron is the one whose receptive field
    is nearest to the center of its pictures.

    Parameters
    ----------
    network
        Any network.
    features
        A layer's name, for all of its units, or features of one layer. A layer whose name ends in
        `_pre_relu` gives the values before the rectifier.
    stimuli
        A set, the name of a ready one, such as "curves", or a TOML file with one: see
        `stimuli.stimulus_set`.
    reach
        Take the maximum over the neurons up to so many rows and columns away.
    batch
        How many stimuli go through the network at once.
    save
        A netCDF file (`.nc`) to write. Where it holds the same measurement it is read instead; an
        interrupted measurement is resumed.
    progress
        Whether to show a bar.

    Returns
    -------
    Responses
        float32, with the dimensions `unit` and the set's axes; their values are the coordinates.
        The attribute `record` is the record of the measurement, in JSON.

    Raises
    ------
    InputError
        For an unknown layer or feature, features of several layers, a layer without positions,
        a set that cannot be drawn in the receptive field, responses that are not finite, or a
        file that cannot be written.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> few = named("curves").isel(orientation=slice(0, None, 9))
    >>> dict(measure(untrained("bvlc_googlenet"), "mixed3a", few).sizes)
    {'unit': 256, 'orientation': 4, 'radius': 4}
    """
    stimuli = stimulus_set(stimuli)
    with bar("stimuli", len(stimuli), visible=progress) as advance:
        return measured(
            network, features, stimuli, reach=reach, batch=batch, save=save, advance=advance
        )


def measured(
    network: Network,
    features: Features,
    stimuli: StimulusSet,
    *,
    reach: int = 0,
    batch: int = BATCH,
    save: str | Path | None = None,
    advance: Advance = no_progress,
) -> Responses:
    """Measure as `measure`, as a step of a longer one that counts stimuli with `advance`."""
    whole("batch", batch, least=1)
    (probe,) = _probes(network, features, [stimuli], reach)
    record = json.loads(
        json.dumps(
            {
                "visioncircuits": __version__,
                "code": fingerprint.code(),
                "torch": torch.__version__,
                "device": network.device.type,
                "network": network.record(),
                "layer": probe.chosen.layer,
                "features": probe.chosen.record(),
                "stimuli": stimuli.record(),
                "picture": list(probe.placement.size),
                "position": list(probe.placement.position),
                "reach": reach,
            }
        )
    )
    path = None if save is None else netcdf_path(save)
    if path and path.exists():
        saved: Responses = Responses.load(path)
        if saved.record == record:
            advance(len(stimuli))
            return saved
    parts = Parts(path, record) if path else None
    with freed_memory_kept(), parameters_fixed():
        values = _all(probe, batch, advance, parts)
    responses = _labeled(values, probe, stimuli, record)
    if path and parts:
        responses.save(path)
        parts.remove()
    return responses


def measured_together(
    network: Network,
    features: Features,
    sets: Sequence[StimulusSet],
    *,
    batch: int = BATCH,
    advance: Advance = no_progress,
) -> list[Float[np.ndarray, "features *axes"]]:
    """Measure several sets as `measured`, but each different stimulus set once, in full batches.

    Returns the values alone, `(features, *axes)` for each set in the order given. `advance` counts
    the stimuli that are shown; `distinct` lists their sets.
    """
    whole("batch", batch, least=1)
    different = distinct(sets)
    made = _probes(network, features, different, reach=0)
    probes = {each.digest: probe for each, probe in zip(different, made, strict=True)}
    found: dict[str, list[np.ndarray]] = {digest: [] for digest in probes}
    with freed_memory_kept(), parameters_fixed():
        for parts in _batches(probes, batch):
            drawn = [probes[digest].draw(places) for digest, places in parts]
            values = probes[parts[0][0]].of(torch.cat(drawn))
            ends = np.cumsum([len(places) for _, places in parts])
            for (digest, places), end in zip(parts, ends, strict=True):
                responses = values[:, end - len(places) : end]
                _check_finite(responses, probes[digest], places.start)
                found[digest].append(responses)
                advance(len(places))
    whole_sets = {digest: np.concatenate(parts, 1) for digest, parts in found.items()}
    return [whole_sets[each.digest].reshape(-1, *each.shape) for each in sets]


def distinct(sets: Iterable[StimulusSet]) -> list[StimulusSet]:
    """Return the sets without those that draw the same as another."""
    return list({each.digest: each for each in sets}.values())


def _batches(probes: Mapping[str, "_Probe"], batch: int) -> Iterator[list[tuple[str, range]]]:
    """Cut sets that are drawn at one placement, one after another, into full batches."""
    for _, alike in groupby(probes, lambda digest: probes[digest].placement):
        yield from _cut([(digest, len(probes[digest].stimuli)) for digest in alike], batch)


def _cut(lengths: Sequence[tuple[str, int]], batch: int) -> Iterator[list[tuple[str, range]]]:
    """Cut sets, one after another, into batches; all but the last are full.

    Examples
    --------
    >>> list(_cut([("a", 3), ("b", 2)], 4))
    [[('a', range(0, 3)), ('b', range(0, 1))], [('b', range(1, 2))]]
    """
    parts: list[tuple[str, range]] = []
    room = batch
    for name, length in lengths:
        first = 0
        while first < length:
            places = range(first, min(first + room, length))
            parts.append((name, places))
            first, room = places.stop, room - len(places)
            if not room:
                yield parts
                parts, room = [], batch
    if parts:
        yield parts


@dataclass(frozen=True)
class _Probe:
    """The features to be measured, and the stimuli as they are drawn for them."""

    network: Network
    chosen: Selection
    placement: Placement
    reach: int
    stimuli: StimulusSet

    def draw(self, places: range) -> Float[Tensor, "stimuli 3 height width"]:
        """Draw some of the stimuli."""
        return self.stimuli.draw(places).picture

    def of(
        self, pictures: Float[Tensor, "stimuli 3 height width"]
    ) -> Float[np.ndarray, "features stimuli"]:
        """Compute the responses to stimuli that were drawn with the same placement."""
        with torch.inference_mode():
            maps = self._neighborhood(pictures)
            if self.chosen.indices is None:
                maps = self.chosen.of(maps)
            return maps.amax((2, 3)).T.float().cpu().numpy()

    def _neighborhood(self, pictures: Tensor) -> Float[Tensor, "batch units rows columns"]:
        layer, indices = self.chosen.layer, self.chosen.indices
        if indices is None or self.chosen.whole:
            return self.network.activations(pictures, [layer], window=self._window)[layer]
        units = {layer: torch.tensor(indices)}
        return self.network.unit_activations(pictures, units, window=self._window)[layer]

    @cached_property
    def _window(self) -> tuple[range, range]:
        shape = self.network.layer_at(self.chosen.layer, self.placement.size).shape
        rows, columns = (
            range(max(at - self.reach, 0), min(at + self.reach + 1, size))
            for at, size in zip(self.placement.position, shape, strict=True)
        )
        return rows, columns


def _probes(
    network: Network, features: Features, sets: Sequence[StimulusSet], reach: int
) -> list[_Probe]:
    """Check the arguments before anything is computed."""
    whole("reach", reach, least=0)
    chosen = select(network, features)
    usual = placement(network, chosen.layer, reach=reach)
    placed = (place(stimuli, network, chosen.layer, usual) for stimuli in sets)
    return [_Probe(network, chosen, at, reach, drawn) for drawn, at in placed]


def _all(
    probe: _Probe, batch: int, advance: Advance, parts: Parts | None
) -> Float[np.ndarray, "features stimuli"]:
    """Measure the responses to all stimuli, a part at a time."""
    total, measured = len(probe.stimuli), []
    for start in range(0, total, PART * batch):
        stop = min(start + PART * batch, total)
        responses = parts.get(start, stop) if parts else None
        if responses is None:
            each = []
            for first in range(start, stop, batch):
                places = range(first, min(first + batch, stop))
                each.append(probe.of(probe.draw(places)))
                advance(len(places))
            responses = np.concatenate(each, 1)
            _check_finite(responses, probe, start)
            if parts:
                parts.add(start, stop, responses)
        else:
            advance(stop - start)
        measured.append(responses)
    return np.concatenate(measured, 1)


def _check_finite(responses: np.ndarray, probe: _Probe, start: int) -> None:
    if not np.isfinite(responses).all():
        row, column = np.argwhere(~np.isfinite(responses))[0]
        raise InputError(
            f"{probe.network.name} has the value {responses[row, column]} in "
            f"{probe.chosen.layer} for stimulus {start + column} of {probe.stimuli.name}; "
            "check its checkpoint (`visioncircuits networks verify`) and its preprocessing"
        )


def _labeled(
    responses: np.ndarray, probe: _Probe, stimuli: StimulusSet, record: dict[str, Any]
) -> Responses:
    names = [str(feature) for feature in probe.chosen.features]
    return Responses(
        responses.reshape(len(names), *stimuli.shape),
        dims=("unit", *stimuli.dims),
        coords={"unit": names, **{name: list(values) for name, values in stimuli.axes.items()}},
        name="response",
        attrs={"record": json.dumps(record, sort_keys=True)},
    )
