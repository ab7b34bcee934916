"""Rendering: pictures that maximize a feature's activation or another objective.

`render` and `render_all` are one path, documented twice; hence some 320 lines.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

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
from visioncircuits.featurevis.parameterizations import without_colors
from visioncircuits.featurevis.settings import Settings
from visioncircuits.featurevis.transforms import NO_TRANSFORMS
from visioncircuits.featurevis.transparency import over
from visioncircuits.featurevis.visualization import Visualization
from visioncircuits.networks import Direction, Feature, Network, expand
from visioncircuits.networks.fixed_parameters import parameters_fixed
from visioncircuits.networks.memory import freed_memory_kept
from visioncircuits.numbers import whole
from visioncircuits.progress import Advance, bar, no_progress

Maps = Float[Tensor, "batch channels height width"]
Target = Objective | LucentObjective | Feature | str
"""What a picture is optimized for; of a feature the middle neuron is maximized."""


def render(
    network: Network,
    objective: Target,
    *,
    settings: Settings | None = None,
    size: int | None = None,
    steps: int | None = None,
    seed: int | None = None,
    progress: bool = False,
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
        Of the optimization; by default chosen by the feature's depth (see `suited`).
    size, steps, seed
        Each, where given, replaces the one of the settings.
    progress
        Whether to show a bar.

    Raises
    ------
    InputError
        If the network lacks a feature that the objective reads, or a number is out of range.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> visualization = render(network, "conv2d0:3", size=32, steps=2)
    >>> visualization.picture.shape
    torch.Size([3, 32, 32])
    """
    if isinstance(objective, str):
        objective = network.feature(objective)  # a layer's name would be all of its units
    return next(
        render_all(
            network,
            objective,
            settings=settings,
            size=size,
            steps=steps,
            seed=seed,
            progress=progress,
        )
    )


def render_all(
    network: Network,
    objectives: Target | Iterable[Target],
    *,
    settings: Settings | None = None,
    size: int | None = None,
    steps: int | None = None,
    seed: int | None = None,
    batch: int = 16,
    progress: bool = False,
) -> Iterator[Visualization]:
    """Optimize pictures for many objectives, one batch after another.

    A picture does not depend on the others of its batch, beyond float rounding.

    Parameters
    ----------
    network, settings, size, steps, seed
        As in `render`.
    objectives
        As in `render`, one or several; a layer's name is all of its units, in order. An objective
        of several pictures yields as many visualizations.
    batch
        Number of pictures that are optimized at once, at least those of one objective.
    progress
        Whether to show a bar.

    Yields
    ------
    Visualization
        As soon as its batch is finished, in the order of the objectives.

    Raises
    ------
    InputError
        Before the first step, if the network lacks a feature, or a number is out of range.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> [v.feature for v in render_all(network, ["conv2d0:3", "conv2d1:9"], steps=1)]
    ['conv2d0:3', 'conv2d1:9']
    >>> len(list(render_all(network, "conv2d0", size=32, steps=1)))
    64
    """
    numbers = {"size": size, "steps": steps, "seed": seed}
    changed = {name: number for name, number in numbers.items() if number is not None}
    groups = _groups(network, objectives, settings, batch, changed)
    return _shown(network, groups, batch) if progress else _all(network, groups, batch, no_progress)


def rendered(
    network: Network,
    objectives: Target | Iterable[Target],
    *,
    settings: Settings | None = None,
    batch: int = 16,
    advance: Advance = no_progress,
) -> Iterator[Visualization]:
    """Render as `render_all`, as a step of a longer one; `advance` counts pictures times steps."""
    return _all(network, _groups(network, objectives, settings, batch, {}), batch, advance)


Group = tuple[Settings, list[Objective]]
"""Objectives that are optimized with the same settings."""


def _groups(
    network: Network,
    objectives: Target | Iterable[Target],
    settings: Settings | None,
    batch: int,
    changed: Mapping[str, Any],
) -> list[Group]:
    """Check the arguments before the first step."""
    whole("batch", batch, least=1)
    given = [objectives] if isinstance(objectives, Target) else objectives
    checked = [made for target in given for made in _objectives(network, target, settings)]
    if settings is not None:
        settings = _of_channels(network, replace(settings, **changed))
        _check_start(network, settings)
        return [(settings, checked)]
    by_layer = itertools.groupby(checked, key=_layer)
    return [
        (_of_channels(network, replace(suited(network, layer), **changed)), list(own))
        for layer, own in by_layer
    ]


