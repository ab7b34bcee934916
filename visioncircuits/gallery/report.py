"""The report of a comparison: one page that works from a disk, and the numbers behind it."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from PIL import Image

from visioncircuits import __version__, featurevis, files
from visioncircuits.comparison import Comparison, sign_table
from visioncircuits.comparison.handwritten import CONTROLS, HANDWRITTEN
from visioncircuits.engine import progress
from visioncircuits.featurevis import objectives
from visioncircuits.gallery import pages
from visioncircuits.interventions import advantage, damage, repair
from visioncircuits.weights import signed_colors

STYLE: Any = {"font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8}

INK, SOFT, RULE = "#1b1c1e", "#63676d", "#e3e4e6"

TITLES = {
    "curves": "lines",
    "filled-curves": "filled shapes",
    "colored-curves": "filled, coloured",
    "angles": "angles to curves",
}

ALIGNED = 30.0
"""Degrees: units closer than this face the same way."""


def write(
    comparison: Comparison, pictures: Mapping[str, Mapping[str, Image.Image]], out: Path
) -> Path:
    """Write the report of a comparison.

    Parameters
    ----------
    comparison
        What was found.
    pictures
        Feature visualizations: for "trained" and "handwritten", unit to picture.
    out
        The report's folder.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        Where a file cannot be written.
    """
    numbers = summary(comparison)
    figures = {
        "tuning.png": tuning_figure(comparison),
        "repair.svg": repair_figure(repair(comparison.scores), (HANDWRITTEN, *CONTROLS)),
        "parts.svg": repair_figure(
            repair(comparison.scores_without), list(comparison.without["without"].values)
        ),
    }
    if comparison.kernels is not None:
        figures["kernels.png"] = kernel_figure(comparison)
    for name, figure in figures.items():
        files.write(out / "figures" / name, _rendered(figure, Path(name).suffix[1:]))
    for which, drawn in pictures.items():
        for unit, picture in drawn.items():
            buffer = io.BytesIO()
            picture.save(buffer, "WEBP", lossless=True)
            files.write(out / "figures" / f"{which}-{_slug(unit)}.webp", buffer.getvalue())
    css = package_files("visioncircuits.gallery") / "assets" / "gallery.css"
    files.write(out / "assets" / "gallery.css", css.read_bytes())
    files.write(out / "comparison.json", json.dumps(numbers, indent=1).encode())
    page = pages.render(
        "report.html",
        comparison=comparison,
        numbers=numbers,
        goals=goals(numbers),
        titles=TITLES,
        drawn=pictures.get("trained", {}),
        pairs=list(
            zip(
                comparison.trained.names,
                comparison.handwritten.names,
                comparison.trained.orientations,
                strict=True,
            )
        ),
        slug=_slug,
        version=__version__,
    )
    files.write(out / "index.html", page.encode())
    return out / "index.html"


def summary(comparison: Comparison) -> dict[str, Any]:
    """Give every number of the report, as plain data."""
    tuning = {
        name: {
            "surface": _median(each.numbers["surface"]),
            "orientation": _median(each.numbers["orientation"]),
            "width": _both(each.numbers["width"]),
            "echo": _both(each.numbers["echo"]),
        }
        for name, each in comparison.tuning.items()
    }
    found = {
        "trained": comparison.trained.network.record(),
        "handwritten": comparison.handwritten.network.name,
        "layer": comparison.trained.layer,
        "units": list(comparison.trained.places),
        "counterparts": list(comparison.handwritten.places),
        "tuning": tuning,
        "units_tuning": _by_unit(comparison.tuning["curves"].numbers),
        "maps": {"median": _median(comparison.maps), "units": _listed(comparison.maps.values)},
        "photographs": comparison.scores.sizes["photograph"],
        "damage": _table(damage(comparison.scores)),
        "repair": _table(repair(comparison.scores)),
        "advantage": _table(advantage(comparison.scores, HANDWRITTEN)),
        "accuracy": _accuracy(comparison.scores),
        "without": _without(comparison.without),
        "photographs_without": comparison.scores_without.sizes["photograph"],
        "repair_without": _table(repair(comparison.scores_without)),
    }
    if comparison.kernels is not None:
        kernels = comparison.kernels.numbers
        aligned = kernels["apart"].values < ALIGNED
        opposed = kernels["apart"].values > 180 - ALIGNED
        signs, sums = sign_table(kernels), ("trained", "handwritten")
        found["kernels"] = {
            "sources": [str(name) for name in kernels["source"].values],
            "aligned": _middle(kernels["correlation"].values[aligned]),
            "aligned_pairs": int(aligned.sum()),
            "opposed": _middle(kernels["correlation"].values[opposed]),
            "opposed_pairs": int(opposed.sum()),
            "sums": float(np.corrcoef([kernels[which].values.ravel() for which in sums])[0, 1]),
            "signs": signs.values.tolist(),
            "sign_names": [str(name) for name in signs["trained"].values],
        }
    return found


def _middle(values: np.ndarray) -> float | None:
    """The median; None where there is nothing."""
    return float(np.median(values)) if values.size else None


@dataclass(frozen=True)
class Goal:
    """A number that was asked for, and the one that was found."""

    what: str
    least: str
    found: str
    reached: bool
    short: str


def goals(numbers: Mapping[str, Any]) -> list[Goal]:
    """Hold a comparison's numbers against what a faithful circuit should reach."""
    lines, repaired = numbers["tuning"]["curves"], numbers["repair"][HANDWRITTEN]
    found = [
        _goal("tuning correlates over orientation and curvature, median", 0.85, lines["surface"]),
        _goal("tuning correlates over orientation, median", 0.9, lines["orientation"]),
    ]
    kernels = numbers.get("kernels")
    if kernels and kernels["aligned"] is not None:
        found.append(_goal("kernels of aligned pairs correlate, median", 0.6, kernels["aligned"]))
    for measure, title in (("cross_entropy", "cross-entropy"), ("divergence", "divergence")):
        found.append(_goal(f"share of the damage repaired, {title}", 0.5, repaired[measure][0]))
        ahead = {
            name: row[measure] for name, row in numbers["advantage"].items() if name in CONTROLS
        }
        clear = sum(low > 0 for _, low, _ in ahead.values())
        found.append(
            Goal(
                f"better than controls by more than the interval, {title}",
                f"all {len(ahead)}",
                f"{clear}",
                clear == len(ahead),
                ", ".join(name for name, (_, low, _) in ahead.items() if low <= 0),
            )
        )
    return found


