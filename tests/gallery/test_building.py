"""From recipe to site: the same however it was interrupted, and nothing is done twice."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

from visioncircuits import engine, gallery, networks
from visioncircuits.errors import InputError
from visioncircuits.gallery.evidence import visualizations

RECIPE = """\
title = "A small gallery"
network = "torchvision:squeezenet1_1"
checkpoint = "random.safetensors"

[show]
negative = true
diversity = 3

[quality]
steps = 2
size = 32

[[layers]]
name = "features.0"
units = "0-19"

[[layers]]
name = "features.3"
units = [7, 5]
families = { odd = [5, 7], five = [5] }
"""
PIECES = 2 + 2 + 4 + 1 + 1 + 1
"""Batches of sixteen pictures at most: twenty units, and two, of which diversity takes three."""


@pytest.fixture
def recipe(random_squeezenet: Path, tmp_path: Path) -> Path:
    (tmp_path / "random.safetensors").symlink_to(random_squeezenet)
    return write(tmp_path, RECIPE)


@pytest.fixture(scope="module")
def built(site: Callable[[str], Path]) -> Path:
    """The recipe's site, not to be changed."""
    return site(RECIPE)


@pytest.fixture(scope="module")
def whole(built: Path) -> dict[str, bytes]:
    """Its files."""
    return contents(built)


@pytest.fixture
def copied(built: Path, tmp_path: Path) -> Path:
    """A copy of it, to build upon."""
    return Path(shutil.copytree(built, tmp_path / "out"))


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def build(recipe: Path, out: Path, *, workers: int = 1) -> dict[str, bytes]:
    index = gallery.build(recipe, out, workers=workers)
    assert index == out / "index.html"
    return contents(out)


def contents(out: Path) -> dict[str, bytes]:
    files = [path for path in out.rglob("*") if path.is_file()]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def pieces(out: Path) -> dict[str, int]:
    """Return when each finished piece of work was written."""
    return {path.name: path.stat().st_mtime_ns for path in (out / "pictures").glob("[!.]*")}


def test_a_site_is_built(built: Path, whole: dict[str, bytes]) -> None:
    pages = sorted(name for name in whole if name.endswith(".html"))
    assert len(pages) == 1 + 2 + 22
    page = whole["layers/features.3/7.html"].decode()
    for kind in ("positive", "negative", "diversity-1", "diversity-2", "diversity-3"):
        assert f"features.3-7-{kind}.webp" in page
    assert "odd" in page
    assert len(pieces(built)) == PIECES


def test_a_site_has_at_most_twelve_files_a_page(whole: dict[str, bytes]) -> None:
    units = (re.search(r"features\.\d[-/]\d+(?=[.-])", name) for name in whole)
    own = Counter(found[0].replace("/", "-") for found in units if found)
    examples, pages = 3, 22  # this recipe has no examples: see their own tests
    assert len(own) == pages
    assert max(own.values()) + examples <= 12
    assert len(whole) <= 12 * pages


