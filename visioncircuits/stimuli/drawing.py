"""Drawing a batch of stimuli: broadcast and check the parameters, then blend the colors."""

import math
from collections.abc import Mapping
from typing import TypedDict

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from visioncircuits.errors import InputError, unknown
from visioncircuits.stimuli.color import Color, rgb
from visioncircuits.stimuli.coverage import Coverage, Field, covered
from visioncircuits.stimuli.plane import Column, Pixels, Plane, Values
from visioncircuits.stimuli.stimulus import Parameter, Stimulus, values_of


class Canvas(TypedDict, total=False):
    """Where a stimulus is drawn: keywords that every family accepts; see `Drawing` for an example.

    Attributes
    ----------
    x, y : Parameter
        Position of the stimulus' origin, in pixels right of and below the picture's center, inside
        the picture. Default 0: the center, which for an even size lies between two pixels.
    size : int or (int, int)
        The picture's side, or its height and width, in pixels. Default 224. Lengths do not scale
        with it: a smaller picture is a crop, not a smaller stimulus.
    device : str or torch.device
        On which the picture is drawn. Default "cpu".
    """

    x: Parameter
    y: Parameter
    size: int | tuple[int, int]
    device: str | torch.device


class Drawing:
    """A batch being drawn.

    Parameters
    ----------
    canvas
        Position, size and device, see `Canvas`.
    unbounded
        The parameters that may be infinite.
    ink, ground
        The colors of the figure and around it, where they are parameters.
    parameters
        Numbers, or 1-D tensors of one common length.

    Attributes
    ----------
    parameters : dict of str to Tensor
        All parameters, float64 on the CPU, with a row for each picture of the batch.
    plane : Plane
        The pixels' coordinates about the stimuli's origins.
    padded : Plane
        The same with one more pixel on every side, as `covered` requires.

    Raises
    ------
    InputError
        If a parameter is not finite, the lengths do not agree, a canvas keyword is unknown, the
        size is not positive, or an origin is not in its picture.

    Examples
    --------
    A family of your own:

    >>> from typing import Unpack
    >>> def spot(*, radius: Parameter = 10.0, **canvas: Unpack[Canvas]) -> Stimulus:
    ...     drawing = Drawing(canvas, radius=radius, ink="white", ground="black")
    ...     drawing.positive("radius")
    ...     return drawing.paint(covered(drawing.padded.disc(drawing["radius"])))
    >>> spot(radius=torch.tensor([2.0, 4.0]), size=16).mask.sum((1, 2, 3)).round().tolist()
    [13.0, 50.0]
    """

    def __init__(
        self,
        canvas: Canvas,
        *,
        unbounded: tuple[str, ...] = (),
        ink: Color | None = None,
        ground: Color | None = None,
        **parameters: Parameter,
    ) -> None:
        colors = {
            name: rgb(color)
            for name, color in (("ink", ink), ("ground", ground))
            if color is not None
        }
        for name in canvas:
            if name not in Canvas.__annotations__:
                raise unknown("parameter", name, [*parameters, *colors, *Canvas.__annotations__])
        size = _size(canvas.get("size", 224))
        device = torch.device(canvas.get("device", "cpu"))
        placed = parameters | {"x": canvas.get("x", 0.0), "y": canvas.get("y", 0.0)}
        tensors = {name: values_of(value) for name, value in placed.items()} | colors
        self.parameters = _broadcast(tensors, unbounded)
        self.size = size
        for name, side in zip("yx", size, strict=True):
            self.within(name, -side / 2, side / 2, "a stimulus' origin lies in its picture")
        self.plane = Plane.about(self["x"], self["y"], size, device)
        height, width = size
        self.padded = Plane.about(self["x"], self["y"], (height + 2, width + 2), device)

    def __getitem__(self, name: str) -> Float64[Tensor, "batch *channels"]:
        """Return one parameter, float64 on the CPU: (batch,), or (batch, 3) for a color."""
        return self.parameters[name]

    def column(self, name: str) -> Column:
        """Return one parameter on the device, in a shape that broadcasts over pixels."""
        return self.plane.column(self[name])

    def outlined(self, distance: Field) -> Coverage:
        """Return the coverage for the parameters `width` and `fill`."""
        return covered(distance, width=self.column("width"), fill=self.column("fill"))

    def paint(
        self,
        figure: Pixels,
        *,
        ink: Float64[Tensor, "batch 3"] | None = None,
        ground: Float64[Tensor, "batch 3"] | None = None,
    ) -> Stimulus:
        """Blend from `ground` to `ink` in proportion to the figure, by default the parameters."""
        inked, grounded = (
            color.float().to(self.plane.device)[:, :, None, None]
            for color in (
                self["ink"] if ink is None else ink,
                self["ground"] if ground is None else ground,
            )
        )
        return Stimulus(torch.lerp(grounded, inked, figure), figure, self.parameters)

    def require(self, ok: Bool[Tensor, " batch"], name: str, allowed: str, hint: str = "") -> None:
        """Raise where a parameter is not `ok`, with its first wrong value."""
        if not bool(ok.all()):
            value = self[name][~ok][0].item()
            raise InputError(
                f"{name} must be {allowed}, got {value:g}{'; ' + hint if hint else ''}"
            )

    def positive(self, name: str, hint: str = "") -> None:
        """Raise where a parameter is not above zero."""
        self.require(self[name] > 0, name, "greater than 0", hint)

    def within(self, name: str, least: float, most: float, hint: str = "") -> None:
        """Raise where a parameter is outside [least, most]."""
        limits = f"at least {least:g}" if most == math.inf else f"from {least:g} to {most:g}"
        self.require((self[name] >= least) & (self[name] <= most), name, limits, hint)

    def stroke(self) -> None:
        """Raise where a stroke has no width or is wider than the picture, or a fill is no share."""
        filled = self.parameters.get("fill", torch.zeros(()))
        if "fill" in self.parameters:
            self.within("fill", 0.0, 1.0)
        self.within("width", 0.0, math.inf)
        self.require((self["width"] > 0) | (filled > 0), "width", "greater than 0 where fill is 0")
        side = min(self.size)
        self.require(self["width"] < side, "width", f"less than the picture's {side} pixels")

    def visible(self, name: str, outline: Values, hint: str = "make the picture larger") -> None:
        """Raise where the outline, at this distance from the origin, lies outside every pixel."""
        corner = torch.hypot(self["x"].abs() + self.size[1] / 2, self["y"].abs() + self.size[0] / 2)
        height, width = self.size
        self.require(
            outline < corner, name, f"small enough to be seen in {height} x {width} pixels", hint
        )


def _size(size: int | tuple[int, int]) -> tuple[int, int]:
    height, width = (size, size) if isinstance(size, int) else size
    if height < 1 or width < 1:
        raise InputError(f"a picture's size must be at least 1 pixel, got {height} x {width}")
    return height, width


def _broadcast(tensors: Mapping[str, Tensor], unbounded: tuple[str, ...]) -> dict[str, Tensor]:
    batch = max(len(tensor) for tensor in tensors.values())
    for name, tensor in tensors.items():
        if len(tensor) not in (1, batch):
            raise InputError(
                f"{name} has {len(tensor)} values in a batch of {batch}; "
                "give one number, or one for each picture"
            )
        wrong = tensor.isnan() if name in unbounded else ~tensor.isfinite()
        if bool(wrong.any()):
            raise InputError(f"{name} must be a finite number, got {tensor[wrong][0].item()}")
    return {name: t.expand(batch, *t.shape[1:]) for name, t in tensors.items()}
