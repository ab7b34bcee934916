"""Articles as claims: each has a verdict, whatever is missing, and nothing is run twice."""

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tests.far import DEVICE, Far
from visioncircuits import engine, fingerprint, thread
from visioncircuits.errors import InputError
from visioncircuits.networks import untrained
from visioncircuits.thread import Article, Plate, Row, Run, Study, article, articles, part
from visioncircuits.thread.claims import STATUSES, Claim, Unavailable
from visioncircuits.thread.reproduce import pending, run_part
from visioncircuits.thread.stand_ins import STAND_INS

HERE = Claim("this network", "it has units", "some")
THERE = Claim("inception5h", "it has Google's units", "some")

SOURCE = '''
"""Counts how often it is run."""
from pathlib import Path
from PIL import Image
from visioncircuits.thread import Article, Plate, part
from visioncircuits.thread.claims import Claim

FIRST = Claim("this network", "first", "1")
SECOND = Claim("this network", "second", "2")

@part(FIRST)
def one(study):
    """The first part.

    Text before the figure.
    """
    yield Plate("gray", Image.new("RGB", (8, 8), (99, 99, 99)), "Gray.")
    yield FIRST.found("1.0", holds=True)

@part(SECOND)
def two(study):
    """The second part."""
    with Path({marks!r}).open("a") as marks:
        marks.write("run ")
    if not Path({ready!r}).exists():
        raise RuntimeError("not yet")
    yield SECOND.found("2.5", holds=False, interval="2 to 3")

ARTICLE = Article("An article", "Someone", "", "It counts.", (one, two))
'''


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(untrained("bvlc_googlenet"), tmp_path / "measured")


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of articles with one in it."""
    folder = tmp_path / "articles"
    folder.mkdir()
    marks, ready = tmp_path / "marks", tmp_path / "ready"
    source = SOURCE.format(marks=str(marks), ready=str(ready))
    (folder / "counting.py").write_text(source)
    monkeypatch.setattr(articles, "__path__", [str(folder)])
    yield tmp_path
    for name in ("counting", "again"):
        sys.modules.pop(f"{articles.__name__}.{name}", None)


def test_every_claim_left_has_a_row_that_names_what_is_missing(study: Study) -> None:
    @part(HERE, THERE)
    def example(study: Study) -> Iterator[Row | Plate]:
        """Needs Google's network."""
        yield HERE.found("480", holds=True)
        raise Unavailable("no checkpoint")

    rows, plates = run_part(example, study)
    assert [(row.status, row.why) for row in rows] == [("holds", ""), ("not run", "no checkpoint")]
    assert plates == []


def test_a_mistake_about_the_network_makes_a_claim_untestable(study: Study) -> None:
    @part(HERE)
    def example(study: Study) -> Iterator[Row | Plate]:
        """Uses a layer that does not exist."""
        study.network.layer("mixed9z")
        yield HERE.found("480", holds=True)

    (row,), _ = run_part(example, study)
    assert row.status == "cannot be tested"
    assert "mixed9z" in row.why


@pytest.mark.parametrize("times", [0, 2])
def test_a_claim_without_one_verdict_is_a_bug(study: Study, times: int) -> None:
    @part(HERE)
    def example(study: Study) -> Iterator[Row | Plate]:
        """Yields no row, or two."""
        yield from [HERE.found("480", holds=True)] * times

    with pytest.raises(RuntimeError, match=f"{times} rows"):
        run_part(example, study)


def test_a_part_that_fails_leaves_the_rest_and_is_run_again(scripted: Path) -> None:
    out, run = scripted / "thread", Run("handwritten:lines", quick=True)

    def go() -> None:
        thread.reproduce(["counting"], run, out, workers=1)

    with pytest.raises(engine.WorkFailed, match="not yet"):
        go()
    assert len(pending(["counting"], run, out)) == 1
    card = json.loads((out / "scorecard.json").read_text())
    assert card["articles"][0]["unfinished"] == ["The second part"]
    (scripted / "ready").touch()
    go()
    assert pending(["counting"], run, out) == []
    assert (scripted / "marks").read_text() == "run run "
    go()  # nothing is left to do
    assert (scripted / "marks").read_text() == "run run "
    card = json.loads((out / "scorecard.json").read_text())
    nothing = dict.fromkeys(STATUSES, 0)
    assert card["totals"] == {
        "published data": nothing,
        "this network": {**nothing, "holds": 1, "does not hold": 1},
        "inception5h": nothing,
        "toy models": nothing,
    }
    assert [claim["measured"] for claim in card["articles"][0]["claims"]] == ["1.0", "2.5"]


