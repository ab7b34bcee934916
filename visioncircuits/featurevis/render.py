"""The optimizer: many pictures at once, each as if it were alone."""

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from importlib.metadata import version

import torch
from jaxtyping import Float
from torch import Generator, Tensor

import visioncircuits
from visioncircuits.errors import InputError
from visioncircuits.featurevis import objectives as wanted
from visioncircuits.featurevis.defaults import suited
from visioncircuits.featurevis.gradients import AveragedMaxPool, RedirectedReLU
from visioncircuits.featurevis.lucent import (
    LucentObjective,
    LucentParameterization,
    from_lucent,
    parameterization,
)
from visioncircuits.featurevis.objectives import Answers, Objective
from visioncircuits.featurevis.parameterizations import Fourier, over
from visioncircuits.featurevis.settings import Settings
from visioncircuits.featurevis.transforms import STILL
from visioncircuits.featurevis.visualization import Visualization
from visioncircuits.networks import Feature, Network
from visioncircuits.networks.memory import freed_memory_kept
from visioncircuits.numbers import whole

Maps = Float[Tensor, "batch channels height width"]
Wanted = Objective | LucentObjective | Feature | str


def render(
    network: Network, objective: Wanted, *, settings: Settings | None = None
) -> Visualization:
    """Find the picture that drives a feature most.

    Parameters
    ----------
    network
        As `visioncircuits.load` gives it.
    objective
        A feature such as `"mixed3b:413"`, of which the middle neuron is driven, or an objective,
        ours or lucent's.
    settings
        How; by default what suits the feature's depth.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> found = render(network, "conv2d0:3", settings=Settings(size=32, steps=2))
    >>> found.picture.shape
    torch.Size([3, 32, 32])
    """
    return next(render_all(network, [objective], settings=settings))


def render_all(
    network: Network,
    objectives: Iterable[Wanted],
    *,
    settings: Settings | None = None,
    batch: int = 16,
    progress: Callable[[int], object] | None = None,
) -> Iterator[Visualization]:
    """Find pictures for many objectives, a batch at a time.

    A picture does not depend on which others share its batch, beyond float rounding.

    Parameters
    ----------
    network, objectives, settings
        As in `render`. An objective of several pictures gives as many visualizations.
    batch
        How many pictures to optimize at once, at least those of one objective.
    progress
        Called after each step with the number of pictures that it moved.

    Raises
    ------
    InputError
        Before anything is optimized, for a feature that the network does not have, and a batch
        of fewer than 1.
    """
    whole("batch", batch, least=1)
    todo = [_objective(network, objective, settings) for objective in objectives]
    if settings is not None:
        _check_start(network, settings)
        return _batches(network, todo, settings, batch, progress)
    return itertools.chain.from_iterable(
        _batches(network, list(group), suited(network, layer), batch, progress)
        for layer, group in itertools.groupby(todo, key=_layer)
    )


def _layer(objective: Objective) -> str:
    """Name the layer that an objective is about."""
    if objective.feature is not None:
        return objective.feature.layer
    return (*objective.layers, *(unit.layer for unit in objective.units))[0]


def _objective(network: Network, objective: Wanted, settings: Settings | None) -> Objective:
    if isinstance(objective, LucentObjective):
        canvas = settings and parameterization(settings.parameterization)
        pictures = canvas.pictures() if isinstance(canvas, LucentParameterization) else 1
        objective = from_lucent(objective, network, pictures=pictures)
    if not isinstance(objective, Objective):
        return wanted.neuron(network.feature(objective))
    if not (objective.units or objective.layers):
        raise InputError(
            f"the objective {objective.name!r} asks the network nothing; add it to one of a "
            "feature or a layer, or give it as Settings.penalty"
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
        f"the starting picture is of {tuple(settings.start.shape)}, but the settings and the "
        f"network ask for {shape}; scale and cut it, or change size"
    )


