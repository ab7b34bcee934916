"""From pictures, float32 RGB in [0, 1] everywhere, to the input that a network was trained with."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.numbers import real, whole

Numbers = float | Sequence[float] | np.floating | np.ndarray | Tensor


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
        How many channels the network takes. Only 3 have an order. For a network of one channel
        colors are converted to their luma, .299 R + .587 G + .114 B.

    Raises
    ------
    InputError
        For an empty range, a `std` of zero, a number of values that does not match the channels,
        values that are not finite numbers, or an unknown order.

    Examples
    --------
    >>> IMAGENET.mean, TENSORFLOW.range
    ((0.485, 0.456, 0.406), (0.0, 255.0))
    >>> caffe = Preprocessing(range=(0, 255), mean=(104, 117, 123), order="BGR")
    >>> caffe(torch.ones(1, 3, 1, 1)).flatten().tolist()
    [151.0, 138.0, 132.0]
    """

    range: tuple[float, float] | list[float] = (0.0, 1.0)
    mean: Numbers = (0.0,)
    std: Numbers = (1.0,)
    order: Literal["RGB", "BGR"] = "RGB"
    channels: int = 3

    def __post_init__(self) -> None:
        numbers = {name: _numbers(name, getattr(self, name)) for name in ("range", "mean", "std")}
        for name, values in numbers.items():
            object.__setattr__(self, name, values)
        object.__setattr__(self, "channels", whole("channels", self.channels, least=1))
        if len(self.range) != 2:
            raise InputError(f"a preprocessing range is (low, high), not {self.range}")
        if self.order not in ("RGB", "BGR") or (self.order == "BGR" and self.channels != 3):
            raise InputError(
                f"the order of channels is 'RGB', or 'BGR' where there are 3, not {self.order!r} "
                f"of {self.channels}"
            )
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

    def __call__(
        self, pictures: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch taken height width"]:
        """Turn pictures into the network's input; differentiable.

        Parameters
        ----------
        pictures
            Floating point in [0, 1], `(batch, channels, height, width)`, colors as RGB; also of
            three channels where the network takes one.

        Raises
        ------
        InputError
            For pictures of whole numbers, or of another shape.
        """
        to_gray = self.channels == 1 and pictures.ndim == 4 and pictures.shape[1] == 3
        if pictures.ndim != 4 or not (pictures.shape[1] == self.channels or to_gray):
            raise InputError(
                f"this network takes pictures of shape (batch, {self.channels}, height, width), "
                f"not {tuple(pictures.shape)}"
            )
        if not pictures.is_floating_point():
            kind = str(pictures.dtype).removeprefix("torch.")
            raise InputError(
                f"pictures must be floating point in [0, 1], not {kind}; write pictures / 255"
            )
        if to_gray:
            pictures = gray(pictures)
        if self.order == "BGR":
            pictures = pictures.flip(1)
        low, high = self.range
        std = torch.tensor(self.std, device=pictures.device, dtype=pictures.dtype)
        mean = torch.tensor(self.mean, device=pictures.device, dtype=pictures.dtype)
        gain = ((high - low) / std).expand(self.channels)[:, None, None]
        shift = ((low - mean) / std).expand(self.channels)[:, None, None]
        return torch.addcmul(shift, pictures, gain)

    def record(self) -> dict[str, Any]:
        """Return the fields as plain data, for a result's provenance."""
        return asdict(self)


def _numbers(name: str, values: Any) -> tuple[float, ...]:
    """Return one number, or a sequence of any type, as a tuple of floats."""
    several = values.tolist() if isinstance(values, Tensor | np.ndarray) else values
    if isinstance(several, str) or not isinstance(several, Iterable):
        several = (several,)
    return tuple(real(name, value) for value in several)


def gray(pictures: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 1 height width"]:
    """Return the luma of colors, by ITU-R 601 as in Pillow's mode L.

    Examples
    --------
    >>> gray(torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)).item()
    0.29899999499320984
    """
    weights = torch.tensor([0.299, 0.587, 0.114], device=pictures.device, dtype=pictures.dtype)
    return torch.einsum("bchw,c->bhw", pictures, weights)[:, None]


IMAGENET = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""Of torchvision's classifiers."""

CAFFE = Preprocessing(range=(0, 255), mean=(104, 117, 123), order="BGR")
"""Of BVLC's networks."""

TENSORFLOW = Preprocessing(range=(0, 255), mean=(117,))
"""Of Google's inception5h."""
