"""A batch of stimuli being drawn: parameters that broadcast, are checked, and become paint."""

import math
from collections.abc import Mapping
from typing import TypedDict

import torch
from jaxtyping import Bool, Float64, Real
from torch import Tensor

from visioncircuits.errors import InputError, unknown
from visioncircuits.stimuli.coverage import Coverage, Field, covered
from visioncircuits.stimuli.plane import Column, Pixels, Plane, Values
from visioncircuits.stimuli.stimulus import Stimulus

Parameter = float | int | Real[Tensor, "_"]
"""One number for the whole batch, or a 1-D tensor with one for each of its pictures."""


class Canvas(TypedDict, total=False):
    """Where a stimulus is drawn: keywords that every family takes.

    Attributes
    ----------
    x, y : Parameter
        Where the stimulus' origin lies, in pixels right of and below the picture's center, and
        within the picture. Default 0: the center, which in an even size is between two pixels.
    size : int or (int, int)
        The picture's side, or its height and width, in pixels. Default 224. Lengths do not follow
        it: a smaller picture is a crop, not a smaller stimulus.
    device : str or torch.device
        Where the picture is drawn. Default "cpu".
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
    parameters
        Numbers, or 1-D tensors of one common length; colors as ``(1, 3)`` or ``(batch, 3)``.

    Attributes
    ----------
    parameters : dict of str to Tensor
        All of them, float64 on the CPU, with a row for each picture of the batch.
    plane : Plane
        The pixels' coordinates about the stimuli's origins.
    margined : Plane
        The same and one pixel more on every side, which the distances that `covered` takes need.

    Raises
    ------
    InputError
        If a parameter is not finite, the lengths do not agree, a canvas keyword is unknown, the
        size is not positive, or an origin is not in its picture.
    """

    def __init__(
        self,
        canvas: Canvas,
        *,
        unbounded: tuple[str, ...] = (),
        **parameters: Parameter | Float64[Tensor, "_ 3"],
    ) -> None:
        for name in canvas:
            if name not in Canvas.__annotations__:
                raise unknown("parameter", name, [*parameters, *Canvas.__annotations__])
        size = _size(canvas.get("size", 224))
        device = torch.device(canvas.get("device", "cpu"))
        placed = parameters | {"x": canvas.get("x", 0.0), "y": canvas.get("y", 0.0)}
        self.parameters = _broadcast(placed, unbounded)
        self.size = size
        for name, side in zip("yx", size, strict=True):
            self.within(name, -side / 2, side / 2, "a stimulus' origin lies in its picture")
        self.plane = Plane.about(self["x"], self["y"], size, device)
        height, width = size
        self.margined = Plane.about(self["x"], self["y"], (height + 2, width + 2), device)

    def __getitem__(self, name: str) -> Float64[Tensor, "batch *channels"]:
        """One parameter, float64 on the CPU: (batch,), or (batch, 3) for a color."""
        return self.parameters[name]

    def column(self, name: str) -> Column:
        """One parameter on the device, to be broadcast over each picture's pixels."""
        return self.plane.column(self[name])

    def outlined(self, distance: Field) -> Coverage:
        """What `covered` gives for the parameters `width` and `fill`."""
        return covered(distance, width=self.column("width"), fill=self.column("fill"))

    def paint(
        self,
        figure: Pixels,
        *,
        ink: Float64[Tensor, "batch 3"] | None = None,
        ground: Float64[Tensor, "batch 3"] | None = None,
    ) -> Stimulus:
        """Blend from `ground` to `ink` as the figure says; by default the parameters so named."""
        inked, grounded = (
            color.float().to(self.plane.device)[:, :, None, None]
            for color in (
                self["ink"] if ink is None else ink,
                self["ground"] if ground is None else ground,
            )
        )
        return Stimulus(torch.lerp(grounded, inked, figure), figure, self.parameters)

    def require(self, ok: Bool[Tensor, " batch"], name: str, allowed: str, hint: str = "") -> None:
        """Refuse a parameter, quoting its first value that is not `ok`."""
        if not bool(ok.all()):
            value = self[name][~ok][0].item()
            raise InputError(
                f"{name} must be {allowed}, got {value:g}{'; ' + hint if hint else ''}"
            )

    def positive(self, name: str, hint: str = "") -> None:
        """Refuse a parameter that is not above zero."""
        self.require(self[name] > 0, name, "greater than 0", hint)

    def within(self, name: str, least: float, most: float, hint: str = "") -> None:
        """Refuse a parameter outside [least, most]."""
        limits = f"at least {least:g}" if most == math.inf else f"from {least:g} to {most:g}"
        self.require((self[name] >= least) & (self[name] <= most), name, limits, hint)

    def stroke(self) -> None:
        """Refuse a stroke that is nothing, or that is wider than the picture."""
        filled = self.parameters.get("fill", torch.zeros(()))
        self.within("width", 0.0, math.inf)
        self.require((self["width"] > 0) | (filled > 0), "width", "greater than 0 where fill is 0")
        side = min(self.size)
        self.require(self["width"] < side, "width", f"less than the picture's {side} pixels")

    def seen(self, name: str, outline: Values, hint: str = "make the picture larger") -> None:
        """Refuse a figure whose nearest `outline`, that far from its origin, no pixel can show."""
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


def _broadcast(
    parameters: Mapping[str, Parameter | Float64[Tensor, "_ 3"]], unbounded: tuple[str, ...]
) -> dict[str, Tensor]:
    tensors = {
        name: torch.atleast_1d(torch.as_tensor(value, dtype=torch.float64, device="cpu"))
        for name, value in parameters.items()
    }
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
