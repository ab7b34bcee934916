"""A page with a column a network: every claim's verdicts, and what holds everywhere."""

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from visioncircuits import __version__, thread
from visioncircuits.errors import InputError
from visioncircuits.thread.across import compared

Card = dict[str, Any]


def row(claim: str, status: str, *, kind: str = "this network", **more: str) -> dict[str, str]:
    empty = {"published": "11 %", "measured": "", "interval": "", "why": ""}
    return {**empty, "claim": claim, "kind": kind, "status": status, **more}


def card(name: str, **articles: list[dict[str, str]]) -> Card:
    return {
        "visioncircuits": __version__,
        "network": {"name": name},
        "quick": False,
        "images": "photos",
        "seed": 0,
        "articles": [
            {"name": each.replace("_", "-"), "title": each.capitalize(), "claims": rows}
            for each, rows in articles.items()
        ],
    }


ONE = card(
    "one",
    curve_detectors=[
        row("curves", "holds", measured="9 %", interval="8 to 10 %", why="Holds below 12 %."),
        row("lines", "holds"),
        row("numbers", "holds", kind="published data"),
    ],
    zoom_in=[row("cars", "does not hold")],
)
OTHER = card(
    "other",
    zoom_in=[row("cars", "no evidence", measured="r < .8")],
    curve_detectors=[
        row("lines", "cannot be tested", why="there are none"),
        row("curves", "holds", measured="<b>10 %"),
    ],
)


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., list[Path]]:
    def written(*cards: Any) -> list[Path]:
        paths = [tmp_path / str(place) / "scorecard.json" for place in range(len(cards))]
        for path, each in zip(paths, cards, strict=True):
            path.parent.mkdir(exist_ok=True)
            path.write_text(each if isinstance(each, str) else json.dumps(each))
        return paths

    return written


def test_claims_are_put_side_by_side_by_article_and_text() -> None:
    found = compared([ONE, OTHER], ["zoom-in", "curve-detectors"])
    assert [(each.text, each.statuses) for each in found] == [
        ("cars", ["does not hold", "no evidence"]),
        ("curves", ["holds", "holds"]),
        ("lines", ["holds", "cannot be tested"]),
    ]
    assert [each.text for each in found if each.everywhere] == ["curves"]


def test_a_claim_that_a_scorecard_lacks_was_not_run_there() -> None:
    (found,) = compared([ONE, card("empty")], ["curve-detectors", "zoom-in"])[:1]
    assert found.statuses == ["holds", "not run"]
    assert not found.everywhere


def test_the_page_shows_numbers_totals_and_what_holds_everywhere(
    written: Callable[..., list[Path]], tmp_path: Path
) -> None:
    page = thread.across(written(ONE, OTHER), tmp_path / "across.html").read_text()
    assert "3 claims" in page
    assert "1 hold in all of them" in page
    assert "2 holds, 1 does not hold" in page
    assert "8 to 10 %" in page
    assert "&lt;b&gt;10 %" in page
    assert "numbers" not in page.partition("<main")[2].partition("<script")[0]
    assert 'src="' not in page  # it needs no other file
    assert 'rel="stylesheet"' not in page


def test_two_scorecards_of_a_network_have_two_names(
    written: Callable[..., list[Path]], tmp_path: Path
) -> None:
    page = thread.across(written(ONE, ONE), tmp_path / "across.html").read_text()
    assert "one (2)" in page


def test_a_file_given_twice_is_refused(written: Callable[..., list[Path]], tmp_path: Path) -> None:
    (path,) = written(ONE)
    with pytest.raises(InputError, match="given twice"):
        thread.across([path, path.parent / ".." / "0" / path.name], tmp_path / "across.html")


def without(key: str) -> Card:
    return {name: value for name, value in ONE.items() if name != key}


OLD = {**copy.deepcopy(OTHER), "visioncircuits": "0.0.1"}
STRANGE = card("strange", zoom_in=[row("cars", "perhaps")])
SHORT = card("short", zoom_in=[{"claim": "cars", "kind": "this network", "status": "holds"}])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "it is no JSON"),
        ([], "no scorecard.json"),
        ({"a": 1}, "no scorecard.json"),
        (without("articles"), "no scorecard.json"),
        (without("seed"), "no scorecard.json"),
        (SHORT, "no scorecard.json"),
        ({**ONE, "articles": [{"claims": []}]}, "no scorecard.json"),
        (STRANGE, "'perhaps'"),
        (OLD, "0.0.1"),
    ],
)
def test_what_is_no_scorecard_of_this_version_is_refused(
    written: Callable[..., list[Path]], tmp_path: Path, content: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        thread.across(written(ONE, content), tmp_path / "across.html")
    assert not (tmp_path / "across.html").exists()


@pytest.mark.slow
@pytest.mark.browser
def test_rows_are_filtered_and_sorted_by_the_address(
    written: Callable[..., list[Path]], tmp_path: Path, chromium: Path
) -> None:
    page = thread.across(written(ONE, OTHER), tmp_path / "across.html")

    def shown(state: str) -> list[str]:
        address = f"{page.as_uri()}#{state}"
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", address]
        dom = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        body = dom.partition('id="claims-rows"')[2].partition("</tbody>")[0]
        rows = [each for each in body.split("<tr ")[1:] if "hidden" not in each.split(">")[0]]
        return [each.partition('scope="row">')[2].partition("<")[0] for each in rows]

    assert shown("sort=most") == ["curves", "lines", "cars"]
    assert shown("article=curve-detectors&sort=fewest") == ["lines", "curves"]
    assert shown("q=car") == ["cars"]
