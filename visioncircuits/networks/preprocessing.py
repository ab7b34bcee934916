"""From pictures, float32 RGB in [0, 1] everywhere, to what a network was trained on."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """What a network wants to be given: `(low + picture · (high − low) − mean) / std`.

    Parameters
    ----------
    range
        The values that a picture's 0 and 1 become, `(low, high)`.
    mean, std
        One number for all channels, or one a channel, in the network's own order of channels.
    order
        `"RGB"` or `"BGR"`: the order in which the network takes three colour channels.
    channels
        How many channels the network takes. Anything but 3 has no order.

    Raises
    ------
    InputError
        For a range of no extent, a `std` of zero, a number of values that fits no channels, or an
        order that is none of three channels.

    Examples
    --------
    >>> caffe = Preprocessing(range=(0, 255), mean=(104, 117, 123), order="BGR")
    >>> caffe(torch.ones(1, 3, 1, 1)).flatten().tolist()
    [151.0, 138.0, 132.0]
    """

    range: tuple[float, float] = (0.0, 1.0)
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    order: Literal["RGB", "BGR"] = "RGB"
    channels: int = 3

    def __post_init__(self) -> None:
        if self.order not in ("RGB", "BGR") or (self.order == "BGR" and self.channels != 3):
            raise InputError(
                f"the order of channels is 'RGB', or 'BGR' where there are 3, not {self.order!r} "
                f"of {self.channels}"
            )
        if self.range[0] == self.range[1]:
            raise InputError(f"a preprocessing range needs two different ends, not {self.range}")
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, self.channels):
                raise InputError(
                    f"{name} has {len(values)} values; give 1 or one for each of the "
                    f"{self.channels} channels"
                )
        if 0 in self.std:
            raise InputError("std must not be zero")

    def __call__(
        self, pictures: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Turn pictures into the network's input; differentiable.

        Parameters
        ----------
        pictures
            Floating point in [0, 1], `(batch, channels, height, width)`, colours as RGB.

        Raises
        ------
        InputError
            For pictures of whole numbers, or of another shape.
        """
        if pictures.ndim != 4 or pictures.shape[1] != self.channels:
            raise InputError(
                f"this network takes pictures of shape (batch, {self.channels}, height, width), "
                f"not {tuple(pictures.shape)}"
            )
        if not pictures.is_floating_point():
            kind = str(pictures.dtype).removeprefix("torch.")
            raise InputError(
                f"pictures must be floating point in [0, 1], not {kind}; write pictures / 255"
            )
        if self.order == "BGR":
            pictures = pictures.flip(1)
        low, high = self.range
        std = torch.tensor(self.std, device=pictures.device, dtype=pictures.dtype)
        mean = torch.tensor(self.mean, device=pictures.device, dtype=pictures.dtype)
        gain = ((high - low) / std).expand(self.channels)[:, None, None]
        shift = ((low - mean) / std).expand(self.channels)[:, None, None]
        return torch.addcmul(shift, pictures, gain)

    def record(self) -> dict[str, Any]:
        """Give the fields as plain data, for a result's provenance."""
        return asdict(self)


IMAGENET = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""What torchvision's classifiers take."""

CAFFE = Preprocessing(range=(0, 255), mean=(104, 117, 123), order="BGR")
"""What BVLC's networks take."""

TENSORFLOW = Preprocessing(range=(0, 255), mean=(117,))
"""What Google's inception5h takes."""
