"""`visioncircuits dictionary`: train two seeds, evaluate, test; an interrupted training goes on."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from visioncircuits.dictionaries import Dictionary, Evaluation, Rectified, gates
from visioncircuits.networks import read_features

NETWORK = """
import torch
from torch import nn
from visioncircuits.networks import Preprocessing, wrap

def build():
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 8, 7), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)
    return wrap(nn.Sequential(*layers), Preprocessing(), size=32)
"""

EDGES = """
name = "edge"
stimuli = "edges"
[[predictions]]
claim = "responds to one direction of an edge"
effect = "echo"
most = 0.9
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(NETWORK)
    Path("edges.toml").write_text(EDGES)
    Path("photos").mkdir()
    for place in range(24):
        values = np.random.default_rng(place).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(values).resize((50, 40)).save(f"photos/{place:02}.png")
    return tmp_path


def train(run, name: str, *more: object):
    return run(
        "dictionary", "train", "own.py:build", "1", "--photographs", "photos", "-o", name,
        "--atoms", "12", "--k", "2", "--steps", "40", "--positions", "60", "--held-out", "0.3",
        *more,
    )  # fmt: skip


def interrupt(*given: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
def test_two_seeds_are_trained_evaluated_and_put_through_the_gates(run, folder):
    for seed, name in enumerate(("a.safetensors", "b.safetensors")):
        ended = train(run, name, "--seed", seed)
        assert ended.returncode == 0, ended.stderr
        assert "samples of" in ended.stdout
        assert "converged: the held-out loss fell by" in ended.stdout.casefold()
    assert not list(folder.glob("*.work"))
    ended = run(
        "dictionary", "evaluate", "own.py:build", "a.safetensors", "--photographs", "photos",
        "--second", "b.safetensors", "--held-out", "0.3", "--json", "e.json",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    first = ended.stdout.splitlines()[0]
    assert first.startswith("TopK of 12 atoms in 1 ")
    assert str(Evaluation.load("e.json")).splitlines()[0] == first
    ended = run(
        "dictionary", "features", "edges.toml", "own.py:build", "a.safetensors", "--second",
        "a.safetensors", "--photographs", "photos", "--held-out", "0.3", "--count", "4",
        "--json", "f.json", "-o", "new.json",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    content = json.loads(Path("f.json").read_text())
    assert ended.stdout.startswith(content["summary"])
    assert len(content["atoms"]) == 12
    if content["new_features"]:
        assert len(read_features("new.json")) == len(content["new_features"])


@pytest.mark.slow
def test_an_interrupted_training_goes_on_to_the_same_dictionary(run, folder, monkeypatch):
    assert train(run, "once.safetensors").returncode == 0
    with monkeypatch.context() as patched:
        patched.setattr(Dictionary, "save", interrupt)
        assert train(run, "twice.safetensors").returncode == 130
    assert (folder / "twice.safetensors.work" / "samples" / "samples.json").is_file()
    assert train(run, "twice.safetensors").returncode == 0
    once, twice = (folder / f"{name}.safetensors" for name in ("once", "twice"))
    assert once.read_bytes() == twice.read_bytes()


@pytest.mark.parametrize("method", ["pca", "nmf", "l1", "grassmannian"])
def test_other_methods_have_a_name_each(run, folder, method):
    ended = train(run, "a.safetensors", "--method", method, "--atoms", "8", "--block", "2")
    assert ended.returncode == 0, ended.stderr
    assert len(Dictionary.load("a.safetensors").atoms) == 8


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train own.py:build 1 --photographs photos -o a.npz", "name it .safetensors"),
        ("train own.py:build 1 --photographs photos -o a.safetensors --held-out 0", "between 0 a"),
        ("train own.py:build 9 --photographs photos -o a.safetensors", "unknown layer '9'"),
        ("train own.py:build 1 --photographs photos -o a.safetensors --k 99 --atoms 8", "99"),
        ("evaluate own.py:build own.py --photographs photos", "holds no dictionary"),
        ("features edge own.py:build a.safetensors --second own.py --photographs photos", "a.saf"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(run, folder, line, message):
    ended = run("dictionary", *line.split())
    assert ended.returncode == 2
    assert message in ended.stderr
    assert ended.stderr.count("\n") == 1 or "shards" in ended.stderr
    assert not list(folder.glob("*.safetensors"))


def saved(name: str, seed: int) -> None:
    torch.manual_seed(seed)
    rows = torch.nn.functional.normalize(torch.randn(6, 8), dim=1)
    Dictionary(
        "1", rows, rows.T, torch.zeros(6), Rectified(), torch.ones(6), torch.zeros(8), "drawn"
    ).save(name)


def test_find_on_a_dictionary_reports_what_features_does(run, folder):
    saved("a.safetensors", 0)
    saved("b.safetensors", 1)
    options = "--second", "b.safetensors", "--photographs", "photos"
    ended = run("find", "edges.toml", "own.py:build", "a.safetensors", *options, "--json", "f.json")
    assert ended.returncode == 0, ended.stderr
    assert "6 atoms of drawn in 1" in ended.stdout
    assert list(json.loads(Path("f.json").read_text())["atoms"][0]) == ["atom", *gates._COLUMNS]
    other = run("dictionary", "features", "edges.toml", "own.py:build", "a.safetensors", *options)
    assert other.stdout == ended.stdout.removesuffix("f.json\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.safetensors", "find needs, of a dictionary, --second, the one of another seed, and"),
        ("a.safetensors --photographs photos", "--second, the one of another seed"),
        ("a.safetensors --second a.safetensors", "--photographs on which atoms are ablated"),
        ("c.safetensors --second a.safetensors --photographs photos", "no file c.safetensors"),
        ("1 --second a.safetensors", "--second is for a dictionary"),
    ],
)
def test_find_states_what_a_dictionary_needs(run, folder, line, message):
    saved("a.safetensors", 0)
    ended = run("find", "edges.toml", "own.py:build", *line.split())
    assert ended.returncode == 2
    assert message in ended.stderr
    assert ended.stderr.count("\n") == 1