def test_a_network_of_ones_own_is_loaded_by_its_function_not_by_its_records_name(
    scripted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scripted / "own_thread_net.py").write_text(
        "import torch\nfrom torch import nn\nfrom visioncircuits import Preprocessing, wrap\n"
        "def build(seed):\n"
        "    torch.manual_seed(seed)\n"
        "    module = nn.Sequential(nn.Conv2d(3, 4, 7), nn.ReLU())\n"
        "    return wrap(module, Preprocessing(), name='mine', size=32)\n"
    )
    (scripted / "ready").touch()
    monkeypatch.chdir(scripted)
    monkeypatch.setattr(sys, "path", [*sys.path])
    run = Run("own_thread_net:build?seed=3", quick=True)
    page = thread.reproduce(["counting"], run, scripted / "out", workers=1)
    card = json.loads(page.with_name("scorecard.json").read_text())
    assert card["network"]["name"] == "mine"
    assert pending(["counting"], run, scripted / "out") == []
    assert (
        len(pending(["counting"], replace(run, network=f"{run.network}1"), scripted / "out")) == 2
    )
    del sys.modules["own_thread_net"]


def test_pages_show_figures_and_are_marked_as_quick(scripted: Path) -> None:
    (scripted / "ready").touch()
    out = scripted / "thread"
    run = Run("handwritten:lines", quick=True)
    index = thread.reproduce(["counting"], run, out, workers=1)
    page = (out / "counting.html").read_text()
    assert "Text before the figure." in page
    (gray,) = out.rglob("gray.webp")
    assert gray.relative_to(out).as_posix() in page
    with Image.open(gray) as picture:
        assert picture.size == (8, 8)
    assert all("Quick run" in text for text in (page, index.read_text()))


def test_articles_that_were_run_before_stay_on_the_scorecard(scripted: Path) -> None:
    (scripted / "ready").touch()
    folder = scripted / "articles"
    (folder / "again.py").write_text((folder / "counting.py").read_text())
    out, run = scripted / "thread", Run("handwritten:lines", quick=True)
    for name in ("counting", "again"):
        thread.reproduce([name], run, out, workers=1)
    card = json.loads((out / "scorecard.json").read_text())
    assert [each["name"] for each in card["articles"]] == ["again", "counting"]
    assert card["totals"]["this network"]["holds"] == 2


def test_a_changed_article_is_run_again(scripted: Path) -> None:
    (scripted / "ready").touch()
    out, run = scripted / "thread", Run("handwritten:lines", quick=True)
    thread.reproduce(["counting"], run, out, workers=1)
    source = scripted / "articles" / "counting.py"
    source.write_text(source.read_text() + "\n# changed\n")
    assert len(pending(["counting"], run, out)) == 2
    thread.reproduce("counting", run, out, workers=1)
    assert (scripted / "marks").read_text() == "run run "


def test_claims_of_a_full_run_are_tested_on_stand_ins_and_no_evidence_where_these_pass(
    scripted: Path,
) -> None:
    out, run = scripted / "thread", Run("handwritten:lines")
    with pytest.raises(engine.WorkFailed, match="not yet"):
        thread.reproduce(["counting"], run, out, workers=1)
    first = json.loads((out / "scorecard.json").read_text())["articles"][0]
    assert [row["status"] for row in first["claims"]] == ["no evidence"]
    assert len(pending(["counting"], run, out)) == 3  # the second part: itself, two stand-ins
    (scripted / "ready").touch()
    index = thread.reproduce(["counting"], run, out, workers=1)
    assert pending(["counting"], run, out) == []
    card = json.loads((out / "scorecard.json").read_text())
    assert card["totals"]["this network"] == {
        **dict.fromkeys(STATUSES, 0), "no evidence": 1, "does not hold": 1,
    }  # fmt: skip
    passed, failed = card["articles"][0]["claims"]
    assert {each["name"]: each["status"] for each in passed["controls"]} == {
        "other units": "holds", "shuffled weights": "holds",
    }  # fmt: skip
    assert [each["measured"] for each in failed["controls"]] == ["2.5", "2.5"]
    for text in (index.read_text(), (out / "counting.html").read_text()):
        assert "other units: holds" in text
        assert "shuffled weights: fails" in text


def test_a_measurement_is_made_once(study: Study) -> None:
    made = []

    def make() -> bytes:
        made.append(1)
        return b"42"

    assert study.kept("result", "txt", make) == study.kept("result", "txt", make) == b"42"
    assert len(made) == 1


