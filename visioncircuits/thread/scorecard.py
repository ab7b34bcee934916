"""The pages: one an article, and the scorecard over all of them."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from visioncircuits import __version__, files
from visioncircuits.site import pages
from visioncircuits.thread import article
from visioncircuits.thread.claims import KINDS, STATUSES, Control, Row, judged
from visioncircuits.thread.run import Run
from visioncircuits.thread.stand_ins import STAND_INS

Record = Mapping[str, Any]
Parts = Mapping[str, Mapping[str, Any]]
"""Name of each finished part of an article to its rows, plates, folder and stand-ins' rows."""

Counts = Mapping[str, Mapping[str, int]]
"""How many claims of each kind have which verdict."""


def write(
    parts: Mapping[str, Parts], record: Record, run: Run, out: Path, *, pictures: str
) -> Path:
    """Write the pages of what is finished, `scorecard.json`, and what they are made of.

    Parameters
    ----------
    parts
        By article.
    record
        Which network it was.
    run
        Photographs, thoroughness, seed.
    out
        The pages' folder.
    pictures
        The folder in `out` that holds the parts' folders.

    Returns
    -------
    Path
        The scorecard's page.
    """
    files.write(out / "assets" / "gallery.css", pages.asset("gallery.css"))
    summaries = [_article(name, finished) for name, finished in parts.items()]
    shared = {
        "run": run,
        "record": record,
        "images": _images(run),
        "version": __version__,
        "kinds": KINDS,
        "statuses": STATUSES,
        "stand_ins": {name: kind.about for name, kind in STAND_INS.items()},
        "pictures": pictures,
    }
    for each in summaries:
        page = pages.render("article.html", article=each, **shared)
        files.write(out / f"{each['name']}.html", page.encode())
    files.write(
        out / "scorecard.json", json.dumps(summary(summaries, record, run), indent=1).encode()
    )
    page = pages.render("scorecard.html", articles=summaries, totals=_counts(summaries), **shared)
    files.write(out / "index.html", page.encode())
    return out / "index.html"


def summary(articles: list[dict[str, Any]], record: Record, run: Run) -> dict[str, Any]:
    """Return the scorecard as JSON holds it."""
    return {
        "visioncircuits": __version__,
        "network": record,
        "device": run.device.partition(":")[0],
        "quick": run.quick,
        "images": _images(run),
        "seed": run.seed,
        "totals": _counts(articles),
        "articles": [
            {
                "name": each["name"],
                "title": each["title"],
                "url": each["url"],
                "verdicts": each["counts"],
                "unfinished": each["unfinished"],
                "layers": each["layers"],
                "claims": [row for section in each["sections"] for row in section["rows"]],
            }
            for each in articles
        ],
    }


def _article(name: str, finished: Parts) -> dict[str, Any]:
    found = article.load(name)
    sections = [
        {
            "name": part.name,
            "title": part.title,
            "paragraphs": part.text.split("\n\n") if part.text else [],
            **finished[part.name],
            "rows": with_stand_ins(finished[part.name]),
        }
        for part in found.parts
        if part.name in finished
    ]
    unfinished = [part.title for part in found.parts if part.name not in finished]
    unfinished += [
        f"{section['title']}, {name}"
        for section in sections
        for name, rows in section["stand_ins"].items()
        if rows is None
    ]
    rows = [row for section in sections for row in section["rows"]]
    return {
        "name": name,
        "title": found.title,
        "authors": found.authors,
        "url": found.url,
        "summary": found.summary,
        "layers": next((each["layers"] for each in sections if each["layers"]), []),
        "sections": sections,
        "unfinished": unfinished,
        "counts": _counted(rows),
    }


def with_stand_ins(section: Record) -> list[dict[str, Any]]:
    """Add to a part's rows what became of their claims on the stand-ins that are finished."""
    controls: dict[str, list[Control]] = {}
    for name, rows in section["stand_ins"].items():
        for row in rows or ():
            expected, measured = STAND_INS[name].expected, row["measured"] or row["why"]
            control = Control(name, expected, row["status"], measured)
            controls.setdefault(row["claim"], []).append(control)
    rows = map(Row.read, section["rows"])
    return [judged(row, controls.get(row.claim, ())).plain() for row in rows]


def _counted(rows: Iterable[Record]) -> Counts:
    counts = Counter((row["kind"], row["status"]) for row in rows)
    return {kind: {status: counts[kind, status] for status in STATUSES} for kind in KINDS}


def _counts(articles: Sequence[Record]) -> Counts:
    return _counted(row for each in articles for s in each["sections"] for row in s["rows"])


def _images(run: Run) -> str | None:
    return None if run.images is None else run.images.resolve().name
