"""Circuit discovery: the few units, or connections, of an earlier layer that a feature lives on.

All others are mean-ablated. The few are ranked by attribution, chosen by ablation on one half of
the pictures, and evaluated on the other, beside random ones of the same number.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from visioncircuits import __version__
from visioncircuits.attribution.behavior import (
    Half,
    Masked,
    Study,
    attribution_of,
    behavior,
    explained,
    interval,
    study_of,
)
from visioncircuits.datasets import Source
from visioncircuits.networks import Feature, Network, Unit
from visioncircuits.numbers import whole
from visioncircuits.progress import Advance, bar
from visioncircuits.weights import storage

SPARED = 128
"""How many parts, the weakest of those chosen, are tested for being dispensable."""

_KIND = "discovery"


@dataclass(frozen=True, eq=False)
class Discovery:
    """The parts of an earlier layer that keep a stated share of a feature's behavior.

    What is kept of the behavior is explained variance: 1 less the mean square of what the
    feature's activation changes by, over positions and pictures, over its variance. 1 is all of
    it, 0 no better than a constant, and below 0 worse. A notebook shows the `discovery_panel`.

    Attributes
    ----------
    source, target
        The layer, and the feature that was explained.
    share
        How much was to be kept.
    attribution
        By `part`, in order: the mean square of what each changes the activation by when it is
        mean-ablated, over the variance; to first order, by gradients along the way from means
        to activations.
    kept
        The parts that were chosen.
    explained, correlation
        What they keep, by `half`: "selection", on which they were chosen, and "held-out".
    interval
        Of `explained` on the held-out half: 95 %, over its pictures.
    random
        What random parts of the same number keep of the held-out half, by `draw`.
    curve
        By `half` and `size`: what so many parts keep, the first by attribution.
    random_curve
        By `draw` and `size`, random ones on the held-out half.
    record
        How to make it again, as plain data.

    Examples
    --------
    >>> from torch import nn
    >>> from visioncircuits.attribution import discover
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> found = discover(network, "1", "2:0", torch.rand(6, 3, 28, 28), draws=2)
    >>> found.attribution.sel(part=list(found.kept)).dims, found.curve["size"].values.tolist()
    (('part',), [1, 2, 3, 4, 6, 8])
    """

    source: str
    target: str
    share: float
    attribution: xr.DataArray
    kept: tuple[str, ...]
    explained: xr.DataArray
    correlation: xr.DataArray
    interval: tuple[float, float]
    random: xr.DataArray
    curve: xr.DataArray
    random_curve: xr.DataArray
    record: dict[str, object]

    def __repr__(self) -> str:
        kept = float(self.explained.sel(half="held-out"))
        return (
            f"Discovery({self.source} → {self.target}, {len(self.kept)} of "
            f"{self.attribution.size} units keep {kept:.0%} of pictures held out)"
        )

    def _repr_png_(self) -> bytes:
        from visioncircuits.attribution.discovery_panel import discovery_panel

        return discovery_panel(self)._repr_png_()

    def save(self, path: str | Path) -> Path:
        """Write it as .npz or as .nc (netCDF), whole or not at all.

        Raises
        ------
        InputError
            For another suffix, or where the file cannot be written.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        arrays = {name: v for name, v in values.items() if isinstance(v, xr.DataArray)}
        rest = {name: v for name, v in values.items() if name not in arrays}
        return storage.write(
            xr.Dataset(arrays, attrs={"kind": _KIND, "fields": json.dumps(rest)}), path
        )

    @classmethod
    def load(cls, path: str | Path) -> "Discovery":
        """Read one back.

        Raises
        ------
        InputError
            Where the file is missing, damaged, or holds something else.
        """
        dataset = storage.read(path, _KIND)
        values: dict[str, Any] = json.loads(dataset.attrs["fields"])
        values |= {name: tuple(values[name]) for name in ("kept", "interval")}
        values |= {str(name): array for name, array in dataset.data_vars.items()}
        return cls(**values)


