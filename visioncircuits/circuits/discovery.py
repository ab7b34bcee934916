"""Circuit discovery: the few units, or connections, of an earlier layer that a feature lives on.

All others say their mean instead. The few are ranked by attribution, chosen by ablation on one
half of the pictures, and judged on the other, beside random ones of the same number.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from visioncircuits import __version__, pictures
from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, Network, Unit
from visioncircuits.networks.edits import Replacement
from visioncircuits.weights import storage

BATCH = 20
"""Photographs at once."""

STEPS = 4
"""Of the attribution, on the way from the means to what was said."""

PROBES = 4
"""Random signs a picture, in the attribution."""

SPARED = 128
"""How many parts, the weakest of those chosen, are tried whether they can be spared."""

RESAMPLES = 2000

_KIND = "discovery"

Speaker = Callable[[Tensor, Tensor], Tensor]
"""From an earlier layer's values, and the pictures, to what the feature says."""

Masked = Callable[[Tensor, Tensor, Tensor], Tensor]
"""The same, where only the parts of a mask (1 or 0 each) are as they are."""


@dataclass(frozen=True, eq=False)
class Discovery:
    """The parts of an earlier layer that keep a stated share of a feature's behaviour.

    What is kept of the behaviour is explained variance: 1 less the mean square of what the
    feature's activation changes by, over positions and pictures, over its variance. 1 is all of
    it, 0 no better than a constant, and below 0 worse.

    Attributes
    ----------
    feature, upstream
        What was explained, by which layer.
    share
        How much was to be kept.
    attribution
        By `part`, in order: the mean square of what each changes the activation by when it says
        its mean instead, over the variance; to first order, by gradients along the way from means
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
    """

    feature: str
    upstream: str
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
    feature: str | Feature,
    upstream: str,
    photographs: Sequence[Path],
    *,
    share: float = 0.9,
    draws: int = 10,
    seed: int = 0,
    advance: Callable[[int], object] = lambda more: None,
) -> Discovery:
    """Find the units of an earlier layer that keep a share of a feature's behaviour.

    Units are ranked by how much each changes what the feature says, to first order. The fewest
    that keep the share when all others say their mean are found by bisection along this ranking,
    and those of them that can be spared are taken out, the weakest first, each by ablation. Both
    happen on every second photograph; the others say what was found.

    Where the two layers are neighbours, the units kept are the feature's connections. For those
    further back, ask again of each unit kept.

    Parameters
    ----------
    network
        Any network. Where all that leads to the feature passes the earlier layer, nothing before
        that layer is computed again.
    feature
        What is explained.
    upstream
        An earlier layer. Its values on all photographs are kept in memory.
    photographs
        Files, 4 or more.
    share
        Of the explained variance, above 0 and below 1.
    draws
        Of random units.
    seed
        Of the draws and the interval.
    advance
        Is told how many subsets more were tried, of as many as `subsets` says.

    Raises
    ------
    InputError
        For an unknown feature, a layer that it does not depend on, a share that is none, too few
        photographs, or where the feature says the same of all of them.

    Examples
    --------
    >>> found = discover(network, "mixed3b:413", "mixed3a", paths)  # doctest: +SKIP
    >>> len(found.kept), float(found.explained.sel(half="held-out"))  # doctest: +SKIP
    """
    study = _study(network, feature, upstream, photographs, share)
    level = study.level

    def masked(values: Tensor, shown: Tensor, mask: Tensor) -> Tensor:
        return study.speak(torch.lerp(level, values, mask[..., None, None]), shown)

    names = [str(Unit(upstream, index)) for index in range(len(level))]
    return _discovered(study, masked, names, draws=draws, seed=seed, advance=advance)


def subsets(parts: int, *, draws: int = 10) -> int:
    """Say how many subsets of so many parts are tried at most.

    Examples
    --------
    >>> subsets(256)
    340
    """
    search = math.ceil(math.log2(parts)) + min(parts, SPARED)
    return search + draws + 2 + (draws + 2) * len(_sizes(parts))


@dataclass(frozen=True, eq=False)
class _Half:
    """Some photographs.

    Attributes
    ----------
    values
        The earlier layer's.
    shown
        The pictures.
    said
        What the feature says, `(pictures, positions)`.
    """

    values: Tensor
    shown: Tensor
    said: Tensor

    def batches(self) -> Iterator["_Half"]:
        for start in range(0, len(self.said), BATCH):
            turn = slice(start, start + BATCH)
            yield _Half(self.values[turn], self.shown[turn], self.said[turn])


