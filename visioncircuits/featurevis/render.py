"""Rendering: pictures that maximize a feature's activation or another objective."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version

import torch
from jaxtyping import Float
from torch import Tensor

import visioncircuits
from visioncircuits.errors import InputError
from visioncircuits.featurevis.defaults import suited
from visioncircuits.featurevis.lucent import (
    LucentObjective,
    LucentParameterization,
    from_lucent,
    parameterization,
)
from visioncircuits.featurevis.objective import Objective
from visioncircuits.featurevis.objectives import neuron
from visioncircuits.featurevis.optimizer import optimize, read
from visioncircuits.featurevis.settings import Settings
from visioncircuits.featurevis.transforms import NO_TRANSFORMS
from visioncircuits.featurevis.transparency import over
from visioncircuits.featurevis.visualization import Visualization
from visioncircuits.networks import Feature, Network
from visioncircuits.numbers import whole

Maps = Float[Tensor, "batch channels height width"]
Target = Objective | LucentObjective | Feature | str


def render(
    network: Network, objective: Target, *, settings: Settings | None = None
) -> Visualization:
    """Optimize a picture that maximizes an objective.

    Parameters
    ----------
    network
        As returned by `visioncircuits.load`.
    objective
        A feature such as `"mixed3b:413"`, of which the middle neuron is maximized, or an objective
        of this package or of lucent.
    settings
        Of the optimization; by default chosen by the feature's depth.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> visualization = render(network, "conv2d0:3", settings=Settings(size=32, steps=2))
    >>> visualization.picture.shape
    torch.Size([3, 32, 32])
    """
    return next(render_all(network, [objective], settings=settings))


def render_all(
    network: Network,
    objectives: Iterable[Target],
    *,
    settings: Settings | None = None,
    batch: int = 16,
    progress: Callable[[int], object] | None = None,
) -> Iterator[Visualization]:
    """Optimize pictures for many objectives, one batch after another.

    A picture does not depend on the others of its batch, beyond float rounding.

    Parameters
    ----------
    network, objectives, settings
        As in `render`. An objective of several pictures yields as many visualizations.
    batch
        Number of pictures that are optimized at once, at least those of one objective.
    progress
        Called after each step with the number of pictures that it updated.

    Raises
    ------
    InputError
        Before the first step, if the network lacks a feature, or `batch` is less than 1.
    """
    whole("batch", batch, least=1)
    checked = [_objective(network, objective, settings) for objective in objectives]
    if settings is not None:
        _check_start(network, settings)
        return _batches(network, checked, settings, batch, progress)
    return itertools.chain.from_iterable(
        _batches(network, list(group), suited(network, layer), batch, progress)
        for layer, group in itertools.groupby(checked, key=_layer)
    )


def _layer(objective: Objective) -> str:
    """Return the layer of an objective's feature, or the first layer that it reads."""
    if objective.feature is not None:
        return objective.feature.layer
    return (*objective.layers, *(unit.layer for unit in objective.units))[0]


def _objective(network: Network, objective: Target, settings: Settings | None) -> Objective:
    if isinstance(objective, LucentObjective):
        given = settings and parameterization(settings.parameterization)
        pictures = given.pictures() if isinstance(given, LucentParameterization) else 1
        objective = from_lucent(objective, network, pictures=pictures)
    if not isinstance(objective, Objective):
        return neuron(network.feature(objective))
    if not (objective.units or objective.layers):
        raise InputError(
            f"the objective {objective.name!r} reads no activations; add it to one of a feature "
            "or a layer, or pass it as Settings.penalty"
        )
    features = [*objective.units, *([objective.feature] if objective.feature else [])]
    for feature in features:
        network.feature(feature)
    for layer in objective.layers:
        network.layer(layer)
    return objective


def _check_start(network: Network, settings: Settings) -> None:
    shape = (1, network.preprocessing.channels, settings.size, settings.size)
    if settings.start is None or settings.start.shape == shape:
        return
    raise InputError(
        f"the starting picture has shape {tuple(settings.start.shape)}, but the settings and the "
        f"network need {shape}; scale and crop it, or change size"
    )


def _batches(
    network: Network,
    objectives: Sequence[Objective],
    settings: Settings,
    batch: int,
    progress: Callable[[int], object] | None,
) -> Iterator[Visualization]:
    group: list[Objective] = []
    for objective in objectives:
        if group and sum(o.pictures for o in group) + objective.pictures > batch:
            yield from _visualizations(network, group, settings, progress)
            group = []
        group.append(objective)
    if group:
        yield from _visualizations(network, group, settings, progress)


def _visualizations(
    network: Network,
    objectives: list[Objective],
    settings: Settings,
    progress: Callable[[int], object] | None,
) -> Iterator[Visualization]:
    """Optimize a batch, and yield its pictures one by one.

    Gradients are enabled during the optimization only, whatever mode the caller has set.
    """
    with torch.inference_mode(False), torch.enable_grad():
        pictures, alive, history = optimize(network, objectives, settings, progress)
    yield from _results(network, objectives, settings, pictures, alive, history)


@torch.no_grad()
def _results(
    network: Network,
    objectives: Sequence[Objective],
    settings: Settings,
    pictures: Maps,
    alive: Tensor,
    history: Sequence[Tensor],
) -> Iterator[Visualization]:
    inputs = pictures
    if pictures.shape[1] == network.preprocessing.channels + 1:
        inputs = over(pictures, torch.full_like(pictures[:, :-1], 0.5))
    if settings.input_size not in (None, settings.size):
        draws = torch.full((len(pictures), 5), 0.5, device=pictures.device)
        inputs = NO_TRANSFORMS(inputs, draws, size=settings.input_size)
    scores = torch.stack(list(history), dim=1).cpu()
    provenance = {
        "version": visioncircuits.__version__,
        "torch": version("torch"),
        "network": network.record(),
        "settings": settings.record(),
    }
    provenance = json.loads(json.dumps(provenance))  # as it is read back, with lists for tuples
    index = 0
    activations = read(network, pictures, inputs, objectives)
    for objective, own in zip(objectives, activations, strict=True):
        values = objective.each(own)
        peaks = values
        if objective.feature is not None:
            peaks = own.feature(objective.feature).reshape(len(values), -1).amax(1)
        for picture in range(objective.pictures):
            yield Visualization(
                picture=pictures[index].cpu(),
                objective=objective.name,
                feature=str(objective.feature or ""),
                score=values[picture].item(),
                activation=peaks[picture].item(),
                history=tuple(scores[index].tolist()),
                dead=not alive[index].item(),
                record=provenance,
            )
            index += 1
