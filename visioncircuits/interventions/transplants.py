"""Transplants: a family of units is removed from a network, and another takes its place.

Source: Cammarata et al., "Curve Circuits" (2021), where handwritten curve detectors in the place of
the trained ones bring back more than half of what top-5 accuracy loses without any.

What is planned, scaled and scored is one piece of work that can be interrupted, which is why
the module has more than 300 lines.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

import visioncircuits
from visioncircuits import datasets, fingerprint
from visioncircuits.datasets import Photographs, Source
from visioncircuits.engine import Engine, Store, Work, complete, local
from visioncircuits.errors import InputError
from visioncircuits.interventions.calibration import Scale
from visioncircuits.interventions.effects import Scores
from visioncircuits.interventions.replacement import output_with
from visioncircuits.interventions.scoring import SCORES, check_classes, score
from visioncircuits.networks import Network
from visioncircuits.networks.grids import onto
from visioncircuits.progress import bar

BATCH = 25
"""Photographs that go through the networks at once, and are one piece of work."""

Maps = Float[Tensor, "batch units rows columns"]


@dataclass(frozen=True)
class Donor:
    """Units that take the place of a family.

    Attributes
    ----------
    network
        That they are computed in, from the pixels.
    layer
        Theirs, before its rectifier: what is passed on is decided anew, see `Scale`.
    units
        One for each unit of the family, in the family's order.

    Examples
    --------
    >>> from torch import nn
    >>> from visioncircuits.networks import Preprocessing, imagenet_classes, wrap
    >>> layers = nn.Conv2d(3, 6, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    >>> module = nn.Sequential(*layers, nn.Linear(6, 1000))
    >>> network = wrap(module, Preprocessing(), size=32, classes=imagenet_classes())
    >>> Donor(network, "0", (5, 0)).layer
    '0'
    """

    network: Network
    layer: str
    units: tuple[int, ...]


@dataclass(frozen=True)
class Transplant:
    """A family to be replaced, by each of several donors, or removed.

    Attributes
    ----------
    network, layer, units
        The family.
    donors
        By name.
    removals
        By name, sets of units to set to zero instead; the family's own is called "removed".

    Examples
    --------
    >>> from torch import nn
    >>> from visioncircuits.networks import Preprocessing, imagenet_classes, wrap
    >>> layers = nn.Conv2d(3, 6, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    >>> module = nn.Sequential(*layers, nn.Linear(6, 1000))
    >>> network = wrap(module, Preprocessing(), size=32, classes=imagenet_classes())
    >>> swapped = Transplant(network, "1", (0, 5), {"swapped": Donor(network, "0", (5, 0))}, {})
    >>> list(swapped.donors)
    ['swapped']
    """

    network: Network
    layer: str
    units: tuple[int, ...]
    donors: Mapping[str, Donor]
    removals: Mapping[str, tuple[int, ...]]

    def check(self) -> None:
        """Check that all of it fits, before anything is computed.

        Raises
        ------
        InputError
            For layers or units that are not there, donors of another number or without positions,
            and a network without classes.
        """
        family = self.network.layer(self.layer)
        for unit in self.units:
            self.network.feature(f"{self.layer}:{unit}")
        for name, donor in self.donors.items():
            if len(donor.units) != len(self.units):
                raise InputError(
                    f"{len(self.units)} units need as many donors; {name} has {len(donor.units)}"
                )
            if len(donor.network.layer(donor.layer).shape) != len(family.shape):
                raise InputError(
                    f"{donor.layer} of {name} has no positions; a transplant needs a map a unit"
                )
        check_classes(self.network)

    def record(self) -> dict[str, Any]:
        """Describe it as plain data, for provenance."""
        return {
            "version": visioncircuits.__version__,
            "code": fingerprint.code(),
            "network": self.network.record(),
            "layer": self.layer,
            "units": list(self.units),
            "donors": {
                name: {
                    "network": donor.network.record(),
                    "layer": donor.layer,
                    "units": list(donor.units),
                }
                for name, donor in self.donors.items()
            },
            "removals": {name: list(units) for name, units in self.removals.items()},
        }


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

    Donors are scaled to the units that they replace (`Scale`) on photographs that are not scored
    with those scales: the photographs at even places are scored with scales from some at odd
    places, and the other way round.

    Parameters
    ----------
    transplant
        Which family, in which network, is replaced by what.
    photographs
        What it is scored on; sorted by class, the two halves hold classes alike.
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
        `cross_entropy` (nats), `divergence` from the original network (Kullback-Leibler, nats),
        `top1` and `top5` (0 or 1), by `condition` and `photograph`; conditions are "original",
        "removed", the other removals and the donors.

    Raises
    ------
    InputError
        As `Transplant.check`; for fewer than 4 photographs, or a damaged one.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from torch import nn
    >>> from visioncircuits.networks import Preprocessing, imagenet_classes, wrap
    >>> layers = nn.Conv2d(3, 6, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    >>> module = nn.Sequential(*layers, nn.Linear(6, 1000))
    >>> network = wrap(module, Preprocessing(), size=32, classes=imagenet_classes())
    >>> swapped = Transplant(network, "1", (0, 5), {"swapped": Donor(network, "0", (5, 0))}, {})
    >>> shown = datasets.photographs(torch.rand(4, 3, 40, 40), labels=[0, 1, 2, 3])
    >>> with TemporaryDirectory() as folder:
    ...     scores = score_transplant(swapped, shown, store=Store(Path(folder)))
    >>> scores["condition"].values.tolist()
    ['original', 'removed', 'swapped']
    """
    transplant.check()
    shown = datasets.photographs(photographs)
    if len(shown) < 4:
        raise InputError(f"a score needs 4 photographs or more, not {len(shown)}")
    engine = engine or local(workers=1)
    halves = [range(start, len(shown), 2) for start in (0, 1)]
    fitted = [shown.part(_spread(half, calibration)) for half in halves]
    record = transplant.record()
    shared = {"transplant": record, "content": shown.digest()}
    scaling: list[Work] = [
        {"task": "scales", **shared, "photographs": list(part.names)} for part in fitted
    ]
    labels = shown.labels_in(transplant.network)
    wanted = dict(zip(shown.names, labels, strict=True))
    complete(store, partial(_scales, transplant, shown), scaling, engine=engine)
    works: list[Work] = [
        {
            "task": "scores",
            **shared,
            "scaled": list(fitted[1 - side].names),
            "photographs": list(shown.part(half[start : start + BATCH]).names),
        }
        for side, half in enumerate(halves)
        for start in range(0, len(half), BATCH)
    ]
    finished = {store.path(work) for work in store.finished()}
    scales = {work["photographs"][0]: _load(store, work) for work in scaling}
    with bar("photographs", len(shown), visible=progress) as advance:
        advance(sum(len(w["photographs"]) for w in works if store.path(w) in finished))
        complete(
            store,
            partial(_scores, transplant, shown, wanted, scales),
            works,
            engine=engine,
            advance=lambda work: advance(len(work["photographs"])),
        )
    conditions = ["original", "removed", *transplant.removals, *transplant.donors]
    order = {name: place for place, name in enumerate(shown.names)}
    table = np.empty((len(SCORES), len(conditions), len(shown)))
    for work in works:
        found, places = _load(store, work), [order[name] for name in work["photographs"]]
        for row, condition in enumerate(conditions):
            table[:, row, places] = found[condition]
    return Scores(
        {name: (("condition", "photograph"), table[place]) for place, name in enumerate(SCORES)},
        coords={"condition": conditions, "photograph": list(shown.names)},
        attrs={"record": json.dumps(record, sort_keys=True)},
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
        yield name, whole[:, list(donor.units)]


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
    index = torch.tensor(transplant.units)
    for start in range(0, len(names), BATCH):
        pictures = _read(transplant, photographs, names[start : start + BATCH])
        found = transplant.network.unit_activations(pictures, {transplant.layer: index})
        maps[""].append(found[transplant.layer])
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
    labels: Mapping[str, int],
    scales: Mapping[str, Mapping[str, np.ndarray]],
    work: Work,
) -> dict[str, bytes]:
    """Score some photographs under every condition."""
    names = work["photographs"]
    pictures = _read(transplant, photographs, names)
    wanted = torch.tensor([labels[name] for name in names])
    units, fitted = list(transplant.units), scales[work["scaled"][0]]
    whole = transplant.network.activations(pictures, [transplant.layer])[transplant.layer]

    def logits(places: Sequence[int], maps: Tensor | float) -> Tensor:
        values = whole.clone()
        values[:, list(places)] = torch.as_tensor(maps, dtype=values.dtype)
        return output_with(transplant.network, transplant.layer, values, pictures=pictures)

    original = output_with(transplant.network, transplant.layer, whole, pictures=pictures)
    found = {"original": original, "removed": logits(units, 0.0)}
    for name, places in transplant.removals.items():
        found[name] = logits(places, 0.0)
    for name, maps in _all_maps(transplant, pictures):
        scale = Scale(*(torch.from_numpy(fitted[f"{name}/{x}"]) for x in ("threshold", "gain")))
        found[name] = logits(units, scale(maps))
    return _packed({name: score(each, original, wanted) for name, each in found.items()})


def _read(transplant: Transplant, photographs: Photographs, names: Sequence[str]) -> Tensor:
    return torch.stack([photographs.read(name, transplant.network.size) for name in names])


def _packed(arrays: Mapping[str, np.ndarray]) -> dict[str, bytes]:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return {"arrays.npz": file.getvalue()}


def _load(store: Store, work: Work) -> dict[str, np.ndarray]:
    with np.load(store.path(work) / "arrays.npz") as arrays:
        return dict(arrays)
