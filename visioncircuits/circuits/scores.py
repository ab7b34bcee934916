"""How much each edge matters: the scores by which circuits are chosen."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import errors
from visioncircuits.circuits.candidates import Candidates, Masks
from visioncircuits.circuits.patching import patched
from visioncircuits.circuits.running import Measured, activations
from visioncircuits.circuits.sensitivities import sensitivities
from visioncircuits.interventions.ablation import Ablation
from visioncircuits.weights import expanded_weights

METHODS = ("patching", "attribution", "integrated gradients", "kernel norm", "SNIP", "FORCE")
"""How edges can be scored."""

STEPS = 16
"""Of integrated gradients."""

PROBES = 2
"""Random signs, of sizes everywhere by gradients."""

ROUNDS = 8
"""Of FORCE."""

_SHOWN = 24
"""Rows that a notebook shows."""


@dataclass(frozen=True, eq=False, repr=False)
class EdgeScores:
    """How much each candidate edge matters to a feature.

    Attributes
    ----------
    candidates
        The edges.
    method
        How they were scored.
    ablation
        What edges were ablated to.
    effect
        What each edge adds to the target's activation where this is strongest: signed, the mean
        over photographs. 0 for methods without a sign.
    size
        What edges are ranked by: the root mean square of the effect over photographs, at the same
        positions or everywhere; or the method's own measure.
    remainder
        Of integrated gradients: what the effects do not add up to, largest over photographs, in
        units of activation; None for others.
    record
        How to make them again, as plain data.

    Examples
    --------
    >>> from torch import nn
    >>> from visioncircuits.circuits import METHODS, candidates, measured
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), torch.rand(4, 3, 24, 24))
    >>> score(study, method=METHODS[3])
    EdgeScores(kernel norm, 8 edges to 2:0)
    """

    candidates: Candidates
    method: str
    ablation: Ablation
    effect: Float[np.ndarray, " edges"]
    size: Float[np.ndarray, " edges"]
    remainder: float | None
    record: Mapping[str, Any]

    def __repr__(self) -> str:
        return (
            f"EdgeScores({self.method}, {len(self.size)} edges to {self.candidates.target.feature})"
        )

    def _repr_html_(self) -> str:
        return str(self.strongest(_SHOWN).to_html(border=0, index=False))

    def strongest(self, count: int) -> pd.DataFrame:
        """Return the largest scores, as a table of `source`, `target`, `effect` and `size`.

        Examples
        --------
        >>> from torch import nn
        >>> from visioncircuits.circuits import candidates, measured
        >>> from visioncircuits.networks import Preprocessing, wrap
        >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
        >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
        >>> study = measured(candidates(network, "2:0", ["1"]), torch.rand(4, 3, 24, 24))
        >>> list(score(study).strongest(3).columns)
        ['source', 'target', 'effect', 'size']
        """
        order = ranking(self.size)[:count]
        edges = [self.candidates.edges[number] for number in order]
        columns = {"effect": self.effect[order], "size": self.size[order]}
        return pd.DataFrame(edges).assign(**columns) if edges else pd.DataFrame()


def ranking(size: Float[np.ndarray, " edges"]) -> np.ndarray:
    """Return the numbers of edges, the largest first; of equal ones the earlier first."""
    return np.argsort(-size, kind="stable")


def score(
    study: Measured,
    *,
    method: str = "attribution",
    ablation: Ablation = "mean",
    at: Literal["peak", "everywhere"] = "peak",
    steps: int = STEPS,
    edges: Iterable[tuple[str, str]] | None = None,
) -> EdgeScores:
    """Score all candidate edges by how much each matters to the target.

    Effects are on the target's activation at the position where it is strongest, on each
    photograph.

    Parameters
    ----------
    study
        From `measured`.
    method
        - `"patching"`: what the activation loses when the edge alone is ablated; exact, and as
          many runs as edges.
        - `"attribution"`: the same to first order, gradient times difference, for all edges in two
          passes (attribution patching; Nanda 2023, Syed et al., "Attribution Patching Outperforms
          Automated Circuit Discovery", 2023).
        - `"integrated gradients"`: along the way on which all edges go from ablated to not, in
          `steps` steps (as EAP-IG, Hanna et al., "Have Faith in Faithfulness", 2024); effects add
          up to the activation less that of the empty circuit, to `EdgeScores.remainder`.
        - `"kernel norm"`: the L2 norm of the expanded weights between the two; no photographs.
        - `"SNIP"`: connection sensitivity (Lee et al., 2019), the derivative of the activation's
          sum over photographs by a mask on the edge, over the sum of all; edges are ablated to
          zero, as in pruning.
        - `"FORCE"`: the same, of a circuit that is pruned in rounds by an exponential schedule to a
          hundredth of the edges, from which all edges are scored anew each time (de Jorge et al.,
          "Progressive Skeletonization", 2021). Hamblin et al., "Pruning for Feature-Preserving
          Circuits in CNNs" (2022), prune kernels for a feature so.
    ablation
        `"zero"`, `"mean"` or `"resample"`, as in `run`; SNIP and FORCE take zero.
    at
        Of patching, attribution and integrated gradients: whether sizes are of the effects at that
        position, `"peak"`, or `"everywhere"`: at all positions alike. Gradients estimate these by
        random signs, in three times the time; units that are off at the peak of the target count
        too then.
    steps
        Of integrated gradients.
    edges
        Of patching: those that are scored; by default all. The others have size 0.

    Raises
    ------
    InputError
        For an unknown method, or ablation, or edges that are no candidates.

    Examples
    --------
    >>> from torch import nn
    >>> from visioncircuits.circuits import candidates, measured
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), torch.rand(4, 3, 24, 24))
    >>> exact, first_order = score(study, method="patching"), score(study)
    >>> np.allclose(exact.effect, first_order.effect, atol=1e-6)  # the path is linear
    True
    """
    if method not in METHODS:
        raise errors.unknown("method", method, METHODS)
    found, remainder = study.candidates, None
    effect = np.zeros(len(found))
    if method == "patching":
        chosen = np.ones(len(found), bool) if edges is None else found.choice(edges)
        numbers = np.flatnonzero(chosen).tolist()
        lost, squares = (each.double() for each in patched(study, numbers, ablation))
        squares = lost.square() if at == "peak" else squares
        size = np.zeros(len(found))
        effect[numbers], size[numbers] = lost.mean(0).numpy(), squares.mean(0).sqrt().numpy()
    elif method == "kernel norm":
        size = _kernel_norms(found)
    elif method in ("SNIP", "FORCE"):
        ablation = "zero"
        size = _snip(study) if method == "SNIP" else force(study)
    else:
        levels = [1.0] if method == "attribution" else [(at + 0.5) / steps for at in range(steps)]
        effect, size, sums = _along(study, levels, ablation, study.one_hot)
        if at == "everywhere":
            drawn = [_along(study, levels, ablation, signs)[1] ** 2 for signs in _signs(study)]
            size = np.sqrt(np.mean(drawn, 0) / study.activation.shape[1])
        if method == "integrated gradients":
            remainder = float((sums - _whole(study, ablation)).abs().max())
    record = {
        **study.record(),
        "method": method,
        "ablation": ablation,
        "at": at,
        **({"steps": steps} if method == "integrated gradients" else {}),
    }
    return EdgeScores(found, method, ablation, effect, size, remainder, record)


def _along(
    study: Measured, levels: list[float], ablation: Ablation, probe: Tensor
) -> tuple[np.ndarray, np.ndarray, Tensor]:
    """Average sensitivities over levels of all masks: effect, size, and each photograph's sum."""
    found = study.candidates
    means, squares, sums = np.zeros(len(found)), np.zeros(len(found)), []
    runs = [sensitivities(study, found.uniform(level), ablation, probe) for level in levels]
    for batch in zip(*runs, strict=True):
        effects = (sum(batch[1:], batch[0]) / len(batch)).double().cpu()
        means += effects.sum(0).numpy()
        squares += effects.square().sum(0).numpy()
        sums.append(effects.sum(1))
    return means / len(study), np.sqrt(squares / len(study)), torch.cat(sums)


