"""Responses: what features answer to every stimulus of a set."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
from visioncircuits.stimuli import StimulusSet, parameters_of
from visioncircuits.tuning import storage
from visioncircuits.tuning.window import Window, nearest, window

BATCH = 64
"""Stimuli that go through the network at once; more are no faster on a CPU."""

PART = 16
"""Batches after which an interrupted measurement goes on."""


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
    """Measure what features answer to every stimulus of a set.

    Every stimulus is centred on what one neuron sees, in a picture no larger than that needs
    (see `window`), where the neuron answers as it would in a larger one. The set's own `size` is
    not used then, and its `x` and `y` count from that centre. A family without these three
    parameters, as one of your own may be, is shown as it draws itself, to the neuron that sees
    most nearly the middle of its pictures.

    Parameters
    ----------
    network
        Any network.
    features
        A layer's name, for all of its units, or features of one layer. A layer whose name ends in
        `_pre_relu` gives the values before the rectifier.
    stimuli
        What to show.
    reach
        Answer with the maximum over the neurons up to so many rows and columns away.
    batch
        How many stimuli go through the network at once.
    save
        A netCDF file (`.nc`) to write. Where it holds this very measurement it is read instead;
        where one was interrupted, it goes on.
    advance
        Is told how many stimuli more have been measured.

    Returns
    -------
    xarray.DataArray
        float32, with the dimensions `unit` and the set's axes; their values are the coordinates.
        The attribute `record` says in JSON how it was measured.

    Raises
    ------
    InputError
        For an unknown layer or feature, features of several layers, a layer without positions,
        a set that cannot be drawn in the neuron's picture, answers that are not finite, or a
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
                "picture": list(probe.window.size),
                "position": list(probe.window.position),
                "reach": reach,
            }
        )
    )
    if save is None:
        answers = _all(probe, batch, advance, None)
        return _labelled(answers, probe, stimuli, record)
    path = storage.checked(save)
    if path.exists() and storage.recorded(found := storage.read(path)) == record:
        advance(len(stimuli))
        return found
    parts = storage.Parts(path, record)
    responses = _labelled(_all(probe, batch, advance, parts), probe, stimuli, record)
    storage.write(responses, path)
    parts.remove()
    return responses


@dataclass(frozen=True)
class _Probe:
    """Who is asked, and what is shown."""

    network: Network
    layer: str
    features: tuple[Feature, ...] | None
    window: Window
    reach: int
    stimuli: StimulusSet

    def answers(self, places: range) -> Float[np.ndarray, "features stimuli"]:
        """What the features answer to some of the stimuli."""
        pictures = self.stimuli.draw(places).picture
        with torch.inference_mode():
            found = self._near(pictures)
            if self.features is not None and not self._units:
                vectors = [f.vector(found.shape[1]) for f in self.features]
                found = torch.einsum("fu,buyx->bfyx", torch.stack(vectors).to(found), found)
            return found.amax((2, 3)).T.float().cpu().numpy()

    @property
    def _units(self) -> bool:
        return self.features is not None and all(isinstance(f, Unit) for f in self.features)

    def _near(self, pictures: Tensor) -> Float[Tensor, "batch units rows columns"]:
        if self._units:
            index = torch.tensor([f.index for f in self.features or () if isinstance(f, Unit)])
            whole = self.network.unit_activations(pictures, {self.layer: index})[self.layer]
        else:
            whole = self.network.activations(pictures, [self.layer])[self.layer]
        row, column = self.window.position
        reach = self.reach
        return whole[
            :,
            :,
            max(row - reach, 0) : row + reach + 1,
            max(column - reach, 0) : column + reach + 1,
        ]


def _probe(
    network: Network,
    features: str | Feature | Sequence[str | Feature],
    stimuli: StimulusSet,
    reach: int,
) -> _Probe:
    """Check all that can be wrong before anything is computed."""
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
            raise InputError(f"features of one layer at a time, not of {', '.join(layers)}")
        layer = layers[0]
    shown, asked = _shown(network, layer, stimuli, reach)
    return _Probe(network, layer, listed, asked, reach, shown)