@dataclass(frozen=True, eq=False)
class _Study:
    """A feature, an earlier layer, and what both say of photographs."""

    network: Network
    feature: Feature
    upstream: str
    share: float
    names: list[str]
    speak: Speaker
    selection: _Half
    held_out: _Half

    @property
    def level(self) -> Float[Tensor, "units 1 1"]:
        """What each unit says on average."""
        return self.selection.values.mean((0, 2, 3))[:, None, None]


@torch.no_grad()
def _study(
    network: Network,
    feature: str | Feature,
    upstream: str,
    photographs: Sequence[Path],
    share: float,
) -> _Study:
    asked = network.feature(feature)
    if len(network.layer(upstream).shape) != 2:
        raise InputError(f"{upstream} has no positions; discover from a layer that has some")
    if not 0 < share < 1:
        raise InputError(f"a share lies between 0 and 1; {share:g} does not")
    if len(photographs) < 4:
        raise InputError(f"a discovery takes 4 photographs or more, not {len(photographs)}")
    if _branch(network, asked).layer == upstream:
        raise _independent(asked, upstream)
    speak = _speaker(network, asked, upstream)
    halves = []
    for side in (photographs[::2], photographs[1::2]):
        parts = []
        for start in range(0, len(side), BATCH):
            shown = torch.stack(
                [pictures.read(path, network.size) for path in side[start : start + BATCH]]
            )
            values = network.activations(shown, [upstream])[upstream]
            parts.append((values, shown, speak(values, shown)))
        halves.append(_Half(*(torch.cat(part) for part in zip(*parts, strict=True))))
    for half in halves:
        if float(half.said.double().var()) <= 1e-12 * float(half.said.double().square().mean()):
            raise InputError(f"{feature} says the same of all these photographs; show it others")
    names = [path.name for path in photographs]
    return _Study(network, asked, upstream, share, names, speak, *halves)


def _branch(network: Network, feature: Feature) -> Feature:
    """Find a unit in the branch that it comes from, which not all of a module leads to."""
    if isinstance(feature, Unit):
        for branch, span in network.branches(feature.layer).items():
            if feature.index in span:
                return _branch(network, Unit(branch, feature.index - span.start))
    return feature


def _speaker(network: Network, feature: Feature, upstream: str) -> Speaker:
    feature = _branch(network, feature)
    layer = feature.layer
    if not network.depends(layer, upstream):
        raise _independent(feature, upstream)

    def speak(values: Tensor, shown: Tensor) -> Tensor:
        changes = [Replacement(upstream, values)]
        if isinstance(feature, Unit):
            units = {layer: torch.tensor([feature.index])}
            return network.unit_activations(shown, units, changes=changes)[layer].flatten(1)
        maps = network.activations(shown, [layer], changes=changes)[layer]
        vector = feature.vector(maps.shape[1]).to(maps)
        return torch.einsum("u,bu...->b...", vector, maps).reshape(len(maps), -1)

    return speak


def _discovered(
    study: _Study,
    masked: Masked,
    names: list[str],
    *,
    draws: int,
    seed: int,
    advance: Callable[[int], object],
) -> Discovery:
    count, left = len(names), subsets(len(names), draws=draws)
    attribution = _attribution(study, masked, count, seed)
    order = attribution.argsort(descending=True, stable=True)

    def tried(half: _Half, places: Tensor) -> tuple[Tensor, float]:
        nonlocal left
        left -= 1
        advance(1)
        return _behaviour(half, masked, places, count)

    def enough(places: Tensor) -> bool:
        return _explained(tried(study.selection, places)[0]) >= study.share

    kept = _fewest(order, enough)
    kept = _spared(kept, enough)
    halves = {"selection": study.selection, "held-out": study.held_out}
    reached = {name: tried(half, kept) for name, half in halves.items()}
    generator = torch.Generator().manual_seed(seed)
    shuffled = [torch.randperm(count, generator=generator) for _ in range(draws)]

    def random(size: int) -> list[float]:
        return [_explained(tried(study.held_out, s[:size])[0]) for s in shuffled]

    sizes = _sizes(count)
    curve = [
        [_explained(tried(half, order[:size])[0]) for size in sizes] for half in halves.values()
    ]
    coords = {"half": list(halves), "draw": list(range(draws)), "size": sizes}
    same = random(len(kept))
    random_curve = np.array([random(size) for size in sizes]).T
    advance(left)

    def array(values: object, *dims: str) -> xr.DataArray:
        return xr.DataArray(np.asarray(values), dims=dims, coords={d: coords[d] for d in dims})

    return Discovery(
        feature=str(study.feature),
        upstream=study.upstream,
        share=study.share,
        attribution=xr.DataArray(
            attribution[order].numpy(), dims="part", coords={"part": [names[n] for n in order]}
        ),
        kept=tuple(names[n] for n in kept),
        explained=array([_explained(errors) for errors, _ in reached.values()], "half"),
        correlation=array([correlation for _, correlation in reached.values()], "half"),
        interval=_interval(reached["held-out"][0], seed),
        random=array(same, "draw"),
        curve=array(curve, "half", "size"),
        random_curve=array(random_curve, "draw", "size"),
        record={
            "visioncircuits": __version__,
            "network": study.network.record(),
            "photographs": study.names,
            "draws": draws,
            "seed": seed,
        },
    )


