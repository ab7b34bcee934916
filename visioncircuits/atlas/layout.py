"""Where samples lie in the plane: neighbors in the layer's space are neighbors in the plane.

Every layout takes samples and a seed, and the same ones give the same bytes on the same machine.
"""

import warnings
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
from jaxtyping import Float32

from visioncircuits.errors import InputError, unknown
from visioncircuits.networks import identity

Points = Float32[np.ndarray, "samples 2"]
Layout = Callable[[Float32[np.ndarray, "samples units"], int], Points]
"""Places samples in the plane, in any unit, by their activations and a seed."""

COMPONENTS = 50
"""What UMAP and t-SNE compare: on more, neighbors are the same and take longer to find."""

_MISSING = (
    "the layout umap needs another package: pip install 'visioncircuits[atlas]'; or choose tsne, "
    "pca or grid"
)

PACKAGES = {"umap": "umap-learn", "tsne": "scikit-learn"}
"""The package that computes a layout, by the layout's name; others are this package's own."""

PERCENTILES, MARGIN = (1, 99), 0.1
"""Beyond these percentiles, and so much of their distance, outliers are moved to the border."""


def lay_out(
    values: Float32[np.ndarray, "samples units"],
    layout: str | Layout = "umap",
    *,
    seed: int = 0,
) -> Points:
    """Lay out samples in the unit square.

    Parameters
    ----------
    values
        Activations.
    layout
        `"umap"`, `"tsne"`, `"pca"` or `"grid"`, in which every area holds equally many samples; or
        a function of samples and a seed, such as `partial(umap, neighbors=50)`.
    seed
        Of what is random in it.

    Returns
    -------
    float32, (samples, 2)
        x and y, with outliers on the border.

    Raises
    ------
    InputError
        For an unknown layout, fewer than 3 samples, and UMAP where it is not installed.

    Examples
    --------
    >>> places = lay_out(np.random.default_rng(0).random((50, 8), np.float32), "pca")
    >>> places.shape, float(places.min()), float(places.max())
    ((50, 2), 0.0, 1.0)
    """
    check_layout(layout)
    if isinstance(layout, str):
        layout = LAYOUTS[layout]
    if len(values) < 3:
        raise InputError(f"{len(values)} samples have no layout; take more photographs")
    return scaled(layout(values, seed))


def check_layout(layout: str | Layout) -> None:
    """Check that a layout is known and installed, before there are samples.

    Raises
    ------
    InputError
        Where it is not.

    Examples
    --------
    >>> check_layout("isomap")
    Traceback (most recent call last):
    visioncircuits.errors.InputError: unknown layout 'isomap'...
    """
    if not isinstance(layout, str):
        return
    if layout not in LAYOUTS:
        raise unknown("layout", layout, LAYOUTS)
    if layout == "umap" and find_spec("umap") is None:
        raise InputError(_MISSING)


def described(layout: str | Layout) -> str | dict[str, str]:
    """Describe a layout for a record: its name and the package that computes it, or its code.

    Examples
    --------
    >>> described("pca")
    'pca'
    """
    if not isinstance(layout, str):
        return identity.function(layout)
    if layout not in PACKAGES:
        return layout
    return {"name": layout, PACKAGES[layout]: version(PACKAGES[layout])}


def scaled(points: Points) -> Points:
    """Move outliers to the border and scale to the unit square, as the article's code does.

    Examples
    --------
    >>> scaled(np.array([[0, 5], [1, 6], [2, 7]], np.float32)).tolist()
    [[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]
    """
    low, high = np.percentile(points.astype(np.float64), PERCENTILES, axis=0)
    margin = MARGIN * (high - low)
    clipped = np.clip(points, low - margin, high + margin)
    least, most = clipped.min(0), clipped.max(0)
    unit: np.ndarray = (clipped - least) / np.maximum(most - least, np.finfo(np.float32).tiny)
    return unit.astype(np.float32)


