"""Scores of a transplant: photographs under every removal and every donor, resumable.

Scales are measured first and scores with them, in pieces of one kind, which is why both are here,
in some 300 lines.
"""

import io
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from visioncircuits import datasets
from visioncircuits.datasets import Photographs, Source
from visioncircuits.engine import Engine, Store, Work, complete, local
from visioncircuits.errors import InputError
from visioncircuits.interventions.calibration import Scale
from visioncircuits.interventions.controls import units_of
from visioncircuits.interventions.donors import Donor, combined, sources
from visioncircuits.interventions.effects import Scores
from visioncircuits.interventions.repairs import BASELINES
from visioncircuits.interventions.replacement import output_with
from visioncircuits.interventions.scoring import SCORES, classes_of, tabulated, values_of
from visioncircuits.interventions.transplants import Transplant
from visioncircuits.progress import Advance, bar, no_progress

BATCH = 25
"""Photographs that go through the networks at once, and are one piece of work."""


def score_transplant(
    transplant: Transplant,
    photographs: Source,
    *,
    store: Store,
    calibration: int = 50,
    engine: Engine | None = None,
    progress: bool = False,
) -> Scores:
    """Score a network on photographs: as it is, under every removal and every transplant.

    The family is removed in three ways: set to "zero"; each unit to its "mean" over photographs;
    or, to "resample", to its own maps from another photograph, given by each to one other.

    Donors are scaled to the units that they replace: `gain · relu(value − threshold)`, with the
    threshold and gain of each such that it is active as often as its unit, and as strongly. Scales,
    means, and donors that are fitted come from photographs that are not scored with them: the
    photographs at even places are scored with what is fitted on some at odd places, and the other
    way round.

    Parameters
    ----------
    transplant
        Which family, in which network, is replaced by what.
    photographs
        What it is scored on, with classes; sorted by class, the two halves hold classes alike.
    store
        Keeps what is finished; an interrupted run goes on from it.
    calibration
        How many photographs of each half are fitted on.
    engine
        Who does the work; this process by default.
    progress
        Whether to show a bar.

    Returns
    -------
    Scores
        By `condition` and `photograph`; conditions are "original", "zero", "mean", "resample", the
        other removals and the donors.

    Raises
    ------
    InputError
        As `Transplant.check`; for photographs without a class of the network's, fewer than 4, or a
        damaged one.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from torch import nn
    >>> from visioncircuits.datasets import photographs
    >>> from visioncircuits.engine import Store
    >>> from visioncircuits.interventions import Donor, Transplant
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 6, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=32)
    >>> swapped = Transplant(network, ["1:0", "1:5"], {"swapped": Donor(network, ["0:5", "0:0"])})
    >>> pictures = photographs(torch.rand(4, 3, 40, 40), labels=[0, 1, 2, 3])
    >>> with TemporaryDirectory() as folder:
    ...     scores = score_transplant(swapped, pictures, store=Store(Path(folder)))
    >>> scores["condition"].values.tolist()
    ['original', 'zero', 'mean', 'resample', 'swapped']
    """
    given = datasets.photographs(photographs)
    with bar("photographs", len(given), visible=progress) as advance:
        return scored(
            transplant, given, store=store, calibration=calibration, engine=engine, advance=advance
        )


def scored(
    transplant: Transplant,
    photographs: Photographs,
    *,
    store: Store,
    calibration: int = 50,
    engine: Engine | None = None,
    advance: Advance = no_progress,
) -> Scores:
    """Score as `score_transplant`, as a step of a longer one that counts photographs."""
    transplant.check()
    if len(photographs) < 4:
        raise InputError(f"a score needs 4 photographs or more, not {len(photographs)}")
    labels = classes_of(transplant.network, photographs)
    engine = engine or local(workers=1)
    halves = [range(start, len(photographs), 2) for start in (0, 1)]
    shared = _shared(transplant, photographs)
    scaling = _scaling(shared, photographs, calibration)
    complete(store, partial(_scales, transplant, photographs), scaling, engine=engine)
    partners = _partners(photographs.names, transplant.seed)
    works: list[Work] = [
        {
            "task": "scores",
            **shared,
            "scaled": scaling[1 - side]["photographs"],
            "photographs": [photographs.names[place] for place in places],
            "partners": [partners[place] for place in places],
            "labels": labels[list(places)].tolist(),
        }
        for side, half in enumerate(halves)
        for places in (half[start : start + BATCH] for start in range(0, len(half), BATCH))
    ]
    finished = {store.path(work) for work in store.finished()}
    for work in works:
        if store.path(work) in finished:
            advance(len(work["photographs"]))
    scales = {work["photographs"][0]: _load(store, work) for work in scaling}
    complete(
        store,
        partial(_scores, transplant, photographs, scales),
        works,
        engine=engine,
        advance=lambda work: advance(len(work["photographs"])),
    )
    conditions = ["original", *BASELINES, *transplant.removals, *transplant.donors]
    order = {name: place for place, name in enumerate(photographs.names)}
    values = np.empty((len(SCORES), len(conditions), len(photographs)))
    logits: dict[str, np.ndarray] = {}
    for work in works:
        found, places = _load(store, work), [order[name] for name in work["photographs"]]
        for row, condition in enumerate(conditions):
            part = found[f"{condition}/logits"]
            whole = (len(photographs), part.shape[1])
            logits.setdefault(condition, np.empty(whole, part.dtype))[places] = part
            values[:, row, places] = found[f"{condition}/values"]
    return tabulated(
        transplant.network,
        photographs,
        labels,
        conditions,
        values,
        np.stack(list(logits.values())),
        shared["transplant"],
    )