@torch.no_grad()
def _whole(study: Measured, ablation: Ablation) -> Tensor:
    """Return the activation at its peak less that of the empty circuit, by photograph."""
    nothing = activations(study, np.zeros(len(study.candidates), bool), ablation)
    return study.at_peak(study.activation - nothing).double().cpu()


def _derivative(study: Measured, masks: Masks) -> np.ndarray:
    """Return the size of the derivative of the activation, summed over photographs."""
    turns = [each.sum(0) for each in sensitivities(study, masks, "zero", study.one_hot)]
    return np.asarray(torch.stack(turns).sum(0).abs().double().cpu().numpy())


def _signs(study: Measured) -> Iterator[Tensor]:
    """Draw a random sign for each position: on average, squares of sums are sums of squares."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(PROBES):
        drawn = torch.randint(0, 2, study.activation.shape, generator=generator)
        yield (2 * drawn - 1).to(study.activation)


def _snip(study: Measured) -> np.ndarray:
    size = _derivative(study, study.candidates.uniform(1.0))
    return np.asarray(size / max(size.sum(), np.finfo(float).tiny))


def force(study: Measured, *, share: float = 0.01, rounds: int = ROUNDS) -> np.ndarray:
    """Score edges by FORCE: pruned in rounds to a share of them, each by the derivative anew.

    After round `t` of `T` there are `exp(a log k + (1 - a) log m)` of `m` edges left, with
    `a = t / T` and `k` the share of `m`. What is pruned in one round may return in the next.
    """
    found = study.candidates
    count, least = len(found), max(round(share * len(found)), 1)
    size = _derivative(study, found.uniform(1.0))
    for turn in range(1, rounds + 1):
        done = turn / rounds
        left = round(np.exp(done * np.log(least) + (1 - done) * np.log(count)))
        kept = np.zeros(count, bool)
        kept[ranking(size)[:left]] = True
        size = _derivative(study, found.masks(kept))
    return size


def _kernel_norms(found: Candidates) -> np.ndarray:
    norms = {}
    for a, b in found.pairs:
        source = found.columns[a]
        target = found.target if b == len(found.columns) else found.columns[b]
        weights = expanded_weights(found.network, list(source.features), list(target.features))
        inner = weights.weight.square().sum((2, 3)).sqrt().T
        norms[a, b] = torch.zeros(len(source.names), len(target.names))
        norms[a, b][: inner.shape[0], : inner.shape[1]] = inner
    return np.asarray(found.joined(norms).double().numpy())
