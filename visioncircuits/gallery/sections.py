"""The sections of a unit's page: the evidence, and what is known of the unit without any.

A further section is a further function of this form, given to `writing.write` beside these.
"""

from visioncircuits.gallery.evidence import examples, tuning, visualizations, weights
from visioncircuits.gallery.section import MakeSection, Section, UnitPage
from visioncircuits.site import pages


def numbers(page: UnitPage) -> Section:
    """Show the unit's place in the network, and how its picture was optimized."""
    layer, first = page.layer, page.unit.first
    rows = {
        "Layer": f"{layer.name}, {layer.total} units",
        "Branch": page.unit.branch,
        "Family": ", ".join(page.unit.families),
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


def siblings(page: UnitPage) -> Section | None:
    """Show the other units of the families that the unit is in."""
    families = [
        (family, [unit for unit in page.layer.units if family in unit.families])
        for family in page.unit.families
    ]
    if not families:
        return None
    body = pages.render("siblings.html", families=families, here=page.unit.index, root=page.root)
    return Section("Family", "family", body)


SECTIONS: tuple[MakeSection, ...] = (
    visualizations.pictures,
    numbers,
    examples.section,
    tuning.section,
    weights.inputs,
    weights.outputs,
    siblings,
    visualizations.record,
)
"""The sections of every unit's page, in this order."""


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
