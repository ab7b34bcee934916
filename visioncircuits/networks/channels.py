"""Channels of pictures that are not red, green and blue: names, composites, and drawing in some."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import errors
from visioncircuits.errors import InputError
from visioncircuits.numbers import real, whole

COLORS = ("R", "G", "B")

LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue, by ITU-R 601 as in Pillow's mode L."""


def checked_names(names: Any, channels: int) -> tuple[str, ...]:
    """Return the names of channels, checked to be one each, and none like a number.

    Raises
    ------
    InputError
        For another number of them, one that is no text, is empty, has a comma or colon, or is a
        number, or two that are the same.
    """
    found = tuple(names)
    if len(found) != channels or len(set(found)) != channels:
        raise InputError(f"names are one for each of {channels} channels, all different: {found}")
    for name in found:
        if not isinstance(name, str) or not name or name.isdigit() or {*",:"} & {*name}:
            raise InputError(
                f"the name of a channel is text without commas and colons, and no number: {name!r}"
            )
    return found


def number(channel: Any, channels: int, names: Sequence[str] | None) -> int:
    """Return the number of a channel, from its number, counted from 0, or its name.

    Examples
    --------
    >>> number("B8", 3, ["B4", "B8", "B11"]), number("2", 3, None)
    (1, 2)
    """
    if isinstance(channel, str) and not channel.isdigit():
        if names is None:
            raise InputError(
                f"the channels have no names, so {channel!r} is none; write a number from 0 to "
                f"{channels - 1}, or state Preprocessing(names=…)"
            )
        if channel not in names:
            raise errors.unknown("channel", channel, names)
        return list(names).index(channel)
    found = int(channel) if isinstance(channel, str) else channel
    return whole("channel", found, least=0, most=channels - 1)


def labels(preprocessing: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what channels are called in figures, from a record of preprocessing.

    Examples
    --------
    >>> labels({}), labels({"channels": 2}), labels({"channels": 2, "names": ["VV", "VH"]})
    (('R', 'G', 'B'), ('0', '1'), ('VV', 'VH'))
    """
    channels = int(preprocessing.get("channels", 3))
    if names := preprocessing.get("names"):
        return tuple(names)
    return COLORS if channels == 3 else tuple(map(str, range(channels)))


def composite(
    asked: Any, channels: int, names: Sequence[str] | None
) -> tuple[tuple[float, ...], ...]:
    """Return the weights, one row for each of R, G and B, by which channels are shown in color.

    Raises
    ------
    InputError
        For more or fewer than three entries, each a channel or weights of all channels.
    """
    several = asked.tolist() if isinstance(asked, Tensor | np.ndarray) else asked
    if isinstance(several, str) or not isinstance(several, Iterable) or len(list(several)) != 3:
        raise InputError(
            "to_rgb states what is shown as red, green and blue: three channels, by name or "
            f"number, or three rows of {channels} weights"
        )
    rows = []
    for entry in several:
        if isinstance(entry, str) or not isinstance(entry, Iterable):
            place = number(entry, channels, names)
            rows.append(tuple(float(other == place) for other in range(channels)))
        else:
            rows.append(tuple(real("to_rgb", weight) for weight in entry))
            if len(rows[-1]) != channels:
                raise InputError(
                    f"to_rgb has a row of {len(rows[-1])} weights; give one for each of the "
                    f"{channels} channels"
                )
    return tuple(rows)


@dataclass(frozen=True)
class DrawnIn:
    """From colors to some channels: all of these get the luma, and the others their ground.

    Attributes
    ----------
    channels
        Numbers of those that are drawn in.
    ground
        In [0, 1], of each channel of the network.
    """

    channels: tuple[int, ...]
    ground: tuple[float, ...]

    def __call__(
        self, pictures: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return the channels."""
        luma = mixed(pictures, [LUMA])
        filled = pictures.new_tensor(self.ground)[None, :, None, None].expand(
            len(pictures), -1, *pictures.shape[2:]
        )
        inside = torch.zeros(len(self.ground), dtype=torch.bool, device=pictures.device)
        inside[list(self.channels)] = True
        return torch.where(inside[None, :, None, None], luma, filled)


def drawn_in(
    asked: Any, ground: float | Sequence[float], channels: int, names: Sequence[str] | None
) -> DrawnIn:
    """Return how stimuli are drawn in the channels `asked` for, on a ground in the others.

    Raises
    ------
    InputError
        For no channel or an unknown one, three channels, and a ground that is not in [0, 1] or
        not one number, or one for each channel.
    """
    if channels == 3:
        raise InputError(
            "pictures of three channels are used as they are; draw stimuli in one of three by "
            "their ink and ground, such as ink=(1, 0.5, 0.5) on gray in the first"
        )
    several = [asked] if isinstance(asked, str | int | np.integer) else list(asked)
    places = tuple(dict.fromkeys(number(channel, channels, names) for channel in several))
    if not places:
        raise InputError("there is no channel to draw in; name one or more")
    values = [ground] * channels if isinstance(ground, float | int) else list(ground)
    if len(values) != channels:
        raise InputError(
            f"the ground has {len(values)} values; give one, or one for each of the {channels} "
            "channels"
        )
    return DrawnIn(places, tuple(real("ground", value, least=0, most=1) for value in values))


def mixed(
    pictures: Float[Tensor, "batch channels height width"], weights: Any
) -> Float[Tensor, "batch mixed height width"]:
    """Return weighted sums of channels; a row of weights for each."""
    matrix = torch.tensor(weights, device=pictures.device, dtype=pictures.dtype)
    return torch.einsum("bchw,dc->bdhw", pictures, matrix)


def shown(
    preprocessing: Mapping[str, Any], pictures: Float[Tensor, "batch channels height width"]
) -> Float[Tensor, "batch 3 height width"] | None:
    """Return pictures in color or gray; None for channels of which no composite is stated.

    Parameters
    ----------
    preprocessing
        Its record.
    pictures
        Of the channels of that.
    """
    if weights := preprocessing.get("to_rgb"):
        return mixed(pictures, weights).clamp(0, 1)
    if pictures.shape[1] in (1, 3):
        return pictures.expand(-1, 3, -1, -1)
    return None
