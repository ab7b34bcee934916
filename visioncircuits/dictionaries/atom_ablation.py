"""What a network loses without an atom, beside what it loses without random directions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
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
    q
        Whether the atom is one more random direction, corrected for the number of atoms (Benjamini
        and Hochberg 1995).
    """

    effect: Float[np.ndarray, " atoms"]
    control: Float[np.ndarray, " atoms"]
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
    change as much at each position. The test is that of `interventions.damage_by_class`, of effects
    over the mean of their controls.

    Parameters
    ----------
    dictionary, network, photographs
        As for `evaluate`; 2 photographs or more.
    atoms
        Their numbers.
    later
        A layer in which the effect is the squared change over the squared activations; by default
        it is the divergence of the output's logits.
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
        return AtomEffects(*(np.zeros(0) for _ in range(3)))
    own = dictionary.to(network.device)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(len(atoms), controls, own.atoms.shape[1], generator=generator)
    drawn = functional.normalize(drawn, dim=2).to(own.atoms)
    found = np.zeros((1 + controls, len(photographs), len(atoms)))
    first = 0
    with bar("photographs", len(photographs), visible=progress) as advance:
        for pictures in photographs.batches(network.size, batch):
            maps = network.activations(pictures, [layer, read])
            values, original = maps[layer], maps[read]
            codes = _codes(own, values)[:, list(atoms)]
            for place, atom in enumerate(atoms):
                code = codes[:, place]
                if not code.any():
                    continue
                for row, direction in enumerate((own.atoms[atom], *drawn[place])):
                    change = torch.einsum("b...,u->bu...", code, direction)
                    replaced = Replacement(layer, values - change)
                    after = network.activations(pictures, [read], changes=[replaced])[read]
                    loss = _change(after, original) if later else divergence(after, original)
                    found[row, first : first + len(pictures), place] = loss.cpu().numpy()
            first += len(pictures)
            advance(len(pictures))
    means = found.mean(1)
    control = means[1:].mean(0)
    scale = np.where(control > 0, control, 1)
    effect, variance, draws = beyond(found / scale)
    count = np.full(len(atoms), len(photographs))
    p = welch(effect, variance / count, count - 1, draws)[2]
    one_sided = np.where(effect > 0, p / 2, 1 - p / 2)
    return AtomEffects(means[0], control, false_discovery_control(one_sided))


def _codes(dictionary: Dictionary, values: Values) -> Float[Tensor, "batch atoms *positions"]:
    """Encode a layer, one photograph after the other."""
    shape = values.shape[2:]
    return torch.stack(
        [dictionary.encode(each.reshape(len(each), -1).T).T.reshape(-1, *shape) for each in values]
    )


def _change(after: Values, original: Values) -> Float[Tensor, " batch"]:
    """Return the squared change over the squared activations, of each photograph."""
    changed, whole = (
        each.flatten(1).double().square().sum(1) for each in (after - original, original)
    )
    return changed / whole.clamp(min=1e-30)
