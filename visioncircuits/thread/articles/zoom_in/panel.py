"""The figure of the seven arguments."""

from collections.abc import Sequence

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from matplotlib.colors import hsv_to_rgb
from PIL import Image

from visioncircuits.figures import Figure
from visioncircuits.thread.articles.zoom_in.subject import Subject
from visioncircuits.weights import signed_colors


def seven_drawn(
    subject: Subject,
    picture: Image.Image,
    crops: Sequence[torch.Tensor],
    centers: Sequence[tuple[float, float]],
    together: xr.DataArray,
    kernels: dict[str, torch.Tensor],
    used: Sequence[str],
    by_hand: np.ndarray,
) -> Figure:
    """Draw the seven arguments, four above and three below."""
    figure = Figure(figsize=(10.4, 5.6))
    parts = np.ravel(np.array(figure.subfigures(2, 4, wspace=0.02, hspace=0.04)))
    titles = ("1  feature visualization", "2  dataset examples", "3  synthetic curves",
              "4  joint tuning", "5  made of", "6  used for", "7  set by hand")  # fmt: skip
    for part_, title in zip(parts, titles, strict=False):
        part_.suptitle(title, fontsize=10, y=0.98)

    def grid(place: int, rows: int, columns: int) -> np.ndarray:
        axes = parts[place].subplots(rows, columns, squeeze=False)
        parts[place].subplots_adjust(0.04, 0.04, 0.96, 0.86, 0.06, 0.06)
        for each in axes.flat:
            each.set_xticks([])
            each.set_yticks([])
            each.spines[:].set_visible(False)
        return np.asarray(axes)

    grid(0, 1, 1)[0, 0].imshow(picture)
    for axes, pixels, center in zip(grid(1, 3, 3).flat, crops, centers, strict=False):
        axes.imshow(cropped(pixels, center))
    for place, values in ((2, subject.own), (6, by_hand)):
        axes = grid(place, 1, 1)[0, 0]
        # the unit's orientation in the middle
        turn = len(values) // 2 - round(subject.angle / 360 * len(values))
        picture_of = np.roll(values, turn, 0).T[::-1]
        axes.imshow(picture_of, cmap="turbo", vmin=0, aspect="auto", extent=(-180, 180, 0, 1))
        axes.set_xticks([-180, -90, 0, 90, 180])
        axes.tick_params(labelsize=7)
        parts[place].subplots_adjust(0.06, 0.12, 0.94, 0.86)
    axes = grid(3, 1, 1)[0, 0]
    for values, peak in zip(together.mean("example").values, subject.angles, strict=True):
        axes.plot(together["orientation"], values, lw=1, color=hsv_to_rgb((peak / 360, 0.75, 0.8)))
    axes.set_xticks([0, 90, 180, 270, 360])
    axes.tick_params(labelsize=7)
    parts[3].subplots_adjust(0.06, 0.12, 0.94, 0.86)
    scale = max(float(kernel.abs().max()) for kernel in kernels.values())
    panel, pictures = grid(4, 2, 4), subject.study.pictures
    for column, (small, kernel) in enumerate(
        zip(pictures(list(kernels)), kernels.values(), strict=True)
    ):
        panel[0, column].imshow(small)
        panel[1, column].imshow(signed_colors(kernel.cpu(), scale))
    for axes, small in zip(grid(5, 2, 2).flat, pictures(used), strict=False):
        axes.imshow(small)
    parts[7].text(0.5, 0.5, subject.name, ha="center", va="center", fontsize=12)
    return figure


def cropped(
    pixels: Float[torch.Tensor, "3 height width"], center: tuple[float, float]
) -> Float[np.ndarray, "60 60 3"]:
    """Cut 60 pixels around a position, gray beyond the edge."""
    padded = torch.nn.functional.pad(pixels, (30, 30, 30, 30), value=0.8)
    top, left = map(round, center)
    crop = padded[:, top : top + 60, left : left + 60]
    return np.asarray(crop.permute(1, 2, 0).clamp(0, 1).numpy())
