"""Equivariance: units that are one another, rotated, enlarged, mirrored or recolored.

Source: Olah et al., "Naturally Occurring Equivariance in Neural Networks" (2020).

Transformations, the pairing of units by them and its null refer to one another, so the module
has some 300 lines.
"""

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
import xarray as xr
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from visioncircuits import __version__
from visioncircuits.comparison.transformations import Maps, Transformation
from visioncircuits.errors import InputError
from visioncircuits.labeled import LabeledTable
from visioncircuits.networks import Network
from visioncircuits.progress import bar
from visioncircuits.tuning import measure, rotated_pictures
from visioncircuits.weights import expanded_weights

SHUFFLES = 20

_ROWS = 24
"""Rows that a notebook shows."""


class Partners(LabeledTable):  # type: ignore[no-untyped-call]
    """For every unit its partner under transformations, by `transformation` and `unit`.

    A notebook shows the families that they make (`orbits`) above the values.

    Examples
    --------
    >>> from torch import nn
    >>> from visioncircuits.comparison import partners, reflection
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> found = partners(network, "0", "2", torch.rand(8, 3, 5, 5), [reflection()], shuffles=1)
    >>> dict(found.sizes)
    {'transformation': 1, 'unit': 4}
    """

    __slots__ = ()
    contents = "partners"
    dimensions = ("transformation", "unit")

    def _repr_html_(self) -> str:
        values: str = super()._repr_html_()
        whole = {"partner", "tuning", "weights", "mutual", "chance"} <= {*self}
        if not whole or self["partner"].dims != self.dimensions:
            return values
        families: str = orbits(self)[:_ROWS].to_html(border=0, index=False)
        return families + values


def partners(
    network: Network,
    source: str,
    target: str,
    pictures: Float[Tensor, "pictures 3 height width"],
    transformations: Sequence[Transformation],
    *,
    seed: int = 0,
    shuffles: int = SHUFFLES,
    progress: bool = False,
) -> Partners:
    """Find for every unit the one that is it, transformed, by tuning and by weights.

    Two things are compared, and the poorer counts. Tuning: the partner's responses to the
    transformed pictures, with the unit's responses to the pictures. Weights: the partner's
    kernels with the unit's transformed kernels, each from the source unit that is the other's
    own source unit, transformed; which these are is an assignment of one to one, by tuning.

    Parameters
    ----------
    source, target
        Layers. Units of the target are compared; the kernels lead from the one layer to the other,
        which need not be adjacent.
    pictures
        In [0, 1]; the neurons look at their middles. Best of a size that the neurons see.
    transformations
        Which to try.
    seed
        Of the shuffles.
    shuffles
        How often pictures and source units are dealt out at random, for what chance gives.
    progress
        Whether to show a bar.

    Returns
    -------
    Partners
        By `transformation` and `unit`: `partner` (a number; it may be the unit's own), `tuning`
        and `weights` (correlations), `mutual`, whether no other unit fits the partner better, and,
        by `transformation` alone, `chance`, the most that the poorer correlation of any unit with
        its best partner comes to in any shuffle.

    Raises
    ------
    InputError
        As `measure` and `expanded_weights`, and without transformations or for fewer than eight
        pictures.

    Examples
    --------
    >>> from torch import nn
    >>> from visioncircuits.comparison import reflection, rotation
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3)
    >>> network, pictures = wrap(nn.Sequential(*layers), Preprocessing()), torch.rand(8, 3, 5, 5)
    >>> found = partners(network, "0", "2", pictures, [reflection(), rotation(90)], shuffles=1)
    >>> found["transformation"].values.tolist()
    ['reflection', 'rotation 90']
    """
    if len(pictures) < 8 or not transformations:
        raise InputError("equivariance needs eight pictures or more, and a transformation")
    generator = np.random.default_rng(seed)
    kernels = expanded_weights(network, source, target).weight.cpu()
    before = [_responses(network, name, pictures) for name in (source, target)]
    found: dict[str, list[np.ndarray]] = {"partner": [], "tuning": [], "weights": [], "mutual": []}
    chance = []
    with bar("transformations", len(transformations), visible=progress) as advance:
        for transformation in transformations:
            changed = transformation.picture(pictures)
            after = [_responses(network, name, changed) for name in (source, target)]
            tuning = correlated(before[1], after[1])
            weights = _alike(kernels, transformation, correlated(before[0], after[0]))
            poorer = np.minimum(tuning, weights)
            best = poorer.argmax(1)
            every = np.arange(len(best))
            found["partner"].append(best)
            found["tuning"].append(tuning[every, best])
            found["weights"].append(weights[every, best])
            found["mutual"].append(poorer.argmax(0)[best] == every)
            chance.append(
                max(
                    np.minimum(
                        correlated(before[1], after[1][:, generator.permutation(len(pictures))]),
                        weights[:, generator.permutation(len(best))],
                    ).max()
                    for _ in range(shuffles)
                )
            )
            advance(1)
    dims = ("transformation", "unit")
    record = {
        "visioncircuits": __version__,
        "device": network.device.type,
        "network": network.record(),
        "source": source,
        "target": target,
        "pictures": len(pictures),
        "seed": seed,
        "shuffles": shuffles,
    }
    return Partners(
        {name: (dims, np.stack(values)) for name, values in found.items()}
        | {"chance": ("transformation", chance)},
        coords={
            "transformation": [transformation.name for transformation in transformations],
            "unit": [f"{target}:{unit}" for unit in range(len(before[1]))],
        },
        attrs={"record": json.dumps(record, sort_keys=True)},
    )


