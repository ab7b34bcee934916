"""The unit of tuning: standard deviations of a unit's activation over photographs."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Network

Batch = Float[Tensor, "_ channels height width"]


def deviations(
    network: Network,
    layer: str,
    pictures: Iterable[Batch],
    *,
    directions: Sequence[Direction] = (),
) -> xr.DataArray:
    """Measure how much each unit's activation varies over the positions of photographs.

    "Curve Detectors" (Cammarata et al., 2020) gives responses to synthetic stimuli in these.

    Parameters
    ----------
    network
        Any network.
    layer
        Its units are measured, after or before the rectifier as its name says.
    pictures
        Batches of photographs, in [0, 1], seen once.
    directions
        In the layer, to be measured as its units are; those of units do not give them.

    Returns
    -------
    xarray.DataArray
        Standard deviations, float64, by `unit`, of directions last.
        ``responses / deviations(...)`` is what the published heat maps show.

    Raises
    ------
    InputError
        For an unknown layer, a direction of another, or where there are no pictures.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> found = deviations(network, "conv2d0", [torch.rand(2, 3, 64, 64)])
    >>> dict(found.sizes), str(found["unit"].values[3])
    ({'unit': 64}, 'conv2d0:3')
    """
    units = network.layer(layer).units
    if any(direction.layer != layer for direction in directions):
        raise InputError(f"directions are measured with the units of their layer, here {layer}")
    vectors = [direction.vector(units).double() for direction in directions]
    names = [*(f"{layer}:{unit}" for unit in range(units)), *map(str, directions)]
    count, mean, squares = 0, torch.zeros(len(names)).double(), torch.zeros(len(names)).double()
    for batch in pictures:
        with torch.inference_mode():
            found = network.activations(batch, [layer])[layer]
        values = found.transpose(0, 1).flatten(1).double().cpu()
        if vectors:
            values = torch.cat([values, torch.stack(vectors) @ values])
        # Chan, Golub and LeVeque's way of joining moments, which loses no digits
        more, own = values.shape[1], values.mean(1)
        apart = own - mean
        squares += (values - own[:, None]).square().sum(1)
        squares += apart.square() * (count * more / (count + more))
        mean += apart * (more / (count + more))
        count += more
    if not count:
        raise InputError("there are no photographs to take standard deviations from")
    spread = np.sqrt(squares.numpy() / count)
    return xr.DataArray(spread, dims=("unit",), coords={"unit": names}, name="deviation")


def in_deviations(responses: xr.DataArray) -> xr.DataArray:
    """Give responses in their units' standard deviations, as published heat maps are.

    Parameters
    ----------
    responses
        With the coordinate `deviation` along `unit`: ``responses.assign_coords(deviation=...)``.

    Raises
    ------
    InputError
        Without that coordinate.

    Examples
    --------
    >>> responses = xr.DataArray([[6.0]], dims=("unit", "radius")).assign_coords(
    ...     deviation=("unit", [3.0])
    ... )
    >>> in_deviations(responses).values.tolist()
    [[2.0]]
    """
    if "deviation" not in responses.coords:
        raise InputError("these responses have no coordinate 'deviation'; measure `deviations`")
    found = (responses / responses["deviation"]).assign_attrs(responses.attrs)
    return found.assign_attrs(units="σ")
