"""Units that respond to whole circles rather than to arcs of them."""

import numpy as np
import pandas as pd

from visioncircuits.networks import Network
from visioncircuits.stimuli import StimulusSet, circle, curve
from visioncircuits.tuning.responses import measure

_PARTS = (0.06, 0.1, 0.15, 0.22, 0.3)
_STROKE = 3.0


def circle_detectors(network: Network, layer: str) -> pd.DataFrame:
    """Compare the responses of units to circles and to curves of the same radii.

    For "Eyes / Small Circles" and "Circles / Loops" of "An Overview of Early Vision" (Olah et al.,
    2020).

    Parameters
    ----------
    network, layer
        Whose units. Radii are from .06 to .3 of the receptive field.

    Returns
    -------
    pandas.DataFrame
        A row a unit: `unit`, `circle` and `curve`, its strongest responses to either, and
        `detector`: whether circles drive it more than twice as strongly as curves and straight
        lines, and more than nine tenths of the layer's units.

    Raises
    ------
    InputError
        For an unknown layer, and one without positions.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> circle_detectors(untrained("bvlc_googlenet"), "conv2d2").columns.tolist()
    ['unit', 'circle', 'curve', 'detector']
    """
    field = float(min(*network.layer(layer).receptive_field, network.size))
    radii = tuple(field * part for part in _PARTS)
    stroke = {"width": _STROKE}
    circles = measure(network, layer, StimulusSet(circle, {"radius": radii}, stroke))
    axes = {"orientation": range(0, 360, 30), "radius": (*radii, field)}
    curves = measure(network, layer, StimulusSet(curve, axes, stroke))
    closed, arcs = circles.max("radius").values, curves.max(("orientation", "radius")).values
    detector = (closed > np.quantile(closed, 0.9)) & (closed > 2 * arcs)
    units = [f"{layer}:{unit}" for unit in range(len(closed))]
    return pd.DataFrame({"unit": units, "circle": closed, "curve": arcs, "detector": detector})