def _shown(
    network: Network, layer: str, stimuli: StimulusSet, reach: int
) -> tuple[StimulusSet, Window]:
    """Place a set in the window of a layer's neuron."""
    accepted = parameters_of(stimuli.family)
    if accepted is None or not {"x", "y", "size"} <= set(accepted):
        height, width = stimuli.draw([0]).picture.shape[2:]
        return stimuli, nearest(network, layer, (height, width))
    asked = window(network, layer, reach=reach)
    seen = network.layer(layer).receptive_field
    known = {**stimuli.axes, **stimuli.fixed}
    stimuli = stimuli.fix(**{name: 0.0 for name in "xy" if name not in known})
    stimuli.fix(size=_side(tuple(map(min, seen, asked.size)))).check()
    shown = stimuli.fix(size=_side(asked.size))
    if "device" in accepted:
        shown = shown.fix(device=str(network.device))
    for name, shift in zip("yx", asked.shift, strict=True):
        if name in stimuli.axes:
            # one axis at a time keeps its place among the others
            moved = tuple(float(value) + shift for value in stimuli.axes[name])
            shown = replace(shown, axes={**shown.axes, name: moved})
        else:
            shown = shown.fix(**{name: float(stimuli.fixed[name]) + shift})  # type: ignore[arg-type]
    return shown, asked


def _side(size: tuple[int, ...]) -> int | tuple[int, ...]:
    """Give a square's size as one number, which a family of one's own may count on."""
    return size[0] if len(set(size)) == 1 else size


def _all(
    probe: _Probe, batch: int, advance: Callable[[int], object], parts: storage.Parts | None
) -> Float[np.ndarray, "features stimuli"]:
    """Ask about all stimuli, a part at a time."""
    total, found = len(probe.stimuli), []
    for start in range(0, total, PART * batch):
        stop = min(start + PART * batch, total)
        answers = parts.get(start, stop) if parts else None
        if answers is None:
            each = []
            for first in range(start, stop, batch):
                places = range(first, min(first + batch, stop))
                each.append(probe.answers(places))
                advance(len(places))
            answers = np.concatenate(each, 1)
            _finite(answers, probe, start)
            if parts:
                parts.add(start, stop, answers)
        else:
            advance(stop - start)
        found.append(answers)
    return np.concatenate(found, 1)


def _finite(answers: np.ndarray, probe: _Probe, start: int) -> None:
    if not np.isfinite(answers).all():
        row, column = np.argwhere(~np.isfinite(answers))[0]
        raise InputError(
            f"{probe.network.name} answers {answers[row, column]} in {probe.layer} to stimulus "
            f"{start + column} of {probe.stimuli.name}; check its checkpoint (`visioncircuits "
            "networks verify`) and its preprocessing"
        )


def _labelled(
    answers: np.ndarray, probe: _Probe, stimuli: StimulusSet, record: dict[str, Any]
) -> xr.DataArray:
    names = (
        [str(feature) for feature in probe.features]
        if probe.features is not None
        else [f"{probe.layer}:{unit}" for unit in range(len(answers))]
    )
    return xr.DataArray(
        answers.reshape(len(names), *stimuli.shape),
        dims=("unit", *stimuli.dims),
        coords={"unit": names, **{name: list(values) for name, values in stimuli.axes.items()}},
        name="response",
        attrs={"record": json.dumps(record, sort_keys=True)},
    )


def _plain(features: tuple[Feature, ...] | None) -> Any:
    """Features as a record can hold them; None for a whole layer."""
    if features is None:
        return None
    return [
        str(f) if isinstance(f, Unit) else {**f.__dict__, "weights": list(f.weights)}
        for f in features
    ]
