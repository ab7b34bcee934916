"""The sections of a feature's page: the evidence, and what is known of it without any.

A further section is a further function of this form, given to `writing.write` beside these.
"""

from visioncircuits.gallery.evidence import (
    atoms,
    composition,
    examples,
    tuning,
    visualizations,
    weights,
)
from visioncircuits.gallery.section import FeaturePage, MakeSection, Section
from visioncircuits.site import pages


def numbers(page: FeaturePage) -> Section:
    """Show the feature's place in the network, and how its picture was optimized."""
    layer, first = page.layer, page.entry.first
    rows = {
        "Layer": f"{layer.name}, {layer.total} units",
        "Branch": page.entry.branch,
        "Family": ", ".join(page.entry.families),
        "Receptive field": f"{pages.size(layer.receptive_field)} px",
        "Stride": f"{pages.size(layer.stride)} px",
        "Activation": "" if first.dead else pages.number(first.activation),
        "Nothing to see": first.reason,
        "Picture": f"{first.width} × {first.height} px",
    }
    body = pages.render(
        "numbers.html",
        rows=[(name, value) for name, value in rows.items() if value],
        curve="" if first.dead else _polyline(first.history),
        steps=len(first.history),
    )
    return Section("Numbers", "numbers", body)


def siblings(page: FeaturePage) -> Section | None:
    """Show the other units of the families that the unit is in."""
    families = [
        (family, [each for each in page.layer.features if family in each.families])
        for family in page.entry.families
    ]
    if not families:
        return None
    body = pages.render("siblings.html", families=families, here=page.entry, root=page.root)
    return Section("Family", "family", body)


SECTIONS: tuple[MakeSection, ...] = (
    visualizations.pictures,
    numbers,
    atoms.section,
    composition.section,
    examples.section,
    tuning.section,
    weights.inputs,
    weights.outputs,
    siblings,
    visualizations.record,
)
"""The sections of every page, in this order."""


def _polyline(history: tuple[float, ...], *, width: int = 200, height: int = 60) -> str:
    """Compute the corners of a curve through `history` that fills a box, at most one a pixel.

    Examples
    --------
    >>> _polyline((0.0, 5.0, 10.0))
    '0,60 100,30 200,0'
    """
    if len(history) < 2:
        return ""
    low, high = min(history), max(history)
    scale = height / (high - low) if high > low else 0.0
    last = len(history) - 1
    shown = range(0, last + 1, -(-last // width))
    return " ".join(
        f"{i * width / last:.4g},{height - (history[i] - low) * scale:.4g}" for i in shown
    )
