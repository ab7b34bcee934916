"""The optimizer: many pictures at once, each as if it were alone."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, is_dataclass
from importlib.metadata import version
from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor

import visioncircuits
from visioncircuits.errors import InputError
from visioncircuits.featurevis import objectives as wanted
from visioncircuits.featurevis.gradients import AveragedMaxPool, RedirectedReLU
from visioncircuits.featurevis.objectives import Answers, Objective
from visioncircuits.featurevis.parameterizations import Fourier, Parameterization, over
from visioncircuits.featurevis.transforms import STILL, Robustness
from visioncircuits.featurevis.visualization import Visualization
from visioncircuits.networks import Feature, Network
from visioncircuits.networks.memory import freed_memory_kept

Maps = Float[Tensor, "batch channels height width"]
Wanted = Objective | Feature | str


@dataclass(frozen=True, kw_only=True, eq=False)
class Settings:
    """How to optimize.

    Attributes
    ----------
    size
        Side of the picture in pixels.
    input_size
        Side of what the network sees of it; the picture's own by default.
    steps
        How many steps of Adam.
    rate
        Their length.
    parameterization
        How the picture is written down.
    robustness
        How it is moved at random before the network sees it.
    redirected
        For how many first steps rectifiers let blocked gradients through.
    averaged_pools
        Whether max pools have the gradient of average pools.
    penalty
        Added to every objective, such as `objectives.l2(.5)`.
    start
        Pictures `(1, channels, height, width)` in [0, 1] to start from instead of noise.
    seed
        Fixes the result, together with the objective's name.
    """

    size: int = 128
    input_size: int | None = None
    steps: int = 256
    rate: float = 0.05
    parameterization: Parameterization = Fourier()
    robustness: Robustness = Robustness()
    redirected: int = 16
    averaged_pools: bool = False
    penalty: Objective | None = None
    start: Maps | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("size", "steps", "rate"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name} must be more than 0, not {getattr(self, name)}")

    def record(self) -> dict[str, Any]:
        """Give the settings as plain data."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}


def _plain(value: Any) -> Any:
    if isinstance(value, Objective):
        return value.name
    if isinstance(value, Tensor):
        digest = hashlib.sha256(value.detach().cpu().contiguous().numpy().tobytes()).hexdigest()
        return f"tensor {tuple(value.shape)} sha256 {digest}"
    if is_dataclass(value) and not isinstance(value, type):
        fields = {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
        return {"kind": type(value).__name__, **fields}
    return value


def render(
    network: Network, objective: Wanted, *, settings: Settings | None = None
) -> Visualization:
    """Find the picture that drives a feature most.

    Parameters
    ----------
    network
        As `visioncircuits.load` gives it.
    objective
        A feature such as `"mixed3b:413"`, of which the middle neuron is driven, or an objective.
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
        Before anything is optimized, for a feature that the network does not have.
    """
    todo = [_objective(network, objective) for objective in objectives]
    chosen = settings or Settings()
    return _batches(network, todo, chosen, batch, progress)


def _objective(network: Network, objective: Wanted) -> Objective:
    if not isinstance(objective, Objective):
        return wanted.neuron(network.feature(objective))
    for unit in objective.units:
        network.feature(unit)
    for layer in objective.layers:
        network.layer(layer)
    return objective


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

    def __init__(self, parameters: Sequence[Tensor], rate: float) -> None:
        self.parameters, self.rate, self.steps = parameters, rate, 0
        self.mean = [torch.zeros_like(p) for p in parameters]
        self.square = [torch.zeros_like(p) for p in parameters]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        """Move the parameters against their gradients."""
        self.steps += 1
        unbias = (1 - 0.999**self.steps) ** 0.5
        rate = self.rate / (1 - 0.9**self.steps)
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


def _backgrounds(generators: Sequence[Generator], like: Maps) -> Maps:
    """Draw smooth random colours to lay transparent pictures over."""
    _, channels, height, width = like.shape
    canvas = Fourier(sd=1.0, decay=1.5).canvas(generators, (channels - 1, height, width))
    with torch.no_grad():
        return canvas.draw().to(like.device)


def _ask(network: Network, pictures: Maps, shown: Maps, todo: Sequence[Objective]) -> list[Answers]:
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
    generators = _generators(todo, settings.seed)
    count = len(generators)
    shape = (network.preprocessing.channels, settings.size, settings.size)
    start = None if settings.start is None else settings.start.expand(count, -1, -1, -1)
    canvas = settings.parameterization.canvas(generators, shape, start=start, device=network.device)
    draws = settings.robustness.draws(generators, settings.steps).to(network.device)
    adam = Adam(canvas.parameters, settings.rate)
    alive = torch.zeros(count, dtype=torch.bool, device=network.device)
    history = []
    with freed_memory_kept():
        for step in range(settings.steps):
            pictures = canvas.draw()
            seen = pictures
            if pictures.shape[1] == shape[0] + 1:
                seen = over(pictures, _backgrounds(generators, pictures))
            shown = settings.robustness(seen, draws[step], size=settings.input_size)
            with _treatments(settings, step):
                answers = _ask(network, pictures, shown, todo)
                scores = torch.stack([o(a) for o, a in zip(todo, answers, strict=True)])
                loss = -scores.sum()
                if settings.penalty is not None:
                    loss = loss - sum(settings.penalty(answer) for answer in answers)
                reached, *gradients = torch.autograd.grad(loss, (shown, *canvas.parameters))
            alive |= reached.flatten(1).any(1)
            adam.step(gradients)
            history.append(scores.detach())
            if progress is not None:
                progress(count)
    yield from _results(network, todo, settings, canvas.draw().detach(), alive, history)


def _treatments(settings: Settings, step: int) -> ExitStack:
    """Give the gradient treatments that hold at a step."""
    stack = ExitStack()
    if step < settings.redirected:
        stack.enter_context(RedirectedReLU())
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
    at = 0
    for index, (objective, answers) in enumerate(
        zip(todo, _ask(network, pictures, seen, todo), strict=True)
    ):
        values = objective.score(answers).flatten()
        peaks = values
        if objective.feature is not None:
            peaks = answers.feature(objective.feature).flatten(1).amax(1)
        for picture in range(objective.pictures):
            yield Visualization(
                picture=pictures[at].cpu(),
                objective=objective.name,
                feature=str(objective.feature or ""),
                score=values[picture % len(values)].item(),
                activation=peaks[picture % len(peaks)].item(),
                history=tuple(scores[index].tolist()),
                dead=not alive[at].item(),
                record=provenance,
            )
            at += 1
