"""The phase diagram of two features in one dimension: dropped, alone, or in superposition."""

import json
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from visioncircuits import numbers
from visioncircuits.errors import InputError
from visioncircuits.figures import Figure
from visioncircuits.labeled import LabeledTable
from visioncircuits.toy.measures import REPRESENTED, interference
from visioncircuits.toy.models import Model, ReLUOutput
from visioncircuits.toy.tasks import Task
from visioncircuits.toy.training import train

PHASES = ("not represented", "dedicated dimension", "superposition")
"""What may become of a feature, as `PhaseDiagram.phase` numbers it."""

IMPORTANCES = tuple(float(value) for value in np.geomspace(0.1, 10, 10))
SPARSITIES = tuple(float(value) for value in 1 - np.geomspace(1, 0.03, 10))


class PhaseDiagram(LabeledTable):  # type: ignore[no-untyped-call]
    """What becomes of the second of two features: an `xarray.Dataset`.

    Dimensions are its `importance`, that of the first being 1, and the `sparsity` of both. `length`
    is that of its direction, `interference` is as `toy.interference` measures it, and `phase` is
    its place in `PHASES`.

    Examples
    --------
    >>> diagram = phase_diagram(importances=(1.0,), sparsities=(0.0, 0.9), steps=20)
    >>> dict(diagram.phase.sizes)
    {'importance': 1, 'sparsity': 2}
    """

    __slots__ = ()
    contents = "a phase diagram"
    dimensions = ("importance", "sparsity")

    def _picture(self) -> Figure:
        from visioncircuits.toy.plots import phase_panel

        return phase_panel(self)


def phase_diagram(
    *,
    importances: Sequence[float] = IMPORTANCES,
    sparsities: Sequence[float] = SPARSITIES,
    model: type[Model] = ReLUOutput,
    draws: int = 3,
    steps: int = 1000,
    batch: int = 1024,
    seed: int = 0,
    device: str = "cpu",
    progress: bool = False,
) -> PhaseDiagram:
    """Train two features in one dimension for many importances and sparsities.

    Parameters
    ----------
    importances
        Of the second feature, relative to the first.
    sparsities
        Of both.
    model
        As in `train`; with `Linear` there is no superposition.
    draws
        Models for each cell, of which the one with the lowest loss counts: some end in a local
        minimum.
    steps, batch, device, progress
        As in `train`.
    seed
        Of the first draw; others follow.

    Raises
    ------
    InputError
        For no importances or sparsities, and as `train`.

    Notes
    -----
    The diagram of "Toy Models of Superposition" (Elhage et al., 2022) for n = 2 and m = 1.

    Examples
    --------
    >>> diagram = phase_diagram(importances=(0.1, 1.0), sparsities=(0.0, 0.95), steps=400)
    >>> PHASES[int(diagram.phase.sel(importance=1, sparsity=0.95))]
    'superposition'
    """
    numbers.whole("draws", draws, least=1)
    if not importances or not sparsities:
        raise InputError("a phase diagram needs at least one importance and one sparsity")
    tasks = [
        Task(features=2, hidden=1, sparsity=s, importance=(1.0, i), seed=seed + draw)
        for i in importances
        for s in sparsities
        for draw in range(draws)
    ]
    found = train(tasks, model=model, steps=steps, batch=batch, device=device, progress=progress)
    shape = len(importances), len(sparsities)
    best = found.loss.values.reshape(*shape, draws).argmin(-1)
    chosen = np.arange(best.size) * draws + best.ravel()
    weights = found.weights.values[chosen]
    dims = ("importance", "sparsity")
    length = np.linalg.norm(weights, axis=1)[:, 1].reshape(shape)
    shared = interference(weights)[:, 1].reshape(shape)
    record = {**found.record, "draws": draws}
    return PhaseDiagram(
        {
            "length": (dims, length),
            "interference": (dims, shared),
            "phase": (dims, _phases(length, shared)),
        },
        coords={"importance": list(importances), "sparsity": list(sparsities)},
        attrs={"record": json.dumps(record, sort_keys=True)},
    )


def _phases(
    length: Float[np.ndarray, "*shape"], interference: Float[np.ndarray, "*shape"]
) -> Int[np.ndarray, "*shape"]:
    kept = np.where(interference < REPRESENTED**2, 1, 2)
    return np.where(length < REPRESENTED, 0, kept)


def expected_phase(importance: float, sparsity: float) -> int:
    """Compare the losses of three ideal solutions by formula, and return the best one's phase.

    The first feature alone leaves out the second, and costs its variance, p/3 − p²/4 of a feature
    that occurs with the probability p, times its importance; the second alone costs the first's;
    at opposite ends both are off by the smaller of two values that occur at once: p²/6 times both
    importances.

    Parameters
    ----------
    importance
        Of the second feature, relative to the first.
    sparsity
        Of both.

    Returns
    -------
    int
        A place in `PHASES`.

    Raises
    ------
    InputError
        For a negative importance, or a sparsity outside [0, 1).

    Notes
    -----
    Directions of length 1 and no bias at opposite ends: trained models shorten and shift them a
    little, so that their limits lie a little elsewhere. Formulas as Elhage et al. (2022) derive
    them.

    Examples
    --------
    >>> [PHASES[expected_phase(1.0, sparsity)] for sparsity in (0.42, 0.44)]
    ['not represented', 'superposition']
    """
    numbers.real("importance", importance, least=0)
    p = 1 - numbers.real("sparsity", sparsity, least=0, most=1)
    dropped = p / 3 - p * p / 4
    losses = importance * dropped, dropped, (1 + importance) * p * p / 6
    return int(np.argmin(losses))