def _goal(what: str, least: float, found: float) -> Goal:
    return Goal(what, f"{least:.2f}", f"{found:.2f}", found >= least, f"{least - found:.2f}")


def _without(table: xr.Dataset) -> dict[str, dict[str, float]]:
    return {
        str(name): {str(key): float(table[key].sel(without=name)) for key in table.data_vars}
        for name in table["without"].values
    }


def _median(values: xr.DataArray) -> float:
    return float(values.median())


def _both(values: xr.DataArray) -> dict[str, float]:
    return {str(w): float(values.sel(which=w).median()) for w in values["which"].values}


def _listed(values: np.ndarray) -> list[float]:
    return [float(value) for value in values]


def _by_unit(numbers: xr.Dataset) -> dict[str, dict[str, Any]]:
    return {
        str(unit): {
            str(name): _listed(values.values) if values.ndim else float(values)
            for name, values in numbers.sel(unit=unit).data_vars.items()
        }
        for unit in numbers["unit"].values
    }


def _table(found: xr.Dataset) -> dict[str, dict[str, list[float]]]:
    """Condition to measure to mean, low and high."""
    return {
        str(condition): {
            str(name): _listed(found[name].sel(condition=condition).values)
            for name in found.data_vars
        }
        for condition in found["condition"].values
        if condition != "original"
    }


def _accuracy(scores: xr.Dataset) -> dict[str, dict[str, float]]:
    return {
        str(condition): {
            name: float(scores[name].sel(condition=condition).mean()) for name in ("top1", "top5")
        }
        for condition in scores["condition"].values
    }


def visualize(comparison: Comparison, *, steps: int) -> dict[str, dict[str, Image.Image]]:
    """Draw what drives each unit and its counterpart most, under the same settings."""
    families = {"trained": comparison.trained, "handwritten": comparison.handwritten}
    drawn: dict[str, dict[str, Image.Image]] = {}
    size = featurevis.suited(comparison.trained.network, comparison.trained.layer).size
    for which, family in families.items():
        units = list(dict.fromkeys(family.units))
        settings = featurevis.suited(family.network, family.layer, steps=steps)
        with progress(f"pictures, {which}", steps * len(units)) as advance:
            found = featurevis.render_all(
                family.network,
                [objectives.neuron(unit) for unit in units],
                settings=replace(settings, size=size),
                progress=advance,
            )
            drawn[which] = {
                str(unit): made.image() for unit, made in zip(units, found, strict=True)
            }
    return drawn


# Figures


