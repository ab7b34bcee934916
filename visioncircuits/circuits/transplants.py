"""Transplants: a family is removed from a network, another takes its place, and we keep score.

Source: Cammarata et al., "Curve Circuits" (2021), where handwritten curve detectors in the place of
the trained ones bring back more than half of what top-5 accuracy loses without any.
"""

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int64
from torch import Tensor

import visioncircuits
from visioncircuits import fingerprint
from visioncircuits.circuits.grids import onto
from visioncircuits.circuits.photographs import Photographs
from visioncircuits.circuits.replacement import replaced
from visioncircuits.engine import Engine, Store, Work, complete, local
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, imagenet_classes

BATCH = 25
"""Photographs that go through the networks at once, and are one piece of work."""

SCORES = ("cross_entropy", "divergence", "top1", "top5")

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
    """

    network: Network
    layer: str
    units: tuple[int, ...]


@dataclass(frozen=True)
class Scale:
    """What makes a donor speak like the unit that it replaces: `gain · relu(value − threshold)`.

    Attributes
    ----------
    threshold, gain
        One number a unit.
    """

    threshold: Float[Tensor, " units"]
    gain: Float[Tensor, " units"]

    @classmethod
    def between(cls, donors: Maps, family: Maps) -> "Scale":
        """Choose scales so that each donor fires as often as its unit, and as strongly on average.

        Parameters
        ----------
        donors
            Their values before a rectifier, on some photographs.
        family
            The activations of the units that they replace, on the same.

        Examples
        --------
        >>> family = torch.tensor([0.0, 0.0, 2.0, 6.0]).reshape(1, 1, 2, 2)
        >>> scale = Scale.between(family / 8 + 5, family)
        >>> scale(family / 8 + 5).flatten().tolist()
        [0.0, 0.0, 2.0, 6.0]
        """
        values, wanted = (maps.transpose(0, 1).flatten(1).float() for maps in (donors, family))
        firing = (wanted > 0).sum(1)
        ordered = values.sort(1, descending=True).values
        first_silent = firing.clamp(max=ordered.shape[1] - 1)
        threshold = ordered.gather(1, first_silent[:, None])[:, 0]
        driven = (values - threshold[:, None]).clamp(min=0).sum(1)
        gain = torch.where(driven > 0, wanted.sum(1) / driven, 0.0)
        return cls(threshold, gain)

    def __call__(self, donors: Maps) -> Maps:
        """Scale donors' values."""
        threshold, gain = (
            each.to(donors)[None, :, None, None] for each in (self.threshold, self.gain)
        )
        return gain * (donors - threshold).clamp(min=0)


