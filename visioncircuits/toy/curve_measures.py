"""What trained curve networks do: on fresh pictures, and on single curves of every orientation."""

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int

from visioncircuits import numbers
from visioncircuits.errors import InputError
from visioncircuits.toy.curves import POSITIONS, CurveNetwork, LinearCurveNetwork
from visioncircuits.toy.draws import Draws
from visioncircuits.toy.tasks import Task

_MODELS = {model.__name__: model for model in (CurveNetwork, LinearCurveNetwork)}


def curve_samples(solutions: xr.Dataset, *, pictures: int = 256, seed: int = 0) -> xr.Dataset:
    """Run curve networks on fresh pictures, each network on those of its own sparsity.

    Parameters
    ----------
    solutions
        From `train`, of `CurveNetwork` or `LinearCurveNetwork`.
    pictures
        Of 16 positions each.
    seed
        Of the pictures; none gives those of the training.

    Returns
    -------
    xarray.Dataset
        Over `instance` and `sample`, a position of a picture: `features`, the contrasts of the
        curves that are there, `hidden`, what the units do, and `output`, the contrasts as read.

    Raises
    ------
    InputError
        For solutions of other models, or no pictures.

    Examples
    --------
    >>> from visioncircuits.toy import CurveNetwork, Task, train
    >>> found = train([Task(features=8, hidden=3)], model=CurveNetwork, steps=2, batch=32)
    >>> dict(curve_samples(found, pictures=2).sizes)
    {'instance': 1, 'sample': 32, 'feature': 8, 'hidden': 3}
    """
    numbers.whole("pictures", pictures, least=1)
    network = _network(solutions)
    tasks = [Task(**{**task, "importance": ()}) for task in solutions.record["tasks"]]
    generators = {task.seed: np.random.default_rng([1, seed, task.seed]) for task in tasks}
    with torch.no_grad():
        features = Draws(tasks, pictures * POSITIONS, generators)()
        hidden = network.units(network.patches(features))
        output = network.read(hidden)
    return xr.Dataset(
        {
            "features": (("instance", "sample", "feature"), features.numpy()),
            "hidden": (("instance", "sample", "hidden"), hidden.numpy()),
            "output": (("instance", "sample", "feature"), output.numpy()),
        }
    )


def explained(samples: xr.Dataset) -> Float[np.ndarray, "instances features"]:
    """Measure how much of every feature's variance is read back: R², 1 at best.

    Parameters
    ----------
    samples
        From `curve_samples`.

    Examples
    --------
    Read back without error, and always as its mean:

    >>> both = np.array([[[0.0, 0.0], [1.0, 1.0]]])
    >>> read = np.array([[[0.0, 0.5], [1.0, 0.5]]])
    >>> dims = ("instance", "sample", "feature")
    >>> explained(xr.Dataset({"features": (dims, both), "output": (dims, read)})).tolist()
    [[1.0, 0.0]]
    """
    features, output = samples["features"].values, samples["output"].values
    return np.asarray(1 - ((output - features) ** 2).mean(1) / features.var(1))


def curve_tuning(solutions: xr.Dataset, *, step: float = 5.0) -> xr.DataArray:
    """Measure what units do where there is one curve, by its orientation: tuning curves.

    Parameters
    ----------
    solutions
        From `train`, of `CurveNetwork` or `LinearCurveNetwork`.
    step
        Between orientations, in degrees.

    Returns
    -------
    xarray.DataArray
        Over `instance`, `hidden` and `orientation`.

    Raises
    ------
    InputError
        For solutions of other models, or a step that is not in (0, 180].

    Examples
    --------
    >>> from visioncircuits.toy import CurveNetwork, Task, train
    >>> found = train([Task(features=8, hidden=3)], model=CurveNetwork, steps=2, batch=32)
    >>> curve_tuning(found, step=90).orientation.values.tolist()
    [0.0, 90.0, 180.0, 270.0]
    """
    numbers.real("step", step, least=0, most=180, open=True)
    orientations = np.arange(0, 360, step, dtype=float)
    with torch.no_grad():
        values = _network(solutions).single(orientations).mT
    return xr.DataArray(
        values.numpy(),
        coords={"orientation": orientations},
        dims=("instance", "hidden", "orientation"),
    )


def preferences(tuning: Float[np.ndarray, "*units orientations"]) -> Int[np.ndarray, "*units"]:
    """Count what each unit prefers: separate ranges of orientation above half of its peak.

    Parameters
    ----------
    tuning
        Around the circle, such as `curve_tuning`.

    Returns
    -------
    ndarray
        1 for one range, however wide, and 0 for a unit that nothing activates.

    Examples
    --------
    >>> preferences(np.array([[9.0, 1, 0, 8], [9, 1, 8, 0], [0, 0, 0, 0]])).tolist()
    [1, 2, 0]
    """
    values = np.asarray(tuning)
    peak = values.max(-1, keepdims=True)
    above = (values > peak / 2) & (peak > 0)
    begins = above & ~np.roll(above, 1, -1)
    return np.asarray(np.where(above.all(-1), 1, begins.sum(-1)))


def _network(solutions: xr.Dataset) -> CurveNetwork:
    model = _MODELS.get(solutions.record["model"])
    if model is None:
        raise InputError(
            f"curves are drawn for {' and '.join(_MODELS)}, and these are solutions of "
            f"{solutions.record['model']}"
        )
    names = ("coordinates", "hidden_bias", "output_weights", "bias")
    return model(*(torch.tensor(solutions[name].values) for name in names))