@matplotlib.rc_context(STYLE)
def tuning_figure(comparison: Comparison) -> Figure:
    """Draw every trained unit's responses to curves beside its counterpart's, as heat maps."""
    tuned = comparison.tuning["curves"]
    count = len(comparison.trained)
    figure = _figure(9.6, 0.52 * count + 0.9)
    axes = figure.subplots(count, 2, squeeze=False)
    sides = (("trained", tuned.trained), ("handwritten", tuned.handwritten))
    names = (comparison.trained.names, comparison.handwritten.names)
    for column, (which, responses) in enumerate(sides):
        surfaces = responses.transpose("unit", "radius", "orientation").values.clip(0)
        for row, surface in enumerate(surfaces):
            place = axes[row, column]
            place.imshow(
                surface,
                aspect="auto",
                cmap=_turbo_on_black(),
                vmin=0,
                vmax=surface.max() or 1,
                extent=(-5, 355, 4, 0),
                interpolation="nearest",
            )
            place.set_yticks([])
            place.set_xticks(range(0, 360, 90) if row == count - 1 else [])
            place.set_ylabel(names[column][row], rotation=0, ha="right", va="center")
            for spine in place.spines.values():
                spine.set_visible(False)
        axes[0, column].set_title(which, loc="left")
        axes[-1, column].set_xlabel("orientation, degrees")
    return figure


def _turbo_on_black() -> Any:
    colors = matplotlib.colormaps["turbo"].with_extremes(under="black", bad="black")
    table = colors(np.linspace(0, 1, 256))
    table[0] = (0, 0, 0, 1)
    return matplotlib.colors.ListedColormap(table)


@matplotlib.rc_context(STYLE)
def kernel_figure(comparison: Comparison) -> Figure:
    """Draw every kernel from early curves to curves, the trained above the handwritten."""
    connected = comparison.kernels
    assert connected is not None
    kernels = [_over_largest(each.values) for each in (connected.trained, connected.handwritten)]
    targets, sources = kernels[0].shape[:2]
    figure = _figure(0.42 * sources + 1.3, 0.92 * targets + 0.5)
    axes = figure.subplots(2 * targets, sources, squeeze=False)
    for row in range(targets):
        for column in range(sources):
            for below in (0, 1):
                place = axes[2 * row + below, column]
                place.imshow(signed_colors(kernels[below][row, column], 1.0))
                place.set_xticks([])
                place.set_yticks([])
                for spine in place.spines.values():
                    spine.set_edgecolor(RULE)
        name = str(connected.trained["target"].values[row])
        axes[2 * row, 0].set_ylabel(name, rotation=0, ha="right", va="center")
        axes[2 * row + 1, 0].set_ylabel("by hand", rotation=0, ha="right", va="center", color=SOFT)
    for column, source in enumerate(connected.trained["source"].values):
        axes[0, column].set_title(str(source).rpartition(":")[2])
    return figure


def _over_largest(kernels: np.ndarray) -> np.ndarray:
    """Scale each target's kernels to its largest weight, so that units can be compared."""
    return kernels / np.abs(kernels).max((1, 2, 3), keepdims=True)


@matplotlib.rc_context(STYLE)
def repair_figure(found: xr.Dataset, conditions: Sequence[str]) -> Figure:
    """Draw which share of the damage some conditions repair, with intervals; the first in blue."""
    figure = _figure(8.2, 0.32 * len(conditions) + 0.7)
    axes = figure.subplots(1, 2, sharey=True)
    for place, (name, title) in zip(
        axes,
        (("cross_entropy", "cross-entropy"), ("divergence", "divergence from original")),
        strict=True,
    ):
        low, high = -0.5, 1.15
        for row, condition in enumerate(conditions):
            mean, least, most = found[name].sel(condition=condition).values
            color = INK if row else "#0571B0"
            place.plot([max(least, low), min(most, high)], [row, row], color=color, lw=2)
            place.plot([np.clip(mean, low, high)], [row], "o", color=color, ms=5)
        place.axvline(0, color=SOFT, lw=0.8)
        place.axvline(1, color=SOFT, lw=0.8, ls=(0, (3, 3)))
        place.set_xlim(low - 0.05, high)
        place.set_title(title, loc="left")
        place.set_xticks([low, 0, 0.5, 1])
        place.xaxis.set_major_formatter(PercentFormatter(1.0))
        place.set_yticks(range(len(conditions)), conditions)
        place.invert_yaxis() if place is axes[0] else None
        for side in ("top", "right", "left"):
            place.spines[side].set_visible(False)
        place.tick_params(axis="y", length=0)
    return figure


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), dpi=150, layout="constrained")


def _rendered(figure: Figure, kind: str) -> bytes:
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "visioncircuits", "svg.fonttype": "path"}):
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()


def _slug(unit: str) -> str:
    return unit.replace(":", "-")