def _sizes(count: int) -> list[int]:
    """Choose the sizes of the curve: about two an octave, and all."""
    steps = math.ceil(2 * math.log2(count))
    return sorted({min(round(2 ** (step / 2)), count) for step in range(steps + 1)} | {count})


def _independent(feature: Feature, upstream: str) -> InputError:
    return InputError(f"{feature} does not depend on {upstream}; name an earlier layer")


def _attribution(study: _Study, masked: Masked, count: int, seed: int) -> Float[Tensor, " parts"]:
    """Give what each part changes what the feature says by, to first order: its mean square.

    The change at every position would take a derivative each. A sum of changes with random signs
    takes one, and its square is on average the sum of their squares.
    """
    half, generator = study.selection, torch.Generator().manual_seed(seed)
    total = torch.zeros(count, dtype=torch.float64)
    for batch in half.batches():
        for _ in range(PROBES):
            signs = torch.randint(0, 2, batch.said.shape, generator=generator).to(batch.said)
            change = torch.zeros(len(signs), count)
            for step in range(STEPS):
                mask = torch.full(change.shape, (step + 0.5) / STEPS, requires_grad=True)
                with torch.enable_grad():
                    said = masked(batch.values, batch.shown, mask.to(batch.values))
                    if not said.requires_grad:
                        raise _independent(study.feature, study.upstream)
                    probe = ((2 * signs - 1) * said).sum()
                    (gradient,) = torch.autograd.grad(probe, mask)
                change += gradient / STEPS
            total += change.double().square().sum(0) / PROBES
    spread = half.said.double() - half.said.double().mean()
    return total / float(spread.square().sum())


@torch.inference_mode()
def _behaviour(half: _Half, masked: Masked, places: Tensor, count: int) -> tuple[Tensor, float]:
    """Compare what the feature says where only some parts are as they are.

    Returns
    -------
    Tensor, float
        By picture, the square of what it changes by and of what it says less the mean of all,
        `(2, pictures)`; and the correlation of before and after.
    """
    mask = torch.zeros(count, device=half.values.device)
    mask[places] = 1
    said = torch.cat([masked(b.values, b.shown, mask) for b in half.batches()]).double()
    before = half.said.double()
    spread = before - before.mean()
    errors = torch.stack([(said - before).square().sum(1), spread.square().sum(1)]).cpu()
    after = said - said.mean()
    scale = float(after.norm() * spread.norm())
    return errors, float((after * spread).sum()) / scale if scale else 0.0


def _explained(errors: Float[Tensor, "two pictures"]) -> float:
    lost, whole = errors.sum(1).tolist()
    return 1 - lost / whole


def _fewest(order: Tensor, enough: Callable[[Tensor], bool]) -> Tensor:
    """Find by bisection how many of the first are enough."""
    low, high = 0, len(order)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(order[:middle]) else (middle, high)
    return order[:high]


def _spared(kept: Tensor, enough: Callable[[Tensor], bool]) -> Tensor:
    """Leave out, from the last on, each one that is not needed."""
    for part in kept.flip(0)[:SPARED].tolist():
        fewer = kept[kept != part]
        if len(fewer) and enough(fewer):
            kept = fewer
    return kept


def _interval(errors: Float[Tensor, "two pictures"], seed: int) -> tuple[float, float]:
    """Resample pictures."""
    pictures = errors.shape[1]
    drawn = np.random.default_rng(seed).multinomial(
        pictures, np.full(pictures, 1 / pictures), RESAMPLES
    )
    lost, whole = errors.numpy() @ drawn.T
    shares = 1 - lost / whole
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(low), float(high)
