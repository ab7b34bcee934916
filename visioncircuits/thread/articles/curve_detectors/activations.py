"""Activations over photographs: their density and examples."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from visioncircuits.examples import sheet, sketch
from visioncircuits.figures import Figure
from visioncircuits.networks import Unit
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.curve_detectors.family import Curves, family
from visioncircuits.thread.claims import NEGATIVE
from visioncircuits.thread.intervals import interval
from visioncircuits.tuning.plots import hsl

ACTIVE = here("curve detectors are active at about a tenth of all positions of photographs", "11 %")
BELOW = here("curve detectors' mean pre-activation is far below zero", "about −200, 2 to 3 σ")
EXPONENTIAL = here(
    "the density of a curve detector's pre-activations falls off exponentially on both sides",
    "two straight flanks",
)


@part(ACTIVE, BELOW, EXPONENTIAL, stand_ins=(*NEGATIVE, "handwritten curves"))
def photographs(study: Study) -> Iterator[Row | Plate]:
    """Photographs.

    Pre-activations of the detectors over all positions of the photographs, and their examples from
    the whole range: the quilt.
    """
    curves = family(study)
    record = study.examples()
    layer = record.layers[curves.layer]
    active = layer.moments.firing[curves.places]
    low, high = interval(active, study.rng("firing"))
    rest = np.median(layer.moments.firing)
    yield ACTIVE.found(
        f"median {np.median(active):.1%}",
        holds=low >= 0.05 and high <= 0.2,
        interval=f"{low:.1%} to {high:.1%}; the layer's median unit {rest:.1%}",
        why=f"{record.seen} photographs; holds where the interval is within 5 and 20 %.",
    )
    standing = layer.moments.mean[curves.places] / layer.moments.deviation[curves.places]
    low, high = interval(standing, study.rng("means"))
    yield BELOW.found(
        f"median {np.median(standing):.2f} σ",
        holds=high < -1,
        interval=f"{low:.2f} to {high:.2f}",
        why="Published: −153 to −200, with flanks of 49 and 57 units that make σ about 75. Holds "
        "where the interval is below −1.",
    )
    edges = np.arange(-8, 12.01, 0.25)
    deviations = layer.moments.deviation
    densities = np.array(
        [density(layer.counts[unit], deviations[unit], edges) for unit in curves.places]
    )
    yield Plate(
        "density",
        distribution(edges, densities, curves),
        "Density of pre-activations over all positions, on a logarithmic scale, in each "
        "unit's standard deviations; each line is a unit, in the hue of its orientation.",
    )
    straight, bent = np.array([flanks(edges, row) for row in densities]).T
    advantage = interval(straight - bent, study.rng("flanks"))
    yield EXPONENTIAL.found(
        f"R² {np.median(straight):.3f} of straight lines, {np.median(bent):.3f} of parabolas",
        holds=bool(np.median(straight) >= 0.95) and advantage[0] > 0,
        interval=f"better by {advantage[0]:.3f} to {advantage[1]:.3f}",
        why="Logarithmic density, two lines that meet at the mode against one parabola about it (a "
        "Gaussian would be one); holds where R² is .95 or more and above the parabola's.",
    )
    focus = Unit(curves.layer, curves.places[int(preferred_detector(study))])

    yield Plate(
        "quilt",
        sheet(study.network, focus, record, study.images),
        f"{focus}: strongest examples, density and expected value, and neurons drawn at "
        "random in twelve steps of activation, in place of the article's quilt.",
    )


def preferred_detector(study: Study) -> int:
    """Choose the detector with the strongest response to curves, in standard deviations."""
    table = study.detectors("curve", "mixed3b")
    spread = study.deviations("mixed3b").sel(unit=table["unit"].tolist()).values
    return int((table["peak"].to_numpy(float) / spread).argmax())


def density(
    counts: Float[np.ndarray, " bins"] | np.ndarray,
    deviation: float,
    edges: Float[np.ndarray, " edges"],
) -> Float[np.ndarray, " steps"]:
    """Compute the density of a unit's pre-activations, in its standard deviations."""
    heights = np.histogram(sketch.middles() / deviation, edges, weights=counts)[0]
    found: np.ndarray = heights / counts.sum() / np.diff(edges)
    return found


def flanks(
    edges: Float[np.ndarray, " edges"], row: Float[np.ndarray, " steps"]
) -> tuple[float, float]:
    """Fit two lines and a parabola to a logarithmic density; return both R²."""
    middles = (edges[1:] + edges[:-1]) / 2
    kept = row > row.max() * np.exp(-7)
    x, y = middles[kept] - middles[row.argmax()], np.log(row[kept])
    designs = (
        np.stack([np.ones_like(x), x.clip(min=0), x.clip(max=0)], 1),
        np.stack([np.ones_like(x), x, x**2], 1),
    )
    first, second = (
        1
        - float(
            ((y - d @ np.linalg.lstsq(d, y, rcond=None)[0]) ** 2).sum()
            / ((y - y.mean()) ** 2).sum()
        )
        for d in designs
    )
    return first, second


def distribution(edges: np.ndarray, densities: np.ndarray, curves: Curves) -> Figure:
    """Draw logarithmic densities."""
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.set_facecolor("#ebebeb")
    axes.grid(color="white", lw=1)
    axes.set_axisbelow(True)
    middles = (edges[1:] + edges[:-1]) / 2
    for row, angle in zip(densities, curves.orientations, strict=True):
        with np.errstate(divide="ignore"):
            axes.plot(middles, np.log(row), color=hsl(angle, 0.7, 0.45), lw=1)
    axes.axvline(0, color="#202124", lw=0.8, ls=(0, (3, 3)))
    axes.set_xlabel("pre-activation, σ")
    axes.set_ylabel("log density")
    axes.spines[:].set_visible(False)
    return figure
