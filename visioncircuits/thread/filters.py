"""First-layer filters as pictures."""

import numpy as np
from jaxtyping import Float
from torch import Tensor


def filter_picture(
    values: Float[Tensor, "3 height width"],
) -> Float[np.ndarray, "height width 3"]:
    """Return a filter as a picture, gray where it is zero, scaled to its largest weight."""
    picture: np.ndarray = (0.5 + values / (2 * values.abs().max())).permute(1, 2, 0).numpy()
    return picture
