"""The optimizer: many pictures at once, each independent of its batch."""

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from visioncircuits.featurevis.gradients import AveragedMaxPool, RedirectedReLU
from visioncircuits.featurevis.loss_scale import LossScale
from visioncircuits.featurevis.lucent import parameterization
from visioncircuits.featurevis.objective import Activations, Objective
from visioncircuits.featurevis.settings import Settings
from visioncircuits.featurevis.transforms import resampled
from visioncircuits.featurevis.transparency import backgrounds, over
from visioncircuits.networks import Network
from visioncircuits.progress import Advance

Maps = Float[Tensor, "batch channels height width"]


class Adam:
    """Kingma and Ba's optimizer, elementwise, so that pictures of a batch are independent."""

    def __init__(self, parameters: Sequence[Tensor], rate: float, *, warmup: int) -> None:
        self.parameters, self.rate, self.warmup, self.steps = parameters, rate, warmup, 0
        self.mean = [torch.zeros_like(p) for p in parameters]
        self.square = [torch.zeros_like(p) for p in parameters]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        """Update the parameters along their negative gradients."""
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


def optimize(
    network: Network,
    objectives: list[Objective],
    settings: Settings,
    advance: Advance,
) -> tuple[Maps, Tensor, list[Tensor]]:
    """Return the pictures, whether a gradient reached each, and their scores at every step.

    Each step calls `advance` with the number of pictures.
    """
    generators = picture_generators(objectives, settings.seed)
    count = len(generators)
    shape = (network.preprocessing.channels, settings.size, settings.size)
    start = None if settings.start is None else settings.start.expand(count, -1, -1, -1)
    parameterized = parameterization(settings.parameterization).initialize(
        generators, shape, start=start, device=network.device
    )
    draws = settings.transforms.draws(generators, settings.steps).to(network.device)
    matrices = settings.transforms.matrices(draws, shape[1:])
    warmup = min(settings.warmup, settings.steps // 4)
    adam = Adam(parameterized.parameters, settings.rate, warmup=warmup)
    alive = torch.zeros(count, dtype=torch.bool, device=network.device)
    above = torch.zeros(count, dtype=torch.int64, device=network.device)  # steps above zero
    every = False  # whether all are alive
    redirecting = settings.redirected_relu_steps > 0
    scale = LossScale(parameterized.draw().detach()) if network.precision == "float16" else None
    history = []
    for step in range(settings.steps):
        pictures = parameterized.draw()
        if scale is not None:
            pictures = scale.undone(pictures)
        opaque = pictures
        if pictures.shape[1] == shape[0] + 1:
            opaque = over(pictures, backgrounds(generators, pictures))
        inputs = resampled(opaque, matrices[step], size=settings.input_size)
        pending = above < settings.redirected_relu_steps
        redirecting = redirecting and bool(pending.any())
        with _gradients(settings, pending if redirecting else None):
            activations = read(network, pictures, inputs, objectives)
            scores = torch.cat([o.each(a) for o, a in zip(objectives, activations, strict=True)])
            losses = -scores
            if settings.penalty is not None:
                penalties = torch.cat([settings.penalty.each(a) for a in activations])
                losses = losses - scores.detach().abs() * penalties
            if scale is not None:
                losses = losses * scale.factors
            input_gradient, *gradients = torch.autograd.grad(
                losses.sum(), (inputs, *parameterized.parameters)
            )
        if scale is not None:
            scale.update(input_gradient)
        # Gradients that are not finite carry no information, and would destroy the picture.
        if not every:
            reached = (input_gradient.isfinite() & (input_gradient != 0)).flatten(1).any(1)
            alive |= reached & scores.detach().isfinite()
            every = bool(alive.all())
        above += scores.detach() > 0
        adam.step([gradient.nan_to_num(0.0, 0.0, 0.0) for gradient in gradients])
        history.append(scores.detach())
        advance(count)
    return parameterized.draw().detach(), alive, history


def _gradients(settings: Settings, redirected: Tensor | None) -> ExitStack:
    """Return the gradient contexts of a step, with redirected ReLUs for some of the pictures."""
    stack = ExitStack()
    if redirected is not None:
        stack.enter_context(RedirectedReLU(redirected))
    if settings.averaged_pools:
        stack.enter_context(AveragedMaxPool())
    return stack


def picture_generators(objectives: Sequence[Objective], seed: int) -> list[Generator]:
    """Return a generator for each picture, which depends only on its objective and the seed."""
    generators = []
    for objective in objectives:
        for index in range(objective.pictures):
            digest = hashlib.sha256(f"{seed} {objective.name} {index}".encode()).digest()
            generators.append(Generator().manual_seed(int.from_bytes(digest[:7], "big")))
    return generators


def read(
    network: Network,
    pictures: Maps,
    inputs: Float[Tensor, "batch input_channels input_height input_width"],
    objectives: Sequence[Objective],
) -> list[Activations]:
    """Run the network once on its inputs, and return the activations that each objective reads."""
    layers = list(dict.fromkeys(layer for o in objectives for layer in o.layers))
    indices: dict[str, dict[int, int]] = {}
    for unit in dict.fromkeys(unit for o in objectives for unit in o.units):
        columns = indices.setdefault(unit.layer, {})
        columns[unit.index] = len(columns)
    if layers:
        whole = network.activations(inputs, [*layers, *indices])
        single = {layer: whole[layer][:, list(columns)] for layer, columns in indices.items()}
    else:
        whole = {}
        single = network.unit_activations(
            inputs, {layer: torch.tensor(list(columns)) for layer, columns in indices.items()}
        )
    activations, start = [], 0
    for objective in objectives:
        own = slice(start, start + objective.pictures)
        start = own.stop
        activations.append(
            Activations(
                pictures=pictures[own],
                layers={layer: whole[layer][own] for layer in objective.layers},
                units={
                    unit: single[unit.layer][own, indices[unit.layer][unit.index]]
                    for unit in objective.units
                },
                network=network,
                batch=whole,
                first=own.start,
            )
        )
    return activations