def test_a_measurement_is_kept_by_photographs_content_and_by_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make() -> bytes:
        return b""

    def place(images: Path) -> Path:
        return Study(network, tmp_path, images).place("result", "txt", make)

    network = untrained("bvlc_googlenet")
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        Image.new("RGB", (8, 8), "red").save(folder / "a.png")
    kept = place(here)
    assert place(there) == kept
    Image.new("RGB", (8, 8), "blue").save(here / "a.png")
    assert place(here) != kept
    monkeypatch.setattr(fingerprint, "code", lambda: "changed")
    assert place(there) != kept


def test_parts_are_run_again_for_other_photographs_and_by_other_code(
    scripted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scripted / "ready").touch()
    images, moved, out = scripted / "images", scripted / "moved", scripted / "thread"
    images.mkdir()
    Image.new("RGB", (8, 8), "red").save(images / "a.png")
    run = Run("handwritten:lines", images=images, quick=True)
    thread.reproduce(["counting"], run, out, workers=1)
    shutil.copytree(images, moved)
    assert pending(["counting"], replace(run, images=moved), out) == []
    Image.new("RGB", (8, 8), "blue").save(moved / "a.png")
    assert len(pending(["counting"], replace(run, images=moved), out)) == 2
    monkeypatch.setattr(fingerprint, "code", lambda: "changed")
    assert len(pending(["counting"], run, out)) == 2


def test_parts_are_run_again_with_other_layers_and_pages_name_them(scripted: Path) -> None:
    (scripted / "ready").touch()
    out, layer = scripted / "thread", "conv2d2"
    thread.reproduce(["counting"], Run("handwritten:lines", quick=True), out, workers=1)
    run = Run("handwritten:lines", layers={"curves": layer}, quick=True)
    assert len(pending(["counting"], run, out)) == 2
    thread.reproduce(["counting"], run, out, workers=1)
    assert f"mixed3b here is {layer}" in (out / "counting.html").read_text()
    (card,) = json.loads((out / "scorecard.json").read_text())["articles"]
    (named,) = (each for each in card["layers"] if each["name"] == "mixed3b")
    assert (named["layer"], named["named"]) == (layer, True)
    with pytest.raises(InputError, match="unknown layer"):
        pending(["counting"], replace(run, layers={"curves": "mixed9z"}), out)


def test_parts_compute_where_the_run_says_and_in_its_precision(scripted: Path) -> None:
    (scripted / "ready").touch()
    run, out = Run("handwritten:lines", quick=True), scripted / "out"
    thread.reproduce("counting", run, out, workers=1)
    rough = replace(run, precision="bfloat16")
    assert [work["network"]["precision"] for work in pending(["counting"], rough, out)] == [
        "bfloat16"
    ] * 2
    with Far():
        elsewhere = replace(run, device=DEVICE)
        assert [work["device"] for work in pending(["counting"], elsewhere, out)] == [DEVICE] * 2
        page = thread.reproduce("counting", elsewhere, out, workers=1)
    assert f"on {DEVICE}" in page.read_text("utf-8")
    assert json.loads((out / "scorecard.json").read_text("utf-8"))["device"] == DEVICE


def test_a_network_of_other_classes_is_not_scored_by_labels(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "n01440764_tench.png")
    other = Study(untrained("inceptionv1"), tmp_path, images=tmp_path)
    with pytest.raises(Unavailable, match="logits are not known"):
        other.scorable(10)


def test_layers_of_other_networks_have_receptive_fields_of_the_same_order(tmp_path: Path) -> None:
    other = Study(untrained("torchvision:squeezenet1_1"), tmp_path)
    field = max(other.network.layer(other.layer("mixed3b")).receptive_field)
    assert 91 / 2 <= field <= 91 * 2
    with pytest.raises(Unavailable, match="mixed5b"):
        other.layer("mixed5b")


def test_an_unknown_article_raises_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="weight-banding"):
        article.load("weight-bandin")


@pytest.mark.parametrize("name", article.names())
def test_every_article_is_whole(name: str) -> None:
    found = article.load(name)
    assert isinstance(found, Article)
    texts = [claim.text for each in found.parts for claim in each.claims]
    assert len(texts) == len(set(texts)), "two claims of an article have the same text"
    assert len({each.name for each in found.parts}) == len(found.parts)
    for each in found.parts:
        assert each.claims, f"{each.name} tests nothing"
        assert set(each.stand_ins) <= {*STAND_INS}
        assert each.test.__doc__, f"{each.name} has no title"
