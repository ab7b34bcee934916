"""Attributions: what activated a feature, as values, as a picture, and on disk."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import xarray as xr
from jaxtyping import Float
from PIL import Image, ImageDraw
from torch import Tensor

from visioncircuits.networks import channels
from visioncircuits.pictures import png
from visioncircuits.weights import storage

_KIND = "an attribution"

_SHOWN = 4
"""Pictures that a notebook shows."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """What activated a feature.

    A notebook shows the first pictures, and where in them the attribution lies; see `overlay`.

    Attributes
    ----------
    feature, to
        What is explained, by which layer's values; `"input"` are the pixels.
    pictures : Tensor, (batch, channels, height, width)
        Those that the feature was activated by.
    values : Tensor, (batch, units, rows, columns)
        Of each neuron of the layer, or of each color of each pixel.
    activation : Tensor, (batch,)
        What is explained: the feature's activation.
    baseline : Tensor, (batch,)
        Its activation at the baseline.
    record
        How it was computed, as plain data.

    Examples
    --------
    >>> from visioncircuits.attribution import gradient_times_activation
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(2, 3, 64, 64)
    >>> gradient_times_activation(network, "mixed3a:5", pictures, to="conv2d2")
    Attribution(mixed3a:5 to conv2d2, 2 pictures)
    """

    feature: str
    to: str
    pictures: Float[Tensor, "batch channels height width"]
    values: Float[Tensor, "batch units rows columns"]
    activation: Float[Tensor, " batch"]
    baseline: Float[Tensor, " batch"]
    record: dict[str, Any]

    def __repr__(self) -> str:
        count = len(self.pictures)
        return f"Attribution({self.feature} to {self.to}, {count} picture{'s' * (count != 1)})"

    def _repr_png_(self) -> bytes:
        return png(self.image())

    def _shown(self, most: int) -> Float[Tensor, "batch channels height width"]:
        """Return the first pictures, in the composite that the network states for its channels."""
        pictures, own = (
            self.pictures[:most],
            self.record.get("network", {}).get("preprocessing", {}),
        )
        if pictures.shape[1] != own.get("channels", 3):
            return pictures
        found = channels.shown(own, pictures)
        return pictures if found is None else found

    def image(self, *, most: int = _SHOWN) -> Image.Image:
        """Draw the first pictures with the attribution beside each, below the feature's name."""
        drawn = [
            overlay(picture.cpu(), values.cpu(), scale=1)
            for picture, values in zip(self._shown(most), self.values[:most], strict=True)
        ]
        size = drawn[0].size if drawn else (1, 1)
        width = max(len(drawn) * (size[0] + _GAP) - _GAP, _LEGEND)
        sheet = Image.new("RGB", (width, size[1] + _LINE), (255, 255, 255))
        draw = ImageDraw.Draw(sheet)
        draw.text((0, 2), f"{self.feature} to {self.to}", (34, 34, 34), font_size=14)
        for place, picture in enumerate(drawn):
            sheet.paste(picture, (place * (size[0] + _GAP), _LINE))
        return sheet

    @property
    def remainder(self) -> Float[Tensor, " batch"]:
        """What the values do not add up to: of integrated gradients, the error of the sum."""
        return self.activation - self.baseline - self.values.sum((1, 2, 3))

    def save(self, path: str | Path) -> Path:
        """Save as .npz or .nc (netCDF), with the pictures and the record.

        Raises
        ------
        InputError
            For another suffix, or if the file cannot be written.
        """
        arrays = {
            "pictures": ("picture", "channel", "height", "width"),
            "values": ("picture", "unit", "row", "column"),
            "activation": ("picture",),
            "baseline": ("picture",),
        }
        dataset = xr.Dataset(
            {name: (dims, getattr(self, name).cpu().numpy()) for name, dims in arrays.items()},
            attrs={
                "kind": _KIND,
                "feature": self.feature,
                "to": self.to,
                "record": json.dumps(self.record),
            },
        )
        return storage.write(dataset, path)

    @classmethod
    def load(cls, path: str | Path) -> "Attribution":
        """Load a saved attribution.

        Raises
        ------
        InputError
            If the file is missing, damaged, or has other content.
        """
        dataset = storage.read(path, _KIND)
        return cls(
            feature=dataset.attrs["feature"],
            to=dataset.attrs["to"],
            record=json.loads(dataset.attrs["record"]),
            **{str(name): torch.tensor(array.values) for name, array in dataset.items()},
        )


_GAP, _LINE, _LEGEND = 12, 24, 200
"""Pixels: between pictures, the line with the feature's name, the least width."""


def overlay(
    picture: Float[Tensor, "channels height width"],
    values: Float[Tensor, "units rows columns"],
    *,
    scale: int = 2,
) -> Image.Image:
    """Draw a photograph, and beside it where in it the attribution lies.

    Parameters
    ----------
    picture
        In [0, 1]. On the left it is in color where it has three channels, else their mean in gray.
    values
        Of one picture, from an `Attribution`; units or colors are added up.
    scale
        Pixels for one of the photograph.

    Returns
    -------
    PIL.Image.Image
        On the right the photograph in gray, red where it raised the activation and blue where it
        lowered it; full color is the 99.5th percentile.

    Examples
    --------
    >>> from visioncircuits.attribution import gradient_times_activation
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> found = gradient_times_activation(network, "mixed3a:5", pictures)
    >>> overlay(pictures[0], found.values[0], scale=1).size
    (132, 64)
    """
    height, width = picture.shape[1:]
    total = values.sum(0)[None, None].float().nan_to_num()
    sums = torch.nn.functional.interpolate(total, (height, width), mode="bilinear")[0, 0]
    if total.shape[2:] == (height, width):  # pixels alone are too fine to see
        from torchvision.transforms import functional  # takes seconds, by torch's compiler

        sums = functional.gaussian_blur(sums[None], [9, 9], [2.0, 2.0])[0]
    most = float(torch.quantile(sums.abs().flatten(), 0.995)) or 1.0
    strength = (sums / most).clamp(-1, 1)[None]
    gray = picture.mean(0, keepdim=True).expand(3, -1, -1)
    picture, gray = picture if len(picture) == 3 else gray, 0.55 + 0.4 * gray
    red, blue = (torch.tensor(c)[:, None, None] / 255 for c in ((202.0, 0, 32), (5.0, 113, 176)))
    shown = torch.lerp(gray, torch.where(strength > 0, red, blue), strength.abs() * 0.9)
    both = torch.cat([picture, torch.ones(3, height, 4), shown], 2).clamp(0, 1)
    pixels = both.mul(255).round().byte().permute(1, 2, 0).numpy()
    image = Image.fromarray(pixels)
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.LANCZOS)