def _batches(
    network: Network,
    todo: Sequence[Objective],
    settings: Settings,
    batch: int,
    progress: Callable[[int], object] | None,
) -> Iterator[Visualization]:
    group: list[Objective] = []
    for objective in todo:
        if group and sum(o.pictures for o in group) + objective.pictures > batch:
            yield from _optimize(network, group, settings, progress)
            group = []
        group.append(objective)
    if group:
        yield from _optimize(network, group, settings, progress)


class Adam:
    """Kingma and Ba's optimizer, elementwise, so that batch mates share nothing."""

    def __init__(self, parameters: Sequence[Tensor], rate: float, *, warmup: int) -> None:
        self.parameters, self.rate, self.warmup, self.steps = parameters, rate, warmup, 0
        self.mean = [torch.zeros_like(p) for p in parameters]
        self.square = [torch.zeros_like(p) for p in parameters]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        """Move the parameters against their gradients."""
        self.steps += 1
        unbias = (1 - 0.999**self.steps) ** 0.5
        rate = self.rate / (1 - 0.9**self.steps)
        if self.steps < self.warmup:
            rate *= self.steps / self.warmup
        for parameter, gradient, mean, square in zip(
            self.parameters, gradients, self.mean, self.square, strict=True
        ):
            mean.lerp_(gradient, 0.1)
            square.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
            scale = (square.sqrt() / unbias).add_(1e-8)
            parameter.addcdiv_(mean, scale, value=-rate)


def _generators(todo: Sequence[Objective], seed: int) -> list[Generator]:
    """Give each picture a generator that depends on nothing but its objective and the seed."""
    found = []
    for objective in todo:
        for index in range(objective.pictures):
            digest = hashlib.sha256(f"{seed} {objective.name} {index}".encode()).digest()
            found.append(Generator().manual_seed(int.from_bytes(digest[:7], "big")))
    return found


def _backgrounds(
    generators: Sequence[Generator], like: Maps
) -> Float[Tensor, "batch channels-1 height width"]:
    """Draw smooth random colors to lay transparent pictures over."""
    _, channels, height, width = like.shape
    canvas = Fourier(sd=1.0, decay=1.5).canvas(generators, (channels - 1, height, width))
    with torch.no_grad():
        return canvas.draw().to(like.device)


def _ask(
    network: Network,
    pictures: Maps,
    shown: Float[Tensor, "batch seen_channels seen_height seen_width"],
    todo: Sequence[Objective],
) -> list[Answers]:
    """Run the network once for all objectives, and give each what is its own."""
    layers = list(dict.fromkeys(layer for o in todo for layer in o.layers))
    indices: dict[str, dict[int, int]] = {}
    for unit in dict.fromkeys(unit for o in todo for unit in o.units):
        places = indices.setdefault(unit.layer, {})
        places[unit.index] = len(places)
    if layers:
        whole = network.activations(shown, [*layers, *indices])
        some = {layer: whole[layer][:, list(places)] for layer, places in indices.items()}
    else:
        whole = {}
        some = network.unit_activations(
            shown, {layer: torch.tensor(list(places)) for layer, places in indices.items()}
        )
    answers, start = [], 0
    for objective in todo:
        own = slice(start, start + objective.pictures)
        start = own.stop
        answers.append(
            Answers(
                pictures=pictures[own],
                layers={layer: whole[layer][own] for layer in objective.layers},
                units={
                    unit: some[unit.layer][own, indices[unit.layer][unit.index]]
                    for unit in objective.units
                },
                network=network,
            )
        )
    return answers


def _optimize(
    network: Network,
    todo: list[Objective],
    settings: Settings,
    progress: Callable[[int], object] | None,
) -> Iterator[Visualization]:
    """Optimize, and give the pictures one by one.

    Gradients are on while it computes, whatever the caller has switched off, and only then.
    """
    with torch.inference_mode(False), torch.enable_grad():
        pictures, alive, history = _optimized(network, todo, settings, progress)
    yield from _results(network, todo, settings, pictures, alive, history)


