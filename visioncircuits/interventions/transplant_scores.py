"""Scores of a transplant: photographs under every removal and every donor, resumable."""

import io
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import datasets
from visioncircuits.datasets import Photographs, Source
from visioncircuits.engine import Engine, Store, Work, complete, local
from visioncircuits.errors import InputError
from visioncircuits.interventions.calibration import Scale
from visioncircuits.interventions.controls import units_of
from visioncircuits.interventions.effects import Scores
from visioncircuits.interventions.replacement import output_with
from visioncircuits.interventions.scoring import SCORES, classes_of, tabulated, values_of
from visioncircuits.interventions.transplants import Transplant
from visioncircuits.networks.grids import onto
from visioncircuits.progress import Advance, bar, no_progress

BATCH = 25
"""Photographs that go through the networks at once, and are one piece of work."""

Maps = Float[Tensor, "batch units rows columns"]


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

    Donors are scaled to the units that they replace: `gain · relu(value − threshold)`, with the
    threshold and gain of each such that it is active as often as its unit, and as strongly. Scales
    are fitted on photographs that are not scored with them: the photographs at even places are
    scored with scales from some at odd places, and the other way round.

    Parameters
    ----------
    transplant
        Which family, in which network, is replaced by what.
    photographs
        What it is scored on, with classes; sorted by class, the two halves hold classes alike.
    store
        Keeps what is finished; an interrupted run goes on from it.
    calibration
        How many photographs of each half set the scales.
    engine
        Who does the work; this process by default.
    progress
        Whether to show a bar.

    Returns
    -------
    Scores
        By `condition` and `photograph`; conditions are "original", "removed", the other removals
        and the donors.

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
    ['original', 'removed', 'swapped']
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
    fitted = [photographs.part(_spread(half, calibration)) for half in halves]
    record = transplant.record()
    shared = {"transplant": record, "content": photographs.digest()}
    scaling: list[Work] = [
        {"task": "scales", **shared, "photographs": list(part.names)} for part in fitted
    ]
    complete(store, partial(_scales, transplant, photographs), scaling, engine=engine)
    works: list[Work] = [
        {
            "task": "scores",
            **shared,
            "scaled": list(fitted[1 - side].names),
            "photographs": list(photographs.part(half[start : start + BATCH]).names),
            "labels": labels[list(half[start : start + BATCH])].tolist(),
        }
        for side, half in enumerate(halves)
        for start in range(0, len(half), BATCH)
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
    conditions = ["original", "removed", *transplant.removals, *transplant.donors]
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
        record,
    )


def _all_maps(
    transplant: Transplant, pictures: Float[Tensor, "batch 3 height width"]
) -> Iterator[tuple[str, Maps]]:
    """Compute the maps of donors at the positions of the family.

    Donors of one network that follow one another are computed together.
    """
    size = transplant.network.size
    family = transplant.network.layer(transplant.layer)
    last, whole = None, pictures
    for name, donor in transplant.donors.items():
        if last != (donor.network.module, donor.layer):
            last = donor.network.module, donor.layer
            found = donor.network.activations(pictures, [donor.layer])[donor.layer]
            whole = onto(found, donor.network.layer_at(donor.layer, size), family)
        yield name, whole[:, donor.units]


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
    """Fit every donor's scale on photographs."""
    names = work["photographs"]
    maps: dict[str, list[Tensor]] = {name: [] for name in ("", *transplant.donors)}
    layer, index = transplant.layer, torch.tensor(transplant.units)
    for start in range(0, len(names), BATCH):
        pictures = _read(transplant, photographs, names[start : start + BATCH])
        found = transplant.network.unit_activations(pictures, {layer: index})
        maps[""].append(found[layer])
        for name, donated in _all_maps(transplant, pictures):
            maps[name].append(donated)
    family = torch.cat(maps.pop(""))
    return _packed(
        {
            f"{name}/{part}": value.numpy()
            for name, found in maps.items()
            for part, value in vars(Scale.between(torch.cat(found), family)).items()
        }
    )


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
    layer, units, fitted = transplant.layer, transplant.units, scales[work["scaled"][0]]
    whole = transplant.network.activations(pictures, [layer])[layer]

    def logits(places: list[int], maps: Tensor | float) -> Tensor:
        values = whole.clone()
        values[:, places] = torch.as_tensor(maps, dtype=values.dtype)
        return output_with(transplant.network, layer, values, pictures=pictures)

    original = output_with(transplant.network, layer, whole, pictures=pictures)
    found = {"original": original, "removed": logits(units, 0.0)}
    for name, others in transplant.removals.items():
        found[name] = logits(units_of(transplant.network, others)[1], 0.0)
    for name, maps in _all_maps(transplant, pictures):
        scale = Scale(*(torch.from_numpy(fitted[f"{name}/{x}"]) for x in ("threshold", "gain")))
        found[name] = logits(units, scale(maps))
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
