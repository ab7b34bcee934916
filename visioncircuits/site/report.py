"""The report of a comparison: one page that opens from a disk, and every number on it as JSON."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from PIL import Image

from visioncircuits import __version__, featurevis, files
from visioncircuits.comparison import Comparison, compared_panel
from visioncircuits.comparison.controls import BESIDE, HANDWRITTEN
from visioncircuits.site import pages
from visioncircuits.site.report_figures import OVER, rendered, repair_figure
from visioncircuits.site.report_numbers import goals, summary

TITLES = {
    "curve": "the hypothesis' own",
    "curves": "lines",
    "filled-curves": "filled shapes",
    "colored-curves": "filled, colored",
    "angles": "angles to curves",
}

SELECTIVE = {
    "surface": "correlation over all axes",
    "orientation": "over orientation",
    "radius": "over radius",
    "width": "width",
    "echo": "echo",
    "lines": "lines",
    "corners": "corners",
    "checkerboards": "checkerboards",
}
"""Columns of what is selective."""

BASELINES = {
    "zero": "set to zero",
    "mean": "set to their mean",
    "resample": "given their own maps from another photograph",
}
"""What happens to the trained units."""


def write(
    comparison: Comparison, pictures: Mapping[str, Mapping[str, Image.Image]], out: Path
) -> Path:
    """Write the report of a comparison.

    Parameters
    ----------
    comparison
        As `comparison.compare` returns it.
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
    donors = [name for name in (HANDWRITTEN, *BESIDE) if name in numbers["repair"]]
    figures = {
        "tuning.png": compared_panel(next(iter(comparison.tuning.values()))),
        "repair.svg": repair_figure(comparison.scores, donors),
    }
    if comparison.without is not None and comparison.scores_without is not None:
        figures["parts.svg"] = repair_figure(
            comparison.scores_without, list(comparison.without["without"].values)
        )
    if comparison.kernels is not None:
        figures["kernels.png"] = compared_panel(comparison.kernels)
    for name, figure in figures.items():
        files.write(out / "figures" / name, rendered(figure, Path(name).suffix[1:]))
    for which, drawn in pictures.items():
        for unit, picture in drawn.items():
            buffer = io.BytesIO()
            picture.save(buffer, "WEBP", lossless=True)
            files.write(out / "figures" / f"{which}-{_slug(unit)}.webp", buffer.getvalue())
    files.write(out / "assets" / "gallery.css", pages.asset("gallery.css"))
    files.write(out / "comparison.json", json.dumps(numbers, indent=1).encode())
    page = pages.render(
        "report.html",
        comparison=comparison,
        family=comparison.trained.hypothesis.name,
        oriented=comparison.trained.orientations is not None,
        numbers=numbers,
        goals=goals(numbers),
        titles=TITLES,
        baselines=BASELINES,
        over=OVER,
        selective=SELECTIVE,
        shown=[*donors, *numbers["repair_over"]],
        drawn=pictures.get("trained", {}),
        pairs=list(
            zip(
                comparison.trained.names,
                comparison.handwritten.names,
                comparison.trained.orientations or [None] * len(comparison.trained),
                strict=True,
            )
        ),
        slug=_slug,
        version=__version__,
    )
    files.write(out / "index.html", page.encode())
    return out / "index.html"


def visualize(
    comparison: Comparison, *, steps: int, progress: bool = False
) -> dict[str, dict[str, Image.Image]]:
    """Render what activates each unit and its counterpart most, with the same settings."""
    families = {"trained": comparison.trained, "handwritten": comparison.handwritten}
    drawn: dict[str, dict[str, Image.Image]] = {}
    size = featurevis.suited(comparison.trained.network, comparison.trained.layer).size
    for which, family in families.items():
        units = list(dict.fromkeys(family.units))
        settings = featurevis.suited(family.network, family.layer, steps=steps)
        settings = replace(settings, size=size)
        found = featurevis.render_all(family.network, units, settings=settings, progress=progress)
        drawn[which] = {str(unit): made.image() for unit, made in zip(units, found, strict=True)}
    return drawn


def _slug(unit: str) -> str:
    return unit.replace(":", "-")
