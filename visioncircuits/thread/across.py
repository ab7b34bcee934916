"""Several networks on one page: what became of each claim in each, and what holds everywhere."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

from visioncircuits import __version__, files
from visioncircuits.errors import InputError
from visioncircuits.site import pages
from visioncircuits.thread import article

VERDICTS = {
    "holds": "✓",
    "no evidence": "≈",
    "does not hold": "✗",
    "cannot be tested": "?",
    "not run": "–",
}
"""Signs of the verdicts, the best first."""

KEYS = {"visioncircuits", "network", "quick", "images", "seed", "articles"}
ROW_KEYS = {"claim", "kind", "published", "status", "measured", "interval", "why"}

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Compared:
    """A claim, and its row of each scorecard; None where there is none."""

    article: str
    text: str
    published: str
    rows: Sequence[Record | None]

    @property
    def statuses(self) -> list[str]:
        """The verdicts, by scorecard."""
        return ["not run" if row is None else row["status"] for row in self.rows]

    @property
    def everywhere(self) -> bool:
        """Whether it holds in all networks."""
        return all(status == "holds" for status in self.statuses)


@dataclass(frozen=True)
class Column:
    """A network, and the circumstances that it was tested in."""

    label: str
    facts: Sequence[str]
    counts: Mapping[str, Counter[str]] = field(default_factory=dict)
    """By article, and under "" of all, how many claims have which verdict."""
    layers: Mapping[str, Sequence[Record]] = field(default_factory=dict)
    """By article which layers were chosen or named in the place of InceptionV1's."""


def across(scorecards: Sequence[str | Path], path: str | Path) -> Path:
    """Write a page with a row a claim and a column a network.

    Claims about the network studied are compared, by article and text; those about published data
    or Google's own network are the same for all.

    Parameters
    ----------
    scorecards
        Files `scorecard.json`, as `reproduce` writes them, all by the same version.
    path
        Of the page; it needs no other file.

    Raises
    ------
    InputError
        For a file that cannot be read, is no scorecard, is given twice, or is another version's.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from visioncircuits.thread import Run, reproduce
    >>> with TemporaryDirectory() as folder:
    ...     card = reproduce([], Run("handwritten:lines"), folder).with_name("scorecard.json")
    ...     page = across([card], Path(folder) / "across.html").read_text()
    >>> "The Circuits thread across networks" in page
    True
    """
    cards = _read_all([Path(each) for each in scorecards])
    titles = {each["name"]: each["title"] for card in cards for each in card["articles"]}
    order = [name for name in article.names() if name in titles]
    titles = {name: titles[name] for name in [*order, *(set(titles) - set(order))]}
    claims = compared(cards, list(titles))
    page = pages.render(
        "across.html",
        style=Markup(pages.asset("gallery.css").decode()),
        script=Markup(pages.asset("gallery.js").decode()),
        columns=_columns(cards, claims, list(titles)),
        titles={
            name: title for name, title in titles.items() if any(c.article == name for c in claims)
        },
        claims=claims,
        verdicts=VERDICTS,
        version=__version__,
    )
    files.write(Path(path), page.encode())
    return Path(path)


def compared(cards: Sequence[Record], names: Sequence[str]) -> list[Compared]:
    """Put the rows of several scorecards side by side, in the articles' order."""
    rows: dict[tuple[str, str], list[Record | None]] = {}
    for place, card in enumerate(cards):
        for each in card["articles"]:
            for row in each["claims"]:
                if row["kind"] == "this network":
                    key = each["name"], row["claim"]
                    rows.setdefault(key, [None] * len(cards))[place] = row
    return [
        Compared(name, text, next(row["published"] for row in found if row), found)
        for (name, text), found in sorted(rows.items(), key=lambda item: names.index(item[0][0]))
    ]


def _columns(
    cards: Sequence[Record], claims: Sequence[Compared], names: Sequence[str]
) -> list[Column]:
    labels = [str(card["network"]["name"]) for card in cards]
    found = []
    for place, card in enumerate(cards):
        label, before = labels[place], labels[:place].count(labels[place])
        facts = [
            f"photographs: {card['images']}" if card["images"] else "no photographs",
            f"seed {card['seed']}",
        ]
        counts = {
            name: Counter(each.statuses[place] for each in claims if name in ("", each.article))
            for name in ("", *names)
        }
        layers = {
            each["name"]: [one for one in each.get("layers", ()) if one["family"] or one["named"]]
            for each in card["articles"]
        }
        found.append(
            Column(
                f"{label} ({before + 1})" if before else label,
                [*facts, "quick run"] if card["quick"] else facts,
                counts,
                layers,
            )
        )
    return found


def _read_all(paths: Sequence[Path]) -> list[dict[str, Any]]:
    if not paths:
        raise InputError("no scorecards; give files that `visioncircuits reproduce -o` wrote")
    twice = [path for path, times in Counter(each.resolve() for each in paths).items() if times > 1]
    if twice:
        raise InputError(f"{twice[0]} is given twice")
    cards = [_read(path) for path in paths]
    for path, card in zip(paths, cards, strict=True):
        if card["visioncircuits"] != cards[0]["visioncircuits"]:
            raise InputError(
                f"{path} is by visioncircuits {card['visioncircuits']}, {paths[0]} by "
                f"{cards[0]['visioncircuits']}; run `visioncircuits reproduce` again with one"
            )
    return cards


def _read(path: Path) -> dict[str, Any]:
    """Read a scorecard, and check that it is one."""
    try:
        card = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is no scorecard: it is no JSON") from error
    try:
        missing = KEYS - card.keys()
        rows = [row for each in card["articles"] for row in each["claims"] if not missing]
        missing |= {key for row in rows for key in ROW_KEYS - row.keys()}
        names = [
            card["network"]["name"],
            *(each[k] for each in card["articles"] for k in ("name", "title")),
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(_no_scorecard(path)) from error
    if missing or not all(isinstance(name, str) for name in names):
        raise InputError(_no_scorecard(path))
    unknown = {row["status"] for row in rows} - VERDICTS.keys()
    if unknown:
        raise InputError(
            f"{path} has the verdict {min(map(str, unknown))!r}, which visioncircuits "
            f"{__version__} does not know; run `visioncircuits reproduce` again"
        )
    found: dict[str, Any] = card
    return found


def _no_scorecard(path: Path) -> str:
    return f"{path} is no scorecard.json, as `visioncircuits reproduce -o` writes it"