def orbits(found: xr.Dataset, *, least: float = 0.3) -> pd.DataFrame:
    """Gather units into families of which each is another, transformed.

    A family is a unit and its partners under every transformation. The unit that has the most
    others as partners comes first, of equals the one whose partners are surest; whoever is in a
    family already is in no other. Units that are nobody's partner but their own are invariant, and
    come last.

    Parameters
    ----------
    found
        From `partners`.
    least
        The poorer of the two correlations must be above it, and above chance, and the match
        mutual.

    Returns
    -------
    pandas.DataFrame
        A row for every member: `family` (its first unit), `unit`, `transformation` (what makes
        the first unit this one; "identity" for the first itself), `tuning`, `weights`. A unit that
        is its own partner has a row for each transformation that leaves it as it is.

    Examples
    --------
    >>> both = ("transformation", "unit")
    >>> found = xr.Dataset(
    ...     {
    ...         "partner": (both, [[1, 0, 2]]),
    ...         "tuning": (both, [[0.9, 0.9, 0.1]]),
    ...         "weights": (both, [[0.8, 0.8, 0.1]]),
    ...         "mutual": (both, [[True, True, True]]),
    ...         "chance": ("transformation", [0.2]),
    ...     },
    ...     coords={"transformation": ["reflection"], "unit": ["a:0", "a:1", "a:2"]},
    ... )
    >>> orbits(found)[["family", "unit", "transformation"]].values.tolist()
    [['a:0', 'a:0', 'identity'], ['a:0', 'a:1', 'reflection']]
    """
    tuning, weights, partner = (found[name].values for name in ("tuning", "weights", "partner"))
    poorer = np.minimum(tuning, weights)
    bound = np.maximum(found["chance"].values, least)
    sure = found["mutual"].values & (poorer > bound[:, None])
    units, names = found["unit"].values.tolist(), found["transformation"].values.tolist()
    others = [
        len(set(partner[sure[:, unit], unit].tolist()) - {unit}) for unit in range(len(units))
    ]
    order = np.lexsort((-(poorer * sure).sum(0), -np.array(others)))
    taken: set[int] = set()
    rows = []
    for first in order:
        if first in taken:
            continue
        reached = [
            (which, partner[which, first])
            for which in np.flatnonzero(sure[:, first])
            if partner[which, first] not in taken
        ]
        if not reached:
            continue
        rows.append((units[first], units[first], "identity", 1.0, 1.0))
        for which, other in reached:
            alike = float(tuning[which, first]), float(weights[which, first])
            rows.append((units[first], units[other], names[which], *alike))
        taken |= {int(first), *(int(other) for _, other in reached)}
    return pd.DataFrame(rows, columns=["family", "unit", "transformation", "tuning", "weights"])


def correlated(
    one: Float[np.ndarray, "units values"], other: Float[np.ndarray, "partners values"]
) -> Float[np.ndarray, "units partners"]:
    """Correlate every row of the one with every row of the other; 0 where a row does not vary.

    Examples
    --------
    >>> rows = np.array([[1.0, 2.0, 4.0], [1.0, 1.0, 1.0]])
    >>> correlated(2 * rows[:1], rows).round(3).tolist()
    [[1.0, 0.0]]
    """
    first, second = (each - each.mean(1, keepdims=True) for each in (one, other))
    lengths = (np.linalg.norm(each, axis=1, keepdims=True) for each in (first, second))
    first, second = (
        np.divide(each, length, out=np.zeros_like(each), where=length > 0)
        for each, length in zip((first, second), lengths, strict=True)
    )
    return np.asarray(first @ second.T)


def _responses(network: Network, layer: str, pictures: Maps) -> Float[np.ndarray, "units pictures"]:
    """Responses of all units before the rectifier, each picture centered on a neuron."""
    shown = rotated_pictures(list(pictures.float()), step=360.0)
    responses = measure(network, network.before_rectifier(layer), shown)
    return responses.values[:, :, 0].astype(np.float64)


def _alike(
    kernels: Float[Tensor, "units source height width"],
    transformation: Transformation,
    sources: Float[np.ndarray, "source source"],
) -> Float[np.ndarray, "units units"]:
    """Correlate the units' transformed kernels with the kernels from the transformed sources.

    Each source counts by how well the unit that is assigned to it matches it: where the source
    has no partner in its layer, its kernels are not compared.
    """
    every, assigned = linear_sum_assignment(sources, maximize=True)
    trust = torch.as_tensor(np.sqrt(sources[every, assigned].clip(min=0))).to(kernels)
    moved = transformation.kernel(kernels) * trust[:, None, None]
    kept = kernels[:, torch.as_tensor(assigned)] * trust[:, None, None]
    return correlated(*(each.flatten(1).double().numpy() for each in (moved, kept)))
