"""Symmetries of weights as numbers: rotated templates, mirrored kernels, circles and evolutes.

Sources: Olah et al., "Naturally Occurring Equivariance in Neural Networks" (2020); Cammarata et
al., "Curve Circuits" (2021).

All of these take kernels as arrays, so that published ones and a network's own, as
`expanded_weights` gives them, are measured alike. Orientations are in degrees, clockwise from +x on
the screen; a curve's is the direction from its center of curvature to its apex.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float

from visioncircuits.errors import InputError
from visioncircuits.tuning import angular_difference, angular_distance

Kernels = Float[np.ndarray, "kernels height width"]


def rotated_template(
    template: Float[np.ndarray, "side side"], kernels: Float[np.ndarray, "kernels side side"]
) -> Float[np.ndarray, "kernels 4"]:
    """Correlate kernels with a template rotated clockwise by 0, 90, 180 and 270 degrees.

    Examples
    --------
    >>> template = np.array([[0.0, 1.0], [0.0, 0.0]])
    >>> rotated_template(template, np.array([[[0.0, 0.0], [0.0, 1.0]]])).round(1).tolist()
    [[-0.3, 1.0, -0.3, -0.3]]
    """
    rotations = np.stack([np.rot90(template, -quarters) for quarters in range(4)])
    return np.array([[correlation(kernel, turn) for turn in rotations] for kernel in kernels])


def mirrored(
    one: Float[np.ndarray, "height width"], other: Float[np.ndarray, "height width"]
) -> float:
    """Correlate a kernel with another whose left and right are exchanged.

    Examples
    --------
    >>> round(mirrored(np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 3.0]])), 3)
    1.0
    """
    return correlation(one, other[:, ::-1])


def centroids(
    kernels: Float[np.ndarray, "*kernels height width"],
) -> Float[np.ndarray, "*kernels 2"]:
    """Locate the middle of what excites in each kernel, right and down from the kernel's own.

    Parameters
    ----------
    kernels
        Any number of them.

    Returns
    -------
    numpy.ndarray
        `(x, y)`, in places of the kernel; 0 for a kernel that nowhere excites.

    Examples
    --------
    >>> centroids(np.array([[[0.0, 0.0, 1.0], [0.0, -9.0, 0.0], [0.0, 0.0, 1.0]]])).tolist()
    [[1.0, 0.0]]
    """
    exciting = kernels.clip(min=0)
    height, width = kernels.shape[-2:]
    x, y = np.arange(width) - (width - 1) / 2, np.arange(height) - (height - 1) / 2
    total = exciting.sum((-2, -1)).clip(1e-9)
    right, down = (exciting * x).sum((-2, -1)), (exciting * y[:, None]).sum((-2, -1))
    return np.asarray(np.stack([right, down], -1) / total[..., None])


def placement(
    kernels: Float[np.ndarray, "kernels height width"],
    orientations: Float[np.ndarray, " kernels"],
) -> Float[np.ndarray, " kernels"]:
    """Average where curves excite from, relative to the orientation that they prefer.

    A circle is made of curves that each lie where they face: 0 degrees. In an evolute they lie
    where they turn their back: 180.

    Parameters
    ----------
    kernels
        From curve detectors into one unit.
    orientations
        Of the detectors, in degrees.

    Returns
    -------
    numpy.ndarray
        From -180 to 180 degrees: the direction of the `centroids` less the orientation.

    Examples
    --------
    >>> from_the_right = np.array([[[0.0, 0.0, 1.0]]])
    >>> placement(from_the_right, np.array([10.0])), placement(from_the_right, np.array([170.0]))
    (array([-10.]), array([-170.]))
    """
    x, y = centroids(kernels).T
    return angular_difference(np.degrees(np.arctan2(y, x)), orientations)


def sums_by_angle(
    kernels: Float[np.ndarray, "target source height width"],
    targets: Float[np.ndarray, " target"],
    sources: Float[np.ndarray, " source"],
    *,
    step: float = 30.0,
) -> pd.DataFrame:
    """Average the kernels' sums by the angle between the two units' orientations.

    Parameters
    ----------
    kernels
        From every source to every target.
    targets, sources
        Their orientations, in degrees.
    step
        Of the angles that are averaged together, in degrees; a whole number of them goes into 180.

    Returns
    -------
    pandas.DataFrame
        A row a step: `least` and `most` (degrees), `sum` (the mean; NaN without kernels) and
        `kernels` (how many).

    Raises
    ------
    InputError
        For steps that do not go into 180 degrees.

    Examples
    --------
    >>> kernels = np.array([3.0, -5.0]).reshape(1, 2, 1, 1)
    >>> sums_by_angle(kernels, np.array([0.0]), np.array([10.0, 180.0]), step=90)["sum"].tolist()
    [3.0, -5.0]
    """
    count = round(180 / step) if step > 0 else 0
    if not count or not np.isclose(count * step, 180):
        raise InputError(f"steps of {step:g} degrees do not go into 180; take 15, 30 or 45")
    apart = angular_distance(targets[:, None], sources)
    which = np.minimum(apart // step, count - 1).astype(int)
    sums = kernels.sum((2, 3))
    rows = []
    for place in range(count):
        inside = sums[which == place]
        mean = float(inside.mean()) if len(inside) else float("nan")
        rows.append((place * step, (place + 1) * step, mean, len(inside)))
    return pd.DataFrame(rows, columns=["least", "most", "sum", "kernels"])


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Correlate two kernels of one shape."""
    first, second = (each.ravel() - each.mean() for each in (one, other))
    scale = np.linalg.norm(first) * np.linalg.norm(second)
    return float(first @ second / scale) if scale else 0.0
