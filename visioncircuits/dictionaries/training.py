"""Training of sparse autoencoders."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import fingerprint
from visioncircuits.dictionaries.convergence import convergence, schedule
from visioncircuits.dictionaries.dictionary import Dictionary, provenance
from visioncircuits.dictionaries.method import Method
from visioncircuits.dictionaries.normalization import Normalization
from visioncircuits.dictionaries.settings import Settings
from visioncircuits.dictionaries.sources import Held, Source, checked
from visioncircuits.dictionaries.state import State
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, identity
from visioncircuits.numbers import whole
from visioncircuits.progress import bar

Activations = Float[Tensor, "samples units"]
HeldOut = Float[Tensor, "held_out units"]

SAMPLE = 4096
"""Activations by which the normalization, the offset and a threshold are measured, and as many are
held out of a tensor, at most a tenth of it."""


def train(
    activations: Activations | Source,
    layer: str,
    method: Method,
    *,
    atoms: int,
    settings: Settings | None = None,
    held_out: HeldOut | None = None,
    network: Network | None = None,
    checkpoint: str | Path | None = None,
    every: int = 1000,
    device: str = "cpu",
    progress: bool = False,
) -> Dictionary:
    """Find a dictionary by a sparse autoencoder.

    Takes memory for four copies of encoder and decoder, and for about four times a batch's
    projections (`batch` × `atoms` numbers of 4 bytes).

    Parameters
    ----------
    activations
        A layer's, `(samples, units)` of any floating type, or a source of them for each step.
    layer
        Its name.
    method
        Such as `TopK(32)`.
    atoms
        How many the dictionary has.
    settings
        Of the optimization; by default `Settings()`.
    held_out
        Activations that are not trained on, by which convergence is judged; from other photographs,
        as those of one are alike. By default some samples of the tensor.
    network
        That they are of, for the record.
    checkpoint
        A file for the state of the training: the same call continues from there, with the same
        bytes as one that was never stopped on the same processor.
    every
        Steps from one checkpoint to the next.
    device
        That it computes on; the dictionary is on the CPU.
    progress
        Whether to show it.

    Returns
    -------
    Dictionary
        Its record has the `convergence`: how far the held-out loss still fell, and its course.

    Raises
    ------
    InputError
        For activations that are no finite numbers or all the same, a source without `held_out`,
        atoms that the method cannot have, another training's checkpoint, a file that cannot be
        written, or a training that diverged.

    Examples
    --------
    >>> from visioncircuits.dictionaries import TopK
    >>> found = train(torch.rand(500, 8), "mixed3a", TopK(2), atoms=16,
    ...               settings=Settings(steps=20, batch=64))
    >>> found
    Dictionary('mixed3a', TopK, 16 atoms of 8 units, not converged)
    """
    settings = settings or Settings()
    source, held_out = _parts(activations, held_out, settings.seed)
    method.check(atoms)
    every = whole("every", every, least=1)
    sample = source.batch(0, size=SAMPLE, seed=settings.seed).to(device)
    normalization = Normalization.of(checked(sample), settings.normalization)
    sample, held_out = (normalization.applied(each.to(device)) for each in (sample, held_out))
    variance = float(sample.var(0).sum())
    record = provenance(layer, method.record(), atoms, vars(settings), network)
    path = None if checkpoint is None else Path(checkpoint)
    key = _key(record, sample, held_out) if path else ""

    generator = torch.Generator().manual_seed(settings.seed)
    drawn = method.start(source.units, atoms, generator) | {"offset": sample.mean(0)}
    state = State(
        {name: tensor.to(device) for name, tensor in drawn.items()},
        idle=torch.zeros(atoms // method.block_size, dtype=torch.int64, device=device),
    )
    if path and path.exists():
        state.resume(path, key)
    measured_after = {*schedule(settings.steps, settings.decay)}
    with bar("steps", settings.steps, visible=progress) as advance:
        advance(state.step)
        while state.step < settings.steps:
            batch = source.batch(state.step, size=settings.batch, seed=settings.seed)
            _step(state, normalization.applied(batch.to(device)), method, settings, variance)
            if state.step in measured_after:
                state.measured[state.step] = _loss(state, held_out, method, settings, variance)
            if path and state.step % every in (0, settings.steps % every):
                state.write(path, key)
            advance(1)
    with torch.no_grad():
        rule = method.rule(state.parameters, method.project(sample, state.parameters))
    found = convergence(state.measured, settings.steps, settings.decay)
    dead = int((state.idle > settings.dead_after).sum())
    return normalization.undone(
        layer,
        **_affine(state, method),
        rule=rule,
        method=type(method).__name__,
        record={**record, "convergence": found, "dead_blocks_in_training": dead},
    )


def _step(
    state: State, activations: Tensor, method: Method, settings: Settings, variance: float
) -> None:
    """Move the parameters against the gradient of the loss on a batch."""
    rate, share = settings.at(state.step)
    projections = method.project(activations, state.parameters)
    coded = method.coded(projections, state.parameters)
    missing = activations - state.parameters["offset"] - coded.reconstruction
    loss = missing.square().sum(1).mean() / variance
    if isinstance(coded.penalty, Tensor):
        loss = loss + share * coded.penalty.mean() / variance**0.5
    state.idle = torch.where(coded.used, 0, state.idle + 1)
    dead = state.idle > settings.dead_after
    if settings.auxiliary and dead.any():
        left = _left_by_dead(state, projections, missing.detach(), method, dead)
        loss = loss + settings.auxiliary * left / variance
    state.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    state.optimizer.param_groups[0]["lr"] = rate
    state.optimizer.step()
    with torch.no_grad():
        method.constrain(state.parameters)
    state.step += 1


def _left_by_dead(
    state: State, projections: Tensor, missing: Tensor, method: Method, dead: Tensor
) -> Tensor:
    """Return the squared error that the strongest dead atoms leave of what is missing."""
    atoms = dead.repeat_interleave(method.block_size).nonzero()[:, 0]
    half = max(missing.shape[1] // 2 // method.block_size, 1)
    codes = method.largest(projections[:, atoms], min(half, int(dead.sum())))
    return (missing - codes @ state.parameters["decoder"][atoms]).square().sum(1).mean()


@torch.no_grad()
def _loss(
    state: State, held_out: Tensor, method: Method, settings: Settings, variance: float
) -> float:
    """Return error and penalty on the held-out activations, without the loss of dead atoms."""
    total = 0.0
    for part in torch.split(held_out, settings.batch):
        coded = method.coded(method.project(part, state.parameters), state.parameters)
        missing = part - state.parameters["offset"] - coded.reconstruction
        penalty = coded.penalty.sum() if isinstance(coded.penalty, Tensor) else 0.0
        total += float(missing.square().sum() / variance + penalty / variance**0.5)
    if not total < float("inf"):
        raise InputError(
            f"training diverged before step {state.step}: choose a rate below {settings.rate:g}"
        )
    return total / len(held_out)


def _parts(
    activations: Tensor | Source, held_out: Tensor | None, seed: int
) -> tuple[Source, Tensor]:
    """Return what is trained on, and what is held out."""
    if not isinstance(activations, Tensor):
        if held_out is None:
            raise InputError("a source of activations needs held_out, some that it does not give")
        return activations, checked(held_out)
    if held_out is not None:
        return Held(activations), checked(held_out)
    if len(activations) < 20:
        raise InputError(f"{len(activations)} activations are too few; pass 20 or more")
    order = torch.randperm(len(activations), generator=torch.Generator().manual_seed(seed))
    kept = min(SAMPLE, len(activations) // 10)
    return Held(activations[order[kept:]]), checked(activations[order[:kept]])


def _affine(state: State, method: Method) -> dict[str, Tensor]:
    """Return the matrices and vectors of a trained autoencoder."""
    given = state.parameters
    decoder = given["decoder"]
    return {
        "decoder": decoder,
        "encoder": decoder if method.tied else given["encoder"],
        "bias": given.get("bias", torch.zeros(len(decoder))),
        "offset": given["offset"],
    }


def _key(record: dict[str, Any], sample: Tensor, held_out: Tensor) -> str:
    """Return the digest of all that a training depends on."""
    known = [record, identity.tensor(sample), identity.tensor(held_out), fingerprint.code()]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()