@pytest.mark.slow
def test_one_worker_and_two_build_the_same_site(
    recipe: Path, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    assert build(recipe, tmp_path / "two", workers=2) == whole


def test_a_second_build_makes_nothing_again(
    recipe: Path, copied: Path, whole: dict[str, bytes]
) -> None:
    before = pieces(copied)
    assert build(recipe, copied) == whole
    assert pieces(copied) == before


@pytest.mark.slow
def test_killed_during_any_write_it_resumes_and_builds_the_same_site(
    recipe: Path,
    tmp_path: Path,
    killed: Callable[[Path, Path, int], None],
    whole: dict[str, bytes],
) -> None:
    out = tmp_path / "out"
    finished: dict[str, int] = {}
    # Of the writes of what is left: the recipe, pictures of three pieces, and twice a page.
    for writes in (1, 20, 60, 50, 20, 10):
        killed(recipe, out, writes)
        now = pieces(out)
        assert finished.items() <= now.items(), "what was finished was made again"
        finished = now
        for path in (out / "pictures").glob("[!.]*"):
            assert (path / "work.json").is_file()
    assert build(recipe, out) == whole
    assert finished.items() <= pieces(out).items()


@pytest.mark.slow
def test_killed_from_outside_during_work_it_resumes_and_builds_the_same_site(
    recipe: Path, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    out = tmp_path / "out"
    script = tmp_path / "driver.py"
    script.write_text(
        "import sys\nfrom visioncircuits import gallery\n"
        "if __name__ == '__main__':\n"
        "    gallery.build(sys.argv[1], sys.argv[2], workers=2)\n"
    )
    driver = subprocess.Popen([sys.executable, script, recipe, out])
    while driver.poll() is None and len(pieces(out)) < 3:
        time.sleep(0.001)
    os.kill(driver.pid, signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL
    finished = pieces(out)
    assert 3 <= len(finished) < PIECES
    assert build(recipe, out) == whole
    assert finished.items() <= pieces(out).items()


@pytest.mark.slow
def test_a_changed_recipe_makes_only_what_is_new_and_removes_what_is_gone(
    recipe: Path, tmp_path: Path, copied: Path
) -> None:
    out = copied
    before = pieces(out)
    write(tmp_path, RECIPE.replace('"0-19"', '"0-20"').replace("[7, 5]", "[7]"))
    site = build(recipe, out)
    after = pieces(out)
    kept = before.keys() & after.keys()
    assert kept == before.keys()
    assert all(before[name] == after[name] for name in kept)
    assert len(after.keys() - before.keys()) == 3  # unit 20, in each kind
    assert "layers/features.0/20.html" in site
    assert "layers/features.3/5.html" not in site
    write(tmp_path, RECIPE.replace("negative = true", "negative = false"))
    site = build(recipe, out)
    assert not [name for name in site if "negative" in name]


def test_with_other_titles_no_picture_is_made_again(
    recipe: Path, tmp_path: Path, copied: Path
) -> None:
    before = pieces(copied)
    write(tmp_path, RECIPE.replace("A small gallery", "Another name"))
    site = build(recipe, copied)
    assert b"Another name" in site["index.html"]
    assert pieces(copied) == before


@pytest.mark.slow
def test_another_checkpoint_makes_other_pictures(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    short = RECIPE.replace("negative = true\ndiversity = 3\n", "").replace("0-19", "0-1")
    short = short.replace("[quality]", "[weights]\nconnections = 0\n\n[quality]")
    recipe = write(tmp_path, short)
    build(recipe, out)
    before = pieces(out)
    other = networks.untrained("torchvision:squeezenet1_1", seed=1)
    (tmp_path / "random.safetensors").unlink()
    save_file(
        {name: value.contiguous() for name, value in other.module.state_dict().items()},
        tmp_path / "random.safetensors",
    )
    build(recipe, out)
    assert not before.keys() & pieces(out).keys()


@pytest.mark.slow
def test_a_full_disk_is_a_sentence_and_loses_nothing(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: dict[str, bytes]
) -> None:
    out = tmp_path / "out"
    room = 100_000
    written = Path.write_bytes

    def limited(path: Path, data: bytes) -> int:
        nonlocal room
        room -= len(data) * (out in path.parents)
        if room < 0:
            raise OSError(28, "No space left on device")
        return written(path, data)

    monkeypatch.setattr(Path, "write_bytes", limited)
    with pytest.raises(InputError, match="the disk is full"):
        build(recipe, out)
    monkeypatch.undo()
    finished = pieces(out)
    assert 0 < len(finished) < PIECES
    assert not list(out.rglob(".part-*"))
    assert build(recipe, out) == whole
    assert finished.items() <= pieces(out).items()


@pytest.mark.slow
def test_a_picture_that_was_damaged_is_made_again(
    recipe: Path, copied: Path, whole: dict[str, bytes]
) -> None:
    damaged = next((copied / "pictures").rglob("features.3-7-positive.webp"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert build(recipe, copied) == whole


def test_a_folder_that_holds_something_else_is_left_alone(recipe: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.tex").write_text("dear reader")
    with pytest.raises(InputError, match="holds something else than a gallery"):
        build(recipe, home)
    assert [path.name for path in home.iterdir()] == ["thesis.tex"]


def test_a_folder_that_cannot_be_made_is_a_sentence(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write .*file/out: .*choose another folder"):
        build(recipe, tmp_path / "file" / "out")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("squeezenet1_1", "squeezenet9", "unknown torchvision network 'squeezenet9'"),
        ("random.safe", "absent.safe", "there is no checkpoint file .*absent"),
        ("features.3", "features.99", "line 18: unknown layer 'features.99'"),
        ("[7, 5]", "[7, 500]", "line 19: features.3 has units 0 to 127, and no 500"),
    ],
)
def test_a_mistake_is_reported_before_anything_is_written(
    recipe: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    write(tmp_path, RECIPE.replace(old, new))
    with pytest.raises(InputError, match=message):
        build(recipe, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_pictures_that_cannot_be_made_are_left_out_and_reported(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = visualizations.make

    def fails_at_five(network: Any, work: engine.Work) -> dict[str, bytes]:
        if "features.3:5" in work["features"] and work["kind"] == "negative":
            raise RuntimeError("out of memory")
        return made(network, work)

    monkeypatch.setattr(visualizations, "make", fails_at_five)
    with pytest.raises(engine.WorkFailed, match=r"1 of 11 .* out of memory"):
        build(recipe, tmp_path / "out")
    site = contents(tmp_path / "out")
    assert b"features.3-5-positive" in site["layers/features.3/5.html"]
    assert b"features.3-5-negative" not in site["layers/features.3/5.html"]
    monkeypatch.undo()
    build(recipe, tmp_path / "out")
    assert b"features.3-5-negative" in contents(tmp_path / "out")["layers/features.3/5.html"]


OWN = """\
title = "Of one channel"
quality = { steps = 2, size = 16 }
weights = { connections = 2, factors = 0 }
tuning = { stimuli = ["edges"] }
examples = { photographs = "photographs" }
layers = [{ name = "1", units = "0-2" }]
"""
FILE = """\
import torch
from torch import nn
from visioncircuits import Preprocessing, wrap

def build():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 4, 7, padding=3), nn.ReLU())
    return wrap(module, Preprocessing(channels=1, mean=0.5), name="mine", size=20)
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "my_cnn.py").write_text(FILE)
    (tmp_path / "photographs").mkdir()
    for place in range(3):
        pixels = np.random.default_rng(place).integers(0, 256, (24, 24, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photographs" / f"{place}.png")
    return write(tmp_path, OWN)


def test_a_given_network_and_the_file_that_returns_it_have_the_same_site(
    own: Path, tmp_path: Path
) -> None:
    network = networks.load(f"{tmp_path}/my_cnn.py:build")
    gallery.build(own, tmp_path / "given", network=network)
    given = contents(tmp_path / "given")
    named = build(write(tmp_path, f'network = "my_cnn.py:build"\n{OWN}'), tmp_path / "named")
    parts = {name for name in given if name.endswith(".webp")}
    assert {name.partition("/")[0] for name in parts} >= {"pictures", "examples", "weights"}
    assert {name: given[name] for name in parts} == {name: named[name] for name in parts}


def test_a_recipes_file_is_beside_it_and_options_follow_in_its_name(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = FILE.replace("build()", "build(units)").replace("(1, 4, 7", "(1, units, 7")
    (tmp_path / "my_cnn.py").write_text(source)
    monkeypatch.chdir("/")
    text = OWN.replace('units = "0-2"', 'units = "5"')
    with pytest.raises(InputError, match=r"my_cnn\.py:build needs 'units'"):
        build(write(tmp_path, f'network = "my_cnn.py:build"\n{text}'), tmp_path / "site")
    recipe = write(tmp_path, f'network = "my_cnn.py:build?units=6"\n{text}')
    assert "1/5.html" in " ".join(build(recipe, tmp_path / "site"))


def test_pictures_for_a_network_of_one_channel_are_gray(own: Path, tmp_path: Path) -> None:
    gallery.build(own, tmp_path / "site", network=networks.load(f"{tmp_path}/my_cnn.py:build"))
    shown = [*tmp_path.glob("site/pictures/**/*.webp"), *tmp_path.glob("site/**/*-crops.webp")]
    assert len(shown) >= 3 * 3
    for path in shown:
        pixels = np.asarray(Image.open(path).convert("RGB"), int)
        assert (pixels.max(2) - pixels.min(2)).max() <= 4, path  # lossy compression


def test_a_given_network_is_not_for_other_processes(own: Path, tmp_path: Path) -> None:
    network = networks.load(f"{tmp_path}/my_cnn.py:build")
    with pytest.raises(InputError, match="mine is an object of this process"):
        gallery.build(own, tmp_path / "site", network=network, workers=2)
    assert not (tmp_path / "site").exists()
    with pytest.raises(InputError, match="line 1: the key 'network' is missing"):
        gallery.build(own, tmp_path / "site", workers=1)
