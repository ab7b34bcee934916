"""A feature on an atlas: how much each cell's average activates it."""

import numpy as np
from jaxtyping import Float32

from visioncircuits.atlas.records import Atlas
from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, Unit, parse


def along(atlas: Atlas, feature: str | Feature) -> list[Float32[np.ndarray, " cells"]]:
    """Return how much each cell's average activates a feature, for every grid.

    Parameters
    ----------
    atlas
        Of the feature's layer.
    feature
        A unit, a direction, or a dictionary's atom (one of `Dictionary.features`), as the direction
        in which it is read.

    Returns
    -------
    list of ndarray
        float32, one a grid: the dot product of each cell's average and the direction.

    Raises
    ------
    InputError
        For a feature of another layer, or one that the layer does not have.

    Examples
    --------
    >>> from visioncircuits.atlas import Grid, SampledActivations
    >>> grid = Grid(1, np.array([[0, 0]]), np.array([1]), np.array([[2, 5]], np.float32),
    ...             np.zeros((1, 0), np.float32), np.zeros(1, int))
    >>> drawn = SampledActivations("toy", "conv", np.array([[2, 5]], np.float32), np.zeros(1, int),
    ...                            np.zeros((1, 2), int), (1, 1), ("cat.jpg",))
    >>> made = Atlas(drawn, np.zeros((1, 2), np.float32), (grid,), (), {})
    >>> along(made, "conv:1")
    [array([5.], dtype=float32)]
    """
    found = parse(feature)
    samples = atlas.samples
    if found.layer != samples.layer:
        raise InputError(f"{found} is of {found.layer}, and the atlas of {samples.layer}")
    units = samples.values.shape[1]
    if isinstance(found, Unit):
        if found.index >= units:
            raise InputError(f"{samples.layer} has units 0 to {units - 1}, not {found.index}")
        vector = np.eye(1, units, found.index, dtype=np.float32)[0]
    else:
        vector = found.vector(units).numpy()
    return [np.asarray(grid.means @ vector) for grid in atlas.grids]
