"""Responses: the activation of features to every stimulus of a set."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from visioncircuits import __version__, fingerprint
from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, Network, Unit
from visioncircuits.numbers import whole
from visioncircuits.stimuli import StimulusSet
from visioncircuits.tuning import storage
from visioncircuits.tuning.placement import Placement, place

BATCH = 64
"""Stimuli that go through the network at once; more are no faster on a CPU."""

PART = 16
"""Batches between two saves of an unfinished measurement."""


def measure(
    network: Network,
    features: str | Feature | Sequence[str | Feature],
    stimuli: StimulusSet,
    *,
    reach: int = 0,
    batch: int = BATCH,
    save: str | Path | None = None,
    advance: Callable[[int], object] = lambda more: None,
) -> xr.DataArray:
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
        The set.
    reach
        Take the maximum over the neurons up to so many rows and columns away.
    batch
        How many stimuli go through the network at once.
    save
        A netCDF file (`.nc`) to write. Where it holds the same measurement it is read instead; an
        interrupted measurement is resumed.
    advance
        Is called with how many more stimuli have been measured.

    Returns
    -------
    xarray.DataArray
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
    whole("batch", batch, least=1)
    probe = _probe(network, features, stimuli, reach)
    record = json.loads(
        json.dumps(
            {
                "visioncircuits": __version__,
                "code": fingerprint.code(),
                "torch": torch.__version__,
                "network": network.record(),
                "layer": probe.layer,
                "features": _plain(probe.features),
                "stimuli": stimuli.record(),
                "picture": list(probe.placement.size),
                "position": list(probe.placement.position),
                "reach": reach,
            }
        )
    )
    if save is None:
        return _labeled(_all(probe, batch, advance, None), probe, stimuli, record)
    path = storage.check_path(save)
    if path.exists() and storage.record(saved := storage.read_responses(path)) == record:
        advance(len(stimuli))
        return saved
    parts = storage.Parts(path, record)
    responses = _labeled(_all(probe, batch, advance, parts), probe, stimuli, record)
    storage.write_responses(responses, path)
    parts.remove()
    return responses


@dataclass(frozen=True)
class _Probe:
    """The features to be measured, and the stimuli as they are drawn for them."""

    network: Network
    layer: str
    features: tuple[Feature, ...] | None
    placement: Placement
    reach: int
    stimuli: StimulusSet

    def responses(self, places: range) -> Float[np.ndarray, "features stimuli"]:
        """Compute the responses to some of the stimuli."""
        pictures = self.stimuli.draw(places).picture
        with torch.inference_mode():
            maps = self._neighborhood(pictures)
            if self.features is not None and not self._units:
                vectors = [f.vector(maps.shape[1]) for f in self.features]
                maps = torch.einsum("fu,buyx->bfyx", torch.stack(vectors).to(maps), maps)
            return maps.amax((2, 3)).T.float().cpu().numpy()

    @property
    def _units(self) -> bool:
        return self.features is not None and all(isinstance(f, Unit) for f in self.features)

    def _neighborhood(self, pictures: Tensor) -> Float[Tensor, "batch units rows columns"]:
        if self._units:
            index = torch.tensor([f.index for f in self.features or () if isinstance(f, Unit)])
            maps = self.network.unit_activations(pictures, {self.layer: index})[self.layer]
        else:
            maps = self.network.activations(pictures, [self.layer])[self.layer]
        rows, columns = (
            slice(max(at - self.reach, 0), at + self.reach + 1) for at in self.placement.position
        )
        return maps[:, :, rows, columns]


def _probe(
    network: Network,
    features: str | Feature | Sequence[str | Feature],
    stimuli: StimulusSet,
    reach: int,
) -> _Probe:
    """Check the arguments before anything is computed."""
    whole("reach", reach, least=0)
    listed: tuple[Feature, ...] | None = None
    if isinstance(features, str) and ":" not in features:
        layer = network.layer(features).name
    else:
        several = [features] if isinstance(features, str | Feature) else list(features)
        if not several:
            raise InputError("no feature to measure; name a layer, or features of one layer")
        listed = tuple(network.feature(feature) for feature in several)
        layers = sorted({feature.layer for feature in listed})
        if len(layers) > 1:
            raise InputError(f"features must be of one layer, not of {', '.join(layers)}")
        layer = layers[0]
    drawn, placement = place(stimuli, network, layer, reach=reach)
    return _Probe(network, layer, listed, placement, reach, drawn)


def _all(
    probe: _Probe, batch: int, advance: Callable[[int], object], parts: storage.Parts | None
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
                each.append(probe.responses(places))
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
            f"{probe.network.name} has the value {responses[row, column]} in {probe.layer} for "
            f"stimulus {start + column} of {probe.stimuli.name}; check its checkpoint "
            "(`visioncircuits networks verify`) and its preprocessing"
        )


def _labeled(
    responses: np.ndarray, probe: _Probe, stimuli: StimulusSet, record: dict[str, Any]
) -> xr.DataArray:
    names = (
        [str(feature) for feature in probe.features]
        if probe.features is not None
        else [f"{probe.layer}:{unit}" for unit in range(len(responses))]
    )
    return xr.DataArray(
        responses.reshape(len(names), *stimuli.shape),
        dims=("unit", *stimuli.dims),
        coords={"unit": names, **{name: list(values) for name, values in stimuli.axes.items()}},
        name="response",
        attrs={"record": json.dumps(record, sort_keys=True)},
    )


def _plain(features: tuple[Feature, ...] | None) -> Any:
    """Return features as JSON can hold them; None for a whole layer."""
    if features is None:
        return None
    return [
        str(f) if isinstance(f, Unit) else {**f.__dict__, "weights": list(f.weights)}
        for f in features
    ]
