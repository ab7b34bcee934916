"""The figures of the pages: tables made of result files and scorecards, put in by cog.

A page names a table in a comment, `<!-- [[[cog print(figures.result("tuning")) ]]] -->`, and cog
writes it below. `make figures` renews all pages (`python docs/figures.py`); with `--check` nothing
is written, and the exit code is 1 where a page differs from its files.

Result files (`docs/results`) are written by the scripts that they name, with `--json`; scorecards
(`galleries`) by `visioncircuits reproduce`.
"""

import datetime
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from visioncircuits.thread.across import compared
from visioncircuits.thread.claims import KINDS, STATUSES, Kind

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results"
SCORECARDS, SUFFIX = ROOT / "galleries", "-scorecard.json"
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

HERE: Kind = "this network"

Cell = str | float | None


def result(name: str, *, columns: Sequence[str] = (), folder: Path = RESULTS) -> str:
    """Return a result file as a table, and below it the machine, the command and the date.

    Parameters
    ----------
    name
        Of the file, without `.json`.
    columns
        Which, in this order; all if not given.
    folder
        Where it lies.
    """
    record = json.loads((folder / f"{name}.json").read_text("utf-8"))
    rows = [{key: row[key] for key in columns or row} for row in record["rows"]]
    machine = record["machine"] or "machine not recorded"
    typed = record["command"] or record["script"]
    how = f"`{typed}`" if typed else "script not recorded"
    if "conditions" in record:
        how += f" ({record['conditions']})"
    date = "copied by hand from an earlier page"
    if "date" in record:
        day = datetime.date.fromisoformat(record["date"])
        date = f"{day.day} {day:%B %Y}"
    return f"{table(rows)}\n*{machine[0].upper()}{machine[1:]}; {how}; {date}.*\n"


def claims(network: str, rows: Mapping[str, Iterable[str]], *, folder: Path = SCORECARDS) -> str:
    """Return some rows of a network's scorecard, claims tested on the network itself, as a table.

    Parameters
    ----------
    network
        Whose scorecard.
    rows
        Name of an article to a part of each claim, which no other claim of the article has.
    folder
        Where the scorecards lie.
    """
    card = _scorecard(network, folder)
    found = [_row(card, article, part) for article, parts in rows.items() for part in parts]
    shown = [
        {
            "claim": row["claim"],
            "published": row["published"],
            "found": row["measured"],
            "interval, or chance": row["interval"],
            "controls": _controls(row),
            "verdict": row["status"],
        }
        for row in found
    ]
    kept = [name for name in shown[0] if any(row[name] for row in shown)]
    return table([{name: row[name] for name in kept} for row in shown])


def totals(network: str, *, folder: Path = SCORECARDS) -> str:
    """Return how many claims of each kind hold, and how many do not."""
    claims = _claims(_scorecard(network, folder))
    kinds = {kind: _of(kind, claims) for kind in KINDS}
    kept = {kind: rows for kind, rows in kinds.items() if rows}
    return _counts(kept, "tested on", _shown(claims))


def scorecards(folder: Path = SCORECARDS) -> str:
    """Return the totals of every scorecard, by kind and article, under headings."""
    parts = []
    for network in _networks(folder):
        card = _scorecard(network, folder)
        every = _claims(card)
        photographs = f"photographs: `{card['images']}`" if card["images"] else "no photographs"
        quick = "; a quick run" if card["quick"] else ""
        parts += [
            f"\n## {network}\n",
            f"`galleries/{network}{SUFFIX}` has every row ({photographs}{quick}).",
            totals(network, folder=folder).rstrip(),
        ]
        for kind in (kind for kind in KINDS if _of(kind, every)):
            rows = {each["title"]: _of(kind, each["claims"]) for each in card["articles"]}
            rows = {title: found for title, found in rows.items() if found}
            parts.append(f"\n### {network}: {kind}")
            parts.append(_counts(rows, "article", _shown(_of(kind, every))).rstrip())
    return "\n".join(parts) + "\n"


