"""Activation maps of one layer at the places where another layer's neurons look."""

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.networks import Layer

Maps = Float[Tensor, "batch units rows columns"]


def onto(maps: Maps, layer: Layer, other: Layer) -> Float[Tensor, "batch units _ _"]:
    """Read maps off where the neurons of another layer have the middles of what they see.

    Between neurons values are interpolated, beyond the outermost they go on. Maps of one shape
    are taken to be of one grid already.

    Parameters
    ----------
    maps
        Of `layer`.
    layer, other
        As `Network.layers_at` describes them for pictures of one size.

    Examples
    --------
    >>> fine = Layer("a", 1, (8, 8), (17, 17), (-8, -8), (4, 4))
    >>> coarse = Layer("b", 1, (16, 16), (33, 33), (-16, -16), (2, 2))
    >>> maps = torch.arange(4.0).expand(1, 1, 4, 4)
    >>> onto(maps, fine, coarse)[0, 0, 0].tolist()
    [0.0, 2.0]
    """
    if maps.shape[2:] == other.shape:
        return maps
    rows, columns = (
        torch.tensor([other.center((place, place))[axis] for place in range(other.shape[axis])])
        for axis in (0, 1)
    )
    first, stride = layer.center((0, 0)), layer.stride
    y, x = (
        (2 * (middles - first[axis]) / stride[axis] / max(layer.shape[axis] - 1, 1)) - 1
        for axis, middles in enumerate((rows, columns))
    )
    places = torch.stack([x.expand(len(y), -1), y[:, None].expand(-1, len(x))], -1)
    places = places.to(maps).expand(len(maps), -1, -1, -1)
    return torch.nn.functional.grid_sample(
        maps, places, mode="bilinear", padding_mode="border", align_corners=True
    )