def discover(
    network: Network,
    source: str,
    target: str | Feature,
    photographs: Source,
    *,
    share: float = 0.9,
    draws: int = 10,
    seed: int = 0,
    progress: bool = False,
) -> Discovery:
    """Find the units of an earlier layer that keep a share of a feature's behavior.

    Units are ranked by how much each changes the activation, to first order. The fewest that keep
    the share when all others are mean-ablated are found by bisection along this ranking, and
    those of them that are dispensable are removed, the weakest first, each by ablation. Both
    happen on every second photograph; the others evaluate what was found.

    Where the two layers are adjacent, the units kept are the feature's connections. For those
    further back, ask again of each unit kept.

    Parameters
    ----------
    network
        Any network. Where all that leads to the feature passes the earlier layer, nothing before
        that layer is computed again.
    source
        The earlier layer. Its values on all photographs are kept in memory.
    target
        The feature that is explained.
    photographs
        4 or more; see `datasets.photographs`.
    share
        Of the explained variance, above 0 and below 1.
    draws
        Of random units.
    seed
        Of the draws and the interval.
    progress
        Whether to show a bar.

    Raises
    ------
    InputError
        For an unknown feature, a layer that it does not depend on, a share that is none, too few
        photographs, or where the activation is the same on all of them.

    Examples
    --------
    >>> from torch import nn
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> found = discover(network, "1", "2:0", torch.rand(6, 3, 28, 28), draws=2)
    >>> len(found.kept) <= 8, bool(found.explained.sel(half="selection") >= 0.9)
    (True, True)
    """
    whole("draws", draws, least=1)
    study = study_of(network, source, target, photographs, share)
    level = study.level

    def masked(values: Tensor, shown: Tensor, mask: Tensor) -> Tensor:
        return study.respond(torch.lerp(level, values, mask[..., None, None]), shown)

    names = [str(Unit(source, index)) for index in range(len(level))]
    with bar("subsets", subsets(len(names), draws=draws), visible=progress) as advance:
        return _discovered(study, masked, names, draws=draws, seed=seed, advance=advance)


def subsets(parts: int, *, draws: int = 10) -> int:
    """Return how many subsets of so many parts are evaluated at most.

    Examples
    --------
    >>> subsets(256)
    340
    """
    search = math.ceil(math.log2(parts)) + min(parts, SPARED)
    return search + draws + 2 + (draws + 2) * len(_sizes(parts))


def _discovered(
    study: Study,
    masked: Masked,
    names: list[str],
    *,
    draws: int,
    seed: int,
    advance: Advance,
) -> Discovery:
    count, left = len(names), subsets(len(names), draws=draws)
    attribution = attribution_of(study, masked, count, seed)
    order = attribution.argsort(descending=True, stable=True)

    def tried(half: Half, places: Tensor) -> tuple[Tensor, float]:
        nonlocal left
        left -= 1
        advance(1)
        return behavior(half, masked, places, count)

    def enough(places: Tensor) -> bool:
        return explained(tried(study.selection, places)[0]) >= study.share

    kept = _fewest(order, enough)
    kept = _spared(kept, enough)
    halves = {"selection": study.selection, "held-out": study.held_out}
    reached = {name: tried(half, kept) for name, half in halves.items()}
    generator = torch.Generator().manual_seed(seed)
    shuffled = [torch.randperm(count, generator=generator) for _ in range(draws)]

    def random(size: int) -> list[float]:
        return [explained(tried(study.held_out, s[:size])[0]) for s in shuffled]

    sizes = _sizes(count)
    curve = [
        [explained(tried(half, order[:size])[0]) for size in sizes] for half in halves.values()
    ]
    coords = {"half": list(halves), "draw": list(range(draws)), "size": sizes}
    same = random(len(kept))
    random_curve = np.array([random(size) for size in sizes]).T
    advance(left)

    def array(values: object, *dims: str) -> xr.DataArray:
        return xr.DataArray(np.asarray(values), dims=dims, coords={d: coords[d] for d in dims})

    return Discovery(
        source=study.source,
        target=str(study.target),
        share=study.share,
        attribution=xr.DataArray(
            attribution[order].numpy(), dims="part", coords={"part": [names[n] for n in order]}
        ),
        kept=tuple(names[n] for n in kept),
        explained=array([explained(errors) for errors, _ in reached.values()], "half"),
        correlation=array([correlation for _, correlation in reached.values()], "half"),
        interval=interval(reached["held-out"][0], seed),
        random=array(same, "draw"),
        curve=array(curve, "half", "size"),
        random_curve=array(random_curve, "draw", "size"),
        record={
            "visioncircuits": __version__,
            "device": study.network.device.type,
            "network": study.network.record(),
            "target": study.target.record(),
            "photographs": study.names,
            "draws": draws,
            "seed": seed,
        },
    )


def _sizes(count: int) -> list[int]:
    """Return the sizes of the curve: about two an octave, and all."""
    steps = math.ceil(2 * math.log2(count))
    return sorted({min(round(2 ** (step / 2)), count) for step in range(steps + 1)} | {count})


def _fewest(order: Tensor, enough: Callable[[Tensor], bool]) -> Tensor:
    """Find by bisection how many of the first are enough."""
    low, high = 0, len(order)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(order[:middle]) else (middle, high)
    return order[:high]


def _spared(kept: Tensor, enough: Callable[[Tensor], bool]) -> Tensor:
    """Remove, from the last on, each one that is dispensable."""
    for part in kept.flip(0)[:SPARED].tolist():
        fewer = kept[kept != part]
        if len(fewer) and enough(fewer):
            kept = fewer
    return kept
