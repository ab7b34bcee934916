"""Placement: the neuron that is measured, and the smallest picture that stimuli are drawn in."""

from dataclasses import dataclass, replace
from math import ceil, floor

from visioncircuits.errors import InputError
from visioncircuits.networks import Layer, Network
from visioncircuits.stimuli import StimulusSet, parameters_of


@dataclass(frozen=True)
class Placement:
    """A neuron, and the size of the pictures in which it is measured.

    Attributes
    ----------
    size
        Height and width of the pictures, in pixels.
    position
        Row and column of the neuron.
    shift
        From the picture's center to that of the neuron's receptive field, `(y, x)` in pixels.

    Examples
    --------
    >>> Placement(size=(92, 92), position=(5, 5), shift=(0.5, 0.5)).position
    (5, 5)
    """

    size: tuple[int, int]
    position: tuple[int, int]
    shift: tuple[float, float]


def placement(network: Network, layer: str, *, reach: int = 0) -> Placement:
    """Choose the smallest square picture in which a neuron responds as it does in a larger one.

    It holds the receptive fields of the neuron and of its neighbors up to `reach` rows and columns
    away. Where these are larger than the network's usual picture, the placement is the middle
    neuron of such a picture.

    Raises
    ------
    InputError
        For an unknown layer, or one without positions.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> placement(untrained("bvlc_googlenet"), "mixed3b")
    Placement(size=(92, 92), position=(5, 5), shift=(0.5, 0.5))
    """
    usual = network.layer(layer)
    if len(usual.shape) != 2:
        raise InputError(
            f"{layer} has no positions, so no stimulus can be centered on a receptive field; "
            "choose a layer before the global pooling"
        )
    fields = [
        field + 2 * reach * stride
        for field, stride in zip(usual.receptive_field, usual.stride, strict=True)
    ]
    side, tries = max(fields), 2 * max(usual.stride)
    while tries and side < network.size:
        try:
            at_side = network.layer_at(layer, side)
        except InputError:  # too small for the kernel of some layer
            side += max(usual.stride)
            continue
        if (at_side.stride, at_side.receptive_field) != (usual.stride, usual.receptive_field):
            break  # the network rescales pictures, so a smaller one is not a crop of a larger one
        if (position := _inside(at_side, side, reach)) is not None:
            return _placement(at_side, side, position)
        side, tries = side + 1, tries - 1
    rows, columns = usual.shape
    return _placement(usual, network.size, (rows // 2, columns // 2))


def _inside(layer: Layer, side: int, reach: int) -> tuple[int, int] | None:
    """Return the middle neuron of those whose neighborhoods see nothing outside a picture."""
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


def _placement(layer: Layer, side: int, position: tuple[int, int]) -> Placement:
    y, x = (at - (side - 1) / 2 for at in layer.center(position))
    return Placement((side, side), position, (y, x))


def nearest_placement(network: Network, layer: str, size: tuple[int, int]) -> Placement:
    """Choose the neuron whose receptive field is nearest to the center of pictures of a size.

    Raises
    ------
    InputError
        For an unknown layer, one without positions, or a size that the network does not accept.
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
    return Placement(size, (row, column), (y, x))


def place(
    stimuli: StimulusSet, network: Network, layer: str, placed: Placement
) -> tuple[StimulusSet, Placement]:
    """Center a set on the receptive field of a layer's neuron, which `placement` has chosen.

    A family without the parameters `x`, `y` and `size` is drawn as it is, and the neuron is the
    one nearest to the middle of its pictures.

    Raises
    ------
    InputError
        Where the set cannot be drawn in the receptive field, and as `nearest_placement`.
    """
    accepted = parameters_of(stimuli.family)
    if accepted is None or not {"x", "y", "size"} <= set(accepted):
        height, width = stimuli.draw([0]).picture.shape[2:]
        return stimuli, nearest_placement(network, layer, (height, width))
    field = network.layer(layer).receptive_field
    known = {**stimuli.axes, **stimuli.fixed}
    stimuli = stimuli.fix(**{name: 0.0 for name in "xy" if name not in known})
    stimuli.fix(size=_side(tuple(map(min, field, placed.size)))).check()
    drawn = stimuli.fix(size=_side(placed.size))
    if "device" in accepted:
        drawn = drawn.fix(device=str(network.device))
    for name, shift in zip("yx", placed.shift, strict=True):
        if name in stimuli.axes:
            # one axis at a time keeps its place among the others
            moved = tuple(float(value) + shift for value in stimuli.axes[name])
            drawn = replace(drawn, axes={**drawn.axes, name: moved})
        else:
            drawn = drawn.fix(**{name: float(stimuli.fixed[name]) + shift})  # type: ignore[arg-type]
    return drawn, placed


def _side(size: tuple[int, ...]) -> int | tuple[int, ...]:
    """Return a square's size as one number, which families of the user's may rely on."""
    return size[0] if len(set(size)) == 1 else size