def _of_channels(network: Network, settings: Settings) -> Settings:
    """Return the settings without what holds for colors only, for three channels that are none."""
    if network.preprocessing.channels != 3 or network.preprocessing.colors:
        return settings
    return replace(settings, parameterization=without_colors(settings.parameterization))


def _shown(network: Network, groups: Sequence[Group], batch: int) -> Iterator[Visualization]:
    total = sum(
        settings.steps * objective.pictures for settings, own in groups for objective in own
    )
    with bar("steps", total) as advance:
        yield from _all(network, groups, batch, advance)


def _all(
    network: Network, groups: Sequence[Group], batch: int, advance: Advance
) -> Iterator[Visualization]:
    for settings, objectives in groups:
        yield from _batches(network, objectives, settings, batch, advance)


def _layer(objective: Objective) -> str:
    """Return the layer of an objective's feature, or the first layer that it reads."""
    if objective.feature is not None:
        return objective.feature.layer
    return (*objective.layers, *(unit.layer for unit in objective.units))[0]


def _objectives(
    network: Network, objective: Target, settings: Settings | None
) -> Sequence[Objective]:
    if isinstance(objective, str | Feature):
        return [neuron(feature) for feature in expand(network, objective)]
    if isinstance(objective, LucentObjective):
        given = settings and parameterization(settings.parameterization)
        pictures = given.pictures() if isinstance(given, LucentParameterization) else 1
        objective = from_lucent(network, objective, pictures=pictures)
    if not isinstance(objective, Objective):
        raise InputError(
            f"a picture can be optimized for a feature or an objective, not for {objective!r}"
        )
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
    return [objective]


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
    advance: Advance,
) -> Iterator[Visualization]:
    group: list[Objective] = []
    for objective in objectives:
        if group and sum(o.pictures for o in group) + objective.pictures > batch:
            yield from _visualizations(network, group, settings, advance)
            group = []
        group.append(objective)
    if group:
        yield from _visualizations(network, group, settings, advance)


def _visualizations(
    network: Network,
    objectives: list[Objective],
    settings: Settings,
    advance: Advance,
) -> Iterator[Visualization]:
    """Optimize a batch, and yield its pictures one by one.

    Gradients are enabled during the optimization only, whatever mode the caller has set.
    """
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        freed_memory_kept(),
        parameters_fixed(),
    ):
        pictures, alive, history = optimize(network, objectives, settings, advance)
        measured = _measured(network, objectives, settings, pictures)
    scores = torch.stack(list(history), dim=1).cpu()
    provenance = {
        "version": visioncircuits.__version__,
        "torch": version("torch"),
        "device": network.device.type,
        "network": network.record(),
        "settings": settings.record(),
    }
    provenance = json.loads(json.dumps(provenance))  # as it is read back, with lists for tuples
    index = 0
    for objective, (values, peaks) in zip(objectives, measured, strict=True):
        record = provenance
        if isinstance(objective.feature, Direction):  # whose name alone does not make it again
            record = {**record, "direction": objective.feature.record()}
        if objective.directions:
            record = {**record, "directions": [each.record() for each in objective.directions]}
        for picture in range(objective.pictures):
            yield Visualization(
                picture=pictures[index].cpu(),
                objective=objective.name,
                feature=str(objective.feature or ""),
                score=values[picture].item(),
                activation=peaks[picture].item(),
                # the shortest decimals of these float32: half as many bytes in a record
                history=tuple(float(str(score)) for score in scores[index].numpy()),
                dead=not alive[index].item(),
                record=record,
            )
            index += 1


def _measured(
    network: Network, objectives: Sequence[Objective], settings: Settings, pictures: Maps
) -> list[tuple[Tensor, Tensor]]:
    """Return each objective's values, and its feature's peaks, on the pictures untransformed."""
    inputs = pictures
    if pictures.shape[1] == network.preprocessing.channels + 1:
        inputs = over(pictures, torch.full_like(pictures[:, :-1], 0.5))
    if settings.input_size not in (None, settings.size):
        draws = torch.full((len(pictures), 5), 0.5, device=pictures.device)
        inputs = NO_TRANSFORMS(inputs, draws, size=settings.input_size)
    inputs = inputs.detach().requires_grad_()  # for objectives that read gradients
    found = []
    for objective, own in zip(objectives, read(network, pictures, inputs, objectives), strict=True):
        values = peaks = objective.each(own).detach()
        if objective.feature is not None:
            peaks = own.feature(objective.feature).detach().reshape(len(values), -1).amax(1)
        found.append((values, peaks))
    return found
