"""The unit of tuning: standard deviations of a unit's activation over photographs."""

import json
from collections.abc import Sequence

import numpy as np
import torch
import xarray as xr

from visioncircuits import __version__
from visioncircuits.datasets import Source
from visioncircuits.datasets import photographs as dataset
from visioncircuits.errors import InputError
from visioncircuits.labeled import LabeledArray
from visioncircuits.networks import Direction, Network
from visioncircuits.progress import bar
from visioncircuits.tuning.responses import Responses

BATCH = 16
"""Photographs that go through the network at once."""


def deviations(
    network: Network,
    layer: str,
    photographs: Source,
    *,
    directions: Sequence[Direction] = (),
    progress: bool = False,
) -> LabeledArray:
    """Measure the standard deviation of each unit's activation over positions of photographs.

    "Curve Detectors" (Cammarata et al., 2020) gives responses to synthetic stimuli in these.

    Parameters
    ----------
    network
        Any network.
    layer
        Its units are measured; a name that ends in `_pre_relu` is for before the rectifier.
    photographs
        Whatever `datasets.photographs` takes: a folder, files, a dataset, a tensor.
    directions
        In the layer, to be measured too; theirs do not follow from the units'.
    progress
        Whether to show a bar.

    Returns
    -------
    LabeledArray
        Standard deviations, float64, by `unit`, of directions last.
        ``responses / deviations(...)`` is what the published heat maps show.

    Raises
    ------
    InputError
        For an unknown layer, a direction in another, without photographs, or for a file that is
        no picture.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> found = deviations(network, "conv2d0", torch.rand(2, 3, 64, 64))
    >>> dict(found.sizes), str(found["unit"].values[3])
    ({'unit': 64}, 'conv2d0:3')
    """
    units = network.layer(layer).units
    if any(direction.layer != layer for direction in directions):
        raise InputError(f"directions must be in the layer that is measured, {layer}")
    vectors = [direction.vector(units).double() for direction in directions]
    names = [*(f"{layer}:{unit}" for unit in range(units)), *map(str, directions)]
    count, mean, squares = 0, torch.zeros(len(names)).double(), torch.zeros(len(names)).double()
    given = dataset(photographs)
    with bar("photographs", len(given), visible=progress) as advance:
        for batch in given.batches(network.size, BATCH):
            with torch.inference_mode():
                maps = network.activations(batch, [layer])[layer]
            values = maps.transpose(0, 1).flatten(1).double().cpu()
            if vectors:
                values = torch.cat([values, torch.stack(vectors) @ values])
            # Moments are joined as by Chan, Golub and LeVeque, which is numerically stable.
            more, own = values.shape[1], values.mean(1)
            shift = own - mean
            squares += (values - own[:, None]).square().sum(1)
            squares += shift.square() * (count * more / (count + more))
            mean += shift * (more / (count + more))
            count += more
            advance(len(batch))
    record = {
        "visioncircuits": __version__,
        "torch": torch.__version__,
        "device": network.device.type,
        "network": network.record(),
        "layer": layer,
        "directions": [direction.record() for direction in directions],
        "photographs": {"count": len(given), "sha256": given.digest()},
    }
    return LabeledArray(
        np.sqrt(squares.numpy() / count),
        dims=("unit",),
        coords={"unit": names},
        name="deviation",
        attrs={"record": json.dumps(record, sort_keys=True)},
    )


def in_deviations(responses: xr.DataArray) -> Responses:
    """Return responses in their units' standard deviations, as in the published heat maps.

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
    scaled = responses / responses["deviation"]
    return Responses(scaled.assign_attrs(responses.attrs, units="σ"))
