"""To import a file runs it: only a name that the user gave is imported, none out of a file."""

import ast
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import visioncircuits
from visioncircuits import examples, featurevis, networks, stimuli, thread, tuning, weights
from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Network, Preprocessing, wrap
from visioncircuits.thread.reproduce import part_files

BY_NAME = {
    ("gallery/building.py", "obtaining"): "the name in the user's recipe",
    ("atlas/icons.py", "obtaining"): "the function's argument",
    ("examples/survey.py", "obtaining"): "the function's argument",
    ("thread/reproduce.py", "obtaining"): "that of the user's run",
    ("thread/study.py", "load"): "inceptionv1",
    ("thread/articles/curve_detectors/labeling.py", "load"): "handwritten:curves",
    ("thread/articles/zoom_in/curve_unit.py", "load"): "handwritten:curves",
    ("thread/articles/zoom_in/other_networks.py", "load"): "one of torchvision's",
}
"""What loads a network outside `networks` and the command line, and by which name."""


def _calls(source: Path) -> set[str]:
    """Return which functions a file calls that load a network by name."""
    found = set()
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="networks"), attr="load")):
                found.add("load")
            case ast.Call(func=ast.Name(id="obtaining" | "loaded" as name)):
                found.add(name)
    return found


def test_few_places_load_a_network_by_name_and_none_out_of_a_record() -> None:
    package = Path(visioncircuits.__file__).parent
    found = {
        (file, call)
        for source in package.rglob("*.py")
        if (file := source.relative_to(package).as_posix()).split("/")[0] not in ("networks", "cli")
        for call in _calls(source)
    }
    assert found == set(BY_NAME)


@pytest.fixture(params=["evil.py:build", "evilpackage:build"])
def evil(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Network:
    """A network whose records name a function in the current folder, which leaves a trace."""
    for name in ("evil.py", "evilpackage.py"):
        (tmp_path / name).write_text(
            "import pathlib\npathlib.Path('imported').touch()\ndef build(): pass\n"
        )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 5), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU())
    return wrap(module, Preprocessing(mean=0.5), name=request.param, size=20)


def _photographs() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (24, 24, 3), np.uint8) for _ in range(4)]


def _examples(network: Network) -> Any:
    examples.collect(network, ["1"], _photographs()).save("examples.npz")
    return examples.Examples.load("examples.npz").record["network"]


def _activations(network: Network) -> Any:
    for place, pixels in enumerate(_photographs()):
        Path("photos").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(f"photos/{place}.png")
    for _ in range(2):  # the second time it resumes
        examples.save_activations(network, ["1"], "photos", "activations.nc")
    return json.loads(examples.load_activations("activations.nc").attrs["record"])["network"]


def _picture(network: Network) -> Any:
    featurevis.render(network, "1:0", size=16, steps=1).save("unit.png")
    return featurevis.Visualization.load("unit.png").record["network"]


def _responses(network: Network) -> Any:
    lines = stimuli.StimulusSet(stimuli.line, {"orientation": (0, 90)}, {"width": 2.0})
    for _ in range(2):  # the second time it resumes
        tuning.measure(network, ["1:0"], lines, save="responses.nc")
    return json.loads(tuning.Responses.load("responses.nc").attrs["record"])["network"]


def _weights(network: Network) -> Any:
    weights.expanded_weights(network, "1", "3:0").save("weights.nc")
    return weights.ExpandedWeights.load("weights.nc").record["network"]


@pytest.mark.parametrize("kept", [_examples, _activations, _picture, _responses, _weights])
def test_what_a_result_names_is_not_imported(evil: Network, kept: Callable[[Network], Any]) -> None:
    record = kept(evil)
    assert evil.name in (record, record.get("name"))
    assert not Path("imported").exists()


def test_a_directions_file_may_name_any_network(evil: Network) -> None:
    path = Direction("1", [1, 0, 0, 0], name="a").save("direction.json")
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "network": {"name": evil.name}}))
    with pytest.raises(InputError):
        networks.read_features("direction.json")
    assert not Path("imported").exists()


def test_scorecards_name_networks_that_are_not_loaded(evil: Network, tmp_path: Path) -> None:
    page = thread.reproduce([], thread.Run("handwritten:lines"), tmp_path / "thread")
    card = json.loads(page.with_name("scorecard.json").read_text())
    card["network"]["name"] = evil.name
    (tmp_path / "scorecard.json").write_text(json.dumps(card))
    assert evil.name in thread.across([tmp_path / "scorecard.json"], "across.html").read_text()
    assert not Path("imported").exists()


def test_the_network_of_a_piece_of_work_is_compared_with_the_users(evil: Network) -> None:
    work = {"network": evil.record()}
    with pytest.raises(InputError, match="a worker has another checkpoint"):
        part_files(work, obtain=lambda: networks.load("handwritten:lines"), folder=Path())
    with pytest.raises(InputError, match="unknown network to draw parameters for"):
        networks.untrained(evil.name)
    assert not Path("imported").exists()


def test_the_trap_is_sprung_where_the_user_names_it(evil: Network) -> None:
    with pytest.raises(InputError, match="build returned NoneType"):
        networks.load(evil.name)
    assert Path("imported").exists()
    sys.modules.pop("evilpackage", None)
