"""What a unit's page is made of: functions from the page to a section of it.

A further kind of evidence is a further function of this form, given to `site.write` beside these.
"""

from visioncircuits.gallery import explorer, pages, photographs, tuned
from visioncircuits.gallery.section import MakeSection, Section, UnitPage

_KINDS = {
    "positive": ("Positive", "what drives it most"),
    "negative": ("Negative", "what drives it the other way"),
    "diversity": ("Diversity", "one of several different pictures that drive it"),
}


def pictures(page: UnitPage) -> Section:
    """Show what feature visualization gave, with the activations reached."""
    groups = [
        {
            "kind": kind,
            "title": title,
            "alt": f"{page.unit}: {told}",
            "pictures": page.unit.of_kind(kind),
        }
        for kind, (title, told) in _KINDS.items()
        if page.unit.of_kind(kind)
    ]
    body = pages.render("pictures.html", groups=groups, root=page.root)
    return Section("Feature visualization", "pictures", body)


def numbers(page: UnitPage) -> Section:
    """Tell the unit's place in the network, and how its picture came about."""
    layer, first = page.layer, page.unit.first
    rows = {
        "Layer": f"{layer.name}, {layer.total} units",
        "Branch": page.unit.branch,
        "Family": ", ".join(page.unit.families),
        "Receptive field": f"{pages.size(layer.receptive_field)} px",
        "Stride": f"{pages.size(layer.stride)} px",
        "Activation": "no gradient ever reached the picture"
        if first.dead
        else pages.number(first.activation),
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


def record(page: UnitPage) -> Section:
    """Say how each kind of picture was made, so that it can be made again."""
    kinds = {picture.kind: picture for picture in reversed(page.unit.pictures)}
    body = pages.render("record.html", pictures=reversed(kinds.values()), root=page.root)
    return Section("How this was made", "record", body)


SECTIONS: tuple[MakeSection, ...] = (
    pictures,
    numbers,
    photographs.examples,
    tuned.tuning,
    explorer.inputs,
    explorer.outputs,
    siblings,
    record,
)
"""What every unit's page has, in this order."""


def _polyline(history: tuple[float, ...], *, width: int = 200, height: int = 60) -> str:
    """Give the corners of a curve through `history` that fills a box, at most one a pixel.

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
