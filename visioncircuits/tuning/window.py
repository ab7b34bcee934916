"""Which neuron is asked, and how small a picture it can be asked with."""

from dataclasses import dataclass
from math import ceil, floor

from visioncircuits.errors import InputError
from visioncircuits.networks import Layer, Network


@dataclass(frozen=True)
class Window:
    """A neuron, and the picture that it is shown.

    Attributes
    ----------
    size
        Height and width of the picture, in pixels.
    position
        Row and column of the neuron.
    shift
        From the picture's middle to the middle of what the neuron sees, `(y, x)` in pixels.
    """

    size: tuple[int, int]
    position: tuple[int, int]
    shift: tuple[float, float]


def window(network: Network, layer: str, *, reach: int = 0) -> Window:
    """Choose the smallest square picture in which a neuron answers as it does in a larger one.

    It holds all that is seen by the neuron and by its neighbours up to `reach` rows and columns
    away. Where that is more than the network's usual picture, the neuron is the middle one of
    such a picture.

    Raises
    ------
    InputError
        For an unknown layer, or one without positions.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> window(untrained("bvlc_googlenet"), "mixed3b")
    Window(size=(92, 92), position=(5, 5), shift=(0.5, 0.5))
    """
    usual = network.layer(layer)
    if len(usual.shape) != 2:
        raise InputError(
            f"{layer} has no positions, so no stimulus can be centred on what a neuron of it sees; "
            "choose a layer before the global pooling"
        )
    seen = [
        field + 2 * reach * stride
        for field, stride in zip(usual.receptive_field, usual.stride, strict=True)
    ]
    side, tries = max(seen), 2 * max(usual.stride)
    while tries and side < network.size:
        try:
            at_side = network.layer_at(layer, side)
        except InputError:  # too small for the kernel of some layer
            side += max(usual.stride)
            continue
        if (at_side.stride, at_side.receptive_field) != (usual.stride, usual.receptive_field):
            break  # the network scales its pictures: a smaller one is not a part of a larger one
        if (position := _inside(at_side, side, reach)) is not None:
            return _window(at_side, side, position)
        side, tries = side + 1, tries - 1  # with more tries, pictures only have more neurons
    rows, columns = usual.shape
    return _window(usual, network.size, (rows // 2, columns // 2))


def _inside(layer: Layer, side: int, reach: int) -> tuple[int, int] | None:
    """Find the middle one of the neurons whose neighbourhoods see nothing outside a picture."""
    position = []
    for offset, stride, field in zip(
        layer.offset, layer.stride, layer.receptive_field, strict=True
    ):
        first = ceil(-offset / stride) + reach
        last = floor((side - field - offset) / stride) - reach
        if last < first:
            return None
        position.append((first + last) // 2)
    return position[0], position[1]


def _window(layer: Layer, side: int, position: tuple[int, int]) -> Window:
    y, x = (at - (side - 1) / 2 for at in layer.center(position))
    return Window((side, side), position, (y, x))


def nearest(network: Network, layer: str, size: tuple[int, int]) -> Window:
    """Choose the neuron that sees most nearly the middle of pictures of a given size.

    Raises
    ------
    InputError
        For an unknown layer, one without positions, or a size that the network cannot take.
    """
    at_size = network.layer_at(layer, size)
    if len(at_size.shape) != 2:
        raise InputError(f"{layer} has no positions; choose a layer before the global pooling")
    middle = [(side - 1) / 2 for side in size]
    starts = at_size.center((0, 0))
    row, column = (
        min(max(round((to - start) / stride), 0), count - 1) if stride else 0
        for to, start, stride, count in zip(
            middle, starts, at_size.stride, at_size.shape, strict=True
        )
    )
    y, x = (at - to for at, to in zip(at_size.center((row, column)), middle, strict=True))
    return Window(size, (row, column), (y, x))
