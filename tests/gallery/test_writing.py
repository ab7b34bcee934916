"""Pages show what the gallery holds, link to files that exist, and others are removed."""

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import Markup

from visioncircuits.featurevis.visualization import PROBLEMS
from visioncircuits.gallery import writing
from visioncircuits.gallery.contents import Gallery
from visioncircuits.gallery.section import FeaturePage, Section
from visioncircuits.gallery.sections import SECTIONS


class Links(HTMLParser):
    """Collects what a page refers to, and fails on tags that are not closed."""

    VOID = frozenset({"meta", "link", "img", "input", "br", "polyline"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.found += [values[name] for name in ("href", "src") if values.get(name)]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:
            return
        if tag == "option" or self.open[-1] == "option":
            while self.open[-1] == "option":
                self.open.pop()
            if tag == "option":
                return
        assert self.open.pop() == tag


def pages(out: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(out.rglob("*.html")):
        yield path.relative_to(out).as_posix(), path.read_text("utf-8")


def test_pages_that_stay_the_same_are_not_written_again(gallery: Gallery, tmp_path: Path) -> None:
    writing.write(gallery, tmp_path)

    def written() -> dict[Path, int]:
        return {path: path.stat().st_ino for path in tmp_path.rglob("*.html")}

    before = written()
    page = tmp_path / "layers/mixed3b/379.html"
    page.write_text("damaged")
    writing.write(gallery, tmp_path)
    after = written()
    assert {path for path in before if before[path] != after[path]} == {page}
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_every_link_leads_to_a_file(gallery: Gallery, tmp_path: Path) -> None:
    writing.write(gallery, tmp_path)
    seen = 0
    for name, text in pages(tmp_path):
        for link in Links(text).found:
            if not link.startswith(("#", "data:")):
                target = posixpath.normpath(posixpath.join(posixpath.dirname(name), link))
                assert (tmp_path / target).is_file(), (name, link)
                seen += 1
    assert seen > 500


def test_nothing_is_fetched_from_elsewhere(gallery: Gallery, tmp_path: Path) -> None:
    writing.write(gallery, tmp_path)
    for path in tmp_path.rglob("*"):
        if path.suffix in {".html", ".css", ".js"}:
            text = path.read_text("utf-8")
            assert not re.search(r"https?://|//[a-z]+\.|fetch\(|@import|@font-face", text), path


def test_there_is_a_page_a_layer_and_a_page_a_unit(gallery: Gallery, tmp_path: Path) -> None:
    index = writing.write(gallery, tmp_path)
    names = {name for name, _ in pages(tmp_path)}
    assert index == tmp_path / "index.html"
    assert {"index.html", "layers/mixed3b/index.html", "layers/mixed3b/379.html"} <= names
    assert len(names) == 1 + 2 + 43


def test_what_users_write_is_escaped(gallery: Gallery, tmp_path: Path) -> None:
    writing.write(gallery, tmp_path)
    for _, text in pages(tmp_path):
        assert "<of>" not in text
        assert "<soft>" not in text
        assert "<b>plain" not in text
    assert "A gallery &lt;of&gt; patches" in (tmp_path / "index.html").read_text("utf-8")


def test_a_unit_page_shows_how_its_pictures_were_made(gallery: Gallery, tmp_path: Path) -> None:
    writing.write(gallery, tmp_path)
    text = (tmp_path / "layers/mixed3b/379.html").read_text("utf-8")
    (record, *_) = re.findall(r"<pre[^>]*>(.*?)</pre>", text, re.DOTALL)
    shown = json.loads(Markup(record).unescape())
    assert shown == {"feature": "mixed3b:379", "note": "<b>plain & simple</b>"}


def test_a_unit_without_a_gradient_is_shown_as_such(gallery: Gallery, tmp_path: Path) -> None:
    writing.write(gallery, tmp_path)
    text = (tmp_path / "layers/mixed3b/415.html").read_text("utf-8")
    assert "no gradient" in text
    assert "<img" not in text.partition('id="family"')[0]


def test_pictures_that_show_nothing_of_their_unit_are_marked_with_the_reason(
    gallery: Gallery, tmp_path: Path
) -> None:
    layer = gallery.layers[0]
    first, *others = layer.features
    inactive = replace(first.first, problem="never active")
    marked = replace(first, pictures=(inactive, *first.pictures[1:]))
    layers = (replace(layer, features=(marked, *others)), *gallery.layers[1:])
    writing.write(replace(gallery, layers=layers), tmp_path)
    page = (tmp_path / first.page).read_text("utf-8")
    assert page.count(PROBLEMS["never active"]) == 2  # below the picture, and among the numbers
    sheet = (tmp_path / layer.page).read_text("utf-8")
    (cell,) = re.findall(r'<a class="cell flagged" [^>]*never active.*', sheet)
    assert f'title="{PROBLEMS["never active"]}"' in cell
    assert "<img" in cell
    assert "data-activation" in cell
    assert "1 never active" in sheet


def test_only_pictures_of_few_pixels_are_shown_with_sharp_ones(
    gallery: Gallery, tmp_path: Path
) -> None:
    writing.write(gallery, tmp_path)
    assert 'class="picture tiny"' in (tmp_path / "layers/features.0/3.html").read_text("utf-8")
    assert 'class="picture tiny"' not in (tmp_path / "layers/mixed3b/0.html").read_text("utf-8")


def test_a_site_written_twice_is_the_same(gallery: Gallery, tmp_path: Path) -> None:
    def contents() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    writing.write(gallery, tmp_path)
    first = contents()
    writing.write(gallery, tmp_path)
    assert contents() == first


def test_pages_of_units_that_are_gone_are_removed(gallery: Gallery, tmp_path: Path) -> None:
    writing.write(gallery, tmp_path)
    fewer = replace(gallery, layers=gallery.layers[:1])
    writing.write(fewer, tmp_path)
    assert {name for name, _ in pages(tmp_path)} == {
        "index.html",
        "layers/features.0/index.html",
        *(f"layers/features.0/{unit}.html" for unit in (3, 5, 8)),
    }
    assert not (tmp_path / "layers/mixed3b").exists()


def test_further_sections_come_with_their_files(gallery: Gallery, tmp_path: Path) -> None:
    def tuning(page: FeaturePage) -> Section | None:
        if page.layer.name != "mixed3b":
            return None
        return Section(
            "Tuning",
            "tuning",
            Markup('<img src="{}tuning/{}.svg" alt="">').format(page.root, page.entry.label),
            assets={f"tuning/{page.entry.label}.svg": b"<svg/>", "tuning/shared.js": b"1"},
        )

    writing.write(gallery, tmp_path, sections=(*SECTIONS, tuning))
    text = (tmp_path / "layers/mixed3b/379.html").read_text("utf-8")
    assert text.index('id="record"') < text.index('id="tuning"')
    assert (tmp_path / "tuning/379.svg").read_bytes() == b"<svg/>"
    assert (tmp_path / "tuning/shared.js").exists()
    assert "Tuning" not in (tmp_path / "layers/features.0/3.html").read_text("utf-8")


@pytest.mark.parametrize("name", ["features.3.expand1x1", "odd name/of <layer>", "größe"])
def test_any_layer_name_makes_pages(gallery: Gallery, tmp_path: Path, name: str) -> None:
    layer = gallery.layers[0]
    units = tuple(
        replace(entry, feature=replace(entry.feature, layer=name)) for entry in layer.features
    )
    writing.write(replace(gallery, layers=(replace(layer, name=name, features=units),)), tmp_path)
    for page, text in pages(tmp_path):
        for link in Links(text).found:
            if not link.startswith(("#", "data:")):
                assert (tmp_path / posixpath.dirname(page) / link).is_file(), (page, link)
