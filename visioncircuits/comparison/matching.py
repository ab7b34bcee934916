"""Universality: which units of two networks do the same.

Sources: Olah et al., "Zoom In" (2020), whose third claim this is; Li et al., "Convergent Learning"
(2016), which matches units by how their activations correlate.
"""

import json
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from visioncircuits import __version__, datasets
from visioncircuits.comparison.equivariance import correlated
from visioncircuits.comparison.map_correlations import Side, correlate_maps
from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.figures import Figure
from visioncircuits.labeled import LabeledTable
from visioncircuits.networks import Features, Network
from visioncircuits.numbers import whole
from visioncircuits.stimuli import StimulusSet, named
from visioncircuits.tuning import measure, placement

READY = (
    "curves", "lines", "edges", "corners", "circles", "sinusoidal-gratings", "checkerboards",
    "hatches", "dots", "noise", "color-contrast", "color-center-surround",
)  # fmt: skip


class Matches(LabeledTable):  # type: ignore[no-untyped-call]
    """Correlations of features of two layers, by `unit` and `other`.

    They are `photographs`; `mismatched`, of each photograph with the one before it; `stimuli`; and
    `shuffled`, with the stimuli of the other side in another order. Those of units that never vary
    are 0. From `match_nulls` they have `highest` too, by `null` and `unit`: the unit's highest
    correlation on photographs with a network that learned nothing of the other. A notebook shows
    the `matches_panel` and what `beyond_nulls` gives above them.

    Examples
    --------
    >>> from visioncircuits.comparison import match
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> few = [named("lines").isel(orientation=[0, 6], width=0)]
    >>> network = untrained("bvlc_googlenet")
    >>> pictures = torch.rand(2, 3, 64, 64)
    >>> found = match(network, "conv2d0", network, "conv2d1", pictures, stimuli=few)
    >>> found.record["seen"], found["photographs"].sel(unit="conv2d0:7").dims
    (2, ('other',))
    """

    __slots__ = ()
    contents = "matches"
    dimensions = ("unit", "other")

    @property
    def _complete(self) -> bool:
        parts = [self[name] for name in ("photographs", "mismatched", "stimuli") if name in self]
        return len(parts) == 3 and all(
            part.dims == self.dimensions and part.size and np.isfinite(part).all() for part in parts
        )

    def _picture(self) -> Figure | None:
        from visioncircuits.comparison.matching_panels import matches_panel

        return matches_panel(self) if self._complete else None

    def _repr_html_(self) -> str:
        from visioncircuits.comparison.nulls import beyond_nulls

        values = super()._repr_html_()
        return beyond_nulls(self).round(3).to_html(border=0) + values if self._complete else values


def probes(*sides: tuple[Network, str]) -> list[StimulusSet]:
    """Return the stimuli that units are matched on: lines, curves, textures, colors, frequencies.

    Parameters
    ----------
    sides
        Networks with a layer each. Left out are stimuli too large for what a neuron of one of these
        layers sees.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> early = untrained("bvlc_googlenet"), "conv2d0"
    >>> len(probes(early)) < len(probes())
    True
    """
    sizes = [drawn_size(network, layer) for network, layer in sides]
    boundaries = named("high-low")
    coarse = {name: slice(None, None, 10) for name in boundaries.dims}
    return [
        family
        for family in (*map(named, READY), boundaries.isel(**coarse))
        if all(fits(family, size) for size in sizes)
    ]


def drawn_size(network: Network, layer: str) -> tuple[int, ...]:
    """How large stimuli are drawn for a layer: what a neuron sees, as `measure` has it."""
    return tuple(map(min, network.layer(layer).receptive_field, placement(network, layer).size))


def fits(family: StimulusSet, size: tuple[int, ...]) -> bool:
    """Check whether a set can be drawn that small."""
    try:
        family.fix(size=size).check()
    except InputError:
        return False
    return True


def match(
    network: Network,
    features: Features,
    other: Network,
    other_features: Features,
    photographs: Source,
    *,
    stimuli: Sequence[StimulusSet] | None = None,
    batch: int = 16,
    seed: int = 0,
    progress: bool = False,
) -> Matches:
    """Correlate features of one layer with features of another, on photographs and stimuli.

    On photographs activations are compared position by position, on the coarser of the two
    layers' grids; photographs are seen once, and memory does not grow with their number. On
    stimuli each layer's neurons see every stimulus at the middle of what they see.

    Parameters
    ----------
    network, features
        The one side: a layer, or features of one layer; activations are compared as the layer
        gives them.
    other, other_features
        The other side, of the same network or another.
    photographs
        2 or more, see `datasets.photographs`, read at the size that the first network takes;
        those that cannot be read are left out.
    stimuli
        By default lines, curves, textures, colors and frequencies, as far as a neuron of both
        layers sees the whole of them.
    batch
        Pictures that go through the networks at once.
    seed
        Of the shuffled stimuli.
    progress
        Whether to show a bar.

    Returns
    -------
    Matches
        Correlations by `unit` and `other`.

    Raises
    ------
    InputError
        For an unknown feature, a layer without positions, stimuli that `measure` cannot show to one
        of them, and fewer than two photographs.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> network, other = untrained("bvlc_googlenet"), untrained("bvlc_googlenet", seed=1)
    >>> few = [named("lines").isel(orientation=slice(0, None, 6), width=0)]
    >>> pictures = torch.rand(2, 3, 64, 64)
    >>> found = match(network, "conv2d0", other, ["conv2d0:1", "conv2d0:2"], pictures, stimuli=few)
    >>> dict(found.sizes)
    {'unit': 64, 'other': 2}
    """
    whole("batch", batch, least=1)
    sides = Side.of(network, features), Side.of(other, other_features)
    given = datasets.photographs(photographs)
    shown = probes(*((side.network, side.layer) for side in sides)) if stimuli is None else stimuli
    tuned = [_responses(side, shown) for side in sides]
    maps = correlate_maps(*sides, given, batch=batch, progress=progress)
    order = np.random.default_rng(seed).permutation(tuned[1].shape[1])
    found = {
        "photographs": maps.matched,
        "mismatched": maps.mismatched,
        "stimuli": correlated(*tuned),
        "shuffled": correlated(tuned[0], tuned[1][:, order]),
    }
    record = {
        "visioncircuits": __version__,
        "torch": torch.__version__,
        "devices": [side.network.device.type for side in sides],
        "networks": [side.network.record() for side in sides],
        "layers": [side.layer for side in sides],
        "features": [side.chosen.record() for side in sides],
        "stimuli": [family.record() for family in shown],
        "seen": maps.seen,
        "skipped": maps.skipped,
        "seed": seed,
    }
    units, others = ([str(feature) for feature in side.chosen.features] for side in sides)
    return Matches(
        {name: (("unit", "other"), values) for name, values in found.items()},
        coords={"unit": units, "other": others},
        attrs={"record": json.dumps(record, sort_keys=True)},
    )


def _responses(side: Side, stimuli: Sequence[StimulusSet]) -> Float[np.ndarray, "units stimuli"]:
    """Measure the responses to all stimuli of some sets."""
    features = side.layer if side.chosen.whole else side.chosen.features
    each = [measure(side.network, features, family).values for family in stimuli]
    flat = [values.reshape(len(values), -1) for values in each]
    return np.concatenate(flat, 1).astype(np.float64)
