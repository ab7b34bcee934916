"""Equivariance: units that are one another, rotated, enlarged, mirrored or recolored.

Source: Olah et al., "Naturally Occurring Equivariance in Neural Networks" (2020).

Transformations, the pairing of units by them and its null refer to one another, so the module
has some 300 lines.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import xarray as xr
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from visioncircuits.errors import InputError
from visioncircuits.networks import Network
from visioncircuits.stimuli.color import rotate_hue
from visioncircuits.stimuli.trigonometry import cosd, sind
from visioncircuits.tuning import measure, rotated_pictures
from visioncircuits.weights import expanded_weights

Maps = Float[Tensor, "batch channels height width"]
SHUFFLES = 20


@dataclass(frozen=True)
class Transformation:
    """What may be done to a picture, and what that does to a kernel in space.

    Attributes
    ----------
    name
        Such as `"rotation 90"`.
    picture, kernel
        Each takes and gives `(batch, channels, height, width)`. Pictures are mirrored beyond
        their edges; kernels are zero there.

    Examples
    --------
    >>> rotation(90.0).name, reflection().picture(torch.rand(1, 3, 8, 8)).shape
    ('rotation 90', torch.Size([1, 3, 8, 8]))
    """

    name: str
    picture: Callable[[Maps], Maps]
    kernel: Callable[[Maps], Maps]


def rotation(degrees: float) -> Transformation:
    """Turn clockwise on the screen.

    Examples
    --------
    >>> to_the_right = torch.tensor([[[[0.0, 0, 0], [0, 0, 1], [0, 0, 0]]]])
    >>> rotation(90).kernel(to_the_right)[0, 0].argmax().item()  # now below the middle
    7
    """
    cos, sin = (float(f(torch.tensor(float(degrees), dtype=torch.float64))) for f in (cosd, sind))
    return _in_space(f"rotation {degrees:g}", ((cos, sin), (-sin, cos)))


def reflection() -> Transformation:
    """Exchange left and right."""
    return _in_space("reflection", ((-1.0, 0.0), (0.0, 1.0)))


def scaling(factor: float) -> Transformation:
    """Enlarge about the middle; below 1, reduce.

    Raises
    ------
    InputError
        For a factor that is not above 0.

    Examples
    --------
    >>> scaling(0.5).picture(torch.rand(1, 3, 64, 64)).shape
    torch.Size([1, 3, 64, 64])
    """
    if not factor > 0:
        raise InputError(f"pictures are enlarged by a factor above 0, not {factor:g}")
    return _in_space(f"scale {factor:g}", ((1 / factor, 0.0), (0.0, 1 / factor)))


def hue_rotation(degrees: float) -> Transformation:
    """Turn colors about the gray axis, red to green to blue; kernels in space stay as they are.

    Examples
    --------
    >>> red = torch.tensor([1.0, 0.0, 0.0])[None, :, None, None]
    >>> hue_rotation(120).picture(red).flatten().round(decimals=3).tolist()
    [0.0, 1.0, 0.0]
    """

    def picture(pictures: Maps) -> Maps:
        return rotate_hue(pictures, degrees).clamp(0, 1)

    return Transformation(f"hue {degrees:g}", picture, lambda kernels: kernels)


def _in_space(name: str, source: tuple[tuple[float, float], tuple[float, float]]) -> Transformation:
    """Read what is at `(x, y)` from the middle off at `source · (x, y)`."""

    def moved(maps: Maps, mode: str, beyond: str) -> Maps:
        height, width = maps.shape[2:]
        (xx, xy), (yx, yy) = source
        matrix = torch.tensor([[xx, xy * height / width, 0], [yx * width / height, yy, 0]])
        shape = [len(maps), maps.shape[1], height, width]
        grid = affine_grid(matrix.to(maps).expand(len(maps), 2, 3), shape, align_corners=False)
        return grid_sample(maps, grid, mode=mode, padding_mode=beyond, align_corners=False)

    return Transformation(
        name,
        lambda pictures: moved(pictures, "bicubic", "reflection").clamp(0, 1),
        lambda kernels: moved(kernels, "bilinear", "zeros"),
    )


def partners(
    network: Network,
    source: str,
    layer: str,
    pictures: Float[Tensor, "pictures 3 height width"],
    transformations: Sequence[Transformation],
    *,
    seed: int = 0,
    shuffles: int = SHUFFLES,
) -> xr.Dataset:
    """Find for every unit the one that is it, transformed, by tuning and by weights.

    Two things are compared, and the poorer counts. Tuning: the partner's responses to the
    transformed pictures, with the unit's responses to the pictures. Weights: the partner's
    kernels with the unit's transformed kernels, each from the source unit that is the other's
    own source unit, transformed; which these are is an assignment of one to one, by tuning.

    Parameters
    ----------
    source, layer
        The kernels lead from the one to the other; they need not be adjacent.
    pictures
        In [0, 1]; the neurons look at their middles. Best of a size that the neurons see.
    transformations
        Which to try.
    seed
        Of the shuffles.
    shuffles
        How often pictures and source units are dealt out at random, for what chance gives.

    Returns
    -------
    xarray.Dataset
        By `transformation` and `unit`: `partner` (a number; it may be the unit's own), `tuning`
        and `weights` (correlations), `mutual`, whether no other unit fits the partner better, and,
        by `transformation` alone, `chance`, the most that the poorer correlation of any unit with
        its best partner comes to in any shuffle.

    Raises
    ------
    InputError
        As `measure` and `expanded_weights`, and without transformations or for fewer than eight
        pictures.
    """
    if len(pictures) < 8 or not transformations:
        raise InputError("equivariance needs eight pictures or more, and a transformation")
    generator = np.random.default_rng(seed)
    kernels = expanded_weights(network, source, layer).weight.cpu()
    before = [_responses(network, name, pictures) for name in (source, layer)]
    found: dict[str, list[np.ndarray]] = {"partner": [], "tuning": [], "weights": [], "mutual": []}
    chance = []
    for transformation in transformations:
        changed = transformation.picture(pictures)
        after = [_responses(network, name, changed) for name in (source, layer)]
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
    dims = ("transformation", "unit")
    return xr.Dataset(
        {name: (dims, np.stack(values)) for name, values in found.items()}
        | {"chance": ("transformation", chance)},
        coords={
            "transformation": [transformation.name for transformation in transformations],
            "unit": [f"{layer}:{unit}" for unit in range(len(before[1]))],
        },
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
    products: np.ndarray = first @ second.T
    return products


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
