"""A pass and a gallery on two raylets of this machine, one of which is killed in the middle."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from visioncircuits import engine, gallery
from visioncircuits.engine import Store
from visioncircuits.examples import Survey, survey

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.slow

RECIPE = """
title = "Two machines"
network = "handwritten:lines"
[quality]
steps = 2
size = 16
[weights]
connections = 0
[examples]
photographs = "photographs"
[[layers]]
name = "conv2d0"
units = "all"
"""


@pytest.fixture
def raylets(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[engine.Engine, Callable[[], None]]]:
    """A cluster of two raylets of one worker each, and what kills the second, once."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    small = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
    there = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
    second = there.add_node(**small)
    there.wait_for_nodes()
    killed: list[bool] = []

    def kill() -> None:
        if not killed:
            killed.append(True)
            there.remove_node(second, allow_graceful=False)

    yield engine.cluster(there.address), kill
    there.shutdown()
    assert killed


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen pictures."""
    folder = tmp_path_factory.mktemp("pass") / "photographs"
    folder.mkdir()
    for place in range(16):
        values = np.random.default_rng(place).integers(0, 256, (6, 8, 3), np.uint8)
        picture = Image.fromarray(values).resize((80, 60), Image.Resampling.NEAREST)
        picture.save(folder / f"{place:02}.png")
    return folder


def test_a_pass_of_eight_parts_has_the_same_bytes(
    raylets: tuple[engine.Engine, Callable[[], None]],
    photographs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workforce, kill = raylets
    plan = survey("handwritten:color-contrast", ["conv2d0", "conv2d1"], photographs, shard=2)
    assert len(plan.works) == 8

    def bytes_of(folder: Path, workers: engine.Engine) -> bytes:
        store = Store(folder)
        plan.carry_out(store, workforce=workers)
        return plan.join(store, workforce=workers).read_bytes()

    alone = bytes_of(tmp_path / "alone", engine.local(workers=1))
    module = sys.modules[Survey.__module__]
    monkeypatch.setattr(module, "bar", lambda *_, **__: nullcontext(lambda amount: kill()))
    assert bytes_of(tmp_path / "cluster", workforce) == alone


def test_a_gallery_has_the_same_bytes(
    raylets: tuple[engine.Engine, Callable[[], None]], photographs: Path, tmp_path: Path
) -> None:
    workforce, kill = raylets
    recipe = photographs.parent / "recipe.toml"
    recipe.write_text(RECIPE)

    def files(name: str, workers: Any) -> dict[str, bytes]:
        out = gallery.build(recipe, tmp_path / name, workers=workers).parent
        every = (path for path in out.rglob("*") if path.is_file())
        return {path.relative_to(out).as_posix(): path.read_bytes() for path in every}

    alone = files("alone", 1)
    killer = threading.Thread(target=_when, args=(tmp_path / "cluster", kill))
    killer.start()
    try:
        assert files("cluster", workforce) == alone
    finally:
        killer.join()


def _when(out: Path, kill: Callable[[], None]) -> None:
    """Kill when the first pictures, of several pieces, are finished."""
    end = time.monotonic() + 120
    while not list(out.glob("pictures/[!.]*")) and time.monotonic() < end:
        time.sleep(0.02)
    kill()
