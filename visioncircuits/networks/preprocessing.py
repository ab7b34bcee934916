"""From pictures, float32 RGB in [0, 1] everywhere, to the input that a network was trained with.

It is one class of many fields, each documented and checked; hence some 300 lines.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import channels as picture_channels
from visioncircuits.networks import identity
from visioncircuits.networks.channels import LUMA, DrawnIn, mixed
from visioncircuits.numbers import real, whole

Numbers = float | Sequence[float] | np.floating | np.ndarray | Tensor

Conversion = Sequence[Sequence[float]] | np.ndarray | Tensor | Callable[[Tensor], Tensor]
"""Weights, `(channels, 3)`, or a function of pictures."""

Composite = Sequence[str | int] | Sequence[Sequence[float]] | np.ndarray | Tensor
"""Three channels, by name or number, or three rows of weights of all channels."""


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How pictures become a network's input: `(low + picture · (high − low) − mean) / std`.

    Parameters
    ----------
    range
        The values that a picture's 0 and 1 become, `(low, high)`.
    mean, std
        One number for all channels, or one a channel, in the network's own order of channels.
    order
        `"RGB"` or `"BGR"`: the order in which the network takes three color channels.
    channels
        How many channels the network takes. Only 3 have an order. Pictures that have as many are
        used as they are.
    names
        What the channels are, such as `("B2", "B3", "B4", "B8")`: in figures, and to choose some.
        Three channels without names are red, green and blue; with names they are no colors, and
        nothing that holds for colors is applied to them.
    from_rgb
        How photographs and stimuli, which have three, become the channels of a network that takes
        another number: a weight for each of R, G and B, by channel; or a function of pictures
        `(batch, 3, height, width)` in [0, 1]. For one channel it need not be given: colors become
        their luma, .299 R + .587 G + .114 B of the pixels' values, as in Pillow's mode L.
    to_rgb
        How pictures of such channels are shown: three of these, by name or number, as red, green
        and blue; or three rows of weights. It changes no activation. By default photographs are
        shown as the mean of their channels, and visualizations as a gray tile a channel.

    Raises
    ------
    InputError
        For an empty range, a `std` of zero, a number of values that does not match the channels,
        values that are not finite numbers, an unknown order, `from_rgb` of three channels, names
        that are not one for each channel, or `to_rgb` of channels that there are not.

    Examples
    --------
    >>> IMAGENET.mean, TENSORFLOW.range
    ((0.485, 0.456, 0.406), (0.0, 255.0))
    >>> caffe = Preprocessing(range=(0, 255), mean=(104, 117, 123), order="BGR")
    >>> caffe(torch.ones(1, 3, 1, 1)).flatten().tolist()
    [151.0, 138.0, 132.0]

    Two channels, brightness and red against green:

    >>> opponent = Preprocessing(channels=2, from_rgb=[[0.299, 0.587, 0.114], [1, -1, 0]])
    >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
    >>> [round(value, 3) for value in opponent(red).flatten().tolist()]
    [0.299, 1.0]

    Four bands, of which three are shown as infrared photographs are:

    >>> bands = Preprocessing(
    ...     channels=4, names=("B2", "B3", "B4", "B8"), to_rgb=("B8", "B4", "B3"), range=(0, 10000)
    ... )
    >>> vegetation = torch.tensor([0.0, 0.1, 0.0, 0.5]).reshape(1, 4, 1, 1)
    >>> [round(value, 3) for value in bands.shown(vegetation).flatten().tolist()]
    [0.5, 0.0, 0.1]
    """

    range: tuple[float, float] | list[float] = (0.0, 1.0)
    mean: Numbers = (0.0,)
    std: Numbers = (1.0,)
    order: Literal["RGB", "BGR"] = "RGB"
    channels: int = 3
    from_rgb: Conversion | None = None
    names: Sequence[str] | None = None
    to_rgb: Composite | None = None

    def __post_init__(self) -> None:
        numbers = {name: _numbers(name, getattr(self, name)) for name in ("range", "mean", "std")}
        for name, values in numbers.items():
            object.__setattr__(self, name, values)
        object.__setattr__(self, "channels", whole("channels", self.channels, least=1))
        if len(self.range) != 2:
            raise InputError(f"a preprocessing range is (low, high), not {self.range}")
        if self.names is not None:
            names = picture_channels.checked_names(self.names, self.channels)
            object.__setattr__(self, "names", names)
        if self.to_rgb is not None:
            rows = picture_channels.composite(self.to_rgb, self.channels, self.names)
            object.__setattr__(self, "to_rgb", rows)
        if self.order not in ("RGB", "BGR") or (self.order == "BGR" and self.channels != 3):
            raise InputError(
                f"the order of channels is 'RGB', or 'BGR' where there are 3, not {self.order!r} "
                f"of {self.channels}"
            )
        if self.order == "BGR" and self.names is not None:
            raise InputError("channels with names are no colors; give them in the network's order")
        if self.range[0] == self.range[1]:
            raise InputError(f"a preprocessing range needs two different ends, not {self.range}")
        for name in ("mean", "std"):
            if len(values := numbers[name]) not in (1, self.channels):
                raise InputError(
                    f"{name} has {len(values)} values; give 1 or one for each of the "
                    f"{self.channels} channels"
                )
        if 0 in numbers["std"]:
            raise InputError("std must not be zero")
        if self.from_rgb is not None and self.channels == 3:
            raise InputError(
                "from_rgb is for a network of another number of channels than 3: state how many, "
                "as channels=2, or convert colors in the module itself"
            )
        if self.from_rgb is not None and not callable(self.from_rgb):
            object.__setattr__(self, "from_rgb", _weights(self.from_rgb, self.channels))

    def __call__(
        self, pictures: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch taken height width"]:
        """Turn pictures into the network's input; differentiable.

        Parameters
        ----------
        pictures
            As for `to_channels`.

        Raises
        ------
        InputError
            As `to_channels`.
        """
        pictures = self.to_channels(pictures)
        if self.order == "BGR":
            pictures = pictures.flip(1)
        low, high = self.range
        std = torch.tensor(self.std, device=pictures.device, dtype=pictures.dtype)
        mean = torch.tensor(self.mean, device=pictures.device, dtype=pictures.dtype)
        gain = ((high - low) / std).expand(self.channels)[:, None, None]
        shift = ((low - mean) / std).expand(self.channels)[:, None, None]
        return torch.addcmul(shift, pictures, gain)

    @property
    def colors(self) -> bool:
        """Whether the channels are red, green and blue: three, without names."""
        return self.channels == 3 and self.names is None

    def to_channels(
        self, pictures: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch taken height width"]:
        """Return pictures in the network's own channels, before range, mean and std.

        Parameters
        ----------
        pictures
            Floating point in [0, 1], `(batch, channels, height, width)`, colors as RGB; of the
            network's channels, which stay as they are, or of three.

        Raises
        ------
        InputError
            For pictures of whole numbers or of another shape, and for colors where the network
            takes another number of channels and `from_rgb` is not stated.

        Examples
        --------
        >>> Preprocessing(channels=1).to_channels(torch.rand(2, 3, 8, 8)).shape
        torch.Size([2, 1, 8, 8])
        """
        if pictures.ndim != 4 or pictures.shape[1] not in (self.channels, 3):
            raise self._other_shape(pictures)
        if not pictures.is_floating_point():
            kind = str(pictures.dtype).removeprefix("torch.")
            raise InputError(
                f"pictures must be floating point in [0, 1], not {kind}; write pictures / 255"
            )
        if pictures.shape[1] == self.channels:
            return pictures
        if callable(self.from_rgb):
            found = self.from_rgb(pictures)
            expected = (len(pictures), self.channels, *pictures.shape[2:])
            if not isinstance(found, Tensor) or found.shape != expected:
                returned = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
                raise InputError(
                    f"from_rgb must return pictures of shape {expected} for "
                    f"{tuple(pictures.shape)}, not {returned}"
                )
            return found
        if self.from_rgb is not None:
            return mixed(pictures, self.from_rgb)
        if self.channels == 1:
            return gray(pictures)
        raise self._other_shape(pictures)

    def _other_shape(self, pictures: Tensor) -> InputError:
        colors = pictures.ndim == 4 and pictures.shape[1] == 3
        advice = (
            f"; state how colors become its channels, Preprocessing(channels={self.channels}, "
            f"from_rgb=…): {self.channels} rows of 3 weights, or a function of pictures; or choose "
            "channels that stimuli are drawn in: network.drawing_in(…), --channels"
        )
        return InputError(
            f"this network takes pictures of shape (batch, {self.channels}, height, width), "
            f"not {tuple(pictures.shape)}{advice if colors else ''}"
        )

    def shown(
        self, pictures: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Return pictures for display: colors as they are, or what the network takes of them.

        For a network of one channel it is their luma, for one that stimuli are drawn in some
        channels of (see `Network.drawing_in`) the mean of these, for others `to_rgb` or, by
        default, the mean of all.

        Parameters
        ----------
        pictures
            As for `to_channels`.
        """
        if self.channels == 1:
            pictures = self.to_channels(pictures).clamp(0, 1)
        if pictures.shape[1] != self.channels:
            return pictures
        if isinstance(self.from_rgb, DrawnIn):
            return pictures[:, list(self.from_rgb.channels)].mean(1, True).expand(-1, 3, -1, -1)
        found = picture_channels.shown(self.record(), pictures)
        return pictures.mean(1, keepdim=True).expand(-1, 3, -1, -1) if found is None else found

    def record(self) -> dict[str, Any]:
        """Return the fields as plain data, for a result's provenance."""
        record = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("names", "to_rgb"):  # records made before these existed stay valid
            if record[name] is None:
                del record[name]
        if isinstance(self.from_rgb, DrawnIn):
            record["from_rgb"] = {
                "drawn_in": self.from_rgb.channels,
                "ground": self.from_rgb.ground,
            }
        elif callable(self.from_rgb):
            name = getattr(self.from_rgb, "__qualname__", type(self.from_rgb).__qualname__)
            record["from_rgb"] = {"function": name, "sha256": identity.function(self.from_rgb)}
        elif self.from_rgb is None:
            del record["from_rgb"]
        return record


def parse(text: str, *, channels: int = 3, source: str = "one") -> Preprocessing:
    """Read a preprocessing from text, as files of parameters and of networks state it.

    Parameters
    ----------
    text
        The order of channels, the range, what is subtracted, and perhaps what is then divided by:
        one number a channel, or one for all.
    channels
        How many the network takes.
    source
        What states it, for the message.

    Raises
    ------
    InputError
        For text of another form, or numbers that do not match the channels.

    Examples
    --------
    >>> parse("BGR 0..255 minus (104,117,123)") == CAFFE
    True
    >>> parse("RGB 0..1 minus (0.485,0.456,0.406) over (0.229,0.224,0.225)") == IMAGENET
    True
    """
    number = r"-?\d+(?:\.\d+)?"
    numbers = rf"\(({number}(?:, ?{number})*)\)"
    match = re.fullmatch(
        rf"(RGB|BGR) ({number})\.\.({number}) minus {numbers}(?: over {numbers})?", text
    )
    if match is None:
        raise InputError(
            f"{source} states the input {text!r}, which cannot be parsed; write it like "
            "'BGR 0..255 minus (104,117,123)' or 'RGB 0..1 minus (0.485,0.456,0.406) over "
            "(0.229,0.224,0.225)'"
        )
    order, low, high, mean, std = match.groups()
    return Preprocessing(
        range=(float(low), float(high)),
        mean=tuple(float(value) for value in mean.split(",")),
        std=tuple(float(value) for value in (std or "1").split(",")),
        order="BGR" if order == "BGR" else "RGB",
        channels=channels,
    )


def _numbers(name: str, values: Any) -> tuple[float, ...]:
    """Return one number, or a sequence of any type, as a tuple of floats."""
    several = values.tolist() if isinstance(values, Tensor | np.ndarray) else values
    if isinstance(several, str) or not isinstance(several, Iterable):
        several = (several,)
    return tuple(real(name, value) for value in several)


def _weights(values: Any, channels: int) -> tuple[tuple[float, ...], ...]:
    """Return the weights of R, G and B in every channel as tuples of floats."""
    several = values.tolist() if isinstance(values, Tensor | np.ndarray) else values
    rows = tuple(_numbers("from_rgb", row) for row in several)
    if [len(row) for row in rows] != [3] * channels:
        raise InputError(
            f"from_rgb has rows of {', '.join(str(len(row)) for row in rows)} weights; give one "
            f"row of 3, for R, G and B, for each of the {channels} channels"
        )
    return rows


def gray(pictures: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 1 height width"]:
    """Return the luma of colors, by ITU-R 601 as in Pillow's mode L.

    Examples
    --------
    >>> gray(torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)).item()
    0.29899999499320984
    """
    return mixed(pictures, [LUMA])


IMAGENET = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""Of torchvision's classifiers."""

CAFFE = Preprocessing(range=(0, 255), mean=(104, 117, 123), order="BGR")
"""Of BVLC's networks."""

TENSORFLOW = Preprocessing(range=(0, 255), mean=(117,))
"""Of Google's inception5h."""
