"""The pages: one an article, and the scorecard over all of them."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visioncircuits import __version__, files
from visioncircuits.site import pages
from visioncircuits.thread import article
from visioncircuits.thread.run import Run

STATUSES = ("holds", "does not hold", "cannot be tested", "not run")

Record = Mapping[str, Any]
Parts = Mapping[str, Mapping[str, Any]]
"""Name of each finished part of an article to its rows, plates and folder."""


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
        "statuses": STATUSES,
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
        }
        for part in found.parts
        if part.name in finished
    ]
    counts = Counter(row["status"] for section in sections for row in section["rows"])
    return {
        "name": name,
        "title": found.title,
        "authors": found.authors,
        "url": found.url,
        "summary": found.summary,
        "layers": next((each["layers"] for each in sections if each["layers"]), []),
        "sections": sections,
        "unfinished": [part.title for part in found.parts if part.name not in finished],
        "counts": {status: counts[status] for status in STATUSES},
    }


def _counts(articles: list[dict[str, Any]]) -> dict[str, int]:
    return {status: sum(each["counts"][status] for each in articles) for status in STATUSES}


def _images(run: Run) -> str | None:
    return None if run.images is None else run.images.resolve().name
