"""Training of many toy models at once, and what they became."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch.optim import Adam

from visioncircuits import __version__, numbers
from visioncircuits.errors import InputError
from visioncircuits.figures import Figure
from visioncircuits.labeled import LabeledTable
from visioncircuits.progress import bar
from visioncircuits.toy.draws import Draws
from visioncircuits.toy.models import Model, ReLUOutput
from visioncircuits.toy.tasks import Task

LAST = 100
"""Batches that a model's loss is measured on, after training."""


class Solutions(LabeledTable):  # type: ignore[no-untyped-call]
    """What toy models became: an `xarray.Dataset` over their `instance`.

    `weights` are those of the models, dimensions `instance`, `hidden` and `feature`, `bias` has
    `instance` and `feature`, `loss` is the mean squared error, weighted by importance, of fresh
    batches. `output_weights` are those of `AbsoluteValue` and `CurveNetwork`, which has `kernels`
    too. Coordinates are `sparsity` and `seed` of every instance, and `importance`.

    Examples
    --------
    >>> found = train([Task(features=3, hidden=2)], steps=10)
    >>> dict(found.weights.sizes), found.record["tasks"][0]["features"]
    ({'instance': 1, 'hidden': 2, 'feature': 3}, 3)
    """

    __slots__ = ()
    contents = "solutions of toy models"
    dimensions = ("instance", "hidden", "feature")

    def _picture(self) -> Figure | None:
        from visioncircuits.toy.plots import directions_panel

        few = self.sizes["hidden"] == 2 and self.sizes["instance"] <= 12
        return directions_panel(self) if few else None


def train(
    tasks: Sequence[Task],
    *,
    model: type[Model] = ReLUOutput,
    steps: int = 2000,
    batch: int = 1024,
    rate: float = 0.01,
    device: str = "cpu",
    progress: bool = False,
) -> Solutions:
    """Train a toy model for each of many tasks, all at once.

    What becomes of a task does not depend on which others are trained beside it, beyond float
    rounding.

    Parameters
    ----------
    tasks
        Of the same number of features and hidden dimensions, correlation and sets; sparsity,
        importance and seed may differ.
    model
        `ReLUOutput`, `Linear`, `AbsoluteValue`, `CurveNetwork`, or another `Model`.
    steps
        Of Adam.
    batch
        Inputs a step, drawn anew.
    rate
        Learning rate of the first step, which falls to 0 along a quarter of a cosine.
    device
        Such as "cuda"; random numbers are the same on any.
    progress
        Whether to show a bar.

    Raises
    ------
    InputError
        For no tasks, tasks of different shapes, and numbers out of range.

    Notes
    -----
    Elhage et al. (2022) train for 10,000 steps at a rate of .001. These are as many
    inputs at a fifth, and reach the same plateaus, as the tests of this package show.

    Examples
    --------
    Features that are as important as each other, in two dimensions, from dense to sparse:

    >>> tasks = [Task(features=5, hidden=2, sparsity=sparsity) for sparsity in (0.0, 0.8, 0.9)]
    >>> train(tasks, steps=20).sparsity.values.tolist()
    [0.0, 0.8, 0.9]
    """
    tasks = _checked(tasks)
    numbers.whole("steps", steps, least=1)
    numbers.whole("batch", batch, least=1)
    numbers.real("rate", rate, least=0, open=True)
    first = tasks[0]
    seeds = dict.fromkeys(task.seed for task in tasks)
    generators = {seed: np.random.default_rng(seed) for seed in seeds}
    draw = Draws(tasks, batch, generators, signed=model.signed, device=device)
    started = model.drawn(first.features, first.hidden, [*generators.values()])
    trained = _one_each(started, draw.rows).to(device)
    importance = torch.tensor([task.weights for task in tasks], device=device)[:, None]
    optimizer = Adam(trained.parameters(), lr=rate, fused=True)

    def losses() -> torch.Tensor:
        features = draw()
        errors = trained(features) - trained.target(features)
        weighted: torch.Tensor = errors.square() * importance
        return weighted.mean((1, 2))

    with bar("steps", steps, visible=progress) as advance:
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = rate * math.cos(math.pi / 2 * step / steps)
            optimizer.zero_grad()
            losses().sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            advance(1)
    with torch.no_grad():
        final = torch.stack([losses() for _ in range(LAST)]).mean(0)
    options = {"steps": steps, "batch": batch, "rate": rate, "device": torch.device(device).type}
    return _solutions(trained, final, tasks, {"model": model.__name__, **options})


def _checked(tasks: Sequence[Task]) -> list[Task]:
    if not tasks:
        raise InputError("give at least one task to train a toy model on")
    shapes = {(t.features, t.hidden, t.correlation, t.set_size) for t in tasks}
    if len(shapes) > 1:
        raise InputError(
            "tasks of one call must have the same features, hidden dimensions, correlation and "
            f"sets, not {len(shapes)} different; call once for each"
        )
    return list(tasks)


def _one_each(started: Model, rows: list[int]) -> Model:
    """Return a model with an instance a row: those of one seed start alike."""
    return type(started)(**{name: p.detach()[rows] for name, p in started.named_parameters()})


def _solutions(
    trained: Model, losses: torch.Tensor, tasks: Sequence[Task], options: dict[str, Any]
) -> Solutions:
    with torch.no_grad():
        values = {
            name: (dims, each.cpu().numpy()) for name, (dims, each) in trained.values().items()
        }
    record = {
        "visioncircuits": __version__,
        "torch": torch.__version__,
        **options,
        "tasks": [asdict(task) for task in tasks],
    }
    return Solutions(
        {
            **values,
            "loss": ("instance", losses.cpu().numpy()),
        },
        coords={
            "sparsity": ("instance", np.array([task.sparsity for task in tasks])),
            "seed": ("instance", np.array([task.seed for task in tasks])),
            "importance": (("instance", "feature"), np.array([task.weights for task in tasks])),
        },
        attrs={"record": json.dumps(record, sort_keys=True)},
    )