def components(
    values: Float32[np.ndarray, "samples units"], count: int
) -> Float32[np.ndarray, "samples components"]:
    """Project samples on their first principal components, uncentered: cosines are kept.

    Examples
    --------
    >>> components(np.eye(4, 3, dtype=np.float32), 2).shape
    (4, 2)
    """
    moment = values.T.astype(np.float64) @ values
    _, vectors = np.linalg.eigh(moment)
    vectors = vectors[:, ::-1][:, :count]
    largest = np.abs(vectors).argmax(0)  # of either sign; this fixes it
    vectors = vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])
    return np.asarray(values @ vectors.astype(np.float32))


def pca(values: Float32[np.ndarray, "samples units"], seed: int = 0) -> Points:
    """Lay out by the first two principal components.

    Examples
    --------
    >>> pca(np.eye(4, dtype=np.float32)).shape
    (4, 2)
    """
    centered = components(values - values.mean(0), 2)
    return np.pad(centered, ((0, 0), (0, 2 - centered.shape[1])))


def spread(values: Float32[np.ndarray, "samples units"], seed: int = 0) -> Points:
    """Spread samples evenly: columns by the first principal component, rows by the second.

    Examples
    --------
    >>> spread(np.eye(4, dtype=np.float32)).max()
    np.float32(0.75)
    """
    first, second = pca(values).T
    count = len(values)
    across = np.empty(count, np.int64)
    columns = max(round(count**0.5), 1)
    across[np.argsort(first, kind="stable")] = np.arange(count) * columns // count
    points = np.empty((count, 2), np.float32)
    for column in range(columns):
        (own,) = np.nonzero(across == column)
        ranks = np.argsort(np.argsort(second[own], kind="stable"))
        points[own] = np.stack(
            [np.full(len(own), (column + 0.5) / columns), (ranks + 0.5) / len(own)], 1
        )
    return points


def tsne(
    values: Float32[np.ndarray, "samples units"], seed: int = 0, *, perplexity: float = 50
) -> Points:
    """Lay out by t-SNE, by cosine distances (van der Maaten and Hinton, 2008), as in scikit-learn.

    Examples
    --------
    >>> tsne(np.random.default_rng(0).random((20, 8), np.float32)).shape
    (20, 2)
    """
    from sklearn.manifold import TSNE

    # of vectors of length 1, euclidean distances are in the order of cosine distances
    unit = components(values, COMPONENTS)
    unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    found = TSNE(
        perplexity=min(perplexity, (len(values) - 1) / 3), init="pca", random_state=_small(seed)
    ).fit_transform(unit)
    return np.asarray(found, np.float32)


def umap(
    values: Float32[np.ndarray, "samples units"],
    seed: int = 0,
    *,
    neighbors: int = 20,
    distance: float = 0.01,
) -> Points:
    """Lay out by UMAP, by cosine distances, with the article's numbers (McInnes et al., 2018).

    Parameters
    ----------
    neighbors
        Of each sample whose distances are kept.
    distance
        The least in the plane, which separates neighbors.

    Raises
    ------
    InputError
        Where it is not installed.

    Examples
    --------
    >>> values = np.random.default_rng(0).random((60, 8), np.float32)
    >>> umap(values, neighbors=5).shape  # doctest: +SKIP
    (60, 2)
    """
    model = _umap(neighbors=min(neighbors, len(values) - 1), distance=distance, seed=seed)
    with warnings.catch_warnings():
        # of samples that are far from all others, as those of no activity are
        warnings.filterwarnings("ignore", message=".*not fully connected|.*disconnected")
        return np.asarray(model.fit_transform(components(values, COMPONENTS)), np.float32)


def _umap(*, neighbors: int, distance: float, seed: int) -> Any:
    try:
        with warnings.catch_warnings():
            # it warns that one of its networks needs TensorFlow, which is not used here
            warnings.simplefilter("ignore", ImportWarning)
            from umap import UMAP
    except ImportError as error:
        raise InputError(_MISSING) from error
    return UMAP(
        n_neighbors=neighbors,
        min_dist=distance,
        metric="cosine",
        random_state=_small(seed),
        n_jobs=1,  # what a fixed seed needs
    )


def _small(seed: int) -> int:
    return seed % 2**32


LAYOUTS: dict[str, Layout] = {"umap": umap, "tsne": tsne, "pca": pca, "grid": spread}
"""By name."""
