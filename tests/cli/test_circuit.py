"""`visioncircuits circuit discover` and `evaluate`, on a network of the user's own."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from visioncircuits.circuits import Circuit, Evaluation

NETWORK = """
import torch
from torch import nn
from visioncircuits.networks import Preprocessing, wrap

def build():
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.ReLU(), nn.Conv2d(5, 2, 3)
    return wrap(nn.Sequential(*layers), Preprocessing(), size=24)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder with a network and photographs, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("tiny.py").write_text(NETWORK)
    Path("photos").mkdir()
    generator = np.random.default_rng(0)
    for number in range(8):
        coarse = generator.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((24, 24), Image.Resampling.BILINEAR)
        picture.save(f"photos/{number}.png")
    return tmp_path


@pytest.mark.slow
def test_a_circuit_is_discovered_put_on_a_page_and_evaluated(own, run):
    ended = run(
        "circuit", "discover", "tiny.py:build", "4:0", "--from", "1,3", "--photographs", "photos",
        "--edges", 12, "--draws", 1, "--steps", 0, "-o", "page",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "12 edges) of 35, on photographs held out" in ended.stdout
    circuit = Circuit.load("page/circuit.json")
    assert len(circuit.edges) == 12
    page = Path("page/index.html").read_text("utf-8")
    assert page.count("<svg") == 2  # 10 and 12 edges
    numbers = json.loads(Path("page/numbers.json").read_text())
    assert [each["source"] for each in numbers["edges"]] == [each.source for each in circuit.edges]
    for row in numbers["edges"]:
        assert f"<td>{row['source']}</td><td>{row['target']}</td>" in page
    assert numbers["curves"]["faithfulness"]["mean"]["found"][-1][0] == pytest.approx(1)
    assert {each.name for each in Path("page/figures").iterdir()} == {
        *("circuit-10.svg", "circuit-12.svg", "explained.svg", "faithfulness.svg")
    }
    ended = run(
        "circuit", "evaluate", "page/circuit.json", "tiny.py:build", "--photographs", "photos",
        "--draws", 1, "--save", "evaluation.nc",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "4 of these photographs are among those that it was found on" in ended.stdout
    found = Evaluation.load("evaluation.nc")
    assert found["worth"].shape == (3, 12)


@pytest.mark.slow
@pytest.mark.browser
def test_the_table_of_edges_is_sorted_by_a_click(own, run, chromium):
    run(
        "circuit", "discover", "tiny.py:build", "4:0", "--from", "1,3", "--photographs", "photos",
        "--edges", 8, "--draws", 1, "--steps", 0, "-o", "page",
    )  # fmt: skip
    page, edges = (
        Path("page/index.html"),
        json.loads(Path("page/numbers.json").read_text())["edges"],
    )

    def shown(column):
        click = f"<script>document.querySelectorAll('.edges th button')[{column}].click()</script>"
        clicked = Path("page/clicked.html")
        clicked.write_text(page.read_text("utf-8") + click, "utf-8")
        address = clicked.absolute().as_uri()
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", address]
        dom = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return re.findall(r"<td>([^<]+)</td><td>4:0</td>|<td>([^<]+)</td><td>3:", dom)

    for column, name in ((3, "effect"), (4, "size"), (5, "worth")):
        expected = sorted(edges, key=lambda edge: -edge[name])
        assert ["".join(pair) for pair in shown(column)] == [edge["source"] for edge in expected]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("discover", "tiny.py:build", "4:0", "--from", "9"), "unknown layer '9'"),
        (("discover", "tiny.py:build", "4:0", "--from", "1", "--edges", "99"), "edges"),
        (("discover", "tiny.py:build", "4:0", "--from", "1", "--faithfulness", "2"), "between"),
        (("discover", "tiny.py:build", "4:0", "--from", "4"), "does not depend on"),
        (("evaluate", "none.json", "tiny.py:build"), "none.json"),
        (("evaluate", "bad.json", "tiny.py:build"), "bad.json holds no circuit"),
        (("evaluate", "other.json", "tiny.py:build"), "unknown feature '3:7'"),
    ],
)
def test_a_mistake_is_a_sentence_and_nothing_is_written(own, run, arguments, message):
    Path("bad.json").write_text("{}")
    Circuit("4:0", ("3", "4"), [("3:7", "4:0")]).save("other.json")
    out = ("-o", "page", "--steps", 0) if arguments[0] == "discover" else ()
    ended = run("circuit", *arguments, "--photographs", "photos", *out)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert not Path("page").exists()
