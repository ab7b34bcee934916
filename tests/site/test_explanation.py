import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from visioncircuits.attribution import Explanation
from visioncircuits.networks import Direction, Unit
from visioncircuits.site import explanation


@pytest.fixture(scope="module")
def page(explained: Explanation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = {
        str(feature): Image.new("RGB", (40, 40), "teal")
        for feature in explanation.worth_a_picture(explained, units=4)
    }
    out = tmp_path_factory.mktemp("explained")
    return explanation.write(explained, pictures, out, title="a <photo>")


def test_all_groups_and_so_many_units_of_each_layer_are_worth_a_picture(explained: Explanation):
    chosen = explanation.worth_a_picture(explained, units=4)
    assert len(chosen) == len(set(chosen)) == 2 * (3 + 4)
    for layer in explained.layers:
        assert set(layer.groups.directions) <= set(chosen)
        assert sum(isinstance(each, Unit) and each.layer == layer.name for each in chosen) == 4
    assert all(isinstance(e, Direction) for e in explanation.worth_a_picture(explained, units=0))


def test_the_page_links_only_to_its_own_files(page: Path):
    text = page.read_text("utf-8")
    links = set(re.findall(r'(?:src|href)="([^"#]+)"', text)) - {"data:,"}
    assert len([link for link in links if link.startswith("pictures/")]) == 2 * (3 + 4)
    assert [link for link in links if not (page.parent / link).exists()] == []
    assert "http" not in re.sub(r"xmlns\S+", "", text)


def test_names_are_text_not_markup(page: Path):
    text = page.read_text("utf-8")
    assert "a &lt;photo&gt;" in text
    assert "<tabby>" not in text
    (data,) = re.findall(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert json.loads(data)["classes"] == ["beer glass", "<tabby>", "pig & hog"]


def test_its_numbers_are_those_of_the_explanation(page: Path, explained: Explanation):
    numbers = json.loads((page.parent / "explanation.json").read_text())
    assert numbers["record"] == json.loads(json.dumps(explained.record))
    for plain, layer in zip(numbers["layers"], explained.layers, strict=True):
        assert np.allclose(plain["spatial"], layer.spatial().flatten(1), rtol=1e-3)
        led = np.array([group["led"] for group in plain["groups"]])
        assert np.allclose(led.sum(0) + plain["remainder"], plain["total"], rtol=0.01, atol=1e-3)
        assert all(max(group["map"]) == 1 for group in plain["groups"])
        row, column = 5, 3
        (unit, value), *_ = plain["positions"][row * plain["columns"] + column]
        strongest = layer.activations[:, row, column]
        assert unit == int(strongest.argmax())
        assert value == pytest.approx(float(strongest.max()), rel=1e-3)
        first = plain["channels"][0]["for"][0]
        assert first[0] == int(layer.channels()[0].argmax())


def test_the_diagram_has_a_line_for_every_attribution_that_is_not_small(
    page: Path, explained: Explanation
):
    (drawn,) = re.findall(r"<svg.*?</svg>", page.read_text("utf-8"), re.DOTALL)
    expected = 0
    for values in (explained.ties[0].values, explained.layers[-1].by_group()):
        expected += int((values.abs() >= 0.04 * values.abs().max()).sum())
    assert drawn.count("<path") == expected
    assert drawn.count('class="node"') == 3 + 3 + 3
    assert "&lt;tabby&gt;" in drawn


def test_it_is_written_without_pictures(explained: Explanation, tmp_path: Path):
    page = explanation.write(explained, {}, tmp_path, title="plain")
    assert not (tmp_path / "pictures").exists()
    assert "pictures/" not in page.read_text("utf-8")


def test_what_adds_up_to_each_logit_is_a_table_of_every_layer(page: Path, explained: Explanation):
    text = page.read_text("utf-8").replace("−", "-")
    tables = re.findall(r'<table class="sums">(.*?)</table>', text, re.DOTALL)
    assert len(tables) == len(explained.layers)
    for table in tables:
        rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', table)
        assert [title for title, _ in rows][::4] == ["groups", "the logit"]
        cells = [re.findall(r"<td>(.*?)</td>", row) for _, row in rows]
        groups, rest, layer, beside, logit = np.array(cells, float)
        assert np.allclose(groups + rest, layer, atol=2e-3)
        assert np.allclose(layer + beside, logit, atol=2e-3)
        assert np.allclose(logit, explained.logits, atol=1e-3)
