"""Curves traced through photographs."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.figures import Figure
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.curve_detectors.family import Curves, family
from visioncircuits.thread.claims import NEGATIVE
from visioncircuits.thread.intervals import interval
from visioncircuits.tuning import trace
from visioncircuits.tuning.plots import hsl

FOLLOWED = here(
    "curves can be traced through photographs with nothing but the detectors", "15 shown"
)
HEADED = here("curves that are traced with the detectors run along contours", "shown in pictures")


@part(FOLLOWED, HEADED, stand_ins=(*NEGATIVE, "handwritten curves"))
def traced(study: Study) -> Iterator[Row | Plate]:
    """Curves traced through photographs.

    At each position the detectors indicate the contour's orientation; traces follow the ridge of
    their activation, and a spline is fitted to each.
    """
    curves = family(study)
    spread = study.deviations("mixed3b").sel(unit=curves.units).values
    about = study.network.layer_at(curves.layer, study.network.size)
    photos, traces, maps = [], [], []
    for batch in study.batches(study.of(200, quick=24)):
        with torch.inference_mode():
            found = study.network.activations(batch, [curves.layer])[curves.layer]
        for pixels, activations in zip(batch, found[:, curves.places].cpu().numpy(), strict=True):
            scaled = activations / spread[:, None, None]
            photos.append(pixels)
            maps.append(scaled)
            traces.append(trace(about, scaled, curves.orientations))
    fields = [gradients(pixels) for pixels in photos]
    kept = [place for place, found_here in enumerate(traces) if found_here]
    own = np.array([across(fields[place], traces[place]) for place in kept])
    order = np.roll(np.arange(len(kept)), len(kept) // 2)
    other = np.array(
        [across(fields[kept[o]], traces[place]) for o, place in zip(order, kept, strict=True)]
    )
    longest = [max(map(len, found_here), default=0) for found_here in traces]
    best = np.argsort(longest)[::-1][: study.of(10, quick=5)]
    yield Plate(
        "traces",
        drawn_over(
            [photos[i] for i in best], [maps[i] for i in best], [traces[i] for i in best], curves
        ),
        "The photographs with the longest traces. Above, the splines; below, the detectors' "
        "activation, each in the hue of its orientation, and the traces.",
    )
    ratio = own[:, 0] / other[:, 0]
    low, high = interval(np.log(ratio), study.rng("traces"))
    yield FOLLOWED.found(
        f"{sum(map(len, traces))} in {len(photos)} photographs, the gradient "
        f"{np.median(ratio):.1f} × that under them elsewhere",
        holds=low > 0,
        interval=f"{np.exp(low):.1f} to {np.exp(high):.1f} ×",
        why="The photographs' gradient along the traces, over that along the same traces laid on "
        "another photograph; holds where the interval over photographs is above 1.",
    )
    low, high = interval(own[:, 1], study.rng("headings"))
    yield HEADED.found(
        f"gradient across them {np.median(own[:, 1]):.2f} of it, elsewhere "
        f"{np.median(other[:, 1]):.2f}",
        holds=low > float(np.quantile(other[:, 1], 0.5)) and low > 2 / np.pi,
        interval=f"{low:.2f} to {high:.2f}; of random directions {2 / np.pi:.2f}",
        why="Mean cosine between the gradient and the trace's normal, weighted by the gradient.",
    )


def gradients(pixels: Tensor) -> Float[np.ndarray, "2 height width"]:
    """Compute a photograph's gradient in brightness, `(y, x)`, at the traces' resolution."""
    gray = torch.nn.functional.avg_pool2d(pixels.mean(0)[None, None], 5, 1, 2)[0, 0].numpy()
    return np.stack(np.gradient(gray))


def across(
    field: Float[np.ndarray, "2 height width"], traces: Sequence[np.ndarray]
) -> tuple[float, float]:
    """Compute the mean of the largest gradient near traces, and its cosine to their normal."""
    sizes, inward = [], []
    for points in traces:
        tangent = np.gradient(points, axis=0)
        normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True).clip(1e-9)
        aside = np.arange(-4, 5)[:, None, None] * normal
        places = np.round(points + aside).astype(int)
        y, x = (places[..., axis].clip(0, field.shape[1 + axis] - 1) for axis in (0, 1))
        found = np.moveaxis(field[:, y, x], 0, -1)
        size = np.linalg.norm(found, axis=-1)
        best = size.argmax(0)
        columns = np.arange(len(points))
        sizes.append(size[best, columns])
        inward.append(np.abs((found[best, columns] * normal).sum(1)))
    whole = np.concatenate(sizes)
    return float(whole.mean()), float(np.concatenate(inward).sum() / whole.sum().clip(1e-9))


def drawn_over(
    photos: Sequence[Tensor],
    maps: Sequence[np.ndarray],
    traces: Sequence[Sequence[np.ndarray]],
    curves: Curves,
) -> Figure:
    """Draw traces over photographs, and over the activations that they come from."""
    figure = Figure(figsize=(2.2 * len(photos), 4.5), layout="constrained")
    grid = figure.subplots(2, len(photos), squeeze=False)
    colors = np.array([hsl(angle, 0.8, 0.5) for angle in curves.orientations])
    for (above, below), pixels, activations, found in zip(
        grid.T, photos, maps, traces, strict=True
    ):
        size = pixels.shape[1]
        above.imshow(pixels.permute(1, 2, 0).clamp(0, 1).numpy())
        best = activations.argmax(0)
        strength = (activations.max(0) / activations.max()).clip(0, 1)[..., None]
        below.imshow(
            1 - strength * (1 - colors[best]), extent=(0, size, size, 0), interpolation="bilinear"
        )
        for points in found:
            for axes, color in ((above, "#ffd60a"), (below, "#202124")):
                axes.plot(points[:, 1], points[:, 0], color="white", lw=3.2)
                axes.plot(points[:, 1], points[:, 0], color=color, lw=1.8)
    for axes in grid.flat:
        axes.set(xlim=(0, size), ylim=(size, 0))
        axes.axis("off")
    return figure
