"""A feature visualization: the picture, its activation, and a record of how it was made.

It is one class, and how its files are written and read, in some 310 lines.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.featurevis.channels import (
    channel_tiles,
    complete,
    displayed,
    preprocessing_of,
)
from visioncircuits.files import write
from visioncircuits.networks.channels import labels
from visioncircuits.pictures import png

PROBLEMS = {
    "no gradient": "no finite gradient ever reached the picture, which is only noise",
    "never active": "the feature is inactive on the picture",
    "never negative": "no value of the feature is negative, as after a rectifier; choose the layer "
    "before that",
    "no gain": "the picture drives it no more than the noise that the optimization began with",
}
"""Why a picture shows nothing of its feature: the word of `Visualization.problem`, and the reason.

Examples
--------
>>> PROBLEMS["never active"]
'the feature is inactive on the picture'
"""

GAIN = 0.01
"""How much an objective must gain, of its value on noise, for a picture to show anything."""

_LEAST = 128
"""The least width of a composite in a notebook, beside its channels, in pixels."""

_KEY = "visioncircuits"
_XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><visioncircuits>{}</visioncircuits></x:xmpmeta>'


@dataclass(frozen=True, eq=False, repr=False)
class Visualization:
    """A picture that was optimized for an objective; a notebook shows it.

    Attributes
    ----------
    picture
        Float32 `(channels, height, width)` in [0, 1].
    objective
        The name of the objective.
    feature
        The feature whose activation is reported, such as `mixed3b:413`; empty if there is none.
    score
        The objective's value on the picture itself, untransformed.
    activation
        The feature's largest activation over all positions of that picture.
    history
        The objective's value at every step, on the transformed picture.
    dead
        Whether no finite gradient ever reached the picture, which is then only noise.
    record
        How it was made, as plain data: network, checkpoint, settings, versions.

    Examples
    --------
    >>> from visioncircuits.featurevis import Settings, render
    >>> from visioncircuits.networks import untrained
    >>> network, quick = untrained("bvlc_googlenet"), Settings(size=32, steps=16)
    >>> found = render(network, "conv2d0:3", settings=quick)
    >>> found
    Visualization('neuron conv2d0:3', 32 × 32 px, activation ...)
    >>> found.record["settings"]["steps"]
    16
    >>> found.problem
    ''
    """

    picture: Float[Tensor, "channels height width"]
    objective: str
    feature: str
    score: float
    activation: float
    history: tuple[float, ...]
    dead: bool
    record: dict[str, Any]

    def __repr__(self) -> str:
        height, width = self.picture.shape[-2:]
        state = f"activation {self.activation:.4g}{', ' * bool(self.problem)}{self.problem}"
        return f"Visualization({self.objective!r}, {height} × {width} px, {state})"

    @property
    def problem(self) -> str:
        """A key of `PROBLEMS` where the optimization did not get anywhere; else empty."""
        return problem(vars(self))

    def image(self) -> Image.Image:
        """Return the picture as a PIL image, 8 bits a channel, with opacity where it has that.

        Of channels that are neither gray nor RGB it is the composite that the network's
        preprocessing states as `to_rgb`; without one, `channels`.
        """
        shown = displayed(self.picture, self.record)
        if shown is None:
            return self.channels()
        pixels = (shown.clamp(0, 1) * 255).round().byte()
        return Image.fromarray((pixels[0] if len(pixels) == 1 else pixels.permute(1, 2, 0)).numpy())

    def channels(self) -> Image.Image:
        """Return every channel as a gray tile with its name.

        Examples
        --------
        >>> record = {"network": {"preprocessing": {"channels": 2, "names": ["VV", "VH"]}}}
        >>> Visualization(torch.rand(2, 64, 64), "", "", 0, 0, (), False, record).channels().mode
        'L'
        """
        names = labels(preprocessing_of(self.record))
        opacity = ("opacity",) * (len(self.picture) - len(names))
        return channel_tiles(self.picture, (*names, *opacity)[: len(self.picture)])

    @property
    def strongest_channel(self) -> str:
        """The name, or number, of the channel that varies most over the picture."""
        names = labels(preprocessing_of(self.record))
        return names[int(self.picture[: len(names)].flatten(1).std(1).argmax())]

    def _repr_png_(self) -> bytes:
        if preprocessing_of(self.record).get("to_rgb"):
            image = self.image()
            zoom = ceil(_LEAST / image.width)
            enlarged = image.resize(
                (image.width * zoom, image.height * zoom), Image.Resampling.NEAREST
            )
            return png(enlarged, self.channels())
        buffer = io.BytesIO()
        self.image().save(buffer, "PNG")
        return buffer.getvalue()

    def data(self) -> dict[str, Any]:
        """Return everything except the pixels as plain data."""
        fields = {name: value for name, value in asdict(self).items() if name != "picture"}
        return {"shape": list(self.picture.shape), **fields}

    def save(self, path: str | Path, *, quality: int | None = None) -> Path:
        """Write the picture as PNG or WebP, with its record inside and beside it as `.json`.

        Of channels that are neither gray nor RGB the picture is for looking (see `image`), and all
        of them are beside it as `.npy`, float32 `(channels, height, width)`. Each file is written
        completely or not at all.

        Parameters
        ----------
        quality
            Of a WebP, up to 100; without it, every pixel is kept.

        Raises
        ------
        InputError
            For another suffix, a PNG with a quality, if the file cannot be written, or if the
            `.json` beside it exists and is not this picture's record, or an `.npy` beside it
            without one.
        """
        path = Path(path)
        text = json.dumps(self.data(), indent=1)
        buffer = io.BytesIO()
        match path.suffix.lower():
            case ".png" if quality is not None:
                raise InputError(f"{path} keeps every pixel, as PNG does; a quality is a WebP's")
            case ".png":
                info = PngInfo()
                info.add_itxt(_KEY, text)
                self.image().save(buffer, "PNG", pnginfo=info)
            case ".webp":
                escaped = (
                    json.dumps(self.data(), separators=(",", ":"))
                    .replace("&", "&amp;")
                    .replace("<", "&lt;")
                )
                xmp = _XMP.format(escaped).encode()
                how = {"lossless": True, "exact": True} if quality is None else {"quality": quality}
                self.image().save(buffer, "WEBP", xmp=xmp, **how)
            case _:
                raise InputError(f"{path} cannot be written: name it .png or .webp")
        found = record_beside(path)
        others = {".png", ".webp"} - {path.suffix.lower()}
        shared = any(path.with_suffix(suffix).exists() for suffix in others)
        if shared and found not in (None, json.loads(text)):
            raise _taken(path)
        if not complete(len(self.picture), self.record):
            array = path.with_suffix(".npy")
            if found is None and array.exists():
                raise InputError(
                    f"{path} would write its channels over {array}, which is not this picture's; "
                    "choose another name, or move that file"
                )
            content = io.BytesIO()
            np.save(content, self.picture.numpy())
            write(array, content.getvalue())
        write(path.with_suffix(".json"), text.encode())
        write(path, buffer.getvalue())
        return path

    @classmethod
    def load(cls, path: str | Path) -> "Visualization":
        """Read a saved visualization back, its record from inside the picture.

        Raises
        ------
        InputError
            If the file is missing or damaged, or has no record, or if the `.npy` beside it is
            needed and missing, or of another picture.
        """
        path = Path(path)
        try:
            with Image.open(path) as image:
                image.load()
                record = _inside(image)
                pixels = np.atleast_3d(np.asarray(image))
        except (OSError, SyntaxError) as error:  # Pillow's for a damaged PNG
            raise InputError(f"{path} cannot be read as a picture: {error}") from error
        if not record:
            raise InputError(f"{path} has no record of how it was made")
        try:
            data = json.loads(record)
            channels, *size = data.pop("shape")
            if complete(channels, data["record"]):
                picture = torch.tensor(pixels).permute(2, 0, 1).float()[:channels] / 255
            else:
                picture = _array(path.with_suffix(".npy"), (channels, *size))
            return cls(picture=picture, **data | {"history": tuple(data["history"])})
        except InputError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path} has a damaged record: {error}") from error


def problem(data: Mapping[str, Any]) -> str:
    """Find why a picture shows nothing of its feature, from its other fields."""
    score, history = data["score"], data["history"]
    if data["feature"] and data["objective"].startswith("-") and score == 0:
        return "never negative"
    if data["dead"]:
        return "no gradient"
    if data["feature"] and not max(score, data["activation"]) > 0:
        return "never active"
    if history and not score - history[0] > GAIN * abs(history[0]):
        return "no gain"
    return ""


def record_inside(path: Path) -> dict[str, Any]:
    """Return a saved picture's other fields, from inside its file, without decoding its pixels.

    Raises
    ------
    InputError
        If the file is missing or damaged, or has no record.
    """
    try:
        with Image.open(path) as image:
            found: dict[str, Any] = json.loads(_inside(image))
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{path} has no record of how it was made: {error}") from error
    return found


def record_beside(path: Path) -> dict[str, Any] | None:
    """Return the record in the `.json` beside a picture's path, or None if there is none.

    Raises
    ------
    InputError
        If that file is not such a record.
    """
    beside = path.with_suffix(".json")
    if not beside.exists():
        return None
    try:
        found = json.loads(beside.read_text("utf-8"))
    except (OSError, ValueError):
        raise _taken(path) from None
    known = {"shape", *Visualization.__dataclass_fields__} - {"picture"}
    if not isinstance(found, dict) or found.keys() != known:
        raise _taken(path)
    return found


def _taken(path: Path) -> InputError:
    return InputError(
        f"{path} would write its record over {path.with_suffix('.json')}, which is not this "
        "picture's; choose another name, or move that file"
    )


def _array(path: Path, shape: tuple[int, ...]) -> Float[Tensor, "channels height width"]:
    try:
        found = torch.from_numpy(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{path}, with the channels of the picture beside it, cannot be read: {error}"
        ) from error
    if found.shape != shape:
        raise InputError(f"{path} is of {tuple(found.shape)}, and the picture beside it of {shape}")
    return found.float()


def _inside(image: Image.Image) -> str:
    if found := image.info.get(_KEY):
        return str(found)
    text: str = image.info.get("xmp", b"").decode()
    inside = text.partition("<visioncircuits>")[2].partition("</visioncircuits>")[0]
    return inside.replace("&lt;", "<").replace("&amp;", "&")
