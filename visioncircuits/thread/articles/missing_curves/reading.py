"""Reading values off the codes of one block, on stimuli that it was not chosen on."""

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float

from visioncircuits.dictionaries import Dictionary, block_r2

NEAR = 20.0
"""Degrees within which an orientation is read off right."""


@dataclass(frozen=True, eq=False)
class Reading:
    """Values, and what was read off instead: `(stimuli, values)`.

    Stimuli of one orientation, `radii` of them, follow each other.

    Examples
    --------
    >>> Reading(np.array([[1.0], [3.0]]), np.array([[1.0], [2.0]]), radii=1).r2
    0.5
    """

    values: Float[np.ndarray, "stimuli values"]
    read: Float[np.ndarray, "stimuli values"]
    radii: int

    @property
    def r2(self) -> float:
        """``1 − ‖V − V̂‖² / ‖V − mean‖²`` of all values together."""
        around = self.values - self.values.mean(0)
        return float(1 - ((self.values - self.read) ** 2).sum() / (around**2).sum())

    @property
    def covered(self) -> float:
        """Share of orientations that are read off within `NEAR` at half of the radii or more.

        Where values are cosine and sine of an angle.
        """
        apart = (angle(self.read) - angle(self.values) + 180) % 360 - 180
        right = (np.abs(apart) <= NEAR).reshape(-1, self.radii)
        return float((right.mean(1) >= 0.5).mean())


def angle(points: Float[np.ndarray, "stimuli 2"]) -> Float[np.ndarray, " stimuli"]:
    """Return the angles of points in degrees."""
    return np.asarray(np.degrees(np.arctan2(points[:, 1], points[:, 0])))


def circle(responses: xr.DataArray) -> Float[np.ndarray, "stimuli 2"]:
    """Return cosine and sine of the stimuli's orientation."""
    angles = np.radians(responses["orientation"].values.astype(float))
    points = np.stack([np.cos(angles), np.sin(angles)], 1)
    return np.repeat(points, responses.sizes["radius"], 0)


def stimuli(responses: xr.DataArray) -> Float[np.ndarray, "stimuli units"]:
    """Return responses to curves, a row a stimulus, all radii of an orientation together."""
    return responses.transpose("orientation", "radius", "unit").values.reshape(-1, len(responses))


def read_off(
    dictionary: Dictionary, responses: xr.DataArray, values: np.ndarray, block_size: int
) -> Reading:
    """Read values linearly off the block whose codes explain them best.

    Block and map are chosen on all radii but one, and read there, for each radius in turn.

    Parameters
    ----------
    dictionary
        Of the layer.
    responses
        Of all its units to curves.
    values
        By stimulus, as in `stimuli`.
    block_size
        How many atoms may be used; 1 for single atoms.
    """
    codes = dictionary.encode(torch.from_numpy(stimuli(responses)).float()).double()
    blocks = codes.reshape(len(codes), -1, block_size)
    goal = torch.from_numpy(values).double()
    read = np.zeros_like(values, dtype=np.float64)
    radii = responses.sizes["radius"]
    radius = np.arange(len(codes)) % radii
    for left_out in range(radii):
        fitted = torch.from_numpy(radius != left_out)
        # of codes that are all 0 there is no R²
        explained = block_r2(codes[fitted], goal[fitted], block_size).nan_to_num()
        chosen = blocks[:, int(explained.argmax())]
        design = torch.cat([chosen, torch.ones(len(codes), 1)], 1)
        weights = torch.linalg.lstsq(design[fitted], goal[fitted], driver="gelsd").solution
        read[~fitted.numpy()] = (design[~fitted] @ weights).numpy()
    return Reading(values, read, radii)
