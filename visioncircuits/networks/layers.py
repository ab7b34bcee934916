"""Layers: their units, and the receptive fields of their neurons."""

from dataclasses import dataclass

from visioncircuits.networks.geometry import Geometry


@dataclass(frozen=True, repr=False)
class Layer:
    """The description of a layer.

    Attributes
    ----------
    name
        As `Network.activations` takes it.
    units
        How many channels it has.
    stride
        Pixels between neighboring neurons, down and right; 0 after global pooling.
    receptive_field
        Pixels that a neuron sees, height and width.
    offset
        The first pixel that neuron (0, 0) sees, `(y, x)`; negative where padding begins.
    shape
        Neurons of one unit, rows and columns, on a picture of the network's usual size.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> untrained("bvlc_googlenet").layer("mixed3b")
    Layer('mixed3b', 480 units of 28 × 28, receptive field 91 × 91, stride 8 × 8)
    """

    name: str
    units: int
    stride: tuple[int, int]
    receptive_field: tuple[int, int]
    offset: tuple[int, int]
    shape: tuple[int, ...]

    def __repr__(self) -> str:
        shape = f" of {_by(self.shape)}" if self.shape else ""
        return (
            f"Layer({self.name!r}, {self.units} units{shape}, "
            f"receptive field {_by(self.receptive_field)}, stride {_by(self.stride)})"
        )

    def center(self, position: tuple[int, int]) -> tuple[float, float]:
        """Return the center `(y, x)` of a neuron's receptive field, in pixels from the first.

        Examples
        --------
        >>> Layer("conv2d0", 64, (2, 2), (7, 7), (-3, -3), (112, 112)).center((0, 1))
        (0.0, 2.0)
        """
        y, x = (
            offset + stride * place + (size - 1) / 2
            for offset, stride, place, size in zip(
                self.offset, self.stride, position, self.receptive_field, strict=True
            )
        )
        return y, x


def _by(values: tuple[int, ...]) -> str:
    return " × ".join(map(str, values))


def described(name: str, geometry: Geometry) -> Layer:
    """Return the layer of this name and geometry."""
    return Layer(
        name=name,
        units=geometry.units,
        stride=(geometry.y.stride, geometry.x.stride),
        receptive_field=(geometry.y.size, geometry.x.size),
        offset=(geometry.y.offset, geometry.x.offset),
        shape=geometry.shape,
    )
