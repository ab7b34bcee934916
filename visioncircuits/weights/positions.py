"""The weights into a feature at each position: "decomposed" feature visualization.

Source: Cammarata et al., "Curve Circuits" (2021).
"""

from dataclasses import dataclass

from jaxtyping import Float
from PIL import Image
from torch import Tensor

from visioncircuits.networks import Direction, Feature
from visioncircuits.pictures import png
from visioncircuits.weights.expanded import ExpandedWeights
from visioncircuits.weights.pictures import GROUND, INK, Thumbnails

_WIDTH = 320
"""Pixels of the picture in a notebook."""


@dataclass(frozen=True, eq=False)
class PositionView:
    """The weights into one feature, as a direction in the source at every position.

    A notebook shows how large the weights are at each; `position_grid` draws their pictures.

    Attributes
    ----------
    directions
        Each of length 1 and named by its position from the feature's center, down and right in
        neurons of the source; row by row.
    magnitude
        Their lengths before normalization: `(height, width)`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import expanded_weights
    >>> weights = expanded_weights(untrained("bvlc_googlenet"), "mixed3a", "mixed3b:330")
    >>> position_view(weights)
    PositionView(mixed3b:330, 5 × 5 directions in mixed3a)
    """

    feature: Feature
    directions: tuple[tuple[Direction, ...], ...]
    magnitude: Float[Tensor, "height width"]

    def __repr__(self) -> str:
        height, width = self.magnitude.shape
        source = self.directions[0][0].layer
        return f"PositionView({self.feature}, {height} × {width} directions in {source})"

    def _repr_png_(self) -> bytes:
        height, width = self.magnitude.shape
        return png(position_grid(self, size=max(_WIDTH // max(height, width, 1), 1)))


def position_view(weights: ExpandedWeights, feature: str | Feature | None = None) -> PositionView:
    """Separate the weights into a feature by position.

    Parameters
    ----------
    weights
        From all units of a layer.
    feature
        One of the weights' outputs; may be omitted if there is only one.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import expanded_weights
    >>> weights = expanded_weights(untrained("bvlc_googlenet"), "mixed3a", "mixed3b:330")
    >>> view = position_view(weights)
    >>> view.directions[0][4].name
    'mixed3b:330 at -2,+2'
    """
    row = weights.row(feature)
    kernels = weights.weight[row]
    magnitude = kernels.norm(dim=0)
    target, (top, left) = weights.outputs[row], weights.offset
    unit = kernels / magnitude.clamp(min=1e-30)
    directions = tuple(
        tuple(
            Direction(
                weights.source,
                tuple(unit[:, y, x].tolist()),
                name=f"{target} at {top + y:+d},{left + x:+d}",
            )
            for x in range(kernels.shape[2])
        )
        for y in range(kernels.shape[1])
    )
    return PositionView(target, directions, magnitude)


def position_grid(
    view: PositionView, thumbnails: Thumbnails | None = None, *, size: int = 96
) -> Image.Image:
    """Draw the picture of each direction at its position, with opacity by magnitude.

    The largest magnitude is opaque; zero is white.

    Parameters
    ----------
    thumbnails
        A picture of each direction, by name; missing ones are white. Without any, magnitudes are
        drawn in gray.
    size
        Of a position, in pixels.

    Returns
    -------
    PIL.Image.Image
        RGB.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import expanded_weights
    >>> weights = expanded_weights(untrained("bvlc_googlenet"), "mixed3a", "mixed3b:330")
    >>> position_grid(position_view(weights), size=24).size
    (120, 120)
    """
    height, width = view.magnitude.shape
    grid = Image.new("RGB", (width * size, height * size), GROUND)
    magnitude = view.magnitude.nan_to_num()
    opacity = (magnitude / magnitude.max().clamp(min=1e-30)).tolist()
    blank = Image.new("RGB", (size, size), GROUND)
    missing = Image.new("RGB", (size, size), INK if thumbnails is None else GROUND)
    for y, row in enumerate(view.directions):
        for x, direction in enumerate(row):
            picture = (thumbnails or {}).get(str(direction), missing).convert("RGB")
            picture = picture.resize((size, size), Image.Resampling.LANCZOS)
            grid.paste(Image.blend(blank, picture, opacity[y][x]), (x * size, y * size))
    return grid