@dataclass(frozen=True)
class Operation:
    """A family to be replaced, by each of several donors, or removed.

    Attributes
    ----------
    network, layer, units
        The family.
    donors
        By name.
    removals
        By name, sets of units to set to zero instead; the family's own is called "removed".
    """

    network: Network
    layer: str
    units: tuple[int, ...]
    donors: Mapping[str, Donor]
    removals: Mapping[str, tuple[int, ...]]

    def check(self) -> None:
        """Find out what is wrong before anything is computed.

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
        """Say what is done, as plain data."""
        return {
            "version": visioncircuits.__version__,
            "code": fingerprint.code(),
            "network": self.network.record(),
            "layer": self.layer,
            "units": list(self.units),
            "donors": {
                name: {
                    "network": donor.network.record(),
                    "parameters": _parameters(donor.network),
                    "layer": donor.layer,
                    "units": list(donor.units),
                }
                for name, donor in self.donors.items()
            },
            "removals": {name: list(units) for name, units in self.removals.items()},
        }


def check_classes(network: Network) -> None:
    """Refuse a network whose logits are not known to be ImageNet's classes, in sorted order.

    Raises
    ------
    InputError
        Where `network.classes` is None, names others or these in another order, as inception5h
        has them, or where there are more or fewer logits.
    """
    if network.classes != imagenet_classes():
        known = "it has others, or in another order" if network.classes else "its are not known"
        raise InputError(
            f"scoring by labels takes a network of ImageNet's 1000 classes in the order of their "
            f"synsets, and of {network.name} {known}; where its logits stand for them, wrap it "
            "with classes=networks.imagenet_classes()"
        )
    with torch.no_grad():
        logits = network(torch.zeros(1, network.preprocessing.channels, *(network.size,) * 2))
    if logits.ndim != 2 or logits.shape[1] != len(network.classes):
        raise InputError(
            f"{network.name} gives {tuple(logits.shape[1:])} values a picture, not a logit for "
            "each of its 1000 classes"
        )


def _parameters(network: Network) -> str:
    """Give the SHA-256 of a network's parameters, for one that has no checkpoint."""
    sha = hashlib.sha256()
    for name, value in sorted(network.module.state_dict().items()):
        sha.update(name.encode())
        sha.update(value.cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()


def control_units(
    network: Network, layer: str, units: Sequence[int], *, seed: int = 0
) -> tuple[int, ...]:
    """Draw as many other units from the branches that a family lies in.

    Raises
    ------
    InputError
        Where there are not so many.
    """
    branches = network.branches(layer).values() or [range(network.layer(layer).units)]
    home = [span for span in branches if any(unit in span for unit in units)]
    others = [unit for span in home for unit in span if unit not in units]
    if len(others) < len(units):
        raise InputError(
            f"{layer} has only {len(others)} units beside the family; a control needs {len(units)}"
        )
    drawn = np.random.default_rng(seed).choice(others, len(units), replace=False)
    return tuple(sorted(int(unit) for unit in drawn))


def perform(
    operation: Operation,
    photographs: Photographs,
    *,
    store: Store,
    calibration: int = 50,
    engine: Engine | None = None,
    advance: Callable[[int], object] = lambda more: None,
) -> xr.Dataset:
    """Score a network on photographs, intact and under every removal and every transplant.

    Donors are scaled to the units that they replace (`Scale`) on photographs that are not scored
    with those scales: the photographs at even places are scored with scales from some at odd
    places, and the other way round.

    Parameters
    ----------
    operation
        What is done to which network.
    photographs
        What it is scored on; sorted by class, the two halves hold classes alike.
    store
        Keeps what is finished; an interrupted run goes on from it.
    calibration
        How many photographs of each half set the scales.
    engine
        Who does the work; this process by default.
    advance
        Is told how many photographs more are scored.

    Returns
    -------
    xarray.Dataset
        `cross_entropy` (nats), `divergence` from the intact network (Kullback-Leibler, nats),
        `top1` and `top5` (0 or 1), by `condition` and `photograph`; conditions are "intact",
        "removed", the other removals and the donors.

    Raises
    ------
    InputError
        As `Operation.check`; for fewer than 4 photographs, or a damaged one.
    """
    operation.check()
    if len(photographs) < 4:
        raise InputError(f"a score needs 4 photographs or more, not {len(photographs)}")
    engine = engine or local(workers=1)
    halves = [range(start, len(photographs), 2) for start in (0, 1)]
    learnt = [photographs.part(_spread(half, calibration)) for half in halves]
    record = operation.record()
    shared = {"operation": record, "content": fingerprint.content(photographs.paths)}
    scaling: list[Work] = [
        {"task": "scales", **shared, "photographs": part.names} for part in learnt
    ]
    paths = dict(zip(photographs.names, photographs.paths, strict=True))
    labels = dict(zip(photographs.names, photographs.labels, strict=True))
    complete(store, partial(_scales, operation, paths), scaling, engine=engine)
    works: list[Work] = [
        {
            "task": "scores",
            **shared,
            "scaled": learnt[1 - side].names,
            "photographs": photographs.part(half[start : start + BATCH]).names,
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
        partial(_scores, operation, paths, labels, scales),
        works,
        engine=engine,
        advance=lambda work: advance(len(work["photographs"])),
    )
    conditions = ["intact", "removed", *operation.removals, *operation.donors]
    order = {name: place for place, name in enumerate(photographs.names)}
    table = np.empty((len(SCORES), len(conditions), len(photographs)))
    for work in works:
        found, places = _load(store, work), [order[name] for name in work["photographs"]]
        for row, condition in enumerate(conditions):
            table[:, row, places] = found[condition]
    return xr.Dataset(
        {name: (("condition", "photograph"), table[place]) for place, name in enumerate(SCORES)},
        coords={"condition": conditions, "photograph": photographs.names},
        attrs={"record": json.dumps(record, sort_keys=True)},
    )


def _all_maps(
    operation: Operation, pictures: Float[Tensor, "batch 3 height width"]
) -> Iterator[tuple[str, Maps]]:
    """Compute what donors say where the family looks.

    Donors of one network that follow one another are computed together.
    """
    size = operation.network.size
    family = operation.network.layer(operation.layer)
    last, whole = None, pictures
    for name, donor in operation.donors.items():
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
def _scales(operation: Operation, paths: Mapping[str, Any], work: Work) -> dict[str, bytes]:
    """Learn every donor's scale from photographs."""
    names = work["photographs"]
    maps: dict[str, list[Tensor]] = {name: [] for name in ("", *operation.donors)}
    index = torch.tensor(operation.units)
    for start in range(0, len(names), BATCH):
        pictures = _read(operation, paths, names[start : start + BATCH])
        found = operation.network.unit_activations(pictures, {operation.layer: index})
        maps[""].append(found[operation.layer])
        for name, donated in _all_maps(operation, pictures):
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
    operation: Operation,
    paths: Mapping[str, Any],
    labels: Mapping[str, int],
    scales: Mapping[str, Mapping[str, np.ndarray]],
    work: Work,
) -> dict[str, bytes]:
    """Score some photographs under every condition."""
    names = work["photographs"]
    pictures = _read(operation, paths, names)
    wanted = torch.tensor([labels[name] for name in names])
    units, learnt = list(operation.units), scales[work["scaled"][0]]
    whole = operation.network.activations(pictures, [operation.layer])[operation.layer]

    def said(places: Sequence[int], maps: Tensor | float) -> Tensor:
        values = whole.clone()
        values[:, list(places)] = torch.as_tensor(maps, dtype=values.dtype)
        return replaced(operation.network, operation.layer, values, pictures=pictures)

    intact = replaced(operation.network, operation.layer, whole, pictures=pictures)
    answers = {"intact": intact, "removed": said(units, 0.0)}
    for name, places in operation.removals.items():
        answers[name] = said(places, 0.0)
    for name, maps in _all_maps(operation, pictures):
        scale = Scale(*(torch.from_numpy(learnt[f"{name}/{x}"]) for x in ("threshold", "gain")))
        answers[name] = said(units, scale(maps))
    return _packed({name: score(answer, intact, wanted) for name, answer in answers.items()})


def score(
    logits: Float[Tensor, "batch classes"],
    intact: Float[Tensor, "batch classes"],
    labels: Int64[Tensor, " batch"],
) -> Float[np.ndarray, "scores batch"]:
    """Score answers: cross-entropy, divergence from the intact network's, top-1 and top-5."""
    said, before = (each.cpu().double().log_softmax(1) for each in (logits, intact))
    rank = (said > said.gather(1, labels[:, None])).sum(1)
    return np.stack(
        [
            -said.gather(1, labels[:, None])[:, 0].numpy(),
            (before.exp() * (before - said)).sum(1).numpy(),
            (rank < 1).double().numpy(),
            (rank < 5).double().numpy(),
        ]
    )


def _read(operation: Operation, paths: Mapping[str, Any], names: Sequence[str]) -> Tensor:
    some = Photographs(tuple(paths[name] for name in names), (0,) * len(names))
    return some.pictures(operation.network.size)


def _packed(arrays: Mapping[str, np.ndarray]) -> dict[str, bytes]:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return {"arrays.npz": file.getvalue()}


def _load(store: Store, work: Work) -> dict[str, np.ndarray]:
    with np.load(store.path(work) / "arrays.npz") as arrays:
        return dict(arrays)
