"""What a network loses without an atom, beside what it loses without random directions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.stats import false_discovery_control
from torch import Tensor
from torch.nn import functional

from visioncircuits.datasets import Photographs
from visioncircuits.dictionaries.dictionary import Dictionary
from visioncircuits.errors import InputError
from visioncircuits.interventions.intervals import beyond, welch
from visioncircuits.interventions.scoring import divergence
from visioncircuits.networks import Network
from visioncircuits.networks.edits import Replacement
from visioncircuits.progress import bar

Values = Float[Tensor, "batch units *positions"]

FAINT = 0.01
"""Photographs with less than this share of the squared codes that the strongest one has do not
count in the test: changes there are rounding errors."""


@dataclass(frozen=True, eq=False)
class AtomEffects:
    """Means over photographs, by atom.

    Attributes
    ----------
    effect
        Of ablating the atom: divergence of the logits, in nats, or relative change of a later
        layer.
    control
        The same of taking as much along random directions, their mean.
    ratio
        The geometric mean, over photographs in which the atom has codes (`FAINT`), of its effect
        over that of random directions.
    q
        Whether the atom is one more random direction, or has a smaller effect: one-sided, corrected
        for the number of atoms (Benjamini and Hochberg 1995).
    """

    effect: Float[np.ndarray, " atoms"]
    control: Float[np.ndarray, " atoms"]
    ratio: Float[np.ndarray, " atoms"]
    q: Float[np.ndarray, " atoms"]


@torch.inference_mode()
def ablate_atoms(
    dictionary: Dictionary,
    network: Network,
    photographs: Photographs,
    atoms: Sequence[int],
    *,
    later: str | None = None,
    controls: int = 5,
    batch: int = 8,
    seed: int = 0,
    progress: bool = False,
) -> AtomEffects:
    """Take from the layer what an atom adds to it, its code times the atom, and nothing else.

    Controls take the same code times a random direction of the atom's length, so that activations
    change as much at each position. The test is that of `interventions.damage_by_class`, of
    logarithms: it holds the spread over photographs, and that of random directions.

    Parameters
    ----------
    dictionary, network, photographs
        As for `evaluate`; 2 photographs or more.
    atoms
        Their numbers.
    later
        A layer in which the effect is the squared change, over the mean squared activations; by
        default it is the divergence of the output's logits.
    controls
        Random directions for each atom, 2 or more.
    batch
        Photographs in one forward pass.
    seed
        Of the controls.
    progress
        Whether to show a bar.

    Raises
    ------
    InputError
        Where the network's output is no row of logits and no later layer is given.
    """
    layer, read = dictionary.layer, later or network.output
    if later is None and network.layer(read).shape:
        raise InputError(
            f"{network.name} returns no logits; name a later layer in which effects are measured"
        )
    if later is not None and not network.depends(later, layer):
        raise InputError(f"{later} is not computed from {layer}; name a layer that is")
    if not len(atoms):
        return AtomEffects(*(np.zeros(0) for _ in range(4)))
    own = dictionary.to(network.device)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(len(atoms), controls, own.atoms.shape[1], generator=generator)
    drawn = functional.normalize(drawn, dim=2).to(own.atoms)
    found = np.zeros((1 + controls, len(photographs), len(atoms)))
    energy, whole = np.zeros(found.shape[1:]), np.zeros(len(photographs))
    first = 0
    with bar("photographs", len(photographs), visible=progress) as advance:
        for pictures in photographs.batches(network.size, batch):
            maps = network.activations(pictures, [layer, read])
            values, original = maps[layer], maps[read]
            codes = _codes(own, values)[:, list(atoms)]
            here = slice(first, first + len(pictures))
            energy[here] = codes.double().square().flatten(2).sum(2).cpu().numpy()
            whole[here] = original.flatten(1).double().square().sum(1).cpu().numpy()
            for place, atom in enumerate(atoms):
                some = codes[:, place].flatten(1).any(1)
                if not some.any():
                    continue
                places, shown = first + some.nonzero()[:, 0].cpu().numpy(), pictures[some.cpu()]
                for row, direction in enumerate((own.atoms[atom], *drawn[place])):
                    change = torch.einsum("b...,u->bu...", codes[some, place], direction)
                    replaced = Replacement(layer, values[some] - change)
                    after = network.activations(shown, [read], changes=[replaced])[read]
                    compared = _change if later else divergence
                    found[row, places, place] = compared(after, original[some]).cpu().numpy()
            first += len(pictures)
            advance(len(pictures))
    if later:
        found /= whole.mean() or 1
    ratio, p = _beyond_controls(found, energy >= FAINT * energy.max(0))
    means = found.mean(1)
    return AtomEffects(means[0], means[1:].mean(0), ratio, false_discovery_control(p))


def _beyond_controls(
    found: Float[np.ndarray, "conditions photographs atoms"],
    coded: Bool[np.ndarray, "photographs atoms"],
) -> tuple[Float[np.ndarray, " atoms"], Float[np.ndarray, " atoms"]]:
    """Return the geometric mean of effects over controls, and p that it is not above 1.

    On the photographs in which the atom is coded. Logarithms, because effects grow with the
    square of codes, so that one photograph would decide.
    """
    conditions, _, atoms = found.shape
    effect, variance, freedom = np.zeros(atoms), np.zeros(atoms), np.ones(atoms, int)
    draws = np.zeros((conditions - 1, atoms))
    for atom in range(atoms):
        shown = found[:, coded[:, atom], atom]
        if shown.shape[1] > 1 and shown.any():
            logs = np.log(np.maximum(shown, 1e-9 * shown[1:].mean()))[..., None]
            effect[[atom]], spread, draws[:, [atom]] = beyond(logs)
            variance[[atom]], freedom[atom] = spread / shown.shape[1], shown.shape[1] - 1
    p = welch(effect, variance, freedom, draws)[2]
    return np.exp(effect), np.where(effect > 0, p / 2, 1 - p / 2)


def _codes(dictionary: Dictionary, values: Values) -> Float[Tensor, "batch atoms *positions"]:
    """Encode a layer, one photograph after the other."""
    shape = values.shape[2:]
    return torch.stack(
        [dictionary.encode(each.reshape(len(each), -1).T).T.reshape(-1, *shape) for each in values]
    )


def _change(after: Values, original: Values) -> Float[Tensor, " batch"]:
    """Return the squared change of each photograph."""
    return (after - original).flatten(1).double().square().sum(1)
