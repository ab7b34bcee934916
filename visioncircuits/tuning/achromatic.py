"""Units that respond to black and white but not to color."""

import numpy as np
import pandas as pd
from jaxtyping import Float32

from visioncircuits.networks import Network
from visioncircuits.stimuli import StimulusSet, sinusoidal_grating
from visioncircuits.tuning.responses import measure

_AXES = {"orientation": range(0, 180, 45), "period": (4, 8, 16), "phase": range(0, 360, 90)}
_TINTED = (
    ("#ff7f7f", "#7f0000"),
    ("#ffff7f", "#7f7f00"),
    ("#7fff7f", "#007f00"),
    ("#7fffff", "#007f7f"),
    ("#7f7fff", "#00007f"),
    ("#ff7fff", "#7f007f"),
)
"""Six hues, light and dark."""


def black_and_white(network: Network, layer: str) -> pd.DataFrame:
    """Compare the responses of units to black and white gratings and to gratings of one hue.

    Tinted gratings go from dark to light within a hue, so that they have the same pattern without
    black and white. The detectors "BW vs Color" of "An Overview of Early Vision" (Olah
    et al., 2020) are inhibited by any color.

    Parameters
    ----------
    network, layer
        Whose units.

    Returns
    -------
    pandas.DataFrame
        A row a unit: `unit`, `white` and `tinted`, its strongest responses to either, over
        orientations, periods, phases and six hues, and `detector`: whether tinted gratings
        drive it less than half as strongly, and white ones more than the layer's median unit.

    Raises
    ------
    InputError
        For an unknown layer, and one without positions.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> black_and_white(untrained("bvlc_googlenet"), "conv2d1").columns.tolist()
    ['unit', 'white', 'tinted', 'detector']
    """

    def strongest(ink: str, ground: str) -> Float32[np.ndarray, " units"]:
        gratings = StimulusSet(sinusoidal_grating, _AXES, {"ink": ink, "ground": ground})
        responses: Float32[np.ndarray, " units"] = (
            measure(network, layer, gratings).max(_AXES).values
        )
        return responses

    white = strongest("white", "black")
    tinted = np.max([strongest(light, dark) for light, dark in _TINTED], 0)
    detector = (tinted < white / 2) & (white > np.median(white))
    units = [f"{layer}:{unit}" for unit in range(len(white))]
    return pd.DataFrame({"unit": units, "white": white, "tinted": tinted, "detector": detector})
