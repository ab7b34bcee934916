"""Weight banding: striped kernels in last layers.

Source: Petrov et al., "Weight Banding" (2021).
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.weights.expanded import ExpandedWeights
from visioncircuits.weights.factors import one_sided_nmf


@dataclass(frozen=True)
class Banding:
    """The fractions of the kernels' spatial variance between rows and between columns.

    Each is a mean over neurons. `rows` is near 1 for horizontal bands, `columns` for vertical
    ones; without bands each is about `1 / (height + 1)`.

    Examples
    --------
    >>> kernels = torch.rand(4, 3, 5, 5)
    >>> banded = kernels.mean(3, keepdim=True).expand(4, 3, 5, 5)
    >>> banding(banded).rows > banding(kernels).rows
    True
    """

    rows: float
    columns: float

    def _repr_html_(self) -> str:
        return (
            "<table><tr><th>variance between rows</th><th>between columns</th></tr>"
            f"<tr><td>{self.rows:.0%}</td><td>{self.columns:.0%}</td></tr></table>"
        )


def banding(kernels: Float[Tensor, "neurons channels height width"]) -> Banding:
    """Measure how striped kernels are, whole or reduced to a few channels.

    Raises
    ------
    InputError
        For kernels of one position, or that do not vary in space.

    Examples
    --------
    >>> stripes = torch.tensor([1.0, 0.0, 1.0])[:, None].expand(1, 1, 3, 3)
    >>> round(banding(stripes).rows, 3), round(banding(stripes).columns, 3)
    (1.0, 0.0)
    """
    varying = kernels - kernels.mean((2, 3), keepdim=True)
    variance = varying.square().mean((1, 2, 3))
    if not variance.any():
        raise InputError(f"kernels of shape {tuple(kernels.shape)} do not vary in space")
    nonzero = variance > 0
    rows = varying.mean(3).square().mean((1, 2))
    columns = varying.mean(2).square().mean((1, 2))
    return Banding(
        rows=float((rows[nonzero] / variance[nonzero]).mean()),
        columns=float((columns[nonzero] / variance[nonzero]).mean()),
    )


def reduced_kernels(
    weights: ExpandedWeights, *, seed: int = 0
) -> Float[Tensor, "neurons 3 height width"]:
    """Reduce each neuron's kernels to three channels by its own one-sided factorization.

    Parameters
    ----------
    weights
        From all units of a layer.

    Returns
    -------
    torch.Tensor
        Only excitation, `(neurons, 3, height, width)`, with a maximum of 1 in each neuron.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import expanded_weights
    >>> weights = expanded_weights(untrained("bvlc_googlenet"), "mixed3a", "mixed3b:330")
    >>> reduced_kernels(weights).shape
    torch.Size([1, 3, 5, 5])
    """
    reduced = []
    for row, output in enumerate(weights.outputs):
        own = replace(weights, weight=weights.weight[row : row + 1], outputs=(output,))
        maps = one_sided_nmf(own, 3, seed=seed).spatial.weight[0].clamp(min=0)
        reduced.append(maps / maps.max().clamp(min=torch.finfo(maps.dtype).tiny))
    return torch.stack(reduced)


def banding_picture(
    reduced: Float[Tensor, "neurons 3 height width"], *, size: int = 60, columns: int = 8
) -> Image.Image:
    """Draw reduced kernels as color squares, with the three factors as red, green and blue.

    Examples
    --------
    >>> banding_picture(torch.rand(10, 3, 5, 5), size=20, columns=5).size
    (108, 42)
    """
    zoom = max(size // max(reduced.shape[2:]), 1)
    height, width = (zoom * n for n in reduced.shape[2:])
    gap = max(size // 10, 1)
    rows = -(-len(reduced) // columns)
    shape = min(columns, len(reduced)) * (width + gap) - gap, rows * (height + gap) - gap
    picture = Image.new("RGB", shape, (255, 255, 255))
    for at, kernel in enumerate(reduced):
        pixels = (kernel.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        square = Image.fromarray(pixels.repeat(zoom, 0).repeat(zoom, 1))
        picture.paste(square, (at % columns * (width + gap), at // columns * (height + gap)))
    return picture