def fitted(
    transplant: Transplant, photographs: Photographs, *, store: Store, calibration: int = 50
) -> dict[str, np.ndarray]:
    """Return what `scored` fitted on the first half: `DONOR/threshold`, `gain` and `kernels`."""
    work, _ = _scaling(_shared(transplant, photographs), photographs, calibration)
    return _load(store, work)


def _shared(transplant: Transplant, photographs: Photographs) -> dict[str, Any]:
    return {"transplant": transplant.record(), "content": photographs.digest()}


def _scaling(shared: dict[str, Any], photographs: Photographs, calibration: int) -> list[Work]:
    """Return the works that fit, one for each half of the photographs."""
    return [
        {
            "task": "scales",
            **shared,
            "photographs": list(photographs.part(_spread(half, calibration)).names),
        }
        for half in (range(start, len(photographs), 2) for start in (0, 1))
    ]


def _partners(names: Sequence[str], seed: int) -> list[str]:
    """Give each name another one, and each to one.

    Examples
    --------
    >>> _partners("abc", 0)
    ['c', 'a', 'b']
    """
    order = np.random.default_rng(seed).permutation(len(names))
    others = dict(zip(order.tolist(), np.roll(order, 1).tolist(), strict=True))
    return [names[others[place]] for place in range(len(names))]


def _spread(places: Sequence[int], count: int) -> list[int]:
    """Choose some places, evenly spread.

    Examples
    --------
    >>> _spread(range(0, 12, 2), 3)
    [0, 4, 8]
    """
    count = min(count, len(places))
    return [places[step * len(places) // count] for step in range(count)]


@torch.no_grad()
def _scales(transplant: Transplant, photographs: Photographs, work: Work) -> dict[str, bytes]:
    """Fit every donor, and its scale, on photographs."""
    names = work["photographs"]
    layer, units = transplant.layer, transplant.units
    before = transplant.network.before_rectifier(layer)
    found: dict[str, list[Tensor]] = {}
    for start in range(0, len(names), BATCH):
        pictures = _read(transplant, photographs, names[start : start + BATCH])
        own, given = sources(transplant.donors, transplant.network, [layer, before], pictures)
        rows = {name: maps[:, units] for name, maps in own.items()}
        for name, maps in (rows | {f"donors/{name}": maps for name, maps in given.items()}).items():
            found.setdefault(name, []).append(maps)
    whole = {name: torch.cat(maps) for name, maps in found.items()}
    fits = {"mean": whole[layer].mean((0, 2, 3))}
    for name, donor in transplant.donors.items():
        maps = whole.pop(f"donors/{name}")
        if not isinstance(donor, Donor):
            fits[f"{name}/kernels"] = donor.fit(maps, whole[before])
            maps = combined(maps, fits[f"{name}/kernels"])
        scale = Scale.between(maps, whole[layer])
        fits |= {f"{name}/{part}": value for part, value in vars(scale).items()}
    return _packed({name: value.cpu().numpy() for name, value in fits.items()})


@torch.no_grad()
def _scores(
    transplant: Transplant,
    photographs: Photographs,
    scales: Mapping[str, Mapping[str, np.ndarray]],
    work: Work,
) -> dict[str, bytes]:
    """Score some photographs under every condition."""
    names = work["photographs"]
    pictures = _read(transplant, photographs, names)
    wanted = torch.tensor(work["labels"])
    layer, units = transplant.layer, transplant.units
    device = transplant.network.device
    fits = {
        name: torch.from_numpy(each).to(device) for name, each in scales[work["scaled"][0]].items()
    }
    own, given = sources(transplant.donors, transplant.network, [layer], pictures)
    whole = own[layer]
    partners = _read(transplant, photographs, work["partners"])
    index = torch.tensor(units)

    def logits(places: list[int], maps: Tensor | float) -> Tensor:
        values = whole.clone()
        values[:, places] = torch.as_tensor(maps).to(values)
        return output_with(transplant.network, layer, values, pictures=pictures)

    original = output_with(transplant.network, layer, whole, pictures=pictures)
    found = {
        "original": original,
        "zero": logits(units, 0.0),
        "mean": logits(units, fits["mean"][:, None, None]),
        "resample": logits(
            units, transplant.network.unit_activations(partners, {layer: index})[layer]
        ),
    }
    for name, others in transplant.removals.items():
        found[name] = logits(units_of(transplant.network, others)[1], 0.0)
    for name, maps in given.items():
        kernels = fits.get(f"{name}/kernels")
        values = maps if kernels is None else combined(maps, kernels)
        found[name] = logits(units, Scale(fits[f"{name}/threshold"], fits[f"{name}/gain"])(values))
    return _packed(
        {f"{name}/values": values_of(each, original, wanted) for name, each in found.items()}
        | {f"{name}/logits": each.float().cpu().numpy() for name, each in found.items()}
    )


def _read(transplant: Transplant, photographs: Photographs, names: Sequence[str]) -> Tensor:
    return torch.stack([photographs.read(name, transplant.network.size) for name in names])


def _packed(arrays: Mapping[str, np.ndarray]) -> dict[str, bytes]:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return {"arrays.npz": file.getvalue()}


def _load(store: Store, work: Work) -> dict[str, np.ndarray]:
    with np.load(store.path(work) / "arrays.npz") as arrays:
        return dict(arrays)