def everywhere(folder: Path = SCORECARDS) -> str:
    """Return the claims about the network studied that hold in all that have a scorecard."""
    names = _networks(folder)
    cards = [_scorecard(name, folder) for name in names]
    titles = {each["name"]: each["title"] for card in cards for each in card["articles"]}
    claims = compared(cards, list(titles))
    held = [each for each in claims if each.everywhere]
    rows = [
        {"article": titles[each.article], "claim": each.text, "published": each.published}
        | {name: row["measured"] for name, row in zip(names, each.rows, strict=True) if row}
        for each in held
    ]
    return f"{len(held)} of {len(claims)} claims:\n{table(rows)}" if rows else "No claim does.\n"


def table(rows: Sequence[Mapping[str, Cell]]) -> str:
    """Return rows as a Markdown table between empty lines; numbers are set to the right.

    Examples
    --------
    >>> print(table([{"layer": "mixed3b", "units": 480}, {"layer": "all", "units": 1056}]))
    <BLANKLINE>
    | layer | units |
    |---|--:|
    | mixed3b | 480 |
    | all | 1,056 |
    <BLANKLINE>
    """
    names = list(rows[0])
    numeric = [all(not isinstance(row[name], str) for row in rows) for name in names]
    lines = [
        _line(names),
        "|" + "|".join("--:" if number else "---" for number in numeric) + "|",
        *(_line([row[name] for name in names]) for row in rows),
    ]
    return "\n".join(["", *lines, ""])


def _line(cells: Iterable[Cell]) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    return value.replace("|", "\\|") if isinstance(value, str) else f"{value:,}"


def _controls(row: Mapping[str, Any]) -> str:
    """Return what became of the claim on stand-ins."""
    each = (f"{it['name']}: {it['measured']} ({it['status']})" for it in row["controls"])
    return "; ".join(each)


def _counts(groups: Mapping[str, list[Any]], title: str, statuses: Sequence[str]) -> str:
    counts = {name: Counter(row["status"] for row in rows) for name, rows in groups.items()}
    return table(
        [
            {title: name, **{status: found[status] for status in statuses}}
            for name, found in counts.items()
        ]
    )


def _shown(claims: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the statuses that occur; one that is not known here is an error."""
    return sorted({row["status"] for row in claims}, key=STATUSES.index)


def _of(kind: str, claims: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in claims if row["kind"] == kind]


def _claims(card: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for article in card["articles"] for row in article["claims"]]


def _networks(folder: Path) -> list[str]:
    """Return the networks that have a scorecard in a folder."""
    return [path.name.removesuffix(SUFFIX) for path in sorted(folder.glob(f"*{SUFFIX}"))]


def _scorecard(network: str, folder: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((folder / f"{network}{SUFFIX}").read_text("utf-8"))
    return card


def _row(card: Mapping[str, Any], article: str, part: str) -> Mapping[str, Any]:
    rows = [
        row
        for each in card["articles"]
        if each["name"] == article
        for row in _of(HERE, each["claims"])
    ]
    found: list[Mapping[str, Any]] = [row for row in rows if part in row["claim"]]
    if len(found) != 1:
        raise LookupError(f"{len(found)} claims of {article} contain “{part}”, not one")
    return found[0]


def main() -> int:
    """Renew the pages, or check them."""
    from cogapp import Cog

    how = sys.argv[1:] or ["-r"]
    folder = str(Path(__file__).parent)
    options = ["-e", "-P", "-U", "-n", "utf-8", "-p", "import figures", "-I", folder]
    pages = [str(page) for page in PAGES if "[[[cog" in page.read_text("utf-8")]
    return int(Cog().main(["cog", *how, "--verbosity=1", *options, *pages]))


if __name__ == "__main__":
    sys.exit(main())