def _optimized(
    network: Network,
    todo: list[Objective],
    settings: Settings,
    progress: Callable[[int], object] | None,
) -> tuple[Maps, Tensor, list[Tensor]]:
    """Give the pictures, which of them a gradient reached, and their values at every step."""
    generators = _generators(todo, settings.seed)
    count = len(generators)
    shape = (network.preprocessing.channels, settings.size, settings.size)
    start = None if settings.start is None else settings.start.expand(count, -1, -1, -1)
    canvas = parameterization(settings.parameterization).canvas(
        generators, shape, start=start, device=network.device
    )
    draws = settings.robustness.draws(generators, settings.steps).to(network.device)
    warmup = min(settings.warmup, settings.steps // 4)
    adam = Adam(canvas.parameters, settings.rate, warmup=warmup)
    alive = torch.zeros(count, dtype=torch.bool, device=network.device)
    above = torch.zeros(count, dtype=torch.int64, device=network.device)  # steps above zero
    redirecting = settings.redirected > 0
    history = []
    with freed_memory_kept():
        for step in range(settings.steps):
            pictures = canvas.draw()
            seen = pictures
            if pictures.shape[1] == shape[0] + 1:
                seen = over(pictures, _backgrounds(generators, pictures))
            shown = settings.robustness(seen, draws[step], size=settings.input_size)
            blocked = above < settings.redirected
            redirecting = redirecting and bool(blocked.any())
            with _treatments(settings, blocked if redirecting else None):
                answers = _ask(network, pictures, shown, todo)
                scores = torch.cat([o.each(a) for o, a in zip(todo, answers, strict=True)])
                loss = -scores.sum()
                if settings.penalty is not None:
                    penalties = torch.cat([settings.penalty.each(a) for a in answers])
                    loss = loss - (scores.detach().abs() * penalties).sum()
                reached, *gradients = torch.autograd.grad(loss, (shown, *canvas.parameters))
            # What is not finite tells nothing, and would leave no picture at all.
            told = (reached.isfinite() & (reached != 0)).flatten(1).any(1)
            alive |= told & scores.detach().isfinite()
            above += scores.detach() > 0
            adam.step([gradient.nan_to_num(0.0, 0.0, 0.0) for gradient in gradients])
            history.append(scores.detach())
            if progress is not None:
                progress(count)
    return canvas.draw().detach(), alive, history


def _treatments(settings: Settings, redirected: Tensor | None) -> ExitStack:
    """Give the gradient treatments that hold at a step, redirection for some of the pictures."""
    stack = ExitStack()
    if redirected is not None:
        stack.enter_context(RedirectedReLU(redirected))
    if settings.averaged_pools:
        stack.enter_context(AveragedMaxPool())
    return stack


@torch.no_grad()
def _results(
    network: Network,
    todo: Sequence[Objective],
    settings: Settings,
    pictures: Maps,
    alive: Tensor,
    history: Sequence[Tensor],
) -> Iterator[Visualization]:
    seen = pictures
    if pictures.shape[1] == network.preprocessing.channels + 1:
        seen = over(pictures, torch.full_like(pictures[:, :-1], 0.5))
    if settings.input_size not in (None, settings.size):
        draws = torch.full((len(pictures), 5), 0.5, device=pictures.device)
        seen = STILL(seen, draws, size=settings.input_size)
    scores = torch.stack(list(history), dim=1).cpu()
    provenance = {
        "version": visioncircuits.__version__,
        "torch": version("torch"),
        "network": network.record(),
        "settings": settings.record(),
    }
    provenance = json.loads(json.dumps(provenance))  # as it will be read back: lists for tuples
    at = 0
    for objective, answers in zip(todo, _ask(network, pictures, seen, todo), strict=True):
        values = objective.each(answers)
        peaks = values
        if objective.feature is not None:
            peaks = answers.feature(objective.feature).reshape(len(values), -1).amax(1)
        for picture in range(objective.pictures):
            yield Visualization(
                picture=pictures[at].cpu(),
                objective=objective.name,
                feature=str(objective.feature or ""),
                score=values[picture].item(),
                activation=peaks[picture].item(),
                history=tuple(scores[at].tolist()),
                dead=not alive[at].item(),
                record=provenance,
            )
            at += 1
